"""The frame that is at work before and after, beside the list: drawn now and then, and never in the way."""

import os
import time
from collections.abc import Callable

import anyio.to_thread
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.formatting import duration, plain
from vhsbatch.restore.snapshot import Snapshot, SnapshotMaker
from vhsbatch.ui.tui.graphics import fitting
from vhsbatch.ui.tui.moment import BatchMoment
from vhsbatch.ui.tui.snapshots import frame_at_work
from vhsbatch.ui.tui.wipe import Wipe, decoded

# Not more often than this, with pauses so many times as long as a picture takes to make and to send; where
# that is because all else goes first, it comes at last.
_EVERY_S, _AT_LAST_S = 5.0, 60.0
_PAUSES = 20
# A line on which a picture takes longer is too slow for them.
_SLOW_LINE_S = 1.0
# How many lines make a picture worth it.
_LEAST_LINES = 6
# Every terminal answers this with the place of its cursor, after all that it was sent before.
_WHERE_IS_THE_CURSOR = "\x1b[6n"
_SLOW = "The line to this terminal is slow: v shows pictures."


class FramePane(Vertical):
    """Follows the selection, as the pane below it does, and takes only the room that that one leaves."""

    def __init__(
        self,
        snapshots: SnapshotMaker | None,
        *,
        id: str,  # noqa: A002
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the pane.

        Args:
            snapshots: makes the pictures; None where none can be made.
            id: its name in the style sheet.
            clock: seconds.
        """
        super().__init__(id=id)
        self._snapshots = snapshots
        self._clock = clock
        self._wipe = Wipe()
        self._words = Static()
        self._job_id: str | None = None
        self._space = Size()
        self._looking = False
        self._next_s = 0.0
        self._took_s = 0.0
        self._sent_s: float | None = None
        self.line_is_slow = False

    def compose(self) -> ComposeResult:
        """The picture, or why there is none."""
        yield self._words
        yield self._wipe

    def on_mount(self) -> None:
        """Nothing is made before there is something to show."""
        self._say("The frame at work is shown here.")

    def fit(self, left: Size) -> None:
        """Take no more of the column than this; where it is too little for a picture, nothing."""
        self._space = left - (self.gutter.width, self.gutter.height)
        self.display = self._snapshots is not None and self._space.height >= _LEAST_LINES
        self._set_height()

    def _set_height(self) -> None:
        if (picture := self._wipe.picture) is not None and self._space:
            self._wipe.styles.height = fitting(picture, self._space).height

    def show(self, now: BatchMoment, job: JobState | None) -> None:
        """Have the picture made again, if it is time."""
        if job is None or job.plan is None:
            job = next((each for each in now.state.turns.begun() if each.plan is not None), None)
        if job is None or self._snapshots is None or self._looking or not self._is_seen:
            return
        if job.job.id == self._job_id and (self._clock() < self._next_s or not _changes(job)):
            return
        self._looking = True
        self.run_worker(self._look(self._snapshots, job, frame_at_work(job, now.progress)))

    @property
    def _is_seen(self) -> bool:
        return not self.line_is_slow and self.display and self.app.screen is self.screen

    async def _look(self, snapshots: SnapshotMaker, job: JobState, at_work_on: int | None) -> None:
        started_s = self._clock()
        try:
            snapshot = await snapshots.make(job, at_work_on)
            self._took_s = self._clock() - started_s
            self._job_id = job.job.id
            await self._draw(job, snapshot)
        finally:
            self._looking = False
            self._pause(self._took_s)

    async def _draw(self, job: JobState, snapshot: Snapshot | None) -> None:
        before, after = [
            await anyio.to_thread.run_sync(decoded, jpeg)
            for jpeg in ((None, None) if snapshot is None else (snapshot.before, snapshot.after))
        ]
        if snapshot is None or (before is None and after is None):
            self._say("No picture can be read there.")
            return
        what = "Before │ after" if before is not None and after is not None else "Before"
        what = what if before is not None else "After"
        at = duration(float(snapshot.at_s))
        self.border_title = Content(f"{what} at {at}, {plain(job.job.source.name)}")
        self._words.display = False
        self._wipe.display = True
        self._wipe.show(before, after)
        self._set_height()
        self.call_after_refresh(self._ask)

    def _ask(self) -> None:
        """Ask the terminal to answer when it has shown all this."""
        if self._sent_s is not None and "SSH_CONNECTION" in os.environ:
            self._turn_off()  # it has not answered for seconds, and it is far away
            return
        self._sent_s = self._clock()
        if (driver := self.app._driver) is not None:  # noqa: SLF001 - what is written goes through it
            driver.write(_WHERE_IS_THE_CURSOR)

    def arrived(self) -> None:
        """The terminal has answered."""
        if self._sent_s is None:
            return
        line_s, self._sent_s = self._clock() - self._sent_s, None
        self._pause(max(self._took_s, line_s))
        if line_s > _SLOW_LINE_S:
            self._turn_off()

    def _pause(self, took_s: float) -> None:
        self._next_s = self._clock() + max(_EVERY_S, min(_AT_LAST_S, _PAUSES * took_s))

    def _turn_off(self) -> None:
        self.line_is_slow = True
        self._say(_SLOW)

    def _say(self, words: str) -> None:
        self._words.update(words)
        self._words.display = True
        self._wipe.display = False


def _changes(job: JobState) -> bool:
    """Whether there is ever another picture of a video."""
    return job.phase in (Phase.RUNNING, Phase.ASSEMBLING)
