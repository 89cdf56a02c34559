"""How batches on one cluster share its slots out among them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.cluster import fair_share
from vhsbatch.cluster.fair_share import BATCHES, Claim, FairShare, allotted, hoped, wanted
from vhsbatch.events.events import BatchPaused, JobHeld, JobPlanned
from vhsbatch.events.state import BatchState, fold

MANY = 100


def claim(*, slots: int = 6, **segments: int) -> Claim:
    """A claim to machines that all share; `low`, `usual` and `high` are numbers of segments."""
    levels = {"low": -1, "usual": 0, "high": 1}
    return Claim(
        machines={"attic": slots}, wanted={levels[name]: number for name, number in segments.items()}
    )


@pytest.mark.parametrize(
    ("own", "others", "slots"),
    [
        (claim(usual=MANY), [], 6),
        (claim(usual=MANY), [claim(usual=MANY)], 3),
        (claim(usual=MANY), [claim(usual=MANY), claim(usual=MANY)], 2),
        # What others have no use for is for who has.
        (claim(usual=MANY), [claim(usual=1), claim(usual=MANY)], 3),
        (claim(usual=MANY), [claim()], 6),
        # The higher priority has its turn first.
        (claim(usual=MANY), [claim(high=MANY)], 0),
        (claim(high=MANY), [claim(usual=MANY)], 6),
        (claim(usual=MANY), [claim(high=2)], 4),
        (claim(low=MANY, high=1), [claim(usual=2)], 4),
        # Nobody is left out among equals, and no slot is idle.
        (claim(usual=MANY, slots=1), [claim(usual=MANY, slots=1)], 1),
        (claim(usual=MANY, slots=3), [claim(usual=MANY, slots=3)], 2),
        # Segments of another size take another number of slots of the same machines.
        (claim(usual=MANY, slots=6), [claim(usual=MANY, slots=2)], 3),
        (claim(usual=MANY, slots=2), [claim(usual=MANY, slots=6)], 1),
    ],
)
def test_shares(own: Claim, others: list[Claim], slots: int) -> None:
    assert allotted(own, others) == slots


def test_machines_that_do_not_help_the_others_are_not_shared() -> None:
    own = Claim(machines={"attic": 2, "cellar": 4}, wanted={0: MANY})
    assert allotted(own, [Claim(machines={"attic": 2}, wanted={1: MANY})]) == 4
    assert allotted(own, [Claim(machines={"museum": 2}, wanted={1: MANY})]) == 6


CLAIMS = st.dictionaries(st.integers(-2, 2), st.integers(0, 12), max_size=3).map(
    lambda wanted: Claim(machines={"attic": 8}, wanted=wanted)
)


@given(claims=st.lists(CLAIMS, min_size=1, max_size=6))
def test_no_slot_is_idle_while_somebody_waits_and_hardly_two_batches_meet_at_one(claims: list[Claim]) -> None:
    shares = [allotted(own, [other for other in claims if other is not own]) for own in claims]
    if len(claims) == 1:
        assert shares == [8]
        return
    busy = sum(min(share, sum(claim.wanted.values())) for share, claim in zip(shares, claims, strict=True))
    assert busy >= min(8, sum(sum(claim.wanted.values()) for claim in claims))
    assert busy < 8 + len(claims)


def job_planned(number: int, *, priority: int, segments: int) -> JobPlanned:
    job = replace(make.job(number), priority=priority)
    return make.planned(make.plan(job, segments=segments))


def batch(*priorities: int) -> BatchState:
    jobs = [replace(make.job(number), priority=priority) for number, priority in enumerate(priorities, 1)]
    return fold([make.batch_started(*jobs)])


def test_what_is_planned_is_wanted() -> None:
    state = batch(1, 0, 0)
    first, second = (job_planned(number, priority=2 - number, segments=3) for number in (1, 2))
    state.apply(first)
    state.apply(second)
    assert wanted(state, most=10) == {1: 3, 0: 3}
    assert wanted(state, most=4) == {1: 3, 0: 1}
    assert hoped(state, most=4) == {1: 3, 0: 4}
    state.apply(make.finished(first.plan, 0))
    assert wanted(state, most=10) == {1: 2, 0: 3}
    state.apply(JobHeld(at_s=0, job_id=first.job_id, by="another batch"))
    assert wanted(state, most=10) == {0: 3}
    state.apply(BatchPaused(at_s=0, reason="the disk is full"))
    assert wanted(state, most=10) == {}
    assert hoped(state, most=10) == {0: 10}


def test_what_is_not_planned_yet_is_hoped_for() -> None:
    state = batch(5, 5)
    assert wanted(state, most=10) == {5: 0}
    assert hoped(state, most=10) == {5: 10}


MACHINES: Any = SimpleNamespace(slots_by_address={"attic": 2, "cellar": 2}, slots=4)


class Connection:
    """Passes on what is said to all that listen."""

    def __init__(self, *listening: FairShare) -> None:
        self.listening = listening

    async def say(self, topic: str, message: dict[str, Any]) -> None:
        assert topic == BATCHES
        for batch in self.listening:
            batch.hear(message)


def planned(segments: int) -> BatchState:
    plan = make.plan(segments=segments)
    return fold([make.batch_started(plan.job), make.planned(plan)])


@pytest.mark.anyio
async def test_each_hears_of_the_other_and_forgets_batches_that_fall_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock_s = 100.0
    monkeypatch.setattr(fair_share, "time", SimpleNamespace(monotonic=lambda: clock_s))
    first, second = FairShare("first"), FairShare("second")
    connection: Any = Connection(first, second)
    assert await first.share(connection, MACHINES, planned(9), most=100) == 4
    assert await second.share(connection, MACHINES, planned(9), most=100) == 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 2
    assert await second.share(connection, MACHINES, planned(1), most=100) == 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 3
    assert await first.share(connection, MACHINES, planned(9), most=1) == 1
    clock_s += 4
    assert await first.share(connection, MACHINES, planned(9), most=100) == 3
    clock_s += 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 4
