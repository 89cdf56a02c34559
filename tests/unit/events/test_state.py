from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.events.events import (
    BatchFinished,
    Fact,
    JobFailed,
    JobHeld,
    JobMoved,
    JobPublished,
    JobRetried,
    JobSkipped,
    SegmentDiscarded,
    SegmentFailed,
)
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import fold

PLAN = make.plan(segments=3)
HISTORY: list[Fact] = [
    make.batch_started(PLAN.job),
    make.planned(PLAN),
    make.started(PLAN, 0),
    make.finished(PLAN, 0),
    make.started(PLAN, 1, lane=2),
]


def test_a_new_run_keeps_proofs_and_forgets_what_was_in_flight() -> None:
    state = fold([*HISTORY, make.batch_started(PLAN.job), make.planned(PLAN)])
    job = state.jobs[PLAN.job.id]
    assert list(job.finished) == [0]
    assert job.running == {}
    assert job.phase is Phase.PLANNED


def test_a_plan_with_another_fingerprint_starts_from_nothing() -> None:
    other = make.plan(segments=3, fingerprint="0" * 64)
    state = fold([*HISTORY, make.batch_started(PLAN.job), make.planned(other)])
    assert state.jobs[PLAN.job.id].finished == {}


def test_another_source_under_the_same_name_starts_from_nothing() -> None:
    other = make.job()
    moved = type(other)(id=other.id, index=1, source=other.output, output=other.output)
    state = fold([*HISTORY, make.batch_started(moved)])
    assert state.jobs[other.id].finished == {}


def test_a_run_without_a_video_keeps_what_is_proven_of_it() -> None:
    other = make.job(2)
    state = fold([*HISTORY, make.batch_started(other)])
    assert list(state.jobs) == [other.id]
    assert not state.known[PLAN.job.id].phase.ended
    again = fold([*HISTORY, make.batch_started(other), make.batch_started(PLAN.job, other)])
    assert list(again.jobs[PLAN.job.id].finished) == [0]
    assert again.others == {}


def test_a_discarded_segment_is_open_again() -> None:
    fact = SegmentDiscarded(at_s=9, job_id=PLAN.job.id, segment=0, reason="gone")
    assert fold([*HISTORY, fact]).jobs[PLAN.job.id].finished == {}


def test_failures_of_an_older_run_are_tried_again() -> None:
    failed = JobFailed(at_s=5, job_id=PLAN.job.id, reason="no")
    assert fold([*HISTORY, failed]).jobs[PLAN.job.id].phase is Phase.FAILED
    assert fold([*HISTORY, failed, make.batch_started(PLAN.job)]).jobs[PLAN.job.id].phase is Phase.WAITING


def test_attempts_are_counted() -> None:
    failed = SegmentFailed(at_s=4, job_id=PLAN.job.id, segment=1, attempt=1, lane=2, reason="r", final=False)
    job = fold([*HISTORY, failed]).jobs[PLAN.job.id]
    assert job.attempts == {1: 1}
    assert job.running == {}


WHOLE: list[Fact] = [
    *HISTORY,
    SegmentFailed(at_s=4, job_id=PLAN.job.id, segment=1, attempt=1, lane=2, reason="r", final=False),
    make.started(PLAN, 1, lane=2, attempt=2),
    make.finished(PLAN, 1),
    make.started(PLAN, 2),
    make.finished(PLAN, 2),
    JobPublished(at_s=8, job_id=PLAN.job.id, fingerprint="f", size_bytes=1, sha256="s", frames=60, wall_s=1),
    BatchFinished(at_s=9, run_id="run", outcome="complete", exit_code=0),
]


@given(st.integers(0, len(WHOLE)))
def test_every_prefix_is_a_valid_state(length: int) -> None:
    state = fold(WHOLE[:length])
    for job in state.jobs.values():
        assert not set(job.running) & set(job.finished)
        assert not (job.phase.ended and job.running)
        assert job.plan is not None or not job.finished
    assert state.complete == (length == 0 or any(job.phase is Phase.DONE for job in state.jobs.values()))


PLANS = [make.plan(make.job(number), segments=1) for number in (1, 2, 3)]
ANY_FACT: st.SearchStrategy[Fact] = st.sampled_from(
    [
        make.batch_started(*(plan.job for plan in PLANS)),
        make.batch_started(PLANS[2].job, PLANS[0].job),
        *(
            fact
            for plan in PLANS
            for fact in (
                make.planned(plan),
                make.started(plan),
                make.finished(plan),
                JobFailed(at_s=5, job_id=plan.job.id, reason="no"),
                JobSkipped(at_s=5, job_id=plan.job.id, reason="there"),
                JobHeld(at_s=5, job_id=plan.job.id, by="another"),
                JobRetried(at_s=6, job_id=plan.job.id),
                JobMoved(at_s=6, job_id=plan.job.id, before=PLANS[0].job.id),
                JobMoved(at_s=6, job_id=plan.job.id, before=None),
            )
        ),
    ]
)


@given(st.lists(ANY_FACT, max_size=30))
def test_what_is_kept_is_what_counting_would_give(facts: list[Fact]) -> None:
    state = fold([make.batch_started(*(plan.job for plan in PLANS)), *facts])
    assert list(state.open.items()) == [(id_, job) for id_, job in state.jobs.items() if not job.phase.ended]
    for phase in Phase:
        assert state.count(phase) == sum(job.phase is phase for job in state.jobs.values())
    assert state.complete == all(job.phase.ended for job in state.jobs.values())
    assert state.revision == len(facts) + 1
