"""Files that must survive a crash: digests, synced renames."""

import hashlib
import os
from pathlib import Path

import anyio.to_thread


async def sha256(path: Path) -> str:
    """Digest of a file, read in a thread."""

    def digest() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return await anyio.to_thread.run_sync(digest)


async def publish(temporary: Path, final: Path) -> None:
    """Give a finished file its name, in a way that a crash leaves either nothing or all of it.

    Both names must be on one file system. The file's data is on disk before the name is, and the
    name is on disk when this returns.
    """

    def move() -> None:
        _sync(temporary)
        temporary.replace(final)
        _sync(final.parent)

    await anyio.to_thread.run_sync(move)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
