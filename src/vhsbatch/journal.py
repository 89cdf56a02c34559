"""The journal: every fact of every run on an output folder, on disk before anybody is told.

Each run appends to a file of its own, one fact of JSON a line, so that there is never more than one
writer to a file; replaying all files in the order of their names gives the folder's history.
"""

import contextlib
import functools
import os
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import aiofiles
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncFileIO

from vhsbatch.errors import OutputFolderError, found_no_room
from vhsbatch.model.events import Fact, JobPlanned
from vhsbatch.model.wire import dump, load_fact

STATE_FOLDER = ".vhsbatch"
_RESERVE_BYTES = 256 * 2**10


class Journal:
    """One run's file, open for appending.

    Some room is kept for it in a nameless file, so that what ends while a disk is full, and that it is
    full, can still be said. Plans are not written into that room: they are long, and can be made again.
    """

    def __init__(self, file: AsyncFileIO, reserve: BinaryIO) -> None:
        self._file = file
        self._size_bytes = 0
        self._reserve = reserve

    @classmethod
    async def create(cls, folder: Path, run_id: str) -> Self:
        """Create the file of the run `run_id` in the journal folder of an output folder.

        Raises:
            OutputFolderError: the folder is not writable.
        """
        try:
            await anyio.to_thread.run_sync(functools.partial(folder.mkdir, parents=True, exist_ok=True))
            file = await aiofiles.open(folder / f"{run_id}.jsonl", "xb", buffering=0)
            await anyio.to_thread.run_sync(_sync_folder, folder)
            reserve = await anyio.to_thread.run_sync(_reserve_in, folder)
        except OSError as error:
            raise OutputFolderError(
                f"cannot write to {folder}: {error.strerror}",
                fix="choose another output folder, or change its permissions",
            ) from error
        return cls(file, reserve)

    async def append(self, fact: Fact) -> None:
        """Return when the fact will survive a crash of the machine.

        Raises:
            OutputFolderError: it cannot be written; the journal is as it was before.
        """
        line = dump(fact).encode() + b"\n"
        try:
            try:
                await self._write(line)
            except OSError as error:
                if isinstance(fact, JobPlanned) or not found_no_room(error):
                    raise
                self._reserve.truncate(0)
                await self._write(line)
        except OSError as error:
            raise OutputFolderError(
                f"cannot write the journal: {error.strerror}",
                fix="make room; the same command with --resume goes on",
            ) from error
        self._size_bytes += len(line)

    async def _write(self, line: bytes) -> None:
        """Append all of a line, or nothing."""
        try:
            while line:
                # A disk that is nearly full takes a part of the line and says nothing of the rest.
                line = line[await self._file.write(line) :]
            await anyio.to_thread.run_sync(self._settle)
        except OSError:
            with contextlib.suppress(OSError):
                await self._file.truncate(self._size_bytes)
                await self._file.seek(self._size_bytes)
            raise

    def _settle(self) -> None:
        os.fsync(self._file.fileno())
        _fill(self._reserve)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reserve.close()
        with anyio.CancelScope(shield=True):
            await self._file.close()


def read_journal(folder: Path) -> Iterator[Fact]:
    """All facts in `folder`, oldest first.

    A last line without its line break was torn by a crash: it was never told to anybody and is
    left out.

    Raises:
        OutputFolderError: a file cannot be read, or a line in the middle is not a fact.
    """
    for path in sorted(folder.glob("*.jsonl")):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error
        yield from _facts_in(content.split(b"\n")[:-1], path)


def _facts_in(lines: list[bytes], path: Path, *, behind: int = 0) -> Iterator[Fact]:
    """The facts of complete lines, `behind` so many others."""
    for number, line in enumerate(lines, start=behind + 1):
        try:
            yield load_fact(line)
        except ValueError as error:
            raise OutputFolderError(
                f"the journal {path} is damaged in line {number}, or of another version",
                fix=f"move {path.parent} away to start anew; finished outputs are kept",
            ) from error


class JournalReader:
    """Reads the journal of an output folder as it grows, whoever writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._read_bytes = 0
        self._read_lines = 0

    @property
    def run_id(self) -> str | None:
        """The run that is read."""
        return None if self._path is None else self._path.stem

    def new_facts(self, living: Collection[str]) -> list[Fact]:
        """What was added since the last call, up to the first run that is alive, or to the last one.

        Raises:
            OutputFolderError: a file cannot be read, or a line in the middle is not a fact.
        """
        facts: list[Fact] = []
        while True:
            if self._path is not None:
                facts += self._read_on(self._path)
            if (following := self._next(living)) is None:
                return facts
            self._path, self._read_bytes, self._read_lines = following, 0, 0

    def _next(self, living: Collection[str]) -> Path | None:
        if self.run_id in living:
            return None
        later = (path for path in self._folder.glob("*.jsonl") if self._path is None or path > self._path)
        return min(later, default=None)

    def _read_on(self, path: Path) -> list[Fact]:
        try:
            with path.open("rb") as file:
                file.seek(self._read_bytes)
                content = file.read()
        except OSError as error:
            raise _unreadable(path, error) from error
        complete, line_break, _rest = content.rpartition(b"\n")
        if not line_break:
            return []
        lines = complete.split(b"\n")
        facts = list(_facts_in(lines, path, behind=self._read_lines))
        self._read_bytes += len(complete) + 1
        self._read_lines += len(lines)
        return facts


def _unreadable(path: Path, error: OSError) -> OutputFolderError:
    return OutputFolderError(
        f"cannot read the journal {path}: {error.strerror}", fix="run as its owner, or make it readable"
    )


def _reserve_in(folder: Path) -> BinaryIO:
    """A file without a name, of as much room as is kept, or of none where there is not so much."""
    reserve = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  # open as long as the journal is
    _fill(reserve)
    return reserve


def _fill(reserve: BinaryIO) -> None:
    """Take the room that is kept, unless it is taken already, or there is not so much."""
    descriptor = reserve.fileno()
    if os.fstat(descriptor).st_size == _RESERVE_BYTES:
        return
    taken_bytes = 0
    with contextlib.suppress(OSError):
        taken_bytes = os.pwrite(descriptor, bytes(_RESERVE_BYTES), 0)
    if taken_bytes < _RESERVE_BYTES:
        os.ftruncate(descriptor, 0)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
