"""What comes of a wish: a fact or a refusal, and what the scheduler does about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.events.commands import ChangeLanes, Continue, Move, Prioritise, Retry, Skip, Steering
from vhsbatch.events.events import Fact, JobPrioritised
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState, fold
from vhsbatch.model.plan import JobPlan
from vhsbatch.scheduling.command_effects import MOST_LANES, grant


def waiting(count: int, *facts: Fact) -> tuple[BatchState, list[JobPlan]]:
    plans = [make.plan(make.job(number)) for number in range(1, count + 1)]
    started = make.batch_started(*(plan.job for plan in plans))
    return fold([started, *map(make.planned, plans), *facts]), plans


def order(state: BatchState) -> list[str]:
    return [job.job.source.stem for job in (*state.turns.begun(), *state.turns.waiting())]


def granted(command: Steering, state: BatchState) -> Fact:
    fact = grant(command, state, 9.0)
    assert not isinstance(fact, str), fact
    state.apply(fact)
    return fact


def test_a_video_changes_places_with_its_neighbour() -> None:
    state, plans = waiting(3)
    granted(Move(job_id=plans[2].job.id, by=-1), state)
    assert order(state) == ["tape1", "tape3", "tape2"]
    granted(Move(job_id=plans[0].job.id, by=1), state)
    assert order(state) == ["tape3", "tape1", "tape2"]
    granted(Move(job_id=plans[2].job.id, by=9), state)
    assert order(state) == ["tape1", "tape2", "tape3"]


def test_a_higher_priority_goes_first_and_what_is_begun_before_it() -> None:
    state, plans = waiting(3)
    state.apply(make.started(plans[0]))
    fact = granted(Prioritise(job_id=plans[2].job.id, by=1), state)
    assert isinstance(fact, JobPrioritised)
    assert order(state) == ["tape1", "tape3", "tape2"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Continue(), "nothing is paused"),
        (ChangeLanes(by=-2), "one worker"),
        (ChangeLanes(by=MOST_LANES), "workers are possible"),
        (Skip(job_id="nobody.mp4"), "nobody.mp4 is not in this batch"),
        (Move(job_id="tape2_1080p.mp4", by=-1), "tape2.dv is first of its priority"),
        (Move(job_id="tape1_1080p.mp4", by=1), "tape1.dv is no longer waiting: it is running"),
        (Prioritise(job_id="tape1_1080p.mp4", by=1), "no longer waiting"),
        (Retry(job_id="tape1_1080p.mp4"), "tape1.dv has not failed: it is running"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(command: Steering, words: str) -> None:
    state, plans = waiting(2)
    state.apply(make.started(plans[0]))
    refusal = grant(command, state, 9.0)
    assert isinstance(refusal, str)
    assert words in refusal


def test_no_place_counts_where_lengths_decide() -> None:
    state, plans = waiting(2)
    state.options = {"order": "longest"}
    assert "--order longest" in str(grant(Move(job_id=plans[0].job.id, by=1), state, 9.0))


def test_what_has_ended_stays_ended_until_it_is_tried_again() -> None:
    state, plans = waiting(1)
    granted(Skip(job_id=plans[0].job.id), state)
    job = state.jobs[plans[0].job.id]
    for late in (make.planned(plans[0]), make.started(plans[0])):
        state.apply(late)
        assert job.phase is Phase.SKIPPED
    assert grant(Skip(job_id=plans[0].job.id), state, 9.0) == "tape1.dv has already ended: skipped"
    granted(Retry(job_id=plans[0].job.id), state)
    assert job.phase is Phase.WAITING
    state.apply(make.planned(plans[0]))
    assert job.waits


@given(moves=st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), max_size=12))
def test_moving_loses_no_video(moves: list[tuple[int, int]]) -> None:
    state, plans = waiting(5)
    for number, by in moves:
        fact = grant(Move(job_id=plans[number].job.id, by=by), state, 9.0)
        if not isinstance(fact, str):
            before = order(state).index(plans[number].job.source.stem)
            state.apply(fact)
            after = order(state).index(plans[number].job.source.stem)
            assert after == max(0, min(4, before + by))
    assert sorted(order(state)) == ["tape1", "tape2", "tape3", "tape4", "tape5"]
