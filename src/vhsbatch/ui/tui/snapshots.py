"""The frame that a video is at, before and after, as well as the terminal can show it."""

import io
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import anyio.to_thread
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from vhsbatch.events.figures import in_the_making
from vhsbatch.events.job_state import JobState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import duration, plain
from vhsbatch.restore.snapshot import Snapshot
from vhsbatch.ui.tui.graphics import picture_widget

if TYPE_CHECKING:
    from PIL.Image import Image

# On less, two pictures show nothing.
LEAST_COLUMNS, LEAST_LINES = 60, 16

_NO_BEFORE = "the source cannot be read there"
_NO_AFTER = "not ready yet: it appears when the first segment is finished"


def frame_at_work(job: JobState, progress: Mapping[int, Progress]) -> int | None:
    """The last output frame that a lane has made of a video; None if none is at work on it. Pure."""
    if job.plan is None:
        return None
    frames = [
        job.plan.segments[segment].start_frame + report.done_frames
        for segment, report in in_the_making(job, progress).items()
    ]
    return max(frames, default=None)


def decoded(jpeg: bytes | None) -> "Image | None":
    """The picture in a file; None if there is none."""
    from PIL.Image import open as open_picture

    try:
        picture = None if jpeg is None else open_picture(io.BytesIO(jpeg))
        if picture is not None:
            picture.load()
    except OSError:
        return None
    return picture


class SnapshotScreen(ModalScreen[None]):
    """Two pictures side by side, made when the screen opens and when they are asked for again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,v,escape", "app.pop_screen", "Close"),
        Binding("r", "again", "Again"),
    ]

    def __init__(self, job: JobState, make: Callable[[], Awaitable[Snapshot | None]]) -> None:
        """Create the screen.

        Args:
            job: the video.
            make: makes a snapshot of its current frame.
        """
        super().__init__()
        self._job = job
        self._make = make
        self._head = Static(classes="snapshot-head")
        self._sides = {
            "Before": Vertical(classes="snapshot-side"),
            "After": Vertical(classes="snapshot-side"),
        }
        self._pictures = Horizontal(*self._sides.values())

    def compose(self) -> ComposeResult:
        """From top to bottom: which video and moment, the pictures, the keys."""
        yield self._head
        yield self._pictures
        yield Static(Text("r refreshes, Escape closes", style="dim"), classes="snapshot-hint")

    def on_mount(self) -> None:
        """Start making the snapshots."""
        self.action_again()

    def on_resize(self, event: Resize) -> None:
        """Keep both sides alike: one of them would get the odd column, and a larger picture."""
        self._pictures.styles.width = event.size.width // 2 * 2

    def action_again(self) -> None:
        """Make the snapshots of the current frame."""
        self._say("reading…")
        self.run_worker(self._show(), exclusive=True)

    async def _show(self) -> None:
        snapshot = await self._make()
        if snapshot is None:
            self._say("this video has not been examined yet")
            return
        self._say(f"at {duration(float(snapshot.at_s))}")
        for title, jpeg, why_not in (
            ("Before", snapshot.before, _NO_BEFORE),
            ("After", snapshot.after, _NO_AFTER),
        ):
            side = self._sides[title]
            picture = await anyio.to_thread.run_sync(decoded, jpeg)
            await side.remove_children()
            shown = (
                Static(Text(why_not))
                if picture is None
                else picture_widget(picture, coloured=not self.app.no_color)
            )
            await side.mount(Static(Text(title, style="bold")), shown)

    def _say(self, words: str) -> None:
        name = plain(self._job.job.source.name)
        self._head.update(Text.assemble((name, "bold"), f"   {words}", no_wrap=True, overflow="ellipsis"))
