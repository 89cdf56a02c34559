"""Which work a free lane does next: a pure function of the batch's state.

A lane stays on its video while other videos wait, so that each worker restores its own
video. When none waits, it makes segments of the video that will take longest, so that no lane idles
while a long tape is running.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.model.plan import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSegment:
    """Make this segment.

    Attributes:
        attempt: from 1.
        fallback: how often the model failed at it; each time another fallback is used.
    """

    job_id: str
    segment: Segment
    attempt: int
    fallback: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """Join the segments with the audio, verify and publish."""

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
    begun = state.turns.begun()
    for job in begun:
        if _is_ready(job):
            return Assemble(job_id=job.job.id)
    own = next((job for job in begun if job.job.id == last_job), None)
    if own is not None and (segment := _open_segment(own)) is not None:
        return _make(own, segment)
    # One lane takes the videos strictly one after the other.
    for job in islice(chain(begun, state.turns.waiting()), 1 if state.lanes == 1 else None):
        if _is_ready(job):
            return Assemble(job_id=job.job.id)  # an earlier run made all of it
        if not job.running and (segment := _open_segment(job)) is not None:
            return _make(job, segment)
    # While a plan is being made, wait for that video instead of helping another lane.
    return None if state.count(Phase.WAITING) else _help(begun)


def _help(begun: Sequence[JobState]) -> MakeSegment | None:
    """A segment of the video that will take longest."""
    shared = [(job, segment) for job in begun if (segment := _open_segment(job)) is not None]
    if not shared:
        return None
    job, segment = max(shared, key=lambda pair: _frames_ahead(pair[0]) / len(pair[0].running))
    return _make(job, segment)


def _make(job: JobState, segment: Segment) -> MakeSegment:
    attempt = job.attempts.get(segment.index, 0) + 1
    fallback = job.model_failures.get(segment.index, 0)
    return MakeSegment(job_id=job.job.id, segment=segment, attempt=attempt, fallback=fallback)


def _is_ready(job: JobState) -> bool:
    """Whether its segments can be joined, and no lane is doing so."""
    made = job.plan is not None and len(job.finished) == len(job.plan.segments)
    return made and job.assembly_lane is None


def _open_segment(job: JobState) -> Segment | None:
    """The first segment that is neither finished nor running."""
    if job.plan is None:
        return None
    return next((segment for segment in job.plan.segments if _is_open(job, segment)), None)


def _is_open(job: JobState, segment: Segment) -> bool:
    return segment.index not in job.finished and segment.index not in job.running


def _frames_ahead(job: JobState) -> int:
    """Unfinished frames, including those of running segments."""
    return 0 if job.plan is None else job.plan.frames - job.finished_frames
