"""Turns that are kept up with every fact are those that sorting anew would give."""

from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.events.events import (
    Fact,
    JobFailed,
    JobHeld,
    JobMoved,
    JobPrioritised,
    JobRetried,
    JobSkipped,
)
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState, fold

JOBS = [make.job(number) for number in range(1, 6)]
PLANS = [make.plan(job, frames=60 * length) for job, length in zip(JOBS, (3, 1, 2, 2, 5), strict=True)]


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    number = draw(st.integers(0, len(JOBS) - 1))
    job_id, plan = JOBS[number].id, PLANS[number]
    possible: list[Fact] = [
        make.planned(plan),
        make.started(plan),
        make.published(plan),
        JobFailed(at_s=1, job_id=job_id, reason="no"),
        JobSkipped(at_s=1, job_id=job_id, reason="no"),
        JobRetried(at_s=1, job_id=job_id),
        JobHeld(at_s=1, job_id=job_id, by="another"),
        JobPrioritised(at_s=1, job_id=job_id, priority=draw(st.integers(-1, 1))),
        JobMoved(at_s=1, job_id=job_id, before=draw(st.sampled_from([None, JOBS[0].id, JOBS[3].id]))),
    ]
    return draw(st.sampled_from(possible))


def sorted_anew(state: BatchState) -> list[JobState]:
    by_length = {"shortest": 1, "longest": -1}.get(state.order)

    def key(job: JobState) -> tuple[float, ...]:
        if by_length is None:
            return (-job.priority,)
        return (-job.priority, job.plan is None, 0 if job.plan is None else by_length * job.plan.frames)

    here = [job for job in state.open.values() if job.phase is not Phase.HELD and job.started_s is None]
    return sorted(here, key=key)


@given(order=st.sampled_from(["name", "shortest", "longest"]), facts=st.lists(facts(), max_size=30))
def test_what_waits_is_in_order_after_every_fact(order: str, facts: list[Fact]) -> None:
    state = fold([make.batch_started(*JOBS, order=order)])
    for fact in facts:
        state.apply(fact)
        assert list(state.turns.waiting()) == sorted_anew(state)
        begun = {job.job.id for job in state.open.values() if job.started_s is not None}
        assert {job.job.id for job in state.turns.under_way} == begun
        priorities = [job.priority for job in state.turns.begun()]
        assert priorities == sorted(priorities, reverse=True)
