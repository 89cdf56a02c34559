"""A batch of another process, as an interface sees it: its growing journal, and live telemetry."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.control import Line
from vhsbatch.batch.leases import living_runs
from vhsbatch.errors import OutputFolderError, UsageError
from vhsbatch.events.commands import Command
from vhsbatch.events.events import BatchStarted, Event, Fact
from vhsbatch.events.journal import REPORT, STATE_FOLDER, JournalReader
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Telemetry

_EVERY_S = 0.5
# The fix where a folder holds no batch.
OUTPUT_FOLDER = "name the output folder of a batch"


@dataclass(slots=True)
class AttachedSession:
    """Watches an output folder; the counterpart of a session in another process.

    Attributes:
        folder: the output folder.
        read_only: whether commands are disabled.
        state: what is known; read it, never change it.
        stopped_by: what ends this process's own batch: nothing, as there is none.
        owns: whether the batch ends when this program does.
    """

    folder: Path
    read_only: bool
    state: BatchState = field(default_factory=BatchState)
    stopped_by: int | None = None
    owns: bool = False
    _reader: JournalReader = field(init=False)
    _line: Line | None = None
    _alive: bool = False
    _untold: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what there is.

        Raises:
            UsageError: nothing was ever restored into the folder.
            OutputFolderError: there is no permission to read the journal.
        """
        self._reader = JournalReader(self.folder / STATE_FOLDER / "journal")
        self._take(*self._poll())
        if self.state.run_id is None:
            raise UsageError(f"nothing has been restored into {self.folder} yet", fix=OUTPUT_FOLDER)

    @property
    def steerable(self) -> bool:
        """Whether commands are accepted."""
        return self._runs and not self.read_only

    @property
    def standing(self) -> str:
        """What to say about the batch besides its state."""
        if self._runs:
            return "   (viewing)" if self.read_only else ""
        return "   not running" if self.state.outcome is None else f"   ended: {self.state.outcome}"

    @property
    def report(self) -> Path | None:
        """The page that tells of the whole batch in a browser; None where there is none."""
        page = self.folder / REPORT
        return page if page.is_file() else None

    def command(self, command: Command) -> None:
        """Pass a command to the process that runs the batch.

        Raises:
            UsageError: the batch has ended.
            OutputFolderError: the folder cannot be written to.
        """
        if not self.steerable or self._line is None:
            return
        try:
            self._line.command(command)
        except FileNotFoundError as error:
            raise UsageError(
                f"the batch in {self.folder} has just ended",
                fix=f"vhs-upscale log {self.folder} prints what happened there",
            ) from error
        except OSError as error:
            raise OutputFolderError(
                f"the batch in {self.folder} cannot be controlled: {error.strerror}",
                fix="run it as a user who may write to that folder",
            ) from error

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event of the current run and of later ones. Never ends."""
        while True:
            for event in self._unseen():
                yield event
            await self._look()

    async def from_now_to_its_end(self) -> AsyncIterator[Event]:
        """Events from now on, until no run is active."""
        self._untold = []
        while self._alive:
            await self._look()
            for event in self._unseen():
                yield event

    @property
    def _runs(self) -> bool:
        """Whether the batch is running: its process outlives it while somebody looks at its end."""
        return self._alive and self.state.outcome is None

    def _unseen(self) -> list[Event]:
        facts, self._untold = self._untold, []
        return [*facts, *self._news()]

    async def _look(self) -> None:
        await anyio.sleep(_EVERY_S)
        self._take(*await anyio.to_thread.run_sync(self._poll))

    def _poll(self) -> tuple[list[Fact], bool]:
        """New facts, and whether the run that wrote them is alive."""
        alive = living_runs(self.folder / STATE_FOLDER)
        facts = self._reader.new_facts(alive)
        return facts, self._reader.run_id in alive

    def _take(self, facts: list[Fact], alive: bool) -> None:
        self._alive = alive
        for fact in facts:
            if isinstance(fact, BatchStarted):
                self._line, self._untold = Line(self.folder / STATE_FOLDER, fact.run_id), []
                if not fact.resumed:
                    self.state.jobs, self.state.others = {}, {}
            self.state.apply(fact)
            self._untold.append(fact)
        if not alive:
            self.state.halt()

    def _news(self) -> list[Telemetry]:
        return self._line.news() if self._alive and self._line is not None else []


def expect_output_folder(folder: Path) -> None:
    """Find out whether `folder` is one.

    Raises:
        UsageError: it is not.
    """
    if not folder.is_dir():
        why = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {why}", fix=OUTPUT_FOLDER)
