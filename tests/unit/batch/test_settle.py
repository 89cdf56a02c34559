from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.batch.settle import Arrivals, Identity

A, B = Path("/in/a.dv"), Path("/in/b.dv")
SECOND = 1_000_000_000


def test_a_file_that_nobody_has_written_to_for_long_is_taken_at_once() -> None:
    arrivals = Arrivals(10)
    assert arrivals.look({A: (5, 100 * SECOND)}, now_s=0, wall_s=110) == [A]


def test_a_file_is_taken_when_it_has_stopped_growing() -> None:
    arrivals = Arrivals(10)
    assert arrivals.look({A: (5, 100 * SECOND)}, now_s=0, wall_s=101) == []
    assert arrivals.look({A: (6, 105 * SECOND)}, now_s=5, wall_s=106) == []
    assert arrivals.next_look_s(9) == 6
    assert arrivals.look({A: (6, 105 * SECOND)}, now_s=14.9, wall_s=116) == []
    assert arrivals.look({A: (6, 105 * SECOND)}, now_s=15, wall_s=116) == [A]


def test_a_complete_file_that_has_to_wait_is_no_reason_to_look_again_soon() -> None:
    arrivals = Arrivals(10)
    assert arrivals.look({A: (5, 1), B: (6, 99 * SECOND)}, now_s=0, wall_s=100) == [A]
    assert arrivals.next_look_s(4) == 6
    assert arrivals.look({A: (5, 1), B: (6, 99 * SECOND)}, now_s=10, wall_s=110) == [A, B]
    assert arrivals.next_look_s(10) is None


def test_what_was_taken_is_left_alone_until_it_changes() -> None:
    arrivals = Arrivals(10)
    arrivals.take(A, (5, 1))
    assert arrivals.look({A: (5, 1), B: (7, 1)}, now_s=0, wall_s=100) == [B]
    arrivals.take(B, (7, 1))
    assert arrivals.next_look_s(0) is None
    assert arrivals.look({A: (5, 99 * SECOND), B: (7, 1)}, now_s=1, wall_s=100) == []
    assert arrivals.look({A: (5, 99 * SECOND), B: (7, 1)}, now_s=11, wall_s=110) == [A]


def test_a_file_that_goes_and_comes_back_begins_anew() -> None:
    arrivals = Arrivals(10)
    arrivals.look({A: (5, 100 * SECOND)}, now_s=0, wall_s=100)
    arrivals.look({}, now_s=5, wall_s=105)
    assert arrivals.look({A: (5, 100 * SECOND)}, now_s=9, wall_s=109) == []
    assert arrivals.look({A: (5, 100 * SECOND)}, now_s=19, wall_s=119) == [A]


def test_a_clock_that_is_behind_the_file_systems_takes_nothing_early() -> None:
    assert Arrivals(10).look({A: (5, 200 * SECOND)}, now_s=0, wall_s=100) == []


@given(
    sizes=st.lists(st.integers(0, 3), min_size=1, max_size=30),
    steps=st.lists(st.floats(0.1, 8), min_size=30, max_size=30),
)
def test_nothing_is_taken_that_changed_within_the_time(sizes: list[int], steps: list[float]) -> None:
    arrivals, now_s, changed_s, last = Arrivals(10), 0.0, 0.0, None
    for size, step in zip(sizes, steps, strict=False):
        now_s += step
        identity: Identity = (size, 1000 * SECOND + size)
        if size != last:
            changed_s, last = now_s, size
        ready = arrivals.look({A: identity}, now_s=now_s, wall_s=1000.0)
        assert (ready == [A]) == (now_s - changed_s >= 10)
