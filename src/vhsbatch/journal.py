"""The journal: every fact of every run on an output folder, on disk before anybody is told.

Each run appends to a file of its own, one fact of JSON a line, so that there is never more than one
writer to a file; replaying all files in the order of their names gives the folder's history.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import aiofiles
import anyio.to_thread
from aiofiles.threadpool.binary import AsyncFileIO

from vhsbatch.errors import OutputFolderError
from vhsbatch.model.events import Fact
from vhsbatch.model.wire import dump, load_fact

STATE_FOLDER = ".vhsbatch"


class Journal:
    """One run's file, open for appending."""

    def __init__(self, file: AsyncFileIO) -> None:
        self._file = file
        self._size_bytes = 0

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
        except OSError as error:
            raise OutputFolderError(f"cannot write to {folder}: {error.strerror}") from error
        return cls(file)

    async def append(self, fact: Fact) -> None:
        """Return when the fact will survive a crash of the machine.

        Raises:
            OutputFolderError: it cannot be written; the journal is as it was before.
        """
        line = dump(fact).encode() + b"\n"
        try:
            await self._write(line)
        except OSError as error:
            with contextlib.suppress(OSError):
                await self._file.truncate(self._size_bytes)
                await self._file.seek(self._size_bytes)
            raise OutputFolderError(
                f"cannot write the journal: {error.strerror}",
                fix="make room; the same command with --resume goes on",
            ) from error
        self._size_bytes += len(line)

    async def _write(self, line: bytes) -> None:
        """A disk that is nearly full takes a part of the line and says nothing of the rest."""
        while line:
            line = line[await self._file.write(line) :]
        await anyio.to_thread.run_sync(os.fsync, self._file.fileno())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
            raise OutputFolderError(f"cannot read the journal {path}: {error.strerror}") from error
        *lines, _torn = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                yield load_fact(line)
            except ValueError as error:
                raise OutputFolderError(
                    f"the journal {path} is damaged in line {number}, or of another version",
                    fix=f"move {folder} away to start anew; finished outputs are kept",
                ) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
