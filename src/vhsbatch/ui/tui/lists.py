"""The videos by what became of them: running and waiting, finished, failed."""

from collections.abc import Callable, Mapping

from rich.cells import cell_len
from rich.text import Text
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from vhsbatch.events.figures import part_done, ready_in
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import duration, plain, roughly, size
from vhsbatch.ui.tui.figures import fit
from vhsbatch.ui.tui.moment import Moment

Row = tuple[str, ...]

# A table of thousands of rows is slow to draw, and nobody reads it: words to find narrow it down.
MOST_ROWS = 300
# Columns that a name has at least, and that the cells beside it need.
_LEAST_NAME, _BESIDE_NAME = 18, 70


class JobTable(DataTable[Text]):
    """A table of videos. Cells that change are redrawn, and the cursor stays on its video.

    Widths are given and not left to the table, which measures them late and then draws what it has kept
    of the narrow cells.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._titles = columns
        self._widths = [len(title) for title in columns]
        self._rows: Mapping[str, Row] = {}
        self._shown: dict[str, Row] = {}

    def on_resize(self) -> None:
        """Give names the room that there is: a list that was hidden has its size only now."""
        self.show(self._rows)

    def on_mount(self) -> None:
        """Make the columns."""
        self._draw_anew({})

    @property
    def selected(self) -> str | None:
        """The video under the cursor."""
        ids = list(self._shown)
        return ids[self.cursor_row] if 0 <= self.cursor_row < len(ids) else None

    def show(self, rows: Mapping[str, Row]) -> None:
        """Show these rows, by video."""
        self._rows = rows
        # On a slow machine the first redraw comes before the columns.
        if not self.columns:
            return
        width = max(_LEAST_NAME, self.size.width - _BESIDE_NAME)
        rows = {
            job_id: (row[0], fit(plain(row[1]), width), *map(plain, row[2:])) for job_id, row in rows.items()
        }
        if list(rows) == list(self._shown) and self._hold(rows):
            self._change_cells(rows)
        else:
            self._draw_anew(rows)
        self._shown = dict(rows)

    def _hold(self, rows: Mapping[str, Row]) -> bool:
        """Whether the columns are wide enough, and no name is cut for less room than there is."""
        return all(
            cell_len(cell) <= width if column != 1 else cell_len(cell) == width
            for row in rows.values()
            for column, (cell, width) in enumerate(zip(row, self._widths, strict=True))
        )

    def _change_cells(self, rows: Mapping[str, Row]) -> None:
        for line, (job_id, row) in enumerate(rows.items()):
            for column, (cell, before) in enumerate(zip(row, self._shown[job_id], strict=True)):
                if cell != before:
                    self.update_cell_at(Coordinate(line, column), Text(cell))

    def _draw_anew(self, rows: Mapping[str, Row]) -> None:
        selected = self.selected
        columns = zip(self._titles, *rows.values(), strict=True)
        self._widths = [max(map(cell_len, cells)) for cells in columns]
        self.clear(columns=True)
        for title, width in zip(self._titles, self._widths, strict=True):
            self.add_column(title, width=width)
        for row in rows.values():
            # Text, not str: square brackets in a name are markup to the table.
            self.add_row(*map(Text, row))
        if selected is not None and selected in rows:
            self.move_cursor(row=list(rows).index(selected))


def queue_rows(now: Moment, matches: Callable[[JobState], bool]) -> dict[str, Row]:
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
