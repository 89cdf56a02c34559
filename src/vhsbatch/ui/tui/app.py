"""The application: takes events in, redraws twice a second, and passes on the user's commands."""

import time
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Input, RichLog, Static, TabbedContent, TabPane

from vhsbatch.events.describe import fact_line
from vhsbatch.events.events import Event
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, LogLine, Progress
from vhsbatch.formatting import counted, plain
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.ui.tui.actions import Actions, Commands
from vhsbatch.ui.tui.beside import Beside
from vhsbatch.ui.tui.controls import BY_ACTION, CONTROLS, PALETTE
from vhsbatch.ui.tui.details import DetailsScreen
from vhsbatch.ui.tui.frames import FramePane
from vhsbatch.ui.tui.graphs import Graphs
from vhsbatch.ui.tui.keys import Keys
from vhsbatch.ui.tui.lanes import Lanes
from vhsbatch.ui.tui.lists import JobTable, Row, finished_rows, queue_rows, reason_rows
from vhsbatch.ui.tui.moment import BatchMoment, moment
from vhsbatch.ui.tui.overview import Overview
from vhsbatch.ui.tui.snapshots import SnapshotScreen
from vhsbatch.ui.tui.summary import SummaryScreen
from vhsbatch.ui.tui.tape_map import TapeMap
from vhsbatch.ui.tui.terminal import continue_only_after_stop
from vhsbatch.ui.tui.video_pane import VideoPane

# All is drawn together, from one moment: what was drawn at different times would contradict itself.
# Facts are shown soon, and what moves once a second.
_LOOKS_PER_S = 2
_REDRAW_EVERY_LOOKS = 2
_LOG_LINES = 1000
_QUEUE = (Phase.WAITING, Phase.PLANNED, Phase.HELD, Phase.RUNNING, Phase.ASSEMBLING)
_LISTS: dict[str, tuple[tuple[tuple[str, int], ...], str]] = {
    "waiting": (
        (("State", 7), ("Ready", 9), ("Length", 6), ("Becomes", 20)),
        "Nothing waits or runs: 2 shows what is finished, 3 what failed",
    ),
    "finished": (
        (("Size", 9), ("Time", 7), ("Speed", 8), ("Result", 26)),
        "Nothing is finished yet: 1 shows what runs",
    ),
    "failed": ((("Reason", 40),), "Nothing failed"),
    "skipped": ((("Reason", 40),), "Nothing was skipped: s skips the video that is selected in the queue"),
}
_TABS = {"waiting": "Queue", "finished": "Finished", "failed": "Failed", "skipped": "Skipped"}


