"""The videos by what became of them: running and waiting, finished, failed."""

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from vhsbatch.events.figures import part_done, ready_in
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import duration, plain, roughly, size
from vhsbatch.ui.tui.figures import fit
from vhsbatch.ui.tui.lines import refresh_lines
from vhsbatch.ui.tui.moment import BatchMoment

Row = tuple[str, ...]

# A table of thousands of rows is slow to draw, and nobody reads it: words to find narrow it down.
MOST_ROWS = 300
# Columns that a name has at least, and that the cells beside it need where all are shown.
_LEAST_NAME, _BESIDE_NAME = 18, 70
# Blanks around a cell; and how many columns are shown in any case, the last of which may be cut.
_PADDING, _LEAST_COLUMNS = 2, 3


class JobTable(ScrollView, can_focus=True):
    """A list of videos with a cursor that stays on its video.

    A row is drawn again only if it has changed: the library's table draws all of them, which costs ten times
    as much. The last columns are left out where there is no room for them.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"jobs--{part}" for part in ("header", "even", "odd", "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_by(-1)", show=False),
        Binding("down", "move_by(1)", show=False),
        Binding("pageup", "move_by_pages(-1)", show=False),
        Binding("pagedown", "move_by_pages(1)", show=False),
        Binding("home", "move_by(-999_999)", show=False),
        Binding("end", "move_by(999_999)", show=False),
    ]

    class Moved(Message):
        """Another video is selected."""

    def __init__(self, columns: tuple[tuple[str, int], ...], *, empty: str) -> None:
        """Create a list.

        Args:
            columns: titles, each with how wide its cells are as a rule.
            empty: what to say where there is no video.
        """
        super().__init__()
        self._columns = columns
        self._empty = empty
        self._rows: Mapping[str, Row] = {}
        self._ids: list[str] = []
        self._lines: list[str] = []
        self._header = ""
        self._cursor = 0

    def on_resize(self) -> None:
        """Give names the room that there is: a list that was hidden has its size only now."""
        self.show(self._rows)

    @property
    def selected(self) -> str | None:
        """The video under the cursor."""
        return self._ids[self._cursor] if self._cursor < len(self._ids) else None

    @property
    def row_count(self) -> int:
        """How many videos there are."""
        return len(self._ids)

    def show(self, rows: Mapping[str, Row]) -> None:
        """Show these rows, by video."""
        self._rows = rows
        if not self.size.width:
            return
        selected, self._ids = self.selected, list(rows)
        count, width = self._places()
        cells = [(row[0], fit(plain(row[1]), width), *map(plain, row[2:count])) for row in rows.values()]
        titles = tuple(title for title, _ in self._columns[:count])
        widths = [max(map(cell_len, column)) for column in zip(titles, *cells, strict=True)]
        header, lines = _line(titles, widths), [_line(row, widths) for row in cells]
        if not rows:
            header, lines = header.ljust(width), [f" {self._empty}"]
        self._draw(header, lines)
        kept = selected is not None and selected in rows
        cursor = self._ids.index(selected) if kept and selected else min(self._cursor, len(rows) - 1)
        self._put_cursor(max(0, cursor), was=selected)

    def _draw(self, header: str, lines: list[str]) -> None:
        """Draw what has changed."""
        before, self._lines = self._lines, lines
        if header != self._header or len(lines) != len(before):
            self._header = header
            self.virtual_size = Size(max(map(cell_len, (header, *lines))), len(lines) + 1)
            self.refresh()
            return
        self._refresh_rows(
            row for row, (line, old) in enumerate(zip(lines, before, strict=True)) if line != old
        )

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        """Have rows drawn that are seen: line 0 is the header's."""
        refresh_lines(self, (y for row in rows if (y := row + 1 - self.scroll_offset.y) > 0))

    def _places(self) -> tuple[int, int]:
        """How many columns there is room for, and for how much of a name."""
        count, free_cells = len(self._columns), self.size.width - _PADDING
        while count > _LEAST_COLUMNS and self._beside(count) + _LEAST_NAME > free_cells:
            count -= 1
        beside = _BESIDE_NAME if count == len(self._columns) else self._beside(count) + _PADDING
        return count, max(_LEAST_NAME, self.size.width - beside)

    def _beside(self, count: int) -> int:
        return sum(width + _PADDING for title, width in self._columns[:count] if title != "Video")

    def render_line(self, y: int) -> Strip:
        """The header, or a row."""
        row = y - 1 + self.scroll_offset.y
        if y == 0:
            text, part = self._header, "header"
        elif row < len(self._lines):
            text, part = self._lines[row], ("even", "odd")[row % 2]
            if row == self._cursor and self._ids:
                part = "cursor"
        else:
            return Strip.blank(self.size.width, self.rich_style)
        style = self.get_component_rich_style(f"jobs--{part}")
        return Strip([Segment(text, style)]).crop_extend(
            self.scroll_offset.x, self.scroll_offset.x + self.size.width, style
        )

    # --- the cursor ------------------------------------------------------------------------------

    def _put_cursor(self, row: int, *, was: str | None) -> None:
        """Select a row; `was` is the video that was selected before."""
        before, self._cursor = self._cursor, row
        if row != before:
            self._refresh_rows(sorted((before, row)))
            self._follow()
        if self.selected != was:
            self.post_message(self.Moved())

    def _follow(self) -> None:
        """Scroll as far as the cursor needs, below the header."""
        above, below = self._cursor - self.scroll_offset.y, self.size.height - 2
        if above < 0 or above > below:
            to = self._cursor if above < 0 else self._cursor - below
            self.scroll_to(y=to, animate=False, force=True)

    def action_move_by(self, rows: int) -> None:
        """Move the cursor."""
        if self._ids:
            self._put_cursor(max(0, min(len(self._ids) - 1, self._cursor + rows)), was=self.selected)

    def action_move_by_pages(self, pages: int) -> None:
        """Move the cursor by as many rows as are seen."""
        self.action_move_by(pages * max(1, self.size.height - 2))

    def on_click(self, event: Click) -> None:
        """Select the row that is clicked."""
        row = event.y - 1 + self.scroll_offset.y
        if event.y > 0 and row < len(self._ids):
            self._put_cursor(row, was=self.selected)


