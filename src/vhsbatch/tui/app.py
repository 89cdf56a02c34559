"""The application: takes events in, redraws twice a second, and passes on the wish to stop."""

import time
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from typing import ClassVar, Protocol

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Footer, RichLog, Static, TabbedContent, TabPane

from vhsbatch.model.events import Event, LogLine, Progress
from vhsbatch.model.state import BatchState
from vhsbatch.pipeline.describe import fact_line
from vhsbatch.tui.lanes import Lanes
from vhsbatch.tui.lists import JobTable, failed_rows, finished_rows, waiting_rows
from vhsbatch.tui.overview import Overview
from vhsbatch.tui.summary import StopQuestion, SummaryScreen
from vhsbatch.tui.terminal import continue_only_after_stop
from vhsbatch.wording import plain

_REDRAWS_PER_S = 2
_LOG_LINES = 1000


class Commands(Protocol):
    """What the user can wish for."""

    stopped_by: int | None

    def stop(self) -> None:
        """Start nothing new and stop what runs; a second call ends that at once."""
        ...


class BatchApp(App[None]):
    """Shows one batch until it is over and the user has seen the summary."""

    CSS_PATH = "app.tcss"
    TITLE = "vhsbatch"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "stop", "Stop"),
        Binding("ctrl+c", "stop", "Stop", priority=True, show=False),
        Binding("1", "tab('waiting')", "Queue"),
        Binding("2", "tab('finished')", "Finished"),
        Binding("3", "tab('failed')", "Failed"),
        Binding("4", "tab('log')", "Log"),
    ]

    def __init__(
        self,
        state: BatchState,
        events: AsyncIterable[Event],
        commands: Commands,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create the application.

        Args:
            state: the batch; only read.
            events: what happens, until the batch is over.
            commands: takes the wish to stop.
            clock: seconds since the epoch.
        """
        super().__init__()
        self._state = state
        self._events = events
        self._commands = commands
        self._clock = clock
        self._progress: dict[int, Progress] = {}
        self._over = False
        self._title = Static(id="title")
        self._overview = Overview(state, self._progress, clock, id="overview")
        self._lanes = Lanes(state, self._progress, id="lanes")
        self._tables = {
            "waiting": JobTable(("#", "Video", "Length", "Becomes"), waiting_rows),
            "finished": JobTable(("#", "Video", "Size", "Time", "Result"), finished_rows),
            "failed": JobTable(("#", "Video", "Reason"), failed_rows),
        }
        self._lines = RichLog(max_lines=_LOG_LINES, markup=False, highlight=False, wrap=True)
        self._tabs = TabbedContent(id="tabs")

    def compose(self) -> ComposeResult:
        """From top to bottom: title, overall progress, lanes, lists, keys."""
        yield self._title
        yield self._overview
        yield self._lanes
        with self._tabs:
            for pane, table in self._tables.items():
                with TabPane(_TAB_NAMES[pane], id=pane):
                    yield table
            with TabPane("Log", id="log"):
                yield self._lines
        yield Footer()

    def on_mount(self) -> None:
        """Begin to listen and to redraw."""
        continue_only_after_stop()
        self.run_worker(self._listen(), name="listen")
        self.set_interval(1 / _REDRAWS_PER_S, self._redraw)
        self.call_after_refresh(self._redraw)

    async def _listen(self) -> None:
        """Take events in until there are no more; then show the summary."""
        async for event in self._events:
            self._take(event)
        self._over = True
        self._redraw()
        if self._commands.stopped_by is None:
            await self.push_screen(SummaryScreen(self._state))
        else:
            self.exit()

    def _take(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress[event.lane] = event
            case LogLine():
                if event.level != "debug":
                    self._write(event.text)
            case _:
                self._write(fact_line(event))

    def _write(self, text: str) -> None:
        clock = time.strftime("%H:%M:%S", time.localtime(self._clock()))
        self._lines.write(Text(f"{clock}  {plain(text)}"))

    def _redraw(self) -> None:
        state = self._state
        workers = f"{state.lanes} {'worker' if state.lanes == 1 else 'workers'}"
        paused = "" if state.paused is None else f"   paused: {plain(state.paused)}"
        stopping = "   stopping…" if self._commands.stopped_by is not None and not self._over else ""
        self._title.update(
            Text(
                f"vhsbatch   {plain(state.input)} → {plain(state.output)}   {workers}{paused}{stopping}",
                no_wrap=True,
            )
        )
        self._overview.show()
        self._lanes.refresh(layout=self._lanes.size.height != state.lanes)
        for pane, table in self._tables.items():
            self._label(pane, table.show(state))

    def _label(self, pane: str, count: int) -> None:
        """Show a list's length on its tab; on a slow machine the first redraw comes before the tabs."""
        with suppress(NoMatches):
            self._tabs.get_tab(pane).label = Content(f"{_TAB_NAMES[pane]} {count}")

    def action_tab(self, pane: str) -> None:
        """Show one of the lists."""
        self._tabs.active = pane

    async def action_stop(self) -> None:
        """Ask, then stop the batch; when it is over, leave."""
        if self._over:
            self.exit()
        elif isinstance(self.screen, StopQuestion):
            self.screen.dismiss(True)
        elif self._commands.stopped_by is None:
            await self.push_screen(StopQuestion(), self._stop_if)

    def _stop_if(self, stop: bool | None) -> None:
        if stop:
            self._write("stopping: running segments are ended, finished ones are kept")
            self._commands.stop()

    def action_leave(self) -> None:
        """Close the interface."""
        self.exit()


_TAB_NAMES = {"waiting": "Queue", "finished": "Finished", "failed": "Failed"}
