"""The overall progress, in two lines, and one for what the machine says of itself."""

from collections.abc import Mapping
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widgets import Static

from vhsbatch.events.job_state import Phase
from vhsbatch.formatting import duration, spread
from vhsbatch.ui.tui.devices import machine_line
from vhsbatch.ui.tui.figures import bar
from vhsbatch.ui.tui.moment import BatchMoment

_BOLD = Style(bold=True)


class Overview(Static):
    """Counts, a bar, elapsed time and time left; CPU, GPUs and disks where they can be read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"overview--{part}" for part in ("done", "failed", "bar")}

    def show(self, now: BatchMoment) -> None:
        """Draw the newest numbers."""
        width = self.size.width
        # On a slow machine the first redraw comes before places and colours are given out.
        if not width:
            return
        styles = {
            part: self.get_component_rich_style(f"overview--{part}") for part in ("done", "failed", "bar")
        }
        text = overview_text(now, width, styles)
        if now.readings is not None and (line := machine_line(now.readings, width - 2)):
            text.append(f"\n {line}", style="dim")
            self.styles.height = 3
        self.update(text, layout=False)


def overview_text(now: BatchMoment, width: int, styles: Mapping[str, Style]) -> Text:
    """The lines of the batch. Pure."""
    state, numbers = now.state, now.numbers
    waiting = state.count(Phase.WAITING, Phase.PLANNED, Phase.HELD)
    running = state.count(Phase.RUNNING, Phase.ASSEMBLING)
    text = Text(no_wrap=True, overflow="ellipsis")
    for count, word, style in (
        (state.count(Phase.DONE), "done", styles["done"]),
        (running, "running", _BOLD),
        (waiting, "waiting", _BOLD),
        (state.count(Phase.FAILED), "failed", styles["failed"]),
        (state.count(Phase.SKIPPED), "skipped", _BOLD),
    ):
        if count or word in ("done", "running", "waiting"):
            text.append(f" {count} ", style=style)
            text.append(f"{word} ", style="dim")
    if numbers.frames_per_s:
        speed, average = f"   {numbers.current_frames_per_s:.1f} ", f", average {numbers.frames_per_s:.1f}"
        # A line that is too long would push the others down.
        fits = text.cell_len + len(f"{speed}fps{average}") <= width
        text.append(speed, style="bold")
        text.append(f"fps{average if fits else ''}", style="dim")
    left = spread(numbers.left_range_s, numbers.left_s)
    times = f" {numbers.part:4.0%}   {duration(numbers.elapsed_s)} elapsed   {left} left "
    text.append("\n ")
    text.append(bar(numbers.part, max(4, width - len(times) - 2)), style=styles["bar"])
    text.append(times)
    return text
