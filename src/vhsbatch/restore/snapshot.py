"""One moment of a video before and after, while it is being worked on: on request, and out of the way."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vhsbatch.errors import ToolError
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.ffmpeg.snapshot_commands import after_command, before_command, source_frame_s
from vhsbatch.process.guard import IDLE_NICENESS
from vhsbatch.process.spawn import run
from vhsbatch.restore.workspace import job_folder

_TIMEOUT_S = 60.0
# A source in which no place can be found is decoded from its beginning, but not for long.
_DECODE_AT_MOST_S = Fraction(60)


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
    """

    at_s: Fraction
    before: bytes | None
    after: bytes | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotMaker:
    """Makes snapshots.

    Attributes:
        ffmpeg: the program.
        temporary: where the segments of the batch are.
    """

    ffmpeg: str
    temporary: Path

    async def make(self, job: JobState, at_work_on: int | None) -> Snapshot | None:
        """A snapshot of the current frame of a video; None before it is planned.

        Both pictures are made one after the other by child processes of the lowest priority.
        """
        moment = moment_of(job, at_work_on, self.temporary)
        if moment is None or job.plan is None:
            return None
        plan, at_s = job.plan, moment.frame / job.plan.rate
        after = None
        if moment.made is not None:
            # Timestamps are rounded: a little earlier is the same frame.
            made_s = max(Fraction(0), (moment.frame - moment.first_frame - Fraction(1, 4)) / plan.rate)
            after = await _picture(after_command(self.ffmpeg, plan, made_s, None, made=moment.made))
        before = None
        if plan.info.exact_seek or at_s <= _DECODE_AT_MOST_S:
            before = await _picture(before_command(self.ffmpeg, plan, source_frame_s(plan, at_s), None))
        return Snapshot(at_s=at_s, before=before, after=after)


async def _picture(command: tuple[str, ...]) -> bytes | None:
    try:
        finished = await run(command, timeout_s=_TIMEOUT_S, niceness=IDLE_NICENESS)
    except (ToolError, TimeoutError):
        return None
    return finished.stdout or None