def _line(cells: Row, widths: list[int]) -> str:
    """Cells as wide as their columns, with a blank on both sides of each."""
    return "".join(f" {set_cell_size(cell, width)} " for cell, width in zip(cells, widths, strict=True))


def queue_rows(now: BatchMoment, matches: Callable[[JobState], bool]) -> dict[str, Row]:
    """Running and waiting videos in their turn: name, state, ready in, length, result."""
    state, progress = now.state, now.progress
    turns = [*state.turns.begun(), *state.turns.waiting()]
    shown = MOST_ROWS if all(map(matches, turns[:MOST_ROWS])) else len(turns)
    # Videos beyond those of the list change nothing of when these are ready, but for the last few.
    ready_s = (
        ready_in(turns[: shown + state.lanes], progress, now.numbers, lanes=state.lanes)
        if state.ended_s is None
        else {}
    )
    held = [job for job in state.jobs.values() if job.phase is Phase.HELD]
    rows: dict[str, Row] = {}
    for job in (*turns, *held):
        if len(rows) == MOST_ROWS:
            break
        if matches(job):
            left_s = ready_s.get(job.job.id)
            rows[job.job.id] = (
                str(job.job.index),
                job.job.source.name,
                _standing(job, progress),
                "" if left_s is None else f"in {roughly(left_s)}",
                *_plan_cells(job),
            )
    return rows


def _standing(job: JobState, progress: Mapping[int, Progress]) -> str:
    priority = f", priority {job.priority:+}" if job.priority else ""
    match job.phase:
        case Phase.HELD:
            return job.reason or ""
        case Phase.ASSEMBLING:
            return "joining"
        case Phase.RUNNING:
            return f"{part_done(job, progress):.0%}"
        case Phase.WAITING:
            return f"unread{priority}"
        case _:
            return f"waiting{priority}"


def _plan_cells(job: JobState) -> Row:
    plan = job.plan
    if plan is None:
        return ("", "")
    return (duration(float(plan.duration_s)), f"{plan.width}x{plan.height}, {float(plan.rate):.5g} fps")


def finished_rows(state: BatchState, matches: Callable[[JobState], bool]) -> dict[str, Row]:
    """Videos that were restored: position, name, size, time, speed, result."""
    return _rows(state, Phase.DONE, matches, _result_cells)


def _result_cells(job: JobState) -> Row:
    if job.published is None:
        return ("", "", "", job.job.id)
    taken_s = (job.ended_s or 0.0) - (job.started_s or job.ended_s or 0.0)
    speed = f"{job.published.frames / taken_s:.1f} fps" if taken_s > 0 else ""
    return (size(job.published.size_bytes), duration(taken_s), speed, job.job.id)


def reason_rows(state: BatchState, phase: Phase, matches: Callable[[JobState], bool]) -> dict[str, Row]:
    """Videos that were given up or left out: position, name, reason."""
    return _rows(state, phase, matches, lambda job: (job.reason or "",))


def _rows(
    state: BatchState,
    phase: Phase,
    matches: Callable[[JobState], bool],
    cells: Callable[[JobState], Row],
) -> dict[str, Row]:
    """The newest come first."""
    jobs = [job for job in state.jobs.values() if job.phase is phase and matches(job)]
    jobs.sort(key=lambda job: -(job.ended_s or 0.0))
    return {job.job.id: (str(job.job.index), job.job.source.name, *cells(job)) for job in jobs[:MOST_ROWS]}
