"""What is there already, and whether it counts: sources, finished segments, finished outputs."""

import hashlib
import os
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.errors import InputError, StalePlanError
from vhsbatch.events.events import SegmentFinished
from vhsbatch.fs import has_digest, open_regular, sha256, state_of
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.ownership import ANY_FILE
from vhsbatch.restore.workspace import Workspace


async def expect_unchanged(plan: JobPlan) -> None:
    """See that the source is what was planned for: half of an old file and half of a new one make neither.

    Raises:
        InputError: it is gone.
        StalePlanError: it has changed, or another file has its name.
    """

    def state() -> tuple[int, int, str]:
        return *state_of(*plan.job.files), plan.sample and sample_of(*plan.job.files)

    try:
        now = await anyio.to_thread.run_sync(state)
    except OSError as error:
        raise InputError(f"the source is gone: {error.strerror}") from error
    if now != (plan.info.size_bytes, plan.info.modified_ns, plan.sample):
        raise StalePlanError(
            "the source changed while it was being restored", fix="run the batch again when it is complete"
        )


_PIECES = 8
_PIECE_BYTES = 16 * 2**10


def sample_of(*paths: Path) -> str:
    """Digest of pieces spread over each file, which takes milliseconds: captures of one length differ.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with open_regular(path) as file:
            last = max(0, os.fstat(file.fileno()).st_size - _PIECE_BYTES)
            for piece in range(_PIECES):
                file.seek(last * piece // (_PIECES - 1))
                digest.update(file.read(_PIECE_BYTES))
    return digest.hexdigest()


async def expect_replaceable(plan: JobPlan) -> None:
    """See that a result takes the place of nothing but what its plan may replace.

    Raises:
        InputError: another file has its name.
    """
    output = plan.job.output
    if plan.replaces == ANY_FILE or not await anyio.to_thread.run_sync(os.path.lexists, output):
        return
    if plan.replaces and await has_digest(output, (plan.replaces,)):
        return
    raise InputError(
        f"{output} appeared, or changed, while it was being made: it is not touched",
        fix="move it away, or add --overwrite; --resume continues",
    )


async def damage_of_segment(plan: JobPlan, proof: SegmentFinished, workspace: Workspace) -> str | None:
    """Why a finished segment does not count any more; None if it does."""
    path = workspace.job_folder(plan) / proof.file

    def size_bytes() -> int | None:
        return path.stat().st_size if os.path.isfile(path) else None  # noqa: PTH113 - a share may be away

    size = await anyio.to_thread.run_sync(size_bytes)
    if size is None:
        return f"{proof.file} is gone"
    if size != proof.size_bytes:
        return f"{proof.file} has {size} bytes instead of {proof.size_bytes}"
    if await sha256(path) != proof.sha256:
        return f"{proof.file} has changed"
    return None
