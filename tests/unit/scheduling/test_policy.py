"""The policy is a pure function, so whole batches are simulated without a process."""

from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.events.events import AssemblyStarted, Fact, JobFailed
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState, fold
from vhsbatch.model.plan import JobPlan
from vhsbatch.scheduling.policy import Assemble, MakeSegment, next_work


def batch(*plans: JobPlan, lanes: int = 2, facts: tuple[Fact, ...] = ()) -> BatchState:
    return fold(
        [make.batch_started(*(plan.job for plan in plans), lanes=lanes), *map(make.planned, plans), *facts]
    )


def test_each_lane_gets_a_video_of_its_own() -> None:
    first, second = (make.plan(make.job(number)) for number in (1, 2))
    state = batch(first, second, facts=(make.started(first, lane=1),))
    work = next_work(state, last_job=None)
    assert isinstance(work, MakeSegment)
    assert work.job_id == second.job.id


def test_a_lane_stays_on_its_video_while_others_wait() -> None:
    first, second = (make.plan(make.job(number)) for number in (1, 2))
    state = batch(first, second, facts=(make.started(first), make.finished(first)))
    work = next_work(state, last_job=first.job.id)
    assert isinstance(work, MakeSegment)
    assert (work.job_id, work.segment.index) == (first.job.id, 1)


def test_a_lane_without_a_video_helps_the_longest_one() -> None:
    short = make.plan(make.job(1), segments=2, frames=20)
    long = make.plan(make.job(2), segments=8, frames=800)
    state = batch(short, long, lanes=3, facts=(make.started(short), make.started(long, lane=2)))
    work = next_work(state, last_job=None)
    assert isinstance(work, MakeSegment)
    assert (work.job_id, work.segment.index) == (long.job.id, 1)


def test_nobody_helps_while_a_video_is_about_to_be_planned() -> None:
    first, waiting = make.plan(make.job(1)), make.job(2)
    state = fold([make.batch_started(first.job, waiting), make.planned(first), make.started(first)])
    assert next_work(state, last_job=None) is None


def test_one_lane_takes_videos_strictly_in_order() -> None:
    waiting, second = make.job(1), make.plan(make.job(2))
    state = fold([make.batch_started(waiting, second.job, lanes=1), make.planned(second)])
    assert next_work(state, last_job=None) is None


def test_a_complete_video_is_assembled_before_anything_else_is_begun() -> None:
    first, second = make.plan(make.job(1), segments=1), make.plan(make.job(2))
    state = batch(first, second, facts=(make.started(first), make.finished(first)))
    assert next_work(state, last_job=None) == Assemble(job_id=first.job.id)


def test_a_video_is_assembled_by_one_lane_only() -> None:
    only = make.plan(segments=1)
    facts = (make.started(only), make.finished(only), AssemblyStarted(at_s=4, job_id=only.job.id, lane=1))
    assert next_work(batch(only, facts=facts), last_job=None) is None


def test_failed_videos_get_no_more_work() -> None:
    only = make.plan()
    state = batch(only, facts=(JobFailed(at_s=2, job_id=only.job.id, reason="no"),))
    assert next_work(state, last_job=only.job.id) is None


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    lanes=st.integers(1, 5),
    data=st.data(),
)
def test_every_segment_is_made_once_and_every_video_published(
    lengths: list[int], lanes: int, data: st.DataObject
) -> None:
    plans = {
        plan.job.id: plan
        for number, length in enumerate(lengths, start=1)
        for plan in [make.plan(make.job(number), segments=length, frames=length * 10)]
    }
    state = batch(*plans.values(), lanes=lanes)
    running: dict[int, MakeSegment | Assemble] = {}
    last_job: dict[int, str] = {}
    made: list[tuple[str, int]] = []
    while not state.complete:
        for lane in range(1, lanes + 1):
            if lane not in running and (work := next_work(state, last_job=last_job.get(lane))):
                running[lane], last_job[lane] = work, work.job_id
                match work:
                    case MakeSegment():
                        state.apply(make.started(plans[work.job_id], work.segment.index, lane))
                    case Assemble():
                        state.apply(AssemblyStarted(at_s=0, job_id=work.job_id, lane=lane))
        assert running, "there is work, but nobody does it"
        lane = data.draw(st.sampled_from(sorted(running)))
        match running.pop(lane):
            case MakeSegment() as work:
                made.append((work.job_id, work.segment.index))
                state.apply(make.finished(plans[work.job_id], work.segment.index, lane))
            case Assemble() as work:
                state.apply(make.published(plans[work.job_id]))
    assert sorted(made) == sorted(
        (job_id, segment.index) for job_id, plan in plans.items() for segment in plan.segments
    )
    assert state.count(Phase.DONE) == len(plans)


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=6), lanes=st.integers(2, 6))
def test_no_lane_idles_while_a_segment_is_open(lengths: list[int], lanes: int) -> None:
    plans = [
        make.plan(make.job(number), segments=length, frames=length * 10)
        for number, length in enumerate(lengths, start=1)
    ]
    state = batch(*plans, lanes=lanes)
    for lane in range(1, lanes + 1):
        work = next_work(state, last_job=None)
        if lane <= sum(lengths):
            assert isinstance(work, MakeSegment)
            plan = next(plan for plan in plans if plan.job.id == work.job_id)
            state.apply(make.started(plan, work.segment.index, lane))
        else:
            assert work is None
