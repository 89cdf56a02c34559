"""Files, where file systems differ in what they can do: FAT, exFAT, shares and FUSE, besides the usual ones.

What others name (a preset, a sidecar, a record) is opened so that neither a pipe nor a device can hold up the
run, and read up to a limit.
"""

import errno
import os
import resource
import stat
import tempfile
from collections.abc import Collection
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

# What a file system answers that cannot sync a file or a folder: there is nothing more to be done.
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
# Some let nobody open a folder.
_CANNOT_OPEN = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF})
# How large a file cannot be on FAT, and on very old shares; one byte less is the limit.
_SIZE_LIMITS_BYTES = (2**31, 2**32)


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading; a pipe or a device is refused at once instead of waited for.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    # Opening a pipe would wait for its other end.
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))


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


def sync(path: Path) -> None:
    """Return when the data of a file, or the names in a folder, are on disk, as far as it can be told.

    Raises:
        OSError: they are not.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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
    soft, _hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limits = [] if soft == resource.RLIM_INFINITY else [soft]
    with tempfile.TemporaryFile(dir=folder) as file:
        for size_bytes in _SIZE_LIMITS_BYTES:
            try:
                os.lseek(file.fileno(), size_bytes, os.SEEK_SET)
            except OSError:
                limits.append(size_bytes - 1)
    return min(limits, default=None)
