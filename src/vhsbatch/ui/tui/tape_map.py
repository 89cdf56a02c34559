"""A tape from its beginning to its end: which segments are made, by whom, and which are not yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from rich.cells import cell_len

from vhsbatch.events.figures import in_the_making, part_done
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.formatting import counted, duration, plain
from vhsbatch.restore.snapshot import SnapshotMaker, Stretch
from vhsbatch.ui.tui.figures import fit
from vhsbatch.ui.tui.lines import DrawnLines
from vhsbatch.ui.tui.moment import BatchMoment

# What a cell can be, and what is drawn there: without colours the letters tell them apart.
CELLS = {"done": "█", "again": "▓", "running": "▒", "waiting": "·", "failed": "!"}
_WORDS = {
    "done": "done",
    "again": "retried",
    "running": "running",
    "waiting": "waiting",
    "failed": "to retry",
}
# What is marked below the cells; of what shares a column, the first is drawn.
MARKS = {"mark": ("▔", "damaged or missing"), "blank": ("╌", "blank")}
PARTS = (*CELLS, *MARKS, "head", "label")

_LABEL_WIDTH = 9
_MARGIN = (" ", "label")
# From how many columns on a segment ends in a gap; and how wide one is if the map has the screen to itself.
_WITH_GAP, _CENTREPIECE = 3, 6
# The part of the screen that it takes at most, where it shows one of several videos, and where the only one.
_PART, _PART_ALONE = 6, 3
# How high a cell is there, from how many lines of the screen on.
_HIGH, _FROM_LINES = 2, 48

Piece = tuple[str, str]
Marks = Mapping[str, Sequence[Stretch]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a map is laid out.

    Attributes:
        width: its columns.
        rows: how many lines of cells there may be.
        height: how many lines high a cell is.
        wanted: how many columns wide it is, if the lines are enough.
    """

    width: int
    rows: int
    height: int = 1
    wanted: int = 1


class TapeMap(DrawnLines):
    """The map of the selected video, or of the first that is at work."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tape--{part}" for part in PARTS}

    def __init__(self, snapshots: SnapshotMaker | None, *, id: str) -> None:  # noqa: A002
        """Create the map.

        Args:
            snapshots: finds the blank stretches, each video's once; None where that cannot be done.
            id: its name in the style sheet.
        """
        super().__init__(id=id)
        self._snapshots = snapshots
        self._blank: dict[str, tuple[Stretch, ...]] = {}

    def show(self, now: BatchMoment, selected: JobState | None) -> None:
        """Draw it as it is now."""
        if not self.display or not self.size.width:
            return
        alone = len(now.state.jobs) == 1
        most = self.screen.size.height // (_PART_ALONE if alone else _PART)
        height = _HIGH if alone and self.screen.size.height >= _FROM_LINES else 1
        wanted = _CENTREPIECE if alone else 1
        layout = Layout(self.size.width - 2, max(1, (most - 1) // (height + 1)), height, wanted)
        job = shown_video(now, selected)
        blank = () if job is None else self._blank_of(job)
        lines = tape_map(now, job, layout, blank)
        self.draw(
            [self.strip_of([(text, f"tape--{part}") for text, part in (_MARGIN, *line)]) for line in lines]
        )

    def _blank_of(self, job: JobState) -> tuple[Stretch, ...]:
        """The blank stretches of a video, as soon as they are found; the next refresh draws them."""
        if job.job.id not in self._blank and job.plan is not None and self._snapshots is not None:
            self._blank[job.job.id] = ()
            self.run_worker(self._look_for_blank(self._snapshots, job))
        return self._blank.get(job.job.id, ())

    async def _look_for_blank(self, snapshots: SnapshotMaker, job: JobState) -> None:
        self._blank[job.job.id] = await snapshots.blank(job)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A title, and the lines of cells."""
        del container, viewport, width
        return max(2, len(self.strips))


def shown_video(now: BatchMoment, selected: JobState | None) -> JobState | None:
    """The selected video if its segments are known, else the first that is at work. Pure."""
    if selected is not None and selected.plan is not None:
        return selected
    return next((job for job in now.state.turns.begun() if job.plan is not None), None)


