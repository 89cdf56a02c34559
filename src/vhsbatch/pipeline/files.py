"""Files that must survive a crash: digests, synced renames."""

import hashlib
import time
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread

from vhsbatch.errors import InputError
from vhsbatch.filesystem import open_regular, sync

# A file that was written to so recently may be a copy that is under way.
_SETTLED_S = 2.0
_STILL_GROWING_S = 600.0
_READ_AT_ONCE_BYTES = 4 * 2**20


async def sha256(path: Path) -> str:
    """Digest of a file, read in a thread that is abandoned when nobody waits for it any more."""

    def digest() -> str:
        found = hashlib.sha256()
        with open_regular(path) as file:
            while part := file.read(_READ_AT_ONCE_BYTES):
                anyio.from_thread.check_cancelled()
                found.update(part)
        return found.hexdigest()

    return await anyio.to_thread.run_sync(digest, abandon_on_cancel=True)


async def settled(path: Path) -> None:
    """Return when a file has not grown for a while; at once for one that is older than that.

    Raises:
        InputError: it is still growing after a long time.
    """
    deadline_s = time.monotonic() + _STILL_GROWING_S
    before = await _state(path)
    # A clock that is ahead of the file system's is no reason to wait.
    while before is not None and 0 <= time.time() - before[1] < _SETTLED_S:
        await anyio.sleep(_SETTLED_S)
        now = await _state(path)
        if now == before:
            return
        before = now
        if time.monotonic() > deadline_s:
            raise InputError("it is still being written", fix="run the batch again when it is complete")


async def _state(path: Path) -> tuple[int, float] | None:
    try:
        status = await anyio.Path(path).stat()
    except OSError:
        return None  # whoever opens it says why
    return status.st_size, status.st_mtime


async def publish(temporary: Path, final: Path) -> None:
    """Give a finished file its name, in a way that a crash leaves either nothing or all of it.

    Both names must be on one file system. The file's data is on disk before the name is, and the
    name is on disk when this returns.
    """

    def move() -> None:
        sync(temporary)
        temporary.replace(final)
        sync(final.parent)

    await anyio.to_thread.run_sync(move)
