"""What is there already, and whether it counts: sources, finished segments, finished outputs."""

from fractions import Fraction

import anyio
import anyio.to_thread

from vhsbatch.errors import InputError, StalePlanError, VhsBatchError
from vhsbatch.media.probe import probe
from vhsbatch.model.events import JobPublished, SegmentFinished
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.pipeline.files import sha256
from vhsbatch.pipeline.workplace import Workplace

# An output that somebody else made may be a little shorter or longer than its source.
_FOREIGN_TOLERANCE_S = Fraction(1, 2)


async def expect_unchanged(plan: JobPlan) -> None:
    """See that the source is what was planned for: half of an old file and half of a new one make neither.

    Raises:
        InputError: it is gone.
        StalePlanError: it has changed.
    """
    try:
        status = await anyio.Path(plan.job.source).stat()
    except OSError as error:
        raise InputError(f"the source is gone: {error.strerror}") from error
    if (status.st_size, status.st_mtime_ns) != (plan.info.size_bytes, plan.info.modified_ns):
        raise StalePlanError(
            "the source changed while it was being restored", fix="run the batch again when it is complete"
        )


async def damage_of_segment(plan: JobPlan, proof: SegmentFinished, workplace: Workplace) -> str | None:
    """Why a finished segment does not count any more; None if it does."""
    path = workplace.job_folder(plan) / proof.file

    def size_bytes() -> int | None:
        return path.stat().st_size if path.is_file() else None

    size = await anyio.to_thread.run_sync(size_bytes)
    if size is None:
        return f"{proof.file} is gone"
    if size != proof.size_bytes:
        return f"{proof.file} has {size} bytes instead of {proof.size_bytes}"
    if await sha256(path) != proof.sha256:
        return f"{proof.file} has changed"
    return None


async def proof_of_output(
    job: Job, published: JobPublished | None, source: MediaInfo, *, ffmpeg: str
) -> str | None:
    """How it is known that a job's output is complete; None if there is none or it is not proven.

    Args:
        job: the video.
        published: what the journal says of the output, if anything.
        source: what the source is.
        ffmpeg: the FFmpeg program.
    """
    size = await anyio.to_thread.run_sync(lambda: job.output.stat().st_size if job.output.is_file() else None)
    if size is None:
        return None
    if published is not None and published.size_bytes == size:
        return "already restored, as the journal proves"
    try:
        made = await probe(job.output, ffmpeg=ffmpeg)
    except VhsBatchError:
        return None
    made_s, source_s = (info.video.frames / info.video.rate for info in (made, source))
    if abs(made_s - source_s) > _FOREIGN_TOLERANCE_S or len(made.audio) < len(source.audio):
        return None
    return f"an output of the right length is there ({float(made_s):.1f} s)"