def tape_map(
    now: BatchMoment, job: JobState | None, layout: Layout, blank: Sequence[Stretch] = ()
) -> list[list[Piece]]:
    """The map in lines of pieces, each with the part of the map that it is. Pure."""
    if job is None or job.plan is None:
        return [[("Select a video that has been read: the map of its tape is shown here.", "label")]]
    cells = _cells(now, job)
    marks = {"mark": _marks(job), "blank": list(blank)}
    count = len(cells)
    free_cells = max(1, layout.width - _LABEL_WIDTH)
    rows = max(1, min(layout.rows, -(-count * layout.wanted // free_cells)))
    in_row = -(-count // rows)
    lines = [_head(now, job, cells, layout.width, marks)]
    for first in range(0, count, in_row):
        last = min(first + in_row, count)
        # All segments are equally wide; where there are too many, some share a column.
        each = free_cells // in_row
        width = (last - first) * each if each else max(1, free_cells * (last - first) // in_row)
        at_s = job.plan.segments[first].start_frame / job.plan.rate
        row = _row(cells[first:last], width)
        for line in range(layout.height):
            label = duration(float(at_s)).rjust(_LABEL_WIDTH - 1) if line == 0 else " " * (_LABEL_WIDTH - 1)
            lines.append([(f"{label} ", "label"), *(row if line == 0 else _without_digits(row))])
        if marked := _mark_row(marks, job, first, last, width):
            lines.append([(" " * _LABEL_WIDTH, "label"), *marked])
    return lines


@dataclass(frozen=True, slots=True)
class _Cell:
    """A segment: its state, how much of it is made, and by which worker."""

    part: str
    made: float = 0.0
    lane: int | None = None


def _cells(now: BatchMoment, job: JobState) -> list[_Cell]:
    making = in_the_making(job, now.progress)
    cells = []
    for segment in job.plan.segments if job.plan is not None else ():
        index = segment.index
        failed = job.attempts.get(index, 0) > 0
        if index in job.finished or job.phase is Phase.DONE:
            cells.append(_Cell("again" if failed else "done"))
        elif index in job.running:
            report = making.get(index)
            made = 0.0 if report is None else report.done_frames / max(1, report.total_frames)
            cells.append(_Cell("running", made, job.running[index]))
        else:
            cells.append(_Cell("failed" if failed else "waiting"))
    return cells


# Of what shares a column, the one that says most is drawn.
_FIRST = ("running", "failed", "waiting", "again", "done")


def _row(cells: Sequence[_Cell], width: int) -> list[Piece]:
    """Segments in `width` columns."""
    columns: list[Piece] = []
    for column in range(width):
        first = column * len(cells) // width
        last = max(first + 1, (column + 1) * len(cells) // width)
        cell = min(cells[first:last], key=lambda each: _FIRST.index(each.part))
        begin, end = -(-first * width // len(cells)), -(-(first + 1) * width // len(cells))
        columns.append((_letter(cell, column - begin, end - begin), cell.part))
    return [
        ("".join(letter for letter, _ in group), part)
        for part, group in groupby(columns, key=lambda column: column[1])
    ]


def _letter(cell: _Cell, place: int, width: int) -> str:
    """What is drawn in a column of a segment: its state, a worker's number, or the gap at its end."""
    if cell.lane is not None:
        number = str(cell.lane)
        start = max(0, (width - len(number) - 1) // 2)
        if 0 <= place - start < len(number):
            return number[place - start]
    if place == width - 1 and width >= _WITH_GAP:
        return " "
    if cell.part == "running" and place < cell.made * (width - 1):
        return CELLS["done"]
    return CELLS[cell.part]


def _without_digits(row: Sequence[Piece]) -> list[Piece]:
    """The lines below that with the numbers."""
    running = CELLS["running"]
    return [
        ("".join(running if each.isdecimal() else each for each in text) if part == "running" else text, part)
        for text, part in row
    ]


def _head(now: BatchMoment, job: JobState, cells: Sequence[_Cell], width: int, marks: Marks) -> list[Piece]:
    """The video, how far it is, and what the letters mean, as far as they are there."""
    done = sum(cell.part in ("done", "again") for cell in cells)
    says = f"  {part_done(job, now.progress):.0%}   {done} of {counted(len(cells), 'segment')}"
    there = {cell.part for cell in cells}
    legend = [
        piece
        for part, letter in CELLS.items()
        if part in there
        for piece in ((f"   {letter}", part), (f" {_WORDS[part]}", "label"))
    ]
    for part, (letter, words) in MARKS.items():
        if marks[part]:
            legend += [(f"   {letter}", part), (f" {words}", "label")]
    legend_width = sum(len(text) for text, _ in legend)
    free_cells = width - len(says) - legend_width
    if free_cells < _LABEL_WIDTH:
        legend, free_cells = [], width - len(says)
    name = plain(job.job.source.name)
    name = fit(name, free_cells).rstrip() if cell_len(name) > free_cells else name
    return [(name, "head"), (says, "label"), *legend]


def _marks(job: JobState) -> list[Stretch]:
    """Where the source has no frames or damaged ones, in seconds from its beginning, in order."""
    if job.plan is None:
        return []
    video = job.plan.info.video
    gaps = [(gap.start / video.rate, gap.stop / video.rate) for gap in video.gaps]
    damage = job.plan.info.damage
    return sorted([*gaps, *(() if damage is None else damage.places)])


def _mark_row(marks: Marks, job: JobState, first: int, last: int, width: int) -> list[Piece]:
    """A line below the segments from `first` to `last`, with marks; empty where there is nothing to mark."""
    if job.plan is None:
        return []
    start = job.plan.segments[first].start_frame / job.plan.rate
    length = job.plan.segments[last - 1].stop_frame / job.plan.rate - start
    columns = [(" ", "label")] * width
    for part in reversed(MARKS):
        for from_s, to_s in marks[part]:
            begin, end = ((at_s - start) * width / length for at_s in (from_s, to_s))
            if end >= 0 and begin < width:
                for column in range(max(0, int(begin)), min(width - 1, int(end)) + 1):
                    columns[column] = (MARKS[part][0], part)
    if all(letter == " " for letter, _ in columns):
        return []
    return [
        ("".join(letter for letter, _ in group), part)
        for part, group in groupby(columns, key=lambda column: column[1])
    ]
