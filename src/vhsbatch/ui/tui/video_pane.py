"""The selected video, beside the list: what happens to it, what it is, the plan, and the end of its log."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from vhsbatch.events.figures import in_the_making, part_done, ready_in
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.formatting import counted, duration, plain, roughly
from vhsbatch.ui.tui.details import found, section
from vhsbatch.ui.tui.lists import MOST_ROWS
from vhsbatch.ui.tui.moment import BatchMoment

NOTHING = (
    "Select a video in a list: what is known of it is shown here.\n\n1 to 4 show the lists, ? every key."
)
_LOG_LINES = 6


class VideoPane(VerticalScroll):
    """Follows the selection."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._happens = Static()
        self._known = Static()
        # What was drawn: the same again would lay the screen out again.
        self._key: tuple[object, ...] = ()
        self._drawn = Text()

    def compose(self) -> ComposeResult:
        """What changes all the time, above what seldom does."""
        yield self._happens
        yield self._known

    @property
    def all_lines(self) -> int:
        """How many lines of the column show all of the description, when it is laid out."""
        return self._happens.size.height + self._known.size.height + self.gutter.height

    def show(self, now: BatchMoment, job: JobState | None, logged: Sequence[str]) -> None:
        """Show a video as it is now."""
        if not self.display:
            return
        happens = Text(NOTHING) if job is None else happening(now, job)
        if happens != self._drawn or not self._key:
            as_high = happens.plain.count("\n") == self._drawn.plain.count("\n")
            self._drawn = happens
            self._happens.update(happens, layout=not as_high or not self._key)
        key = (None if job is None else job.job.id, now.state.revision, len(logged))
        if key != self._key:
            if key[:1] != self._key[:1]:
                self.scroll_home(animate=False)
            self._key = key
            self.border_title = Content("" if job is None else plain(job.job.source.name))
            self._known.update(Text() if job is None else known(job, logged))


def happening(now: BatchMoment, job: JobState) -> Text:
    """Where a video is on its way, and what lanes do for it. Pure."""
    text = Text(no_wrap=True, overflow="ellipsis")
    words = str(job.phase)
    if job.phase is Phase.RUNNING:
        words = f"{part_done(job, now.progress):.0%} made"
    elif job.phase is Phase.ASSEMBLING:
        words = "joining the segments, then checking the result"
    elif job.phase is Phase.PLANNED:
        words = "waiting for a worker"
    elif job.phase is Phase.WAITING:
        words = "not read yet"
    # As the list does: two times for one video would contradict each other.
    goes_on = job.started_s is not None and not job.phase.ended
    all_turns = [*now.state.turns.begun(), *now.state.turns.waiting()] if goes_on else []
    turns = all_turns[: MOST_ROWS + now.state.lanes]
    left_s = ready_in(turns, now.progress, now.numbers, lanes=now.state.lanes).get(job.job.id)
    text.append(words, style="bold")
    text.append("" if left_s is None else f", ready in {roughly(left_s)}")
    for segment, report in sorted(in_the_making(job, now.progress).items()):
        part = report.done_frames / max(1, report.total_frames)
        on = f" on {plain(report.machine)}" if report.machine else ""
        text.append(
            f"\nworker {report.lane}{on}: segment {segment + 1}, {part:.0%}, {report.frames_per_s:.1f} fps"
        )
    return text


def known(job: JobState, logged: Sequence[str]) -> Text:
    """What was found in a video, what is made of it, what was checked, and the end of its log. Pure."""
    text = Text()
    if job.reason:
        section(text, "Why", (job.reason,))
    if job.plan is not None:
        section(text, "Checks", checks(job))
        video = job.plan.info.video
        section(
            text,
            "Source",
            (
                f"{video.width}x{video.height} {video.codec}, {duration(float(video.frames / video.rate))}",
                *found(job.plan),
            ),
        )
        section(
            text,
            "Plan",
            (
                f"{job.plan.width}x{job.plan.height} {job.plan.encoder} in {job.plan.container}, "
                f"{float(job.plan.rate):.5g} fps, preset {job.plan.preset.name}",
                *job.plan.notes,
            ),
        )
    section(text, "Files", (str(job.job.source), f"→ {job.job.output}"))
    section(text, "Log", logged[-_LOG_LINES:])
    return text


def checks(job: JobState) -> Iterable[str]:
    """What was checked of what was made of a video, and what came of it."""
    if job.plan is None:
        return
    if job.published is not None and job.phase is Phase.DONE:
        yield f"result: {counted(job.published.frames, 'frame')}, joined and checked"
        yield from (note for note in job.published.notes if note not in job.plan.notes)
    else:
        count = counted(len(job.plan.segments), "segment")
        yield f"{len(job.finished)} of {count} finished and checked"
    for segment, failures in sorted(job.attempts.items()):
        then = "made since" if segment in job.finished else "to be made again"
        yield f"segment {segment + 1}: {counted(failures, 'failed attempt')}, {then}"
