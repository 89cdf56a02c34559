"""A file to which lines are appended, each safe on disk before the next, and whose disk may go and come back.

A file that is open stays open where its disk or share goes, but then leads nowhere, even when the disk is
back. So the name is looked at with every line. Lines that cannot be written meanwhile are kept, and written
when the same file is back under its name.
"""

import contextlib
import os
import tempfile
from enum import Enum, auto
from pathlib import Path
from typing import IO

from vhsbatch.errors import is_disk_full
from vhsbatch.fs import is_open_as, sync_open

_RESERVE_BYTES = 256 * 2**10


class _Whereabouts(Enum):
    HERE = auto()  # the name leads to the open file
    ELSEWHERE = auto()  # to another file
    AWAY = auto()  # to nothing that can be reached


class LineFile:
    """The one who writes the file holds it open; none of its methods may run at the same time.

    An unnamed file reserves some disk space, so that lines can be written even while the disk is full.
    """

    def __init__(self, path: Path, first_line: bytes) -> None:
        """Create the file, with its first line, which no other file has.

        Raises:
            OSError: it cannot be created, or is there.
        """
        self._path = path
        self._first_line = first_line
        self._file: IO[bytes] = path.open("x+b", buffering=0)
        self._size_bytes = 0
        self._kept: list[bytes] = []  # lines that may not be in the file of that name yet
        self._written = 0  # how many of them are in the open file
        self._reserve: IO[bytes] | None = None
        try:
            self._write(first_line)
        except OSError:
            self._file.close()
            raise
        self._reserve = _reserve_in(path.parent)

    def append(self, line: bytes, *, urgent: bool) -> None:
        """Return when the line will survive a crash of the machine, or is kept as the file is away.

        Args:
            line: with its line break.
            urgent: whether the reserve may be used for it.

        Raises:
            OSError: the file is there, and cannot be written; it is as it was before.
        """
        self._kept.append(line)
        place = self._look()
        if place is _Whereabouts.ELSEWHERE and not self._reopen():
            place = _Whereabouts.AWAY
        try:
            self._write_kept(urgent=urgent)
        except OSError:
            if place is _Whereabouts.AWAY or self._look() is not _Whereabouts.HERE:
                return
            self._kept.pop()
            raise
        if self._look() is _Whereabouts.HERE:
            self._kept, self._written = [], 0

    def close(self) -> int:
        """Close the file; the number of lines that were kept to the end, as the file is away."""
        with contextlib.suppress(OSError):
            if self._kept and (self._look() is not _Whereabouts.ELSEWHERE or self._reopen()):
                self._write_kept(urgent=True)
        self._close_files()
        return len(self._kept) - self._written

    def _close_files(self) -> None:
        for file in (self._reserve, self._file):
            # On a share that is away, this fails too.
            with contextlib.suppress(OSError):
                if file is not None:
                    file.close()

    def _look(self) -> _Whereabouts:
        if is_open_as(self._path, self._file.fileno()):
            return _Whereabouts.HERE
        # Its name may be there again, while the open file leads nowhere.
        return _Whereabouts.ELSEWHERE if os.path.lexists(self._path) else _Whereabouts.AWAY

    def _reopen(self) -> bool:
        """Open what has the name now; whether it is this file, as it was when its disk went."""
        try:
            file = self._path.open("r+b", buffering=0)
        except OSError:
            return False
        try:
            content = file.read()
            if not content.startswith(self._first_line):
                file.close()
                return False
            end = content.rfind(b"\n") + 1
            file.truncate(end)
            file.seek(end)
        except OSError:
            file.close()
            return False
        self._close_files()
        self._file, self._size_bytes = file, end
        self._kept, self._written = [line for line in self._kept if line not in content[:end]], 0
        self._reserve = _reserve_in(self._path.parent)
        return True

    def _write_kept(self, *, urgent: bool) -> None:
        while self._written < len(self._kept):
            line = self._kept[self._written]
            try:
                self._write(line)
            except OSError as error:
                if self._reserve is None or not urgent or not is_disk_full(error):
                    raise
                self._reserve.truncate(0)
                self._write(line)
            self._written += 1

    def _write(self, line: bytes) -> None:
        """Append all of a line, or nothing."""
        rest = line
        try:
            while rest:
                # A disk that is nearly full takes a part of the line and says nothing of the rest.
                rest = rest[self._file.write(rest) :]
            sync_open(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._size_bytes)
                self._file.seek(self._size_bytes)
            raise
        self._size_bytes += len(line)
        if self._reserve is not None:
            _fill(self._reserve)


def _reserve_in(folder: Path) -> IO[bytes] | None:
    """An unnamed file that reserves disk space; empty if there is not enough.

    None where a file system has no files without a name.
    """
    try:
        reserve = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  # open as long as its user is
    except OSError:
        return None
    _fill(reserve)
    return reserve


def _fill(reserve: IO[bytes]) -> None:
    """Reserve disk space, unless it is reserved already or there is not enough."""
    descriptor, taken_bytes = reserve.fileno(), 0
    with contextlib.suppress(OSError):
        if os.fstat(descriptor).st_size == _RESERVE_BYTES:
            return
        os.lseek(descriptor, 0, os.SEEK_SET)
        taken_bytes = os.write(descriptor, bytes(_RESERVE_BYTES))
    if taken_bytes < _RESERVE_BYTES:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
