"""The controller against simulated machines: it keeps within limits, and does not swing to and fro."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vhsbatch.scheduling.controller import LaneChange, LaneLimits, Readings, SteeringState, steer, step_back

INTERVAL_S = 5.0
FOUR = LaneLimits(least=1, most=4)


@dataclass
class Simulated:
    """A machine whose readings depend on the number of lanes.

    Attributes:
        speed: frames per second, by lanes.
        strain: changes the readings of a moment, given lanes and time.
        noise: standard deviation of the speed, as a part of it.
    """

    speed: Callable[[int], float]
    strain: Callable[[int, float], dict[str, object]] = lambda lanes, at_s: {}
    noise: float = 0.0
    lanes: int = 1
    moves: list[tuple[float, LaneChange]] = field(default_factory=list)

    def run(self, hours: float, limits: LaneLimits = FOUR, seed: int = 1) -> "Simulated":
        chance, memory, at_s = random.Random(seed), SteeringState(), 0.0
        while at_s < hours * 3600:
            at_s += INTERVAL_S
            speed = max(0.0, chance.gauss(1, self.noise)) * self.speed(self.lanes)
            seen = replace(
                Readings(at_s=at_s, frames_per_s=speed, busy_lanes=self.lanes),
                **self.strain(self.lanes, at_s),  # type: ignore[arg-type]
            )
            memory, move = steer(memory, seen, self.lanes, limits)
            if move is not None:
                assert abs(move.lanes - self.lanes) == 1
                assert limits.least <= move.lanes <= limits.most
                self.lanes = move.lanes
                self.moves.append((at_s, move))
        return self


def test_lanes_are_added_while_each_pays() -> None:
    machine = Simulated(speed=lambda lanes: 30.0 * lanes).run(hours=1)
    assert [move.lanes for _, move in machine.moves] == [2, 3, 4]
    assert machine.moves[-1][0] < 300


def test_a_lane_that_brings_nothing_goes_again_and_says_so() -> None:
    machine = Simulated(speed=lambda lanes: 30.0 * min(lanes, 2)).run(hours=0.1)
    assert [move.lanes for _, move in machine.moves] == [2, 3, 2]
    assert machine.moves[-1][1].reason == (
        "worker 3 brought no gain: 60.0 frames a second with it, 60.0 without"
    )


def test_a_lane_that_makes_it_slower_goes_again() -> None:
    machine = Simulated(speed=lambda lanes: {1: 30.0, 2: 20.0}[min(lanes, 2)]).run(hours=0.1)
    assert [move.lanes for _, move in machine.moves] == [2, 1]


STRAINS: dict[str, tuple[dict[str, object], str]] = {
    "memory": ({"memory_used": 0.9}, "90% of the memory is in use, more than 80%"),
    "stall": ({"memory_stall": 40.0}, "programs waited for memory 40 % of the time"),
    "gpu memory": ({"gpu_memory_used": 0.97}, "97% of the GPU's memory is in use, more than 90%"),
    "heat": ({"gpu_temperature_c": 86.0}, "the GPU is at 86 °C, over 80 °C"),
    "disk": ({"disk_lack": "only 1 MiB is free"}, "only 1 MiB is free"),
}


@pytest.mark.parametrize("strain", STRAINS)
def test_a_strain_that_lasts_takes_lanes_away_down_to_the_least(strain: str) -> None:
    readings, reason = STRAINS[strain]
    machine = Simulated(speed=lambda lanes: 30.0, strain=lambda *_: readings, lanes=4)
    machine.run(hours=0.5, limits=replace(FOUR, least=2))
    assert [move for _, move in machine.moves] == [LaneChange(3, reason), LaneChange(2, reason)]


@pytest.mark.parametrize("strain", STRAINS)
def test_a_strain_of_a_moment_changes_nothing(strain: str) -> None:
    readings, _ = STRAINS[strain]
    machine = Simulated(
        speed=lambda lanes: 30.0 * lanes,
        strain=lambda lanes, at_s: readings if int(at_s) % 60 < 10 else {},
        lanes=4,
    ).run(hours=1)
    assert machine.moves == []


def test_no_lane_is_added_for_which_there_is_no_memory() -> None:
    def strain(lanes: int, _: float) -> dict[str, object]:
        return {"memory_used": 0.1 + 0.3 * lanes, "lane_memory": 0.3}

    machine = Simulated(speed=lambda lanes: 30.0 * lanes, strain=strain).run(hours=3)
    assert [move.lanes for _, move in machine.moves] == [2]


def test_no_lane_is_added_where_there_is_no_work_for_it() -> None:
    machine = Simulated(speed=lambda lanes: 30.0 * lanes, strain=lambda *_: {"more_work": False}).run(hours=1)
    assert machine.moves == []


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    noise=st.floats(0, 0.3),
    pays_up_to=st.integers(1, 4),
    temperature_c=st.floats(60, 90),
    memory=st.floats(0.05, 0.4),
)
def test_noise_makes_nothing_swing(
    seed: int, noise: float, pays_up_to: int, temperature_c: float, memory: float
) -> None:
    """In six hours there are few moves, however the readings dance around the limits."""
    chance = random.Random(seed)

    def strain(lanes: int, _: float) -> dict[str, object]:
        return {
            "memory_used": min(1.0, memory * lanes + chance.gauss(0, 0.03)),
            "lane_memory": memory,
            "gpu_temperature_c": temperature_c + 2 * lanes + chance.gauss(0, 2),
        }

    machine = Simulated(speed=lambda lanes: 30.0 * min(lanes, pays_up_to), strain=strain, noise=noise)
    machine.run(hours=6, seed=seed)
    assert len(machine.moves) <= 30
    late = [at_s for at_s, _ in machine.moves if at_s > 3 * 3600]
    # Of 600 machines, drawn by chance, 2 had 8 and none had more; a search for more has found 9.
    assert len(late) <= 12


@given(
    seen=st.builds(
        Readings,
        at_s=st.floats(0, 1e6),
        frames_per_s=st.floats(0, 1e4),
        busy_lanes=st.integers(0, 8),
        more_work=st.booleans(),
        memory_used=st.none() | st.floats(0, 1),
        memory_stall=st.none() | st.floats(0, 100),
        lane_memory=st.none() | st.floats(0, 1),
        gpu_memory_used=st.none() | st.floats(0, 1),
        gpu_temperature_c=st.none() | st.floats(0, 120),
        disk_lack=st.none() | st.just("full"),
    ),
    samples=st.lists(st.floats(0, 1e4), max_size=40),
    strained=st.integers(0, 5),
    before=st.none() | st.floats(0, 1e4),
    least=st.integers(1, 4),
    more=st.integers(0, 4),
    data=st.data(),
)
def test_whatever_is_seen_it_stays_within_the_bounds(
    seen: Readings,
    samples: list[float],
    strained: int,
    before: float | None,
    least: int,
    more: int,
    data: st.DataObject,
) -> None:
    lanes = data.draw(st.integers(least, least + more))
    memory = SteeringState(samples=tuple(samples), strained=strained, before=before)
    _, move = steer(memory, seen, lanes, LaneLimits(least=least, most=least + more))
    assert move is None or (least <= move.lanes <= least + more and move.reason)


def test_after_a_step_back_it_waits_each_time_longer() -> None:
    memory = step_back(SteeringState(), 0.0)
    first = memory.not_before_s
    memory = step_back(memory, 1000.0)
    assert memory.not_before_s - 1000.0 == 2 * first
