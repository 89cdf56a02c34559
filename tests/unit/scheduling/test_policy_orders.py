"""Whole batches, simulated: in which order videos begin, and how long the whole takes."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import make
from simulation import Costs, Outcome, simulate
from vhsbatch.events.job_state import Phase
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.planner import cut
from vhsbatch.scheduling.policy import Assemble, MakeSegment

RATE = Fraction(25)


def tape(number: int, seconds: int, *, segment_s: int = 60, priority: int = 0) -> JobPlan:
    frames = int(seconds * RATE)
    segments = cut(frames, RATE, segment_s)
    job = replace(make.job(number), priority=priority)
    return replace(make.plan(job, frames=frames, rate=RATE), segments=segments)


@st.composite
def batches(draw: st.DrawFn) -> list[JobPlan]:
    segment_s = draw(st.sampled_from([10, 30, 60, 120]))
    tapes = draw(st.lists(st.tuples(st.integers(1, 3600), st.integers(-1, 2)), min_size=1, max_size=12))
    return [
        tape(number, seconds, segment_s=segment_s, priority=priority)
        for number, (seconds, priority) in enumerate(tapes, start=1)
    ]


ORDERS = st.sampled_from(["name", "shortest", "longest", "newest", "fair"])


def most_at_a_time(outcome: Outcome) -> int:
    changes = sorted(
        change for _, _, start_s, end_s in outcome.pieces for change in ((start_s, 1), (end_s, -1))
    )
    busy = most = 0
    for _, change in changes:
        busy += change
        most = max(most, busy)
    return most


@settings(deadline=None, max_examples=25)
@given(plans=batches(), lanes=st.integers(1, 8), order=ORDERS, plan_s=st.sampled_from([0.0, 3.0, 40.0]))
def test_everything_is_made_once_and_never_more_at_a_time_than_lanes(
    plans: list[JobPlan], lanes: int, order: str, plan_s: float
) -> None:
    costs = Costs(segment_s=1, assembly_frame_s=0.001, plan_s=plan_s)
    outcome = simulate(plans, lanes=lanes, order=order, costs=costs)
    assert outcome.state.count(Phase.DONE) == len(plans)
    assert most_at_a_time(outcome) <= lanes
    made = [
        (work.job_id, work.segment.index) for _, work, *_ in outcome.pieces if isinstance(work, MakeSegment)
    ]
    assert sorted(made) == sorted((plan.job.id, segment.index) for plan in plans for segment in plan.segments)
    assert sum(isinstance(work, Assemble) for _, work, *_ in outcome.pieces) == len(plans)


@settings(deadline=None, max_examples=25)
@given(plans=batches(), lanes=st.integers(1, 8), order=ORDERS)
def test_no_video_is_passed_over_by_one_that_comes_after_it(
    plans: list[JobPlan], lanes: int, order: str
) -> None:
    outcome = simulate(plans, lanes=lanes, order=order)
    by_id = {plan.job.id: plan for plan in plans}
    places = {plan.job.id: place for place, plan in enumerate(plans)}

    def turn(job_id: str) -> tuple[int, float, int]:
        plan = by_id[job_id]
        length = {"shortest": plan.frames, "longest": -plan.frames}.get(order, 0)
        return -plan.job.priority, length, places[job_id]

    for begun, waiting in outcome.waited:
        assert all(turn(begun) <= turn(other) for other in waiting)
    if order not in ("shortest", "longest"):
        assert outcome.begun == sorted(outcome.begun, key=turn)


@settings(deadline=None, max_examples=25)
@given(plans=batches(), lanes=st.integers(1, 8))
def test_the_time_is_that_of_full_lanes_and_at_most_a_segment_more(plans: list[JobPlan], lanes: int) -> None:
    """No schedule of whole segments is promised more; with 20 segments a lane it is within 5 %."""
    outcome = simulate(plans, lanes=lanes, costs=Costs(segment_s=1))
    longest_s = max(end_s - start_s for _, _, start_s, end_s in outcome.pieces)
    assert outcome.makespan_s <= outcome.least_s + longest_s * (1 - 1 / lanes) + 1e-6
    if sum(len(plan.segments) for plan in plans) >= 20 * lanes:
        assert outcome.makespan_s <= 1.05 * outcome.least_s + longest_s * 0.05


@pytest.mark.parametrize("lanes", [2, 3, 4, 8])
def test_one_long_tape_keeps_every_lane_busy(lanes: int) -> None:
    outcome = simulate([tape(1, 2 * 3600)], lanes=lanes, costs=Costs(segment_s=1))
    assert {lane for lane, *_ in outcome.pieces} == set(range(1, lanes + 1))
    assert outcome.makespan_s <= 1.05 * outcome.least_s


@settings(deadline=None, max_examples=25)
@given(plans=batches(), changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 6)), max_size=6))
def test_lanes_that_come_and_go_lose_nothing_and_bound_what_begins(
    plans: list[JobPlan], changes: list[tuple[int, int]]
) -> None:
    def lanes_at(now_s: float) -> int:
        due = [lanes for at_s, lanes in sorted(changes) if at_s <= now_s]
        return due[-1] if due else 3

    outcome = simulate(plans, lanes=3, lanes_at=lanes_at, costs=Costs(assembly_frame_s=0.001))
    assert outcome.state.count(Phase.DONE) == len(plans)
    for _, _, start_s, _ in outcome.pieces:
        busy = sum(
            other_start_s <= start_s < other_end_s for _, _, other_start_s, other_end_s in outcome.pieces
        )
        assert busy <= lanes_at(start_s)


def test_lengths_that_come_late_decide_from_then_on() -> None:
    """Whoever is planned first begins first; after that the longest of those that are known."""
    plans = [tape(1, 60), tape(2, 120), tape(3, 240), tape(4, 600)]
    outcome = simulate(plans, lanes=1, order="longest", costs=Costs(plan_s=10))
    assert outcome.begun == [plan.job.id for plan in (plans[1], plans[3], plans[2], plans[0])]
