"""The journal: every fact of every run on an output folder, on disk before anybody is told.

Each run appends to its own file, one fact of JSON a line, so that there is never more than one
writer to a file; replaying all files in the order of their names gives the folder's history. Files are
numbered: the order of runs does not depend on a clock. (Earlier versions named them by the time, which
sorts before the numbers.)

The first line states the format and the run. Every line carries a checksum,
except in the files of earlier versions. What is damaged, or of a kind or a format that this version does
not know, is left out and reported; nothing rests on a fact but on what it proves, so what is lost is made
or proven again.
"""

import functools
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio.to_thread
from pydantic import ValidationError

from vhsbatch.errors import OutputFolderError, is_disk_full
from vhsbatch.events.events import BatchStarted, Fact, JobPlanned
from vhsbatch.events.line_file import LineFile
from vhsbatch.events.serialize import dump, dump_line, load_fact
from vhsbatch.formatting import counted, plain
from vhsbatch.fs import files_in, open_regular, sync

STATE_FOLDER = ".vhsbatch"
# The page that tells of all batches of an output folder.
REPORT = "report.html"
# Raised when lines mean something else than before. New kinds of facts need no new number.
FORMAT = 1
_NUMBERED = re.compile(r"r(\d{7})\.jsonl")
_HEADER = b'{"journal":'
_SEALED = re.compile(rb'\{"crc":"([0-9a-f]{8})",')


class Journal:
    """One run's file, open for appending.

    Plans do not use the reserve of disk space: they are long, and can be made again.
    """

    def __init__(self, folder: Path, file: LineFile) -> None:
        self._folder = folder
        self._file = file

    @classmethod
    async def create(cls, folder: Path, run_id: str) -> Self:
        """Create the file of the run `run_id` in the journal folder of an output folder.

        Raises:
            OutputFolderError: the folder is not writable.
        """
        try:
            await anyio.to_thread.run_sync(functools.partial(folder.mkdir, parents=True, exist_ok=True))
            file = await anyio.to_thread.run_sync(_next_file, folder, run_id)
            await anyio.to_thread.run_sync(sync, folder)
        except OSError as error:
            raise OutputFolderError(
                f"cannot write to {folder}: {error.strerror}",
                fix="choose another output folder, or change its permissions",
            ) from error
        return cls(folder, file)

    async def append(self, fact: Fact) -> None:
        """Return when the fact will survive a crash of the machine.

        While the output folder is away, facts are kept, and written when it is back.

        Raises:
            OutputFolderError: it cannot be written; the journal is as it was before.
        """
        urgent = not isinstance(fact, JobPlanned)
        try:
            await anyio.to_thread.run_sync(
                functools.partial(self._file.append, sealed(dump(fact)), urgent=urgent)
            )
        except OSError as error:
            do = "free some disk space" if is_disk_full(error) else "check the disk of the output folder"
            raise OutputFolderError(
                f"cannot write the journal: {error.strerror}",
                fix=f"{do}; the same command with --resume continues",
            ) from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            lost = await anyio.to_thread.run_sync(self._file.close)
        if lost and error is None:
            raise OutputFolderError(
                f"{counted(lost, 'fact')} of this batch could not be written: {self._folder} is away",
                fix="bring it back; the same command with --resume makes again what they proved",
            )


def _next_file(folder: Path, run_id: str) -> LineFile:
    """Create the file that is read after all others, with its first line.

    Raises:
        OSError: it cannot be created.
    """
    numbers = [int(match[1]) for path in folder.iterdir() if (match := _NUMBERED.fullmatch(path.name))]
    number = max(numbers, default=0) + 1
    while True:
        try:
            return LineFile(
                folder / f"r{number:07}.jsonl", sealed(dump_line({"journal": FORMAT, "run_id": run_id}))
            )
        except FileExistsError:  # of a run that began at the same time
            number += 1


def sealed(text: str) -> bytes:
    """A line of the journal: an object of JSON with a checksum of itself before everything else."""
    body = text.encode()
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body[1:])


def read_journal(folder: Path, warn: Callable[[str], None] | None = None) -> Iterator[Fact]:
    """All facts in `folder`, those of older runs first.

    A last line without its line break was torn by a crash: it was never told to anybody and is
    left out.

    Args:
        folder: the journal folder of an output folder.
        warn: is told at the end, in one line, what could not be read, if anything.

    Raises:
        OutputFolderError: there is no permission to read the folder or a file.
    """
    losses: list[str] = []
    for path in journal_files(folder):
        run = _RunFile(path)
        yield from run.new_facts(whole=True)
        losses += run.losses
    if losses and warn is not None:
        warn(
            f"the journal {plain(str(folder))} was read without {', '.join(losses)}: "
            "what they proved is verified or made again"
        )


