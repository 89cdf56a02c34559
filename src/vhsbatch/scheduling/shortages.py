"""Temporary shortages: too few processes or descriptors, and folders that are away.

No video is to blame. Work waits, and continues afterwards.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vhsbatch.errors import ChainError, ProcessLimitError, ShortageError
from vhsbatch.formatting import plain

_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN})
# What children say where the system gives them no more threads, processes or descriptors.
_SAID_SHORT = (
    "can't start new thread",
    "Cannot fork",
    "pthread_create",
    os.strerror(errno.EMFILE),
    os.strerror(errno.ENFILE),
    os.strerror(errno.EAGAIN),
)
_NO_SUCH_NAME = (errno.ENOENT, errno.ENOTDIR)
# What a share says that has gone: at first to who was just asking it, then to everyone.
_GONE = (errno.ESTALE, errno.ECONNABORTED, errno.ENOTCONN)
_SAID_AWAY = tuple(map(os.strerror, (errno.ENOENT, *_GONE)))
# The source itself is to blame for these.
_ITS_OWN_FAULT = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG)


def shortage(error: BaseException) -> str | None:
    """The shortage that made work fail, in words; None if none did. Pure."""
    for cause in _causes(error):
        if isinstance(cause, ShortageError | ProcessLimitError):
            return cause.cause
        if isinstance(cause, OSError) and cause.errno in _SHORT:
            return os.strerror(cause.errno)
        if isinstance(cause, RuntimeError) and "can't start new thread" in str(cause):
            return str(cause)
    return next((words for words in _SAID_SHORT if _is_said(error, words)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_said(error: BaseException, words: str) -> bool:
    stages = error.stages if isinstance(error, ChainError) else ()
    said = (line for stage in stages if stage.exit_code for line in stage.stderr_tail)
    return words in str(error) or any(words in line for line in said)


@dataclass(slots=True)
class Sources:
    """Knows the folders of the sources, to tell a folder that is away from a file that is gone.

    Attributes:
        folders: what identifies each of them, as it was when the batch began; None where it was away.
    """

    folders: dict[Path, tuple[int, int] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[Path]) -> "Sources":
        """Look at the folders of a batch."""
        return cls({folder: _identity(folder) for folder in {_folder(source) for source in sources}})

    def away(self, source: Path) -> str | None:
        """The folder that is away, so that a source cannot be read; None if there is another reason."""
        try:
            source.stat()
        except OSError as error:
            if error.errno not in _NO_SUCH_NAME:
                its_own = error.errno in _ITS_OWN_FAULT
                return None if its_own else f"{plain(str(source))} cannot be read: {error.strerror}"
        else:
            return None
        folder = _folder(source)
        if folder not in self.folders:
            return None
        try:
            folder.stat()
            is_another = self.folders[folder] not in (None, _identity(folder))
            if is_another and not any(folder.iterdir()):  # a place where a disk or a share was mounted
                return f"the disk or share at {plain(str(folder))} is away"
        except OSError as error:
            return f"the folder {plain(str(folder))} is away: {error.strerror}"
        return None


def was_away(error: BaseException, source: Path) -> bool:
    """Whether work failed because a source was temporarily away."""
    if any(isinstance(cause, OSError) and _is_absence(cause, source) for cause in _causes(error)):
        return True
    return isinstance(error, ChainError) and any(
        words in line and source.name in line
        for words in _SAID_AWAY
        for stage in error.stages
        for line in stage.stderr_tail
    )


def _is_absence(error: OSError, source: Path) -> bool:
    if error.filename is None or os.fsdecode(error.filename) != str(source):
        return False
    return error.errno in (*_NO_SUCH_NAME, *_GONE)


def _folder(source: Path) -> Path:
    """The real folder of a file, with links resolved."""
    return Path(os.path.realpath(source)).parent


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
