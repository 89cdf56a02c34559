"""What the keys do: each asks, sends a command, or changes the view."""

from collections import deque
from pathlib import Path
from typing import Protocol

import anyio.to_thread
from textual.app import App
from textual.widgets import Input, RichLog, TabbedContent

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.commands import (
    ChangeLanes,
    Command,
    Continue,
    Move,
    Pause,
    Prioritise,
    Retry,
    Skip,
    Stop,
)
from vhsbatch.events.events import PAUSED_BY_USER
from vhsbatch.events.job_state import JobState
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import plain
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.ui.tui.details import DetailsScreen
from vhsbatch.ui.tui.help import HelpScreen
from vhsbatch.ui.tui.lists import JobTable
from vhsbatch.ui.tui.report import open_report
from vhsbatch.ui.tui.snapshots import LEAST_COLUMNS, LEAST_LINES, SnapshotScreen, frame_at_work
from vhsbatch.ui.tui.summary import Leave, StopQuestion


class Commands(Protocol):
    """What takes the user's commands: the batch itself, or a line to the process that runs it.

    Attributes:
        stopped_by: the signal that ends the run early, if one does.
        owns: whether the batch ends when this program does.
    """

    stopped_by: int | None
    owns: bool

    @property
    def steerable(self) -> bool:
        """Whether commands are accepted."""
        ...

    @property
    def standing(self) -> str:
        """What to say about the batch besides its state."""
        ...

    @property
    def report(self) -> Path | None:
        """The page that tells of the whole batch in a browser; None where there is none."""
        ...

    def command(self, command: Command) -> None:
        """Take a command.

        Raises:
            VhsBatchError: it cannot be passed on.
        """
        ...


class Actions(App[None]):
    """The actions of the application."""

    _state: BatchState
    _commands: Commands
    _snapshots: SnapshotMaker | None
    _progress: dict[int, Progress]
    _over: bool
    _find: Input
    _tabs: TabbedContent
    _tables: dict[str, JobTable]
    _log_view: RichLog
    _logged: deque[tuple[str | None, str]]

    @property
    def selected(self) -> JobState | None:
        """The video under the cursor of the list that is looked at."""
        table = self._tables.get(self._tabs.active)
        job_id = table.selected if table is not None else None
        return self._state.jobs.get(job_id) if job_id is not None else None

    def logged(self, job: JobState) -> list[str]:
        """What was logged of a video."""
        return [line for job_id, line in self._logged if job_id == job.job.id]

    def focus_list(self) -> None:
        """Give the keys back to the list."""
        (self._tables.get(self._tabs.active) or self._log_view).focus()

    def _command(self, command: Command) -> None:
        try:
            self._commands.command(command)
        except VhsBatchError as error:
            self.notify(plain(str(error)), severity="error")

    # --- the batch -------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Pause, or go on."""
        paused = self._state.paused == PAUSED_BY_USER
        self._command(Continue() if paused else Pause())

    def action_lanes(self, by: int) -> None:
        """More lanes, or fewer."""
        self._command(ChangeLanes(by=by))

    async def action_leave_or_stop(self) -> None:
        """Close an attached session; ask before stopping a batch."""
        if self._over or not self._commands.owns:
            self.exit()
        else:
            await self.action_stop()

    async def action_stop(self) -> None:
        """Ask whether to finish running segments, then stop the batch; when it is over, leave."""
        if isinstance(self.screen, StopQuestion):
            self.screen.dismiss(Stop())
        elif self._commands.stopped_by is None:
            await self.push_screen(StopQuestion(owns=self._commands.owns), self._stop)

    def _stop(self, answer: Stop | Leave | None) -> None:
        match answer:
            case Stop():
                how = "running segments finish first" if answer.drain else "running segments are discarded"
                self.notify(f"stopping: {how}, finished ones are kept")
                self._command(answer)
            case Leave():
                self.exit()
            case None:
                pass

    def action_leave(self) -> None:
        """Close the interface."""
        self.exit()

    # --- a video ---------------------------------------------------------------------------------

    def action_skip(self) -> None:
        """Leave the selected video out."""
        if (job := self.selected) is not None:
            self._command(Skip(job_id=job.job.id))

    def action_retry(self) -> None:
        """Try the selected video again."""
        if (job := self.selected) is not None:
            self._command(Retry(job_id=job.job.id))

    def action_move(self, by: int) -> None:
        """Begin the selected video earlier or later."""
        if (job := self.selected) is not None:
            self._command(Move(job_id=job.job.id, by=by))

    def action_prioritise(self, by: int) -> None:
        """Give the selected video another priority."""
        if (job := self.selected) is not None:
            self._command(Prioritise(job_id=job.job.id, by=by))

    def action_copy(self) -> None:
        """Copy why the selected video failed."""
        job = self.selected
        if job is not None and job.reason is not None:
            self.copy_to_clipboard("\n".join(map(plain, (f"{job.job.source}: {job.reason}", *job.detail))))
            self.notify("error copied to the clipboard")

    # --- what is looked at -----------------------------------------------------------------------

    async def action_help(self) -> None:
        """Show every key."""
        await self.push_screen(HelpScreen())

    def action_tab(self, pane: str) -> None:
        """Show one of the lists."""
        self._tabs.active = pane
        self.focus_list()

    def action_find(self) -> None:
        """Ask for words to find."""
        self._find.display = True
        self._find.focus()

    def action_find_nothing(self) -> None:
        """Show everything again."""
        self._find.value = ""
        self._find.display = False
        self.focus_list()

    async def action_report(self) -> None:
        """Open the report in a browser, or say where it is."""
        page = self._commands.report
        if page is None or not page.is_file():
            self.notify("there is no report yet: it is written when the batch ends")
        elif not await anyio.to_thread.run_sync(open_report, page):
            self.notify(f"no browser can be opened here; the report is {plain(str(page))}")

    async def action_details(self) -> None:
        """Show all that is known of the selected video."""
        if (job := self.selected) is not None:
            await self.push_screen(DetailsScreen(job, self.logged(job)))

    async def action_snapshot(self) -> None:
        """Compare the selected video before and after, at any moment, with any preset."""
        job, snapshots = self.selected, self._snapshots
        if job is None or snapshots is None:
            return
        if self.size.width < LEAST_COLUMNS or self.size.height < LEAST_LINES:
            self.notify(f"pictures need {LEAST_COLUMNS} columns and {LEAST_LINES} lines")
            return
        await self.push_screen(SnapshotScreen(job, frame_at_work(job, self._progress), snapshots))

    def action_log(self) -> None:
        """Show the log of the selected video."""
        if (job := self.selected) is not None:
            self._tabs.active = "log"
            self._find.display = True
            self._find.value = job.job.source.name
            self.focus_list()
