"""Files and folders: what must survive a crash, what others name, and what file systems differ in.

FAT, exFAT, shares and FUSE can do less than the usual file systems. What others name (a preset, a sidecar,
a record) is opened so that neither a pipe nor a device can hold up the run, and read up to a limit.
"""

import errno
import hashlib
import io
import os
import stat
import sys
import tempfile
import time
import zlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedReader
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import anyio.from_thread
import anyio.to_thread
import platformdirs

from vhsbatch.errors import InputError

# Opening a pipe waits for its other end, where a path can name a pipe.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
# What a file system answers that cannot sync a file or a folder: there is nothing more to be done.
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
# Windows syncs only what may be written to.
_TO_SYNC = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
# Some let nobody open a folder.
_CANNOT_OPEN = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF})
# How large a file cannot be on FAT, and on very old shares; one byte less is the limit.
_SIZE_LIMITS_BYTES = (2**31, 2**32)
_MILLISECOND_NS = 10**6


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; a pipe or a device is refused at once instead of waited for.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _WITHOUT_WAITING))  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))


def state_of(*paths: Path) -> tuple[int, int]:
    """The size of all files together, and when they were last changed, see `modified_ns_of`.

    Raises:
        OSError: one is not there.
    """
    states = [path.stat() for path in paths]
    sizes_bytes, times_ns = [one.st_size for one in states], [one.st_mtime_ns for one in states]
    return sum(sizes_bytes), modified_ns_of(sizes_bytes, times_ns)


def modified_ns_of(sizes_bytes: Sequence[int], times_ns: Sequence[int]) -> int:
    """When files were last changed, in nanoseconds.

    Of several it is the time of the newest to a millisecond. The digits below differ where the files have
    changed places, or one that is not the newest has changed.
    """
    if len(times_ns) == 1:
        return times_ns[0]
    newest_ns = max(times_ns)
    each = zlib.crc32(repr([*sizes_bytes, *times_ns]).encode())
    return newest_ns - newest_ns % _MILLISECOND_NS + each % _MILLISECOND_NS


def open_in_a_row(paths: Sequence[Path]) -> BufferedReader:
    """Open several files as one, for reading.

    Raises:
        OSError: one cannot be opened, or is not a regular file.
    """
    return cast("BufferedReader", io.BufferedReader(_FilesInARow(paths)))


class _FilesInARow(io.RawIOBase):
    """Several files as one, for reading."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [open_regular(path) for path in paths]
        self._starts = [0, *accumulate(os.fstat(file.fileno()).st_size for file in self._files)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._at) - 1
        self._files[number].seek(self._at - self._starts[number])
        read = self._files[number].readinto(buffer)
        self._at += read
        return read

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()


def is_open_as(path: Path, descriptor: int) -> bool:
    """Whether a name leads to the open file; not where its disk or share was away meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def read_regular(path: Path, *, limit_bytes: int) -> bytes:
    """All that a file holds.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger than `limit_bytes`.
    """
    with open_regular(path) as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"it is larger than {limit_bytes // 2**20} MiB", os.fspath(path))
    return content


def files_in(folder: Path, ending: str = "") -> list[Path]:
    """What a folder holds, in the order of names; nothing where there is no such folder.

    `Path.glob` takes a folder that cannot be read for an empty one, which would be a lie about state.

    Args:
        folder: where to look; not into what is below it.
        ending: what a name ends in.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are wanted
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if name.endswith(ending)]


def sync(path: Path) -> None:
    """Return when the data of a file, or the names in a folder, are on disk, as far as it can be told.

    Raises:
        OSError: they are not.
    """
    try:
        descriptor = os.open(path, _TO_SYNC)
    except OSError as error:
        if error.errno in _CANNOT_OPEN and path.is_dir():
            return
        raise
    try:
        sync_open(descriptor, also=_CANNOT_OPEN if path.is_dir() else frozenset())
    finally:
        os.close(descriptor)


def sync_open(descriptor: int, *, also: Collection[int] = ()) -> None:
    """Return when what was written to an open file is on disk, as far as its file system can say.

    Args:
        descriptor: the file's.
        also: further errors by which a file system says that it cannot: there are more for folders.

    Raises:
        OSError: it is not.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC and error.errno not in also:
            raise


def refused_name(folder: Path, name: str) -> OSError | None:
    """Why the file system of `folder` takes no file called `name`; None if it does.

    It is tried out, with a folder that is removed at once: what a name may hold, and how long it may be,
    differs, and no file system says it beforehand.
    """
    trial = folder / name
    try:
        trial.mkdir()
    except FileExistsError:
        return None
    except OSError as error:
        return error
    with suppress(OSError):  # another one tries the same name
        trial.rmdir()
    return None


def largest_file_bytes(folder: Path) -> int | None:
    """How large a file in `folder` may be; None where no limit is known. Nothing is written for it.

    Raises:
        OSError: no file can be made there.
    """
    limits = []
    if sys.platform != "win32":
        import resource

        soft, _hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        limits = [] if soft == resource.RLIM_INFINITY else [soft]
    with tempfile.TemporaryFile(dir=folder) as file:
        for size_bytes in _SIZE_LIMITS_BYTES:
            try:
                os.lseek(file.fileno(), size_bytes, os.SEEK_SET)
            except OSError:
                limits.append(size_bytes - 1)
    return min(limits, default=None)


# A file that was written to so recently may be a copy that is under way.
_SETTLED_S = 2.0
_STILL_GROWING_S = 600.0
_READ_AT_ONCE_BYTES = 4 * 2**20


def digest(*paths: Path, go_on: Callable[[], object] = lambda: None) -> str:
    """SHA-256 of a file, or of several in a row; between two pieces `go_on` is called, which may raise.

    Raises:
        OSError: one cannot be read, or is not a regular file.
    """
    found = hashlib.sha256()
    for path in paths:
        with open_regular(path) as file:
            while part := file.read(_READ_AT_ONCE_BYTES):
                go_on()
                found.update(part)
    return found.hexdigest()


async def sha256(*paths: Path) -> str:
    """The same, read in a thread that is abandoned with who waits for it."""
    work = partial(digest, *paths, go_on=anyio.from_thread.check_cancelled)
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def has_digest(path: Path, digests: Collection[str]) -> bool:
    """Whether a file has one of these SHA-256 digests; a file that cannot be read has none."""
    try:
        return bool(digests) and await sha256(path) in digests
    except OSError:
        return False


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
        return None  # the one that opens it says why
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


# Nothing is in it, and nothing can be put there.
NOWHERE = Path(os.devnull) / "vhsbatch"


def user_folder(kind: Literal["config", "cache", "data", "log"]) -> Path:
    """The user's folder for files of a kind, which need not exist.

    It is one in which nothing can be where the user has no home: `HOME` is not set, and the system does
    not know the user, as in a container with another user's number.
    """
    folder_of = {
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
        "data": platformdirs.user_data_path,
        "log": platformdirs.user_log_path,
    }[kind]
    try:
        folder = folder_of("vhsbatch", appauthor=False)
    except (RuntimeError, KeyError):
        return NOWHERE
    # A home that is unknown stays a tilde, which would be a folder in the current one.
    return folder if folder.is_absolute() else NOWHERE
