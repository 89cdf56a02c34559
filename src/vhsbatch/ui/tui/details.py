"""One video: what was found, what is made of it, and what became of it."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from vhsbatch.events.describe import describe_plan, field_order
from vhsbatch.events.job_state import JobState
from vhsbatch.formatting import counted, duration, plain, size
from vhsbatch.model.plan import JobPlan


def details_text(job: JobState, logged: Iterable[str]) -> Text:
    """Source, plan, result or failure, and log of a video. Pure."""
    text = Text()
    text.append(f"{plain(job.job.source.name)}\n", style="bold")
    text.append(f"{job.phase}{f': {plain(job.reason)}' if job.reason else ''}\n")
    section(text, "Files", (str(job.job.source), f"→ {job.job.output}"))
    if job.plan is not None:
        section(text, "Found", found(job.plan))
        section(text, "Plan", describe_plan(job.plan))
        count = len(job.plan.segments)
        section(text, "Segments", (f"{len(job.finished)} of {count} finished, {len(job.running)} running",))
    if job.published is not None:
        published = job.published
        section(
            text,
            "Result",
            (f"{size(published.size_bytes)}, {counted(published.frames, 'frame')}", *published.notes),
        )
    section(text, "What the programs said", job.detail)
    section(text, "Log", logged)
    return text


def found(plan: JobPlan) -> Iterable[str]:
    """What a source is, line by line."""
    video = plan.info.video
    yield f"fields: {field_order(video.field_order)} ({video.field_order_reason})"
    shape = "unknown shape" if video.sar is None else f"shape {video.sar}"
    yield f"picture: {video.width}x{video.height}, pixels of {shape}, {video.pixel_format}"
    for track in plan.info.audio:
        language = f", {track.language}" if track.language else ""
        length = duration(float(track.end_s - track.start_s))
        channels = counted(track.channels, "channel")
        yield f"sound: {track.codec}, {track.sample_rate_hz} Hz, {channels}, {length}{language}"


def section(text: Text, title: str, lines: Iterable[str]) -> None:
    """A title with lines below it; nothing where there are none."""
    if shown := list(lines):
        text.append(f"\n{title}\n", style="bold")
        for line in shown:
            text.append(f"  {plain(line)}\n")


class DetailsScreen(ModalScreen[None]):
    """The details of a video, which follow what happens to it, until a key is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,i,enter,escape", "app.pop_screen", "Close")]

    def __init__(self, job: JobState, logged: Iterable[str]) -> None:
        super().__init__()
        self.job_id = job.job.id
        self._drawn = details_text(job, logged)
        self._details = Static(self._drawn)

    def show(self, job: JobState, logged: Iterable[str]) -> None:
        """Show the video as it is now."""
        text = details_text(job, logged)
        if text != self._drawn:
            self._drawn = text
            self._details.update(text)

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(classes="panel"):
            with VerticalScroll():
                yield self._details
            yield Static(Text("Escape closes", style="dim"), classes="hint")
