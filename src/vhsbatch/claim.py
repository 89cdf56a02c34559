"""One run at a time on one output folder."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio.to_thread

from vhsbatch.errors import OutputFolderError


@asynccontextmanager
async def claimed(output: Path, state_folder: Path) -> AsyncIterator[None]:
    """Hold the output folder; it is free again when this process ends, however it ends.

    Raises:
        OutputFolderError: it cannot be written, or another run holds it.
    """
    descriptor = await anyio.to_thread.run_sync(_claim, output, state_folder)
    try:
        yield
    finally:
        os.close(descriptor)


def _claim(output: Path, state_folder: Path) -> int:
    try:
        state_folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state_folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputFolderError(
            f"cannot write to the output folder {output}: {error.strerror}",
            fix="choose another one, or change its permissions",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 100).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise OutputFolderError(
            f"another run is working in {output} (process {holder})", fix="wait for it, or stop it"
        ) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