class BatchApp(Actions, App[None]):
    """Shows one batch until it is over and the user has seen the summary."""

    CSS_PATH = "app.tcss"
    TITLE = "vhsbatch"
    AUTO_FOCUS = "JobTable"
    # From 120 columns the selected video is shown beside the lists, with a picture where there is room; from
    # 160 columns or 36 lines there is room for the tape and the graphs.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-medium"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (36, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(control.binding for control in CONTROLS),
        Binding("ctrl+c", "leave_or_stop", "Quit", priority=True, show=False),
        Binding("escape", "find_nothing", "Show all", show=False),
    ]

    def __init__(
        self,
        state: BatchState,
        events: AsyncIterable[Event],
        commands: Commands,
        *,
        snapshots: SnapshotMaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create the application.

        Args:
            state: the batch; only read.
            events: what happens, until the batch is over.
            commands: takes the user's commands.
            snapshots: makes pictures of the videos; None where none can be made.
            clock: seconds since the epoch.
        """
        super().__init__()
        # Movement costs bytes on a slow line and says nothing.
        self.animation_level = "none"
        self._state = state
        self._events = events
        self._commands = commands
        self._snapshots = snapshots
        self._clock = clock
        self._progress: dict[int, Progress] = {}
        self._readings: DeviceReadings | None = None
        self._over = False
        self._words = ""
        # What the title and the tabs say: setting it again lays the screen out again.
        self._drawn: dict[str, str] = {}
        self._logged: deque[tuple[str | None, str]] = deque(maxlen=_LOG_LINES)
        self._title = Static(id="title")
        self._overview = Overview(id="overview")
        self._lanes = Lanes(state, id="lanes")
        self._tables = {
            pane: JobTable((("#", 2), ("Video", 0), *columns), empty=empty)
            for pane, (columns, empty) in _LISTS.items()
        }
        self._tape = TapeMap(snapshots, id="tape")
        self._graphs = Graphs(id="graphs")
        self._video = VideoPane(id="video")
        self._frames = FramePane(snapshots, id="frames")
        self._beside = Beside(self._frames, self._video, id="beside")
        self._now = moment(state, {}, None, clock())
        self._looks, self._drawn_revision = 0, -1
        self._looked_at: str | None = None
        self._log_view = RichLog(max_lines=_LOG_LINES, markup=False, highlight=False, wrap=True)
        self._tabs = TabbedContent(id="tabs")
        self._find = Input(placeholder="words in the name; Escape shows all", id="find", compact=True)
        self._find.display = False
        self._keys = Keys()

    def compose(self) -> ComposeResult:
        """From top to bottom: title, overall progress, lanes, map, graphs, lists with the video, keys."""
        yield self._title
        yield self._overview
        yield self._lanes
        yield self._tape
        yield self._graphs
        yield self._find
        with Horizontal(id="lists"):
            with self._tabs:
                for pane, table in self._tables.items():
                    with TabPane(_TABS[pane], id=pane):
                        yield table
                with TabPane("Log", id="log"):
                    yield self._log_view
            yield self._beside
        yield self._keys

    def on_mount(self) -> None:
        """Begin to listen and to redraw."""
        continue_only_after_stop()
        self.run_worker(self._listen(), name="listen")
        self.set_interval(1 / _LOOKS_PER_S, self._look)
        self.call_after_refresh(self._redraw)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that has a key, by name, and the themes."""
        for control in CONTROLS:
            if self.check_action(control.name, ()):
                yield SystemCommand(control.title, control.text, partial(self.run_action, control.action))
        yield SystemCommand("Theme", "Choose colours, light or dark", self.action_change_theme)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what applies here and now is enabled and shown in the footer."""
        del parameters
        control = BY_ACTION.get(action)
        if control is None:
            return True
        if control.steers and (self._over or not self._commands.steerable):
            return False
        if action == "snapshot" and self._snapshots is None:
            return False
        if action == "report" and self._commands.report is None:
            return False
        return not control.tabs or self._tabs.active in control.tabs

    # --- events ----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Take events in until there are no more; then show the summary."""
        async for event in self._events:
            self._take(event)
        self._over = True
        self._redraw()
        if self._commands.stopped_by is None:
            await self.push_screen(SummaryScreen(self._state, self._commands.report))
        else:
            self.exit()

    def _take(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress[event.lane] = event
            case DeviceReadings():
                self._readings = event
            case LogLine():
                if event.level != "debug":
                    self._write(event.text, event.at_s, event.job_id)
            case _:
                self._write(fact_line(event), event.at_s, getattr(event, "job_id", None))

    def _write(self, text: str, at_s: float, job_id: str | None = None) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(at_s or self._clock()))
        line = f"{clock}  {plain(text)}"
        self._logged.append((job_id, line))
        if self._is_logged(job_id, line):
            self._log_view.write(Text(line))

    def on_cursor_position(self) -> None:
        """The terminal has shown all that it was sent."""
        self._frames.arrived()

    # --- what is found ---------------------------------------------------------------------------

    def _matches(self, job: JobState) -> bool:
        """Whether the video's name contains every word."""
        name = f"{job.job.source.name} {job.job.id}".casefold()
        return all(word in name for word in self._words.casefold().split())

    def _is_logged(self, job_id: str | None, line: str) -> bool:
        job = self._state.jobs.get(job_id) if job_id is not None else None
        text = line.casefold()
        by_line = all(word in text for word in self._words.casefold().split())
        return by_line or (job is not None and self._matches(job))

    def find(self, words: str) -> None:
        """Show only what has these words in it."""
        self._words = words
        self._log_view.clear()
        for job_id, line in self._logged:
            if self._is_logged(job_id, line):
                self._log_view.write(Text(line))
        self._redraw()

    @on(Input.Changed, "#find")
    def _find_typed(self, event: Input.Changed) -> None:
        self.find(event.value)

    @on(Input.Submitted, "#find")
    def _found(self) -> None:
        self.focus_list()

    # --- drawing ---------------------------------------------------------------------------------

    def _look(self) -> None:
        """Draw everything if it is time, or if something has happened."""
        self._looks += 1
        if self._looks >= _REDRAW_EVERY_LOOKS or self._drawn_revision != self._state.revision:
            self._redraw()

    def _redraw(self) -> None:
        """Draw everything, as it is at one moment."""
        if isinstance(self.screen, SnapshotScreen):
            return  # nothing else is seen, and the terminal would be sent both pictures again
        self._looks, self._drawn_revision = 0, self._state.revision
        now = moment(self._state, self._progress, self._readings, self._clock())
        line = self._title_line()
        if line != self._drawn.get("title"):
            self._drawn["title"] = line
            self._title.update(Text(line, no_wrap=True, overflow="ellipsis"))
        self._overview.show(now)
        self._lanes.show(now)
        self._graphs.show(now)
        self._now = now
        self._show_lists(now)
        self._show_video()
        self._show_details()
        self._show_keys()

    def _show_video(self) -> None:
        """Show the selected video and its map; the last one where none is selected, as in the log."""
        if (selected := self.selected) is not None:
            self._looked_at = selected.job.id
        elif self._tabs.active in self._tables:
            self._looked_at = None
        job = None if self._looked_at is None else self._state.jobs.get(self._looked_at)
        self._tape.show(self._now, job)
        self._beside.show(self._now, job, [] if job is None else self.logged(job))

    def _show_details(self) -> None:
        """Have the details follow their video while they are open."""
        screen = self.screen
        if isinstance(screen, DetailsScreen) and (job := self._state.jobs.get(screen.job_id)) is not None:
            screen.show(job, self.logged(job))

    @on(JobTable.Moved)
    def _selection_moved(self) -> None:
        self._show_video()

    def _show_keys(self) -> None:
        """Show the keys of what can be done now."""
        self._keys.show((*(control for control in CONTROLS if self.check_action(control.name, ())), PALETTE))

    def _show_lists(self, now: BatchMoment) -> None:
        """Draw the list that is looked at, and how long all are."""
        table = self._tables.get(self._tabs.active)
        if table is not None:
            table.show(self._rows(self._tabs.active, now))
        state = now.state
        self._label("waiting", state.count(*_QUEUE))
        self._label("finished", state.count(Phase.DONE))
        self._label("failed", state.count(Phase.FAILED))
        self._label("skipped", state.count(Phase.SKIPPED))

    def _title_line(self) -> str:
        state = self._state
        workers = counted(state.lanes, "worker")
        paused = "" if state.paused is None else f"   paused: {plain(state.paused)}"
        stopping = "   stopping…" if self._commands.stopped_by is not None and not self._over else ""
        return (
            f"vhsbatch   {plain(state.input)} → {plain(state.output)}   {workers}"
            f"{paused}{stopping}{self._commands.standing}"
        )

    def _rows(self, pane: str, now: BatchMoment) -> dict[str, Row]:
        match pane:
            case "waiting":
                return queue_rows(now, self._matches)
            case "finished":
                return finished_rows(self._state, self._matches)
            case "skipped":
                return reason_rows(self._state, Phase.SKIPPED, self._matches)
            case _:
                return reason_rows(self._state, Phase.FAILED, self._matches)

    def _label(self, pane: str, count: int) -> None:
        """Show a list's length on its tab; on a slow machine the first redraw comes before the tabs."""
        label = f"{_TABS[pane]} {count}"
        if label != self._drawn.get(pane):
            with suppress(NoMatches):
                self._tabs.get_tab(pane).label = Content(label)
                self._drawn[pane] = label

    @on(TabbedContent.TabActivated)
    def _tab_changed(self) -> None:
        self._redraw()
