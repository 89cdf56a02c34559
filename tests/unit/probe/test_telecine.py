"""Telling film in the frames of television from timestamps and cadences."""

from fractions import Fraction
from itertools import accumulate, cycle, islice

import pytest

import make
from vhsbatch.model.media import FieldOrder, Telecine
from vhsbatch.probe.field_order import Votes
from vhsbatch.probe.telecine import is_plainly_video, is_soft, judge, may_be_film

FILM = Fraction(24000, 1001)
MPEG_TICK = Fraction(1, 90000)


def shown_at(*lengths: int, frames: int = 48, tick: Fraction = MPEG_TICK) -> list[int]:
    """When frames are shown that are held for so many fields in turns, in ticks."""
    field_s = Fraction(1001, 60000)
    held = islice(cycle(lengths), frames)
    return [round(fields * field_s / tick) for fields in accumulate(held, initial=0)]


def test_frames_held_for_two_and_three_fields_in_turns_are_soft_pulldown() -> None:
    assert is_soft(shown_at(2, 3), MPEG_TICK, FILM)


def test_so_they_are_on_a_clock_of_milliseconds() -> None:
    tick = Fraction(1, 1000)
    assert is_soft(shown_at(3, 2, tick=tick), tick, FILM)


def test_film_at_its_own_rate_is_not() -> None:
    ticks = [round(n / FILM / MPEG_TICK) for n in range(48)]
    assert not is_soft(ticks, MPEG_TICK, FILM)


def test_another_rate_is_not() -> None:
    assert not is_soft(shown_at(2), MPEG_TICK, Fraction(30000, 1001))


def test_a_few_frames_do_not_tell() -> None:
    assert not is_soft(shown_at(2, 3, frames=4), MPEG_TICK, FILM)


@pytest.mark.parametrize(
    ("cadences", "found"),
    [
        ((), Telecine.NONE),
        ((None, None), Telecine.NONE),
        ((0.0, 0.2, 0.4), Telecine.NONE),
        ((1.0, 1.0), Telecine.HARD),
        ((1.0,), Telecine.HARD),
        ((0.8,), Telecine.NONE),
        ((1.0, 0.8, None, 0.9, 0.6), Telecine.HARD),
        ((1.0, 1.0, 1.0, 1.0, 0.2), Telecine.HARD),
        ((1.0, 1.0, 1.0, 0.1, 0.2), Telecine.NONE),
    ],
)
def test_a_cadence_has_to_be_nearly_everywhere(cadences: tuple[float | None, ...], found: Telecine) -> None:
    verdict, reason, sure = judge(cadences)
    assert verdict is found
    assert reason
    assert 0.5 <= sure <= 1


@pytest.mark.parametrize(
    ("changes", "votes", "looked_for"),
    [
        ({}, Votes(tff=60), True),
        ({}, Votes(tff=24, progressive=36), True),
        ({}, Votes(undetermined=60), False),
        ({}, None, False),
        ({"rate": Fraction(25)}, Votes(tff=60), True),
        ({"rate": Fraction(50)}, Votes(tff=60), False),
        ({"field_order": FieldOrder.PROGRESSIVE}, Votes(progressive=60, tff=7), False),
    ],
)
def test_it_is_looked_for_where_it_can_be(
    changes: dict[str, object], votes: Votes | None, looked_for: bool
) -> None:
    assert may_be_film(make.track(**changes), votes) is looked_for


@pytest.mark.parametrize(
    ("rate", "votes", "plainly"),
    [
        (Fraction(30000, 1001), Votes(tff=60, alone=59), True),
        (Fraction(30000, 1001), Votes(tff=60, alone=54), False),
        (Fraction(30000, 1001), Votes(tff=6, alone=6), False),
        (Fraction(30000, 1001), None, False),
        # A field out of step, each frame of a film has fields of two moments.
        (Fraction(25), Votes(tff=60, alone=60), False),
    ],
)
def test_frames_that_all_have_fields_of_two_moments_are_no_film(
    rate: Fraction, votes: Votes | None, plainly: bool
) -> None:
    assert is_plainly_video(make.track(rate=rate), votes) is plainly
