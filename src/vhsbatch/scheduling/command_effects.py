"""What comes of a user's wish: a fact, or a refusal in words. Pure."""

from typing import assert_never

from vhsbatch.events.commands import ChangeLanes, Continue, Move, Pause, Prioritise, Retry, Skip, Steering
from vhsbatch.events.events import (
    PAUSED_BY_USER,
    BatchContinued,
    BatchPaused,
    Fact,
    JobMoved,
    JobPrioritised,
    JobRetried,
    JobSkipped,
    LanesChanged,
)
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState

MOST_LANES = 64


def grant(wish: Steering, state: BatchState, at_s: float) -> Fact | str:
    """The fact that makes a wish true, or why it cannot be had."""
    match wish:
        case Pause():
            return BatchPaused(at_s=at_s, reason=PAUSED_BY_USER)
        case Continue():
            if state.paused is None:
                return "nothing is paused"
            return BatchContinued(at_s=at_s)
        case ChangeLanes():
            return _change_lanes(wish, state, at_s)
        case Skip() | Retry() | Move() | Prioritise():
            job = state.jobs.get(wish.job_id)
            return f"{wish.job_id} is not in this batch" if job is None else _grant_of(wish, job, state, at_s)
        case _:
            assert_never(wish)


def _change_lanes(wish: ChangeLanes, state: BatchState, at_s: float) -> Fact | str:
    lanes = state.lanes + wish.by
    if lanes < 1:
        return "there has to be one worker: pausing the batch is what begins no new work"
    if lanes > MOST_LANES:
        return f"more than {MOST_LANES} workers are not possible"
    return LanesChanged(at_s=at_s, lanes=lanes, reason="by the user")


def _grant_of(
    wish: Skip | Retry | Move | Prioritise, job: JobState, state: BatchState, at_s: float
) -> Fact | str:
    if (refusal := _refusal(wish, job)) is not None:
        return refusal
    match wish:
        case Skip():
            return JobSkipped(at_s=at_s, job_id=wish.job_id, reason="by the user")
        case Retry():
            return JobRetried(at_s=at_s, job_id=wish.job_id)
        case Prioritise():
            return JobPrioritised(at_s=at_s, job_id=wish.job_id, priority=job.priority + wish.by)
        case Move():
            return _move(wish, job, state, at_s)
        case _:
            assert_never(wish)


def _refusal(wish: Skip | Retry | Move | Prioritise, job: JobState) -> str | None:
    name = job.job.source.name
    match wish:
        case Skip() if job.phase.ended:
            return f"{name} has ended already: {job.phase}"
        case Retry() if job.phase not in (Phase.FAILED, Phase.SKIPPED):
            return f"{name} has not failed: it is {job.phase}"
        case Move() | Prioritise() if not job.waits:
            return f"{name} does not wait any more: it is {job.phase}"
        case _:
            return None


def _move(wish: Move, job: JobState, state: BatchState, at_s: float) -> Fact | str:
    """Give it another place among those of the same priority."""
    if state.order in ("shortest", "longest"):
        return (
            f"videos are begun by length (--order {state.order}): another priority changes that, not a place"
        )
    waiting = [other.job.id for other in state.turns.waiting() if other.priority == job.priority]
    place = waiting.index(wish.job_id)
    target = max(0, min(len(waiting) - 1, place + wish.by))
    if target == place:
        return f"{job.job.source.name} is {'first' if wish.by < 0 else 'last'} of its priority"
    rest = [job_id for job_id in waiting if job_id != wish.job_id]
    return JobMoved(at_s=at_s, job_id=wish.job_id, before=rest[target] if target < len(rest) else None)
