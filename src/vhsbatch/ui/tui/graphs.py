"""Speed, memory and load over the last minutes."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import set_cell_size

from vhsbatch.formatting import duration, size
from vhsbatch.ui.tui.figures import graph
from vhsbatch.ui.tui.lines import DrawnLines
from vhsbatch.ui.tui.moment import BatchMoment

PARTS = ("title", "value", "graph")
_EVERY_S = 5.0
# The samples of twenty minutes, as many as there is room for on the widest screens.
_MOST = 240
_BETWEEN = 3
_MARGIN = (" ", "title")
# How high a graph is, from how many lines of the screen on.
_HEIGHTS = ((50, 4), (36, 2), (0, 1))


@dataclass(slots=True)
class Series:
    """Something that is measured all the time.

    Attributes:
        title: what it is.
        value: the newest figure in words.
        samples: those of the last minutes.
        top: what is as high as the graph; None for the highest sample.
    """

    title: str
    value: str = "-"
    samples: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST))
    top: float | None = None


class History:
    """What was measured, one sample every few seconds."""

    def __init__(self) -> None:
        self._series: dict[str, Series] = {}
        self._sampled_s: float | None = None

    @property
    def series(self) -> tuple[Series, ...]:
        """What has ever been known, in a fixed order."""
        return tuple(self._series[title] for title in sorted(self._series, key=_place))

    @property
    def covered_s(self) -> float:
        """How long it reaches back."""
        return _EVERY_S * max((len(each.samples) for each in self._series.values()), default=0)

    def take(self, now: BatchMoment) -> None:
        """Take the newest figures, and a sample if it is time."""
        is_time = self._sampled_s is None or not 0 <= now.now_s - self._sampled_s < _EVERY_S
        if is_time:
            self._sampled_s = now.now_s
        for title, sample, value, top in _samples(now):
            series = self._series.setdefault(title, Series(title))
            series.value, series.top = value, top
            if is_time:
                series.samples.append(sample)


def _place(title: str) -> int:
    return next(
        (place for place, word in enumerate(("Frames", "CPU", "Memory")) if title.startswith(word)), 3
    )


def _samples(now: BatchMoment) -> Iterable[tuple[str, float, str, float | None]]:
    """Each figure that is known now: its title, itself, itself in words, and what is the most."""
    speed = now.numbers.current_frames_per_s
    yield "Frames per second", speed, f"{speed:.1f}", None
    if now.readings is None:
        return
    cpu = now.readings.of("cpu")
    if cpu is not None and cpu.busy_percent is not None:
        yield "CPU", cpu.busy_percent, f"{cpu.busy_percent} %", 100.0
    if cpu is not None and cpu.used_bytes is not None and cpu.total_bytes:
        used = f"{size(cpu.used_bytes)} of {size(cpu.total_bytes)}"
        yield "Memory", cpu.used_bytes, used, float(cpu.total_bytes)
    busy = [gpu.busy_percent for gpu in now.readings.gpus if gpu.busy_percent is not None]
    if busy:
        average = sum(busy) / len(busy)
        yield "GPU" if len(busy) == 1 else f"{len(busy)} GPUs", average, f"{average:.0f} %", 100.0


class Graphs(DrawnLines):
    """The graphs, side by side."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"graphs--{part}" for part in PARTS}

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._history = History()

    def show(self, now: BatchMoment) -> None:
        """Take what is measured in; draw it where there is room."""
        self._history.take(now)
        if not self.display or not self.size.width:
            return
        lines = graph_lines(self._history, self.size.width - 2, self._height)
        self.draw(
            [self.strip_of([(text, f"graphs--{part}") for text, part in (_MARGIN, *line)]) for line in lines]
        )

    @property
    def _height(self) -> int:
        return next(height for lines, height in _HEIGHTS if self.screen.size.height >= lines)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """A title and a graph."""
        del container, viewport, width
        return 1 + self._height


def graph_lines(history: History, width: int, height: int) -> list[list[tuple[str, str]]]:
    """The graphs in lines of pieces, each with the part that it is. Pure."""
    series = history.series
    each = (width + _BETWEEN) // max(1, len(series)) - _BETWEEN
    if each < len("Frames per second 99.9"):
        series = series[: max(1, (width + _BETWEEN) // (len("Frames per second 99.9") + _BETWEEN))]
        each = (width + _BETWEEN) // max(1, len(series)) - _BETWEEN
    between = (" " * _BETWEEN, "title")
    head: list[tuple[str, str]] = []
    lines: list[list[tuple[str, str]]] = [[] for _ in range(height)]
    back = f"last {duration(min(history.covered_s, each * _EVERY_S))}"
    for one in series:
        value = set_cell_size(one.value, max(0, min(len(one.value), each - len(one.title) - 1)))
        rest = each - len(one.title) - 1 - len(value)
        head += [(f"{one.title} ", "title"), (value, "value")]
        head.append((back.rjust(rest) if rest > len(back) + 1 else " " * rest, "title"))
        head.append(between)
        for line, drawn in zip(lines, graph(one.samples, each, height, one.top), strict=True):
            line += [(drawn, "graph"), between]
    return [head, *lines]
