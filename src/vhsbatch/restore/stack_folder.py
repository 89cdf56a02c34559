"""The hidden folder beside a stacked capture for what is not finished, and what runs that died left there."""

import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.process import heartbeat

_PREFIX = ".vhsbatch-stack-"


@asynccontextmanager
async def work_beside(output: Path) -> AsyncIterator[Path]:
    """A folder for the time of the block, after what dead runs for the same output left has been removed.

    A file beside it, called as the folder is, shows that this run is alive.

    Raises:
        OSError: it cannot be made.
    """
    series = _PREFIX + hashlib.sha256(os.fsencode(output.name)).hexdigest()[:12]
    folder = output.with_name(f"{series}-{secrets.token_hex(4)}")
    alive = folder.with_suffix(".json")
    lock = heartbeat.announce(heartbeat.this_process(folder.name), alive)
    try:
        await anyio.to_thread.run_sync(_clear_away, output.parent, series, alive)
        folder.mkdir(mode=0o700)
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(_renew, alive)
            # As it is, and not in the group of errors that a task group makes of it.
            try:
                yield folder
            except Exception as error:
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        alive.unlink(missing_ok=True)


async def _renew(alive: Path) -> None:
    while True:
        await anyio.sleep(heartbeat.RENEW_S)
        await anyio.to_thread.run_sync(heartbeat.renew, alive)


def _clear_away(parent: Path, series: str, own: Path) -> None:
    """Remove what dead runs left; their file goes last, so that a stop in between hides nothing."""
    for path in parent.glob(f"{series}-*.json"):
        if path != own and heartbeat.living(path, clock=own) is None:
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink(missing_ok=True)
