"""The constant grid under the frames of a source."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.model.media import Gap
from vhsbatch.model.timeline import STANDARD_RATES, Timeline, lay_on_grid, whole_frames

NTSC = Fraction(30000, 1001)
TICK_90K = Fraction(1, 90000)
MILLISECOND = Fraction(1, 1000)


def clocked(rate: Fraction, time_base: Fraction, indices: list[int], start: int = 0) -> list[int]:
    """When frames are shown on a clock that rounds to its ticks."""
    return [start + round(index / rate / time_base) for index in indices]


@given(
    rate=st.sampled_from([rate for rate in STANDARD_RATES if rate <= 60]),
    time_base=st.sampled_from([MILLISECOND, TICK_90K, Fraction(1, 30000), Fraction(1, 12800)]),
    frames=st.integers(min_value=600, max_value=4000),
    start=st.integers(min_value=-5000, max_value=2**33),
)
def test_a_rounded_clock_gives_the_exact_standard_rate(
    rate: Fraction, time_base: Fraction, frames: int, start: int
) -> None:
    ticks = clocked(rate, time_base, list(range(frames)), start)
    assert lay_on_grid(ticks, time_base) == Timeline(
        rate=rate, frames=frames, repeated_frames=0, dropped_frames=0
    )


@given(
    rate=st.sampled_from([Fraction(25), NTSC, Fraction(50), Fraction(60000, 1001)]),
    time_base=st.sampled_from([MILLISECOND, TICK_90K]),
    lost=st.sets(st.integers(min_value=1, max_value=998), min_size=1, max_size=100),
)
def test_lost_frames_are_gaps_in_the_same_grid(rate: Fraction, time_base: Fraction, lost: set[int]) -> None:
    ticks = clocked(rate, time_base, [index for index in range(1000) if index not in lost])
    line = lay_on_grid(ticks, time_base)
    assert (line.rate, line.frames, line.repeated_frames, line.dropped_frames) == (rate, 1000, len(lost), 0)
    assert {position for gap in line.gaps for position in range(gap.start, gap.stop)} == lost
    assert all(a.stop < b.start for a, b in pairwise(line.gaps))


def test_of_very_many_gaps_the_long_ones_are_kept() -> None:
    shown = [*(index for index in range(18_000) if index % 3 < 2), *range(18_100, 18_200)]
    line = lay_on_grid(clocked(Fraction(25), TICK_90K, shown, 0), TICK_90K, (Fraction(25),))
    assert (line.rate, line.gaps) == (Fraction(25), (Gap(start=17_999, stop=18_100),))
    assert line.repeated_frames > 5000


@given(st.lists(st.integers(min_value=0, max_value=2**33), min_size=1, max_size=200).map(sorted))
def test_every_frame_and_position_is_accounted_for(ticks: list[int]) -> None:
    line = lay_on_grid(ticks, TICK_90K)
    positions = [int((tick - ticks[0]) * TICK_90K * line.rate + Fraction(1, 2)) for tick in ticks]
    assert line.frames == positions[-1] + 1
    assert line.frames - line.repeated_frames == len(ticks) - line.dropped_frames == len(set(positions))
    assert line.constant_rate == (positions == list(range(len(ticks))))
    assert 2 * line.rate.numerator < 2**31


@given(
    rate=st.fractions(min_value=2, max_value=110, max_denominator=40),
    frames=st.integers(min_value=200, max_value=500),
)
def test_a_constant_rate_of_any_kind_loses_no_frame(rate: Fraction, frames: int) -> None:
    ticks = clocked(rate, TICK_90K, list(range(frames)))
    line = lay_on_grid(ticks, TICK_90K)
    assert line.constant_rate
    assert line.frames == frames


def test_jitter_below_half_a_frame_is_no_variable_rate() -> None:
    jitter = random.Random(1)
    ticks = [0, *(round(1000 * index / NTSC) + jitter.randint(-12, 12) for index in range(1, 3000))]
    assert lay_on_grid(sorted(ticks), MILLISECOND).rate == NTSC


def test_an_hour_in_milliseconds_is_exact() -> None:
    ticks = clocked(NTSC, MILLISECOND, list(range(108_000)))
    assert lay_on_grid(ticks, MILLISECOND) == Timeline(
        rate=NTSC, frames=108_000, repeated_frames=0, dropped_frames=0
    )


def test_a_gap_that_is_no_whole_number_of_frames_keeps_the_rate() -> None:
    ticks = clocked(NTSC, MILLISECOND, list(range(5000)))
    ticks = [tick if index < 300 else tick + 1015 for index, tick in enumerate(ticks)]
    line = lay_on_grid(ticks, MILLISECOND)
    assert line.rate == NTSC
    assert line.repeated_frames in (30, 31)


def test_many_recordings_in_one_file_keep_the_rate() -> None:
    # Each begins a part of a frame late, on a clock that was once one of milliseconds.
    ticks = [90 * round(index / NTSC / MILLISECOND) + 947 * (index // 240) for index in range(24_000)]
    line = lay_on_grid(ticks, TICK_90K)
    assert line.rate == NTSC
    # Where the clock is half a frame off the grid, its rounding drops and repeats some.
    assert line.dropped_frames < len(ticks) / 100


def test_the_container_decides_where_a_short_clip_leaves_a_choice() -> None:
    assert lay_on_grid([0, 33, 67], MILLISECOND, [NTSC]).rate == NTSC
    assert lay_on_grid([0, 33, 67], MILLISECOND, [Fraction(30)]).rate == 30
    assert lay_on_grid([0, 33, 67], MILLISECOND, [Fraction(19001, 634)]).rate == NTSC


def test_the_container_is_not_believed_against_the_timestamps() -> None:
    ticks = clocked(NTSC, Fraction(1, 60000), list(range(120)))
    assert lay_on_grid(ticks, Fraction(1, 60000), [Fraction(60000)]).rate == NTSC


def test_a_single_frame_has_the_rate_that_the_container_says() -> None:
    assert lay_on_grid([77], TICK_90K, [Fraction(90000), Fraction(25)]) == Timeline(
        rate=Fraction(25), frames=1, repeated_frames=0, dropped_frames=0
    )
    assert lay_on_grid([77], TICK_90K).rate == NTSC


@pytest.mark.parametrize(
    ("ticks", "time_base", "rate"),
    [
        ([767849 * index for index in range(512)], Fraction(1, 23040000), Fraction(30)),
        (list(range(78)), Fraction(33333, 1000000), Fraction(30)),
        ([1001 * index for index in range(100)], Fraction(1, 16000), Fraction(16000, 1001)),
        (clocked(Fraction(16), MILLISECOND, list(range(1000))), MILLISECOND, Fraction(16)),
        (clocked(Fraction(18), MILLISECOND, list(range(1000))), MILLISECOND, Fraction(18)),
    ],
    ids=["odd clock", "canon", "no standard", "16 in ms", "18 in ms"],
)
def test_rates(ticks: list[int], time_base: Fraction, rate: Fraction) -> None:
    assert lay_on_grid(ticks, time_base).rate == rate


def test_a_variable_rate_becomes_the_nearest_standard_one() -> None:
    ticks = [0, 9000, 18000, 27000, 36000, 45000, 53098, 61196, 69294, 76493, 83692, 90891]
    line = lay_on_grid(ticks, TICK_90K)
    assert line.rate in STANDARD_RATES
    assert line.frames == round(ticks[-1] * TICK_90K * line.rate) + 1


def test_frames_at_one_time_are_dropped() -> None:
    assert lay_on_grid([0, 3003, 3003, 6006], TICK_90K) == Timeline(
        rate=NTSC, frames=3, repeated_frames=0, dropped_frames=1
    )


def test_second_fields_belong_to_the_frame_before() -> None:
    fields = [93600 + 1800 * index for index in range(26)]
    assert whole_frames(fields, 3600) == fields[::2]


def test_fields_and_whole_frames_may_mix() -> None:
    assert whole_frames([0, 1800, 3600, 7200, 9000, 10800], 3600) == [0, 3600, 7200, 10800]


def test_frames_of_film_in_fields_are_all_kept() -> None:
    pulldown = [0, 4504, 7507, 12012, 15015]
    assert whole_frames(pulldown, 3003) == pulldown
