"""The effect of a user's command: a fact, or a refusal in words. Pure."""

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


def grant(command: Steering, state: BatchState, at_s: float) -> Fact | str:
    """The fact that carries out a command, or why that is impossible."""
    match command:
        case Pause():
            return BatchPaused(at_s=at_s, reason=PAUSED_BY_USER)
        case Continue():
            if state.paused is None:
                return "nothing is paused"
            return BatchContinued(at_s=at_s)
        case ChangeLanes():
            return _change_lanes(command, state, at_s)
        case Skip() | Retry() | Move() | Prioritise():
            job = state.jobs.get(command.job_id)
            return (
                f"{command.job_id} is not in this batch"
                if job is None
                else _grant_of(command, job, state, at_s)
            )
        case _:
            assert_never(command)


def _change_lanes(command: ChangeLanes, state: BatchState, at_s: float) -> Fact | str:
    lanes = state.lanes + command.by
    if lanes < 1:
        return "at least one worker is needed: to start no new work, pause the batch"
    if lanes > MOST_LANES:
        return f"at most {MOST_LANES} workers are possible"
    return LanesChanged(at_s=at_s, lanes=lanes, reason="by the user")


def _grant_of(
    command: Skip | Retry | Move | Prioritise, job: JobState, state: BatchState, at_s: float
) -> Fact | str:
    if (refusal := _refusal(command, job)) is not None:
        return refusal
    match command:
        case Skip():
            return JobSkipped(at_s=at_s, job_id=command.job_id, reason="by the user")
        case Retry():
            return JobRetried(at_s=at_s, job_id=command.job_id)
        case Prioritise():
            return JobPrioritised(at_s=at_s, job_id=command.job_id, priority=job.priority + command.by)
        case Move():
            return _move(command, job, state, at_s)
        case _:
            assert_never(command)


def _refusal(command: Skip | Retry | Move | Prioritise, job: JobState) -> str | None:
    name = job.job.source.name
    match command:
        case Skip() if job.phase.ended:
            return f"{name} has already ended: {job.phase}"
        case Retry() if job.phase not in (Phase.FAILED, Phase.SKIPPED):
            return f"{name} has not failed: it is {job.phase}"
        case Move() | Prioritise() if not job.waits:
            return f"{name} is no longer waiting: it is {job.phase}"
        case _:
            return None


def _move(command: Move, job: JobState, state: BatchState, at_s: float) -> Fact | str:
    """Move it among the videos of the same priority."""
    if state.order in ("shortest", "longest"):
        return f"--order {state.order} starts videos by length: change the priority, not the position"
    waiting = [other.job.id for other in state.turns.waiting() if other.priority == job.priority]
    place = waiting.index(command.job_id)
    target = max(0, min(len(waiting) - 1, place + command.by))
    if target == place:
        return f"{job.job.source.name} is {'first' if command.by < 0 else 'last'} of its priority"
    rest = [job_id for job_id in waiting if job_id != command.job_id]
    return JobMoved(at_s=at_s, job_id=command.job_id, before=rest[target] if target < len(rest) else None)
