"""Whether the output folder's file system takes a result: its name, and its size. Asked before the work."""

import errno
import os
import sys
from pathlib import Path

from vhsbatch.errors import InputError
from vhsbatch.formatting import size
from vhsbatch.fs import largest_file_bytes, refused_name
from vhsbatch.model.plan import Job
from vhsbatch.restore.record import record_path
from vhsbatch.restore.workspace import make_private

# What file systems answer to a name that they do not take, in a folder that takes others.
_NO_NAME = frozenset(
    {errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG, errno.ENOENT, errno.EPERM, errno.EACCES}
)
# No file system of Windows takes these.
_RESERVED = '\\:*?"<>|'


def expect_name(job: Job, publishing: Path, *, record: bool) -> None:
    """See that a result can have its name, and so can the folders that it is in and its record.

    Args:
        job: the video.
        publishing: a folder on the file system of the output folder.
        record: whether a record is put beside the result.

    Raises:
        InputError: it cannot.
    """
    make_private(publishing)
    names = [*Path(job.id).parts, *([record_path(job.output).name] if record else [])]
    for name in names:
        refusal = refused_name(publishing, name)
        if refusal is not None and refusal.errno in _NO_NAME:
            raise _unnameable(name, publishing, refusal)


def expect_size(needed_bytes: int, publishing: Path) -> None:
    """Refuse a file of this size if it is too large for the file system.

    Args:
        needed_bytes: at least so large will it be.
        publishing: a folder on the file system of the output folder.

    Raises:
        InputError: it is.
    """
    if (limit_bytes := limit_below(needed_bytes, publishing)) is not None:
        raise InputError(
            f"the result needs {size(needed_bytes)} or more, and the output folder's file system takes "
            f"files of up to {size(limit_bytes)}",
            fix="move the output folder to a disk with exFAT, NTFS or ext4, and --resume continues there",
        )


def limit_below(needed_bytes: int, publishing: Path) -> int | None:
    """How large a file can be where `needed_bytes` is more than that; None where it is not."""
    try:
        make_private(publishing)
        limit_bytes = largest_file_bytes(publishing)
    except OSError:  # a full disk, a share that is away: the writer reports it
        return None
    return limit_bytes if limit_bytes is not None and needed_bytes > limit_bytes else None


def _longest_name_bytes(folder: Path) -> int:
    if sys.platform == "win32":
        return 255
    return os.statvfs(folder).f_namemax


def _unnameable(name: str, folder: Path, refusal: OSError) -> InputError:
    fix = "rename the video, or choose an output folder on another disk"
    if refusal.errno == errno.ENAMETOOLONG:
        return InputError(
            f"the name {name} has {len(os.fsencode(name))} bytes, and the output folder's file system takes "
            f"{_longest_name_bytes(folder)}",
            fix=fix,
        )
    reserved = "".join(sign for sign in _RESERVED if sign in name)
    why = f": it has {' '.join(reserved)} in it" if reserved else f": {refusal.strerror}"
    return InputError(f"the output folder's file system allows no file named {name}{why}", fix=fix)
