"""The videos by what became of them: waiting, finished, failed."""

from collections.abc import Callable

from rich.text import Text
from textual.widgets import DataTable

from vhsbatch.model.state import BatchState, JobState, Phase
from vhsbatch.wording import duration, plain, size

Row = tuple[str, ...]


class JobTable(DataTable[Text]):
    """A table of videos; redrawn as a whole when it changes, which is rare."""

    def __init__(self, columns: tuple[str, ...], rows: Callable[[BatchState], list[Row]]) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)
        self._titles = columns
        self._make_rows = rows
        self._shown: list[Row] | None = None

    def on_mount(self) -> None:
        """Make the columns."""
        self.add_columns(*self._titles)

    def show(self, state: BatchState) -> int:
        """Show what belongs here; how many rows that is."""
        rows = self._make_rows(state)
        # On a slow machine the first redraw comes before the columns.
        if self.columns and rows != self._shown:
            self._shown = rows
            self.clear()
            for row in rows:
                # Text, not str: square brackets in a name are markup to the table.
                self.add_row(*(Text(plain(cell)) for cell in row))
        return len(rows)


def waiting_rows(state: BatchState) -> list[Row]:
    """Videos that nobody works on yet: position, name, length, result."""
    return [
        (str(job.job.index), job.job.source.name, *_plan_cells(job))
        for job in state.jobs.values()
        if job.phase in (Phase.WAITING, Phase.PLANNED, Phase.HELD)
    ]


def _plan_cells(job: JobState) -> Row:
    plan = job.plan
    if job.phase is Phase.HELD:
        return ("", job.reason or "")
    if plan is None:
        return ("", "")
    return (duration(float(plan.duration_s)), f"{plan.width}x{plan.height}, {float(plan.rate):.5g} fps")


def finished_rows(state: BatchState) -> list[Row]:
    """Videos that need nothing more: position, name, size, time, what was found."""
    return [
        (str(job.job.index), job.job.source.name, *_result_cells(job))
        for job in state.jobs.values()
        if job.phase in (Phase.DONE, Phase.SKIPPED)
    ]


def _result_cells(job: JobState) -> Row:
    if job.phase is Phase.SKIPPED or job.published is None:
        return ("", "", f"skipped: {job.reason}")
    taken_s = (job.ended_s or 0.0) - (job.started_s or job.ended_s or 0.0)
    return (size(job.published.size_bytes), duration(taken_s), job.job.id)


def failed_rows(state: BatchState) -> list[Row]:
    """Videos that were given up: position, name, reason."""
    return [
        (str(job.job.index), job.job.source.name, job.reason or "")
        for job in state.jobs.values()
        if job.phase is Phase.FAILED
    ]
