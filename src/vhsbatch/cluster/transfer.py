"""The head's side of files that travel: it hands out blocks of sources, and fetches what was made of them."""

import contextlib
from pathlib import Path
from typing import Any

import anyio.to_thread

from vhsbatch.cluster.connection import Connection
from vhsbatch.cluster.files import SOURCE, files_of, proven_block, write_block
from vhsbatch.cluster.protocol import SegmentResult
from vhsbatch.cluster.rpc import block, drop, take
from vhsbatch.errors import MachineLostError, VerificationError, VhsBatchError
from vhsbatch.fs import sha256
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.reuse import expect_unchanged

# A block passes two connections, each of which may be slow and neither of which is dead.
_BLOCK_S = 60.0


async def hand_out(connection: Connection, plan: JobPlan, command: dict[str, Any]) -> None:
    """Hand a machine a block of a file that its attempt is made from, and of no other file."""
    try:
        path = files_of(plan)[command["want"]]
        data = await anyio.to_thread.run_sync(proven_block, path, int(command["block"]))
        if command["want"] == SOURCE:
            # Afterwards: what was read before a change is seen to be of the file that was planned for.
            await expect_unchanged(plan)
    except (KeyError, OSError, VhsBatchError):
        data = None
    with contextlib.suppress(OSError):  # the task that waits for it tries again
        await connection.ask(take, command["token"], data, worker=command["address"], within_s=_BLOCK_S)


async def fetch(connection: Connection, made: SegmentResult, worker: str, folder: Path) -> None:
    """Bring a segment to `folder` from a worker that shares no folder.

    Raises:
        MachineLostError: the machine is gone.
        VerificationError: what has arrived is not what was sent.
    """
    part, number = folder / made.part, 0
    try:
        while data := await _block(connection, made, worker, number):
            await anyio.to_thread.run_sync(write_block, part, number, data)
            number += 1
        await connection.ask(drop, made.part, worker=worker, within_s=_BLOCK_S)
    except OSError as error:
        raise MachineLostError(f"the segment was lost with {made.finished.machine}") from error
    if await sha256(part) != made.finished.sha256:
        raise VerificationError("a segment has changed on its way from another machine")


async def _block(connection: Connection, made: SegmentResult, worker: str, number: int) -> bytes:
    data = await connection.ask(block, made.part, number, worker=worker, within_s=_BLOCK_S)
    if isinstance(data, BaseException):
        raise MachineLostError(f"the segment was lost with {made.finished.machine}") from data
    return bytes(data)