def journal_files(folder: Path) -> list[Path]:
    """The file of each run, older ones first; none where there is no journal.

    Raises:
        OutputFolderError: the folder cannot be read.
    """
    try:
        return files_in(folder, ".jsonl")
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: Path, error: OSError) -> OutputFolderError:
    return OutputFolderError(
        f"cannot read the journal {path}: {error.strerror}", fix="run as its owner, or make it readable"
    )


class _RunFile:
    """The file of one run, as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbered = _NUMBERED.fullmatch(path.name) is not None
        self.run_id = "" if self._numbered else path.stem
        self._read_bytes = 0
        self._lines = 0
        self._known_format = True
        self._begun = False
        self._damaged: list[int] = []
        self._unknown = 0
        self._unreadable = ""

    @property
    def losses(self) -> list[str]:
        """What was left out, in words."""
        name, losses = self.path.name, []
        if self._unreadable:
            losses.append(f"{name} ({self._unreadable})")
        if self._damaged:
            losses.append(
                f"{counted(len(self._damaged), 'damaged line')} of {name} (from {self._damaged[0]} on)"
            )
        if self._unknown:
            losses.append(f"{counted(self._unknown, 'fact')} of {name} that another version wrote")
        return losses

    def new_facts(self, *, whole: bool = False) -> Iterator[Fact]:
        """The facts of the lines that were added since the last call.

        Args:
            whole: whether nothing more is to come, so that a torn end can be told from a damaged one.

        Raises:
            OutputFolderError: there is no permission to read the file.
        """
        try:
            with open_regular(self.path) as file:
                file.seek(self._read_bytes)
                content = file.read()
        except PermissionError as error:
            raise _unreadable(self.path, error) from error
        except OSError as error:
            self._unreadable = error.strerror or str(error)
            return
        *lines, rest = content.split(b"\n")
        self._read_bytes += len(content) - len(rest)
        for line in lines:
            self._lines += 1
            if (fact := self._fact(line)) is not None:
                yield fact
        if whole and b"\0" in rest:
            self._damaged.append(self._lines + 1)

    def _fact(self, line: bytes) -> Fact | None:
        """The fact in a line, if it counts."""
        try:
            body = _opened(line) if self._numbered else line
            if body.startswith(_HEADER):
                header = json.loads(body)
                self.run_id, self._known_format = str(header.get("run_id")), header["journal"] == FORMAT
                return None
            fact = load_fact(body) if self._known_format else None
        except ValidationError:
            fact = None
        except (ValueError, RecursionError):
            self._damaged.append(self._lines)
            return None
        if fact is None:
            self._unknown += 1
            return None
        if isinstance(fact, BatchStarted):
            self._begun, self.run_id = True, self.run_id or fact.run_id
        # Without its beginning nobody knows of which videos a run speaks.
        return fact if self._begun or not (self._damaged or self._unknown) else None


def _opened(line: bytes) -> bytes:
    """The object of JSON of which `sealed` made a line.

    Raises:
        ValueError: it is damaged.
    """
    match = _SEALED.match(line)
    body = b"{" + line[match.end() :] if match else b""
    if match is None or int(match[1], 16) != zlib.crc32(body):
        raise ValueError("the checksum is not that of the line")
    return body


class JournalReader:
    """Reads the journal of an output folder while another process writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run: _RunFile | None = None

    @property
    def run_id(self) -> str | None:
        """The run that is read."""
        return None if self._run is None else self._run.run_id

    def new_facts(self, living: Collection[str]) -> list[Fact]:
        """What was added since the last call, up to the first run that is alive, or to the last one.

        What cannot be read is left out.

        Raises:
            OutputFolderError: there is no permission to read the folder or a file.
        """
        facts: list[Fact] = []
        while True:
            if self._run is not None:
                facts += self._run.new_facts()
            if (following := self._next(living)) is None:
                return facts
            self._run = _RunFile(following)

    def _next(self, living: Collection[str]) -> Path | None:
        if self.run_id in living:
            return None
        later = (path for path in journal_files(self._folder) if self._run is None or path > self._run.path)
        return min(later, default=None)
