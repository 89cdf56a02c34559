"""The column beside the lists: the frame at work above the selected video, which comes first."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from vhsbatch.events.job_state import JobState
from vhsbatch.ui.tui.frames import FramePane
from vhsbatch.ui.tui.moment import BatchMoment
from vhsbatch.ui.tui.video_pane import VideoPane


class Beside(Vertical):
    """Leaves the picture the lines that the description does not need."""

    def __init__(self, frames: FramePane, video: VideoPane, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._frames = frames
        self._video = video

    def compose(self) -> ComposeResult:
        """From top to bottom: the picture, the description."""
        yield self._frames
        yield self._video

    def show(self, now: BatchMoment, job: JobState | None, logged: Sequence[str]) -> None:
        """Show a video as it is now: its picture as soon as it is known how much room there is."""
        self._video.show(now, job, logged)
        self.call_after_refresh(self._show_frame, now, job)

    def _show_frame(self, now: BatchMoment, job: JobState | None) -> None:
        self._share()
        self._frames.show(now, job)

    def on_resize(self) -> None:
        """Share the lines out again."""
        self._share()

    def _share(self) -> None:
        self._frames.fit(self.size - (0, self._video.all_lines))
