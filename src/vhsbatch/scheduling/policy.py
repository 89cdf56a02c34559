"""Which work a free lane does next: a pure function of the batch's state.

A lane stays on its video as long as other videos wait, so that each worker restores a video of its
own; when none waits, it makes segments of the video that will take longest, so that no lane idles
while a long tape is running.
"""

from dataclasses import dataclass

from vhsbatch.model.plan import Segment
from vhsbatch.model.state import BatchState, JobState, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSegment:
    """Make this segment.

    Attributes:
        attempt: from 1.
        fallback: how often the network failed at it: each time it is tried in another way.
    """

    job_id: str
    segment: Segment
    attempt: int
    fallback: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """Join the segments with the sound, verify and publish."""

    job_id: str


Work = MakeSegment | Assemble


def next_work(state: BatchState, *, last_job: str | None) -> Work | None:
    """What a free lane does.

    Args:
        state: the batch.
        last_job: the video that the lane worked on before.

    Returns:
        None if there is nothing to do at the moment.
    """
    open_jobs = in_turn(state)
    if state.lanes == 1:
        # One lane takes the videos strictly one after the other.
        open_jobs = open_jobs[:1]
    for job in open_jobs:
        if _is_complete(job) and job.assembly_lane is None:
            return Assemble(job_id=job.job.id)
    own = next((job for job in open_jobs if job.job.id == last_job), None)
    if own is not None and (segment := _open_segment(own)) is not None:
        return _make(own, segment)
    for job in open_jobs:
        if not job.running and (segment := _open_segment(job)) is not None:
            return _make(job, segment)
    if any(job.phase is Phase.WAITING for job in open_jobs):
        return None  # its plan is under way: a video of one's own comes before helping another lane
    shared = [(job, segment) for job in open_jobs if (segment := _open_segment(job)) is not None]
    if not shared:
        return None
    job, segment = max(shared, key=lambda pair: _frames_ahead(pair[0]) / len(pair[0].running))
    return _make(job, segment)


def in_turn(state: BatchState) -> list[JobState]:
    """The videos with work left, in the order in which they are to be begun.

    What has been begun goes on first; then the higher priority; then the batch's order. Lengths are
    known of what is planned: videos that are not yet come behind, and nothing waits for them.
    """
    by_length = {"shortest": 1, "longest": -1}.get(state.order)

    def key(job: JobState) -> tuple[float, ...]:
        begun = job.started_s is not None
        if by_length is None:
            return not begun, -job.priority
        if job.plan is None:
            return not begun, -job.priority, 1, 0
        return not begun, -job.priority, 0, by_length * float(job.plan.duration_s)

    return sorted((job for job in state.open.values() if job.phase is not Phase.HELD), key=key)


def _make(job: JobState, segment: Segment) -> MakeSegment:
    attempt = job.attempts.get(segment.index, 0) + 1
    fallback = job.network_failures.get(segment.index, 0)
    return MakeSegment(job_id=job.job.id, segment=segment, attempt=attempt, fallback=fallback)


def _is_complete(job: JobState) -> bool:
    return job.plan is not None and len(job.finished) == len(job.plan.segments)


def _open_segment(job: JobState) -> Segment | None:
    """The first segment that is neither made nor being made."""
    if job.plan is None:
        return None
    return next((segment for segment in job.plan.segments if _is_open(job, segment)), None)


def _is_open(job: JobState, segment: Segment) -> bool:
    return segment.index not in job.finished and segment.index not in job.running


def _frames_ahead(job: JobState) -> int:
    """Frames that are not finished, those in the making among them."""
    return 0 if job.plan is None else job.plan.frames - job.finished_frames
