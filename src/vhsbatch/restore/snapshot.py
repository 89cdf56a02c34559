"""One moment of a video before and after, while it is being worked on: on request, and out of the way."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import anyio

from vhsbatch.errors import ToolError, VhsBatchError
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.ffmpeg.snapshot_commands import after_command, before_command, source_frame_s
from vhsbatch.model.plan import JobPlan
from vhsbatch.probe.blank import look_at_ends
from vhsbatch.process.guard import IDLE_NICENESS
from vhsbatch.process.spawn import run
from vhsbatch.restore.preview import Previews, preview_folder
from vhsbatch.restore.workspace import job_folder

_TIMEOUT_S = 60.0
# A source in which no place can be found is decoded from its beginning, but not for long.
_DECODE_AT_MOST_S = Fraction(60)


# From when to when, in seconds from the first frame of a source on.
Stretch = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A frame to be looked at.

    Attributes:
        frame: its number, counted in the result of the whole source.
        made: the file that has it, None while it is not made.
        first_frame: the output's frame that this file begins with.
    """

    frame: int
    made: Path | None = None
    first_frame: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A moment before and after, as JPEG files.

    Attributes:
        at_s: the moment, counted from the first picture.
        before: the source; None where it cannot be read there.
        after: the result; None where it is not made yet or cannot be read.
        frame: its number, counted in the result of the whole source.
        why_not: why there is no result, where that is known.
    """

    at_s: Fraction
    before: bytes | None
    after: bytes | None
    frame: int = 0
    why_not: str = ""


def moment_of(job: JobState, at_work_on: int | None, temporary: Path) -> Moment | None:
    """The frame that shows most of what is being done to a video; None before it is planned. Pure.

    It is the one being worked on, or the nearest to it in the segment that was finished last: what is
    in the making cannot be read.

    Args:
        job: the video.
        at_work_on: the output frame that is being made, None if none is; past the last one, all are made.
        temporary: where segments are.
    """
    plan = job.plan
    if plan is None:
        return None
    if job.phase is Phase.DONE:
        middle = plan.first_frame + plan.frames // 2
        return Moment(frame=middle, made=job.job.output, first_frame=plan.first_frame)
    proof = max(job.finished.values(), key=lambda proof: proof.at_s, default=None)
    if proof is None or proof.fingerprint != plan.fingerprint or proof.segment >= len(plan.segments):
        last = plan.first_frame + plan.frames - 1
        return Moment(frame=min(max(at_work_on or 0, plan.first_frame), last))
    segment = plan.segments[proof.segment]
    middle = segment.start_frame + segment.frames // 2
    nearest = middle if at_work_on is None else at_work_on
    return Moment(
        frame=min(max(nearest, segment.start_frame), segment.stop_frame - 1),
        made=job_folder(temporary, plan) / proof.file,
        first_frame=segment.start_frame,
    )


def made_frame(job: JobState, frame: int, temporary: Path) -> Moment | None:
    """The file that has a frame of a video; None where the frame is not made yet. Pure."""
    plan = job.plan
    if plan is None:
        return None
    if job.phase is Phase.DONE:
        return Moment(frame=frame, made=job.job.output, first_frame=plan.first_frame)
    for segment in plan.segments:
        if segment.start_frame <= frame < segment.stop_frame:
            proof = job.finished.get(segment.index)
            if proof is not None and proof.fingerprint == plan.fingerprint:
                made = job_folder(temporary, plan) / proof.file
                return Moment(frame=frame, made=made, first_frame=segment.start_frame)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMaker:
    """Makes snapshots.

    Attributes:
        ffmpeg: the program.
        temporary: where the segments of the batch are.
        previews: makes what is not made yet, and what other presets would make; None where that cannot be
            done.
    """

    ffmpeg: str
    temporary: Path
    previews: Previews | None = None

    @property
    def presets(self) -> tuple[str, ...]:
        """The names of the presets that can be looked at."""
        return () if self.previews is None else tuple(self.previews.presets)

    async def make(self, job: JobState, at_work_on: int | None, *, asked: bool = False) -> Snapshot | None:
        """A snapshot of the current frame of a video; None before it is planned.

        Where nothing is made yet, the frame is made for the snapshot. Unless somebody asked, all is made by
        child processes of the lowest priority, no tool is looked for, and no model runs: it would be in the
        way of the work.
        """
        moment = moment_of(job, at_work_on, self.temporary)
        if moment is None or job.plan is None:
            return None
        unasked = self.previews is not None and self.previews.at_hand and job.plan.upscaling is None
        if moment.made is None and (asked or unasked):
            return await self.at(job, moment.frame, niceness=None if asked else IDLE_NICENESS)
        at_s = moment.frame / job.plan.rate
        after = await self._made(job.plan, moment)
        before = await self._before(job.plan, at_s)
        return Snapshot(at_s=at_s, before=before, after=after, frame=moment.frame)

    async def at(
        self, job: JobState, frame: int, preset: str | None = None, *, niceness: int | None = None
    ) -> Snapshot | None:
        """A snapshot of any frame, as any preset makes it; None before the video is planned.

        What is made already is shown; all else is made for the snapshot.

        Args:
            job: the video.
            frame: which frame, counted in the result of the whole source; the nearest that there is.
            preset: the preset's name; None for what the batch does.
            niceness: that of the processes; None for that of the batch's.
        """
        plan = job.plan
        if plan is None:
            return None
        frame = min(max(frame, plan.first_frame), plan.first_frame + plan.frames - 1)
        at_s = frame / plan.rate
        found = _Pair()

        async def read() -> None:
            found.before = await self._before(plan, at_s)

        async def make() -> None:
            moment = made_frame(job, frame, self.temporary) if preset is None else None
            if moment is not None:
                found.after = await self._made(plan, moment)
            if found.after is None:
                found.after, found.why_not = await self._preview(plan, frame, preset, niceness)

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            group.start_soon(make)
        return Snapshot(at_s=at_s, before=found.before, after=found.after, frame=frame, why_not=found.why_not)

    async def blank(self, job: JobState) -> tuple[Stretch, ...]:
        """Where a source shows nothing but one colour, at its beginning and at its end."""
        if job.plan is None:
            return ()
        info = job.plan.info
        try:
            ends = await look_at_ends(
                info.source,
                info.video,
                ffmpeg=self.ffmpeg,
                seekable=info.exact_seek,
                niceness=IDLE_NICENESS,
            )
        except ToolError:
            return ()
        length_s = info.video.frames / info.video.rate
        head_s, tail_s = (Fraction(end_s).limit_denominator(1000) for end_s in (ends.head_s, ends.tail_s))
        head = () if ends.head is None else ((Fraction(0), min(head_s, length_s)),)
        return head if ends.tail is None else (*head, (max(Fraction(0), length_s - tail_s), length_s))

    async def _made(self, plan: JobPlan, moment: Moment) -> bytes | None:
        if moment.made is None:
            return None
        # Timestamps are rounded: a little earlier is the same frame.
        made_s = max(Fraction(0), (moment.frame - moment.first_frame - Fraction(1, 4)) / plan.rate)
        return await _picture(after_command(self.ffmpeg, plan, made_s, None, made=moment.made))

    async def _before(self, plan: JobPlan, at_s: Fraction) -> bytes | None:
        if not plan.info.exact_seek and at_s > _DECODE_AT_MOST_S:
            return None
        return await _picture(before_command(self.ffmpeg, plan, source_frame_s(plan, at_s), None))

    async def _preview(
        self, plan: JobPlan, frame: int, preset: str | None, niceness: int | None
    ) -> tuple[bytes | None, str]:
        """A frame that is made for the snapshot, or why there is none."""
        if self.previews is None:
            return None, ""
        if not plan.info.exact_seek and frame / plan.rate > _DECODE_AT_MOST_S:
            return None, "no place can be found in this source: only its first minute can be previewed"
        with preview_folder() as folder, anyio.move_on_after(_TIMEOUT_S):
            try:
                clip = await self.previews.make(plan, frame, preset, Path(folder), niceness=niceness)
            except VhsBatchError as error:
                return None, str(error)
            except OSError as error:
                return None, f"it cannot be made: {error.strerror}"
            return await _picture(
                after_command(self.ffmpeg, clip.plan, Fraction(0), None, made=clip.file)
            ), ""
        return None, f"it took longer than {_TIMEOUT_S:g} s"


@dataclass(slots=True)
class _Pair:
    """What two tasks find for one snapshot."""

    before: bytes | None = None
    after: bytes | None = None
    why_not: str = ""


async def _picture(command: tuple[str, ...]) -> bytes | None:
    try:
        finished = await run(command, timeout_s=_TIMEOUT_S, niceness=IDLE_NICENESS)
    except (ToolError, TimeoutError):
        return None
    return finished.stdout or None
