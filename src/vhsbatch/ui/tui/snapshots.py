"""Any moment of a video before and after, as any preset makes it, in one picture with a moving boundary."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import anyio.to_thread
from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.figures import in_the_making
from vhsbatch.events.job_state import JobState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import duration, plain
from vhsbatch.model.trim import seconds_of
from vhsbatch.restore.snapshot import Snapshot
from vhsbatch.ui.tui.wipe import Wipe, decoded

# On less, a picture shows nothing.
LEAST_COLUMNS, LEAST_LINES = 60, 16

_NO_BEFORE = "the source cannot be read there"
_NO_AFTER = "not ready yet: it appears when the first segment is finished"
_STEP, _STEPS_PER_S = 0.05, 8
# The boundary crosses the picture in so many seconds.
_CROSSES_IN_S = 5
_KEPT = 24
_BY_DIGIT = 9
_KEYS = (
    "←/→ move, Space starts and stops, ↑/↓ 10 s, PgUp/PgDn a twentieth, t a time, "
    "0-9 and n/p presets, r refreshes, Escape closes"
)


class Maker(Protocol):
    """What makes snapshots."""

    @property
    def presets(self) -> tuple[str, ...]:
        """The names of the presets that can be looked at."""
        ...

    async def make(self, job: JobState, at_work_on: int | None, *, asked: bool = False) -> Snapshot | None:
        """A snapshot of the current frame of a video."""
        ...

    async def at(self, job: JobState, frame: int, preset: str | None = None) -> Snapshot | None:
        """A snapshot of any frame, as any preset makes it."""
        ...


def frame_at_work(job: JobState, progress: Mapping[int, Progress]) -> int | None:
    """The last output frame that a lane has made of a video; None if none is at work on it. Pure."""
    if job.plan is None:
        return None
    frames = [
        job.plan.segments[segment].start_frame + report.done_frames
        for segment, report in in_the_making(job, progress).items()
    ]
    return max(frames, default=None)


class SnapshotScreen(ModalScreen[None]):
    """A wipe between before and after: it moves by itself until a key moves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,v,escape", "close", "Close"),
        Binding("r", "again", "Again"),
        Binding("left", "wipe(-1)", "Left"),
        Binding("right", "wipe(1)", "Right"),
        Binding("space", "glide", "Move by itself"),
        Binding("up", "later(10)", "10 s later"),
        Binding("down", "later(-10)", "10 s earlier"),
        Binding("pageup", "further(1)", "A twentieth later"),
        Binding("pagedown", "further(-1)", "A twentieth earlier"),
        Binding("t", "ask_time", "A time"),
        Binding("n", "next_preset(1)", "Next preset"),
        Binding("p", "next_preset(-1)", "Previous preset"),
        *(Binding(str(digit), f"preset({digit})", "Preset") for digit in range(_BY_DIGIT + 1)),
    ]

    def __init__(self, job: JobState, at_work_on: int | None, snapshots: Maker) -> None:
        """Create the screen.

        Args:
            job: the video.
            at_work_on: the frame that is being made; None if none is.
            snapshots: makes snapshots.
        """
        super().__init__()
        self._job = job
        self._at_work_on = at_work_on
        self._snapshots = snapshots
        self._presets: tuple[str | None, ...] = (None, *snapshots.presets)
        self._number = 0
        self._frame: int | None = None
        self._kept: dict[tuple[int, str | None], Snapshot] = {}
        self._glides, self._direction = True, 1
        self._head = Static(classes="snapshot-head")
        self._why = Static(classes="snapshot-why")
        self._wipe = Wipe()
        self._shown_presets = Static(classes="snapshot-presets")
        self._time = Input(placeholder="a time, such as 1:02:03; Escape leaves", compact=True)

    def compose(self) -> ComposeResult:
        """From top to bottom: which video and moment, the picture, the presets, the keys."""
        yield self._head
        yield self._wipe
        yield self._why
        self._time.display = False
        yield self._time
        yield self._shown_presets
        yield Static(Text(_KEYS, style="dim"), classes="snapshot-hint")

    def on_mount(self) -> None:
        """Begin with the current frame."""
        self.set_interval(1 / _STEPS_PER_S, self._step)
        self.action_again()

    def on_resize(self) -> None:
        """Use the width that there is now."""
        self._show_presets()

    # --- what is looked at -----------------------------------------------------------------------

    def action_again(self) -> None:
        """Make the snapshot of the current frame."""
        self._frame = None
        self._look()

    def action_later(self, seconds: int) -> None:
        """Another moment, by seconds."""
        self._go(seconds if self._job.plan is None else round(seconds * self._job.plan.rate))

    def action_further(self, by: int) -> None:
        """Another moment, by a twentieth of the video."""
        self._go(by * max(1, (0 if self._job.plan is None else self._job.plan.frames) // 20))

    def action_preset(self, number: int) -> None:
        """As another preset makes it; 0 is what the batch does."""
        if number < len(self._presets):
            self._number = number
            self._look()

    def action_next_preset(self, by: int) -> None:
        """As the next preset makes it."""
        self.action_preset((self._number + by) % len(self._presets))

    def action_ask_time(self) -> None:
        """Ask for a time."""
        self._time.display = True
        self._time.focus()

    @on(Input.Submitted)
    def _time_given(self, event: Input.Submitted) -> None:
        self._time.display = False
        self._time.value = ""
        self.set_focus(None)
        plan = self._job.plan
        if plan is None or not event.value.strip():
            return
        try:
            self._frame = int(seconds_of(event.value, "the moment") * plan.rate)
        except VhsBatchError as error:
            self.notify(plain(str(error)), severity="error")
            return
        self._look()

    def action_close(self) -> None:
        """Leave the question for a time, or the screen."""
        if self._time.display:
            self._time.display = False
            self.set_focus(None)
        else:
            self.dismiss()

    def _go(self, frames: int) -> None:
        if self._job.plan is not None and self._frame is not None:
            first = self._job.plan.first_frame
            last = first + self._job.plan.frames - 1
            self._frame = min(last, max(first, self._frame + frames))
            self._look()

    def _look(self) -> None:
        self._show_presets()
        self.run_worker(self._show(), exclusive=True)

    async def _show(self) -> None:
        preset = self._presets[self._number]
        snapshot = None if self._frame is None else self._kept.get((self._frame, preset))
        if snapshot is None:
            self._say("making the picture…")
            snapshot = await self._make(preset)
        if snapshot is None:
            self._say("this video has not been examined yet")
            return
        self._frame = snapshot.frame
        if snapshot.after is not None:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[snapshot.frame, preset] = snapshot
        before, after = [
            await anyio.to_thread.run_sync(decoded, jpeg) for jpeg in (snapshot.before, snapshot.after)
        ]
        self._say(f"at {duration(float(snapshot.at_s))}")
        why = [] if before is not None else [f"Before: {_NO_BEFORE}"]
        why += [] if after is not None else [f"After: {plain(snapshot.why_not) or _NO_AFTER}"]
        self._why.update(Text("\n".join(why)))
        self._why.display = bool(why)
        self._wipe.show(before, after)

    async def _make(self, preset: str | None) -> Snapshot | None:
        if self._frame is not None:
            return await self._snapshots.at(self._job, self._frame, preset)
        snapshot = await self._snapshots.make(self._job, self._at_work_on, asked=preset is None)
        if preset is None or snapshot is None:
            return snapshot
        return await self._snapshots.at(self._job, snapshot.frame, preset)

    # --- the boundary ----------------------------------------------------------------------------

    def action_wipe(self, by: int) -> None:
        """Move the boundary by hand."""
        self._glides = False
        self._wipe.move(self._wipe.position + by * _STEP)

    def action_glide(self) -> None:
        """Let the boundary move by itself, or not."""
        self._glides = not self._glides

    def _step(self) -> None:
        if not self._glides or not self._wipe.can_glide:
            return
        at = self._wipe.position + self._direction / (_CROSSES_IN_S * _STEPS_PER_S)
        if not 0 < at < 1:
            self._direction = -self._direction
        self._wipe.move(at)

    # --- words -----------------------------------------------------------------------------------

    def _say(self, words: str) -> None:
        name = plain(self._job.job.source.name)
        preset = self._presets[self._number]
        after = "as planned" if preset is None else plain(preset)
        self._head.update(
            Text.assemble(
                (name, "bold"), f"   {words}   before │ after, {after}", no_wrap=True, overflow="ellipsis"
            )
        )

    def _show_presets(self) -> None:
        self._shown_presets.update(presets_line(self._presets, self._number, self.size.width - 2))


def presets_line(presets: Sequence[str | None], chosen: int, width: int) -> Text:
    """The presets with their keys, the chosen one marked, none torn apart. Pure."""
    lines = [Text()]
    for number, name in enumerate(presets):
        words = "as planned" if name is None else plain(name)
        entry = f"{number} {words}" if number <= _BY_DIGIT else words
        if lines[-1] and lines[-1].cell_len + 2 + cell_len(entry) > width:
            lines.append(Text())
        lines[-1].append("  " if lines[-1] else "")
        lines[-1].append(entry, style="reverse" if number == chosen else "")
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
