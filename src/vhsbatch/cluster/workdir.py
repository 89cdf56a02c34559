"""A worker's folder for what it is sent and makes: gone when it ends, or when the next one starts here."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.process.heartbeat import RENEW_S, announce, living, renew, this_process

_PREFIX = "vhsbatch-worker-"


@asynccontextmanager
async def own_place(parent: Path | None) -> AsyncIterator[Path]:
    """A folder for one worker; those of workers that were killed are cleared away.

    Args:
        parent: where it is created, None for the system's folder for temporary files.

    Raises:
        OSError: it cannot be created.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    await anyio.to_thread.run_sync(clear_away, parent)
    folder = parent / f"{_PREFIX}{uuid.uuid4().hex}"
    # Older than the folder, and removed after it.
    sign = folder.with_suffix(".json")
    lock = await anyio.to_thread.run_sync(announce, this_process(folder.name), sign)

    async def keep() -> None:
        while True:
            await anyio.sleep(RENEW_S)
            await anyio.to_thread.run_sync(renew, sign)

    # Not in a task group, which would wrap what the worker raises.
    keeping = asyncio.create_task(keep())
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        keeping.cancel()
        shutil.rmtree(folder, ignore_errors=True)
        sign.unlink(missing_ok=True)
        os.close(lock)


def clear_away(parent: Path) -> None:
    """Remove the folders of workers that are dead."""
    for sign in parent.glob(f"{_PREFIX}*.json"):
        if living(sign) is None:
            shutil.rmtree(sign.with_suffix(""), ignore_errors=True)
            sign.unlink(missing_ok=True)
