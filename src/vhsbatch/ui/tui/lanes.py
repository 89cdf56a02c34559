"""The lanes: one widget that draws them all, since eight progress bars cost ten times as much."""

from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from vhsbatch.engines.fallback import fallback, in_words
from vhsbatch.events.figures import lane_left_s
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, Progress
from vhsbatch.formatting import duration, plain
from vhsbatch.ui.tui.devices import device_name
from vhsbatch.ui.tui.figures import bar, fit, sparkline
from vhsbatch.ui.tui.lines import DrawnLines
from vhsbatch.ui.tui.moment import BatchMoment

PARTS = ("label", "name", "stage", "bar", "figures", "trend")

_STAGES = {"assemble": "joining", "verify": "verifying", "publish": "publishing"}
_LABEL_WIDTH = 11
_FIGURES_WIDTH = 26
_TREND_WIDTH = 12
# From how many columns on there is room for the trend, and for the device.
_ROOMY, _WIDE = 110, 150
_USUAL = 80
_SAMPLE_EVERY_S = 5.0


class Lanes(DrawnLines):
    """A line for each lane: who works on what, how far, how fast, how much longer."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lanes--{part}" for part in PARTS}

    def __init__(self, state: BatchState, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._state = state
        self._now: BatchMoment | None = None
        self._trends: dict[int, deque[float]] = {}
        self._sampled_s: dict[int, float] = {}

    @property
    def count(self) -> int:
        """How many lanes are shown: those that are to go are, as long as they are at work."""
        busy = (lane for job in self._state.turns.under_way for lane in _lanes_of(job))
        return max(self._state.lanes, max(busy, default=0))

    def show(self, now: BatchMoment) -> None:
        """Draw the newest numbers."""
        self._now = now
        for lane, report in now.progress.items():
            if now.now_s - self._sampled_s.get(lane, -_SAMPLE_EVERY_S) >= _SAMPLE_EVERY_S:
                self._sampled_s[lane] = now.now_s
                self._trends.setdefault(lane, deque(maxlen=_TREND_WIDTH)).append(report.frames_per_s)
        self._draw()

    def on_resize(self) -> None:
        """Use the width that there is now."""
        self._draw()

    def _draw(self) -> None:
        if self._now is None or not self.size.width:
            return
        styles = [self.get_component_rich_style(f"lanes--{part}") for part in PARTS]
        strips = []
        for lane in range(1, self.count + 1):
            cells = lane_cells(self._now, lane, self.size.width, trend=self._trends.get(lane, ()))
            segments = [Segment(text, style) for style, text in zip(styles, cells, strict=True)]
            strips.append(Strip(segments).adjust_cell_length(self.size.width))
        self.draw(strips)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A line for each lane."""
        del container, viewport, width
        return self.count


def lane_cells(
    now: BatchMoment, lane: int, width: int, *, trend: Sequence[float] = ()
) -> tuple[str, str, str, str, str, str]:
    """A lane's line in parts: label, name, stage, bar, figures, trend; together `width` cells. Pure.

    The trend (how fast it was over the last minute), and the device, are for wide terminals.
    """
    state, report = now.state, now.progress.get(lane)
    label = f" Worker {lane}".ljust(_LABEL_WIDTH)
    job, segment = _work_of(state, lane)
    if job is None:
        idle = "idle" if lane <= state.lanes else "stopping"
        return label, set_cell_size(idle, max(0, width - _LABEL_WIDTH)), "", "", "", ""
    current = report is not None and report.job_id == job.job.id and report.segment == segment
    part = report.done_frames / max(1, report.total_frames) if current and report is not None else 0.0
    stage_width = 17 if width >= 100 else 13
    # On a phone, names need the room more than bars do.
    bar_width = max(6, width // (6 if width >= _ROOMY else 5 if width >= _USUAL else 10))
    device = _device(job, segment, report if current else None, now.readings, width // 5)
    last = _trend(trend if current else (), device, width)
    taken = _LABEL_WIDTH + stage_width + bar_width + _FIGURES_WIDTH + cell_len(last)
    name_width = max(8, width - taken)
    machine = f" @{plain(report.machine)}" if current and report is not None and report.machine else ""
    machine = fit(machine, min(cell_len(machine), name_width // 2))
    name = fit(plain(job.job.source.name), name_width - cell_len(machine) - 1) + machine + " "
    stage = _stage(job, segment, report if current else None)
    return (
        label,
        name,
        set_cell_size(stage, stage_width),
        bar(part, bar_width),
        set_cell_size(_figures(report if current else None, part), _FIGURES_WIDTH),
        last,
    )


def _trend(trend: Sequence[float], device: str, width: int) -> str:
    if width < _ROOMY:
        return ""
    line = f"  {sparkline(trend, _TREND_WIDTH)}"
    return line if width < _WIDE else f"{line}  {device}"


def _device(
    job: JobState, segment: int | None, report: Progress | None, readings: DeviceReadings | None, width: int
) -> str:
    """What does the slow part, by its name; what it says of itself is in the machine's line."""
    named = None if report is None or report.machine or report.device == "cpu" else readings
    if report is not None and named is not None and (reading := named.of(report.device)) is not None:
        return fit(device_name(reading), width)
    if job.plan is None or job.plan.upscaling is None or segment is None:
        return fit("the CPU", width)
    return fit(in_words(fallback(job.plan.upscaling, job.model_failures.get(segment, 0))), width)


def _lanes_of(job: JobState) -> tuple[int, ...]:
    if job.phase.ended:
        return ()
    assembly = () if job.assembly_lane is None else (job.assembly_lane,)
    return (*job.running.values(), *assembly)


def _work_of(state: BatchState, lane: int) -> tuple[JobState | None, int | None]:
    for job in state.open.values():
        if job.assembly_lane == lane:
            return job, None
        for segment, at_work in job.running.items():
            if at_work == lane:
                return job, segment
    return None, None


def _stage(job: JobState, segment: int | None, report: Progress | None) -> str:
    if segment is None:
        return _STAGES.get(report.stage if report is not None else "assemble", "joining")
    count = 0 if job.plan is None else len(job.plan.segments)
    if job.phase is Phase.RUNNING and count > 1:
        return f"segment {segment + 1}/{count}"
    return "restoring"


def _figures(report: Progress | None, part: float) -> str:
    if report is None:
        return "  starting"
    speed = float(report.frames_per_s)
    shown = f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}"
    left_s = lane_left_s(report)
    return f" {part:4.0%} {shown:>4} fps {'-' if left_s is None else duration(left_s):>8}"
