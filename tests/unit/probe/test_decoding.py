"""What decoding all of a source shows: how much of it is damaged, and where."""

from fractions import Fraction

import numpy as np
import pytest

from vhsbatch.probe.decode_worker import Frame, step, wrong_blocks
from vhsbatch.probe.decoding import Decoded

MILLISECOND = Fraction(1, 1000)


def decoded(
    *, missing: frozenset[int] = frozenset(), damaged: tuple[int, ...] = (), lost: tuple[int, ...] = ()
) -> Decoded:
    """Ten seconds of 25 frames a second, less those that are missing, by their times."""
    ticks = tuple(tick for tick in range(0, 10_000, 40) if tick not in missing and tick not in lost)
    return Decoded(ticks=ticks, damaged=damaged, lost=lost, orders=None)


def test_nothing_is_damaged() -> None:
    assert decoded().damage(0, MILLISECOND) is None


def test_a_pause_is_no_damage() -> None:
    assert decoded(missing=frozenset(range(4000, 6000, 40))).damage(0, MILLISECOND) is None


def test_damaged_and_lost_frames_are_counted_by_place() -> None:
    damage = decoded(damaged=(1000, 1040), lost=(1080, 8000)).damage(0, MILLISECOND)
    assert damage is not None
    assert (damage.frames, damage.of_frames) == (4, 250)
    assert [tuple(map(float, place)) for place in damage.places] == [(1.0, 1.08), (8.0, 8.0)]
    assert damage.percent == pytest.approx(1.6)


def test_frames_that_are_missing_beside_damage_count_too() -> None:
    damage = decoded(missing=frozenset(range(4000, 4400, 40)), damaged=(3960,)).damage(0, MILLISECOND)
    assert damage is not None
    assert (damage.frames, damage.of_frames) == (11, 250)


def test_lost_frames_beside_damage_are_counted_once() -> None:
    gone = range(1040, 1240, 40)
    damage = decoded(damaged=(1000,), missing=frozenset(gone)).damage(0, MILLISECOND, [*gone], len(gone))
    assert damage is not None
    assert (damage.frames, damage.of_frames) == (6, 250)


def test_what_is_before_the_first_frame_is_no_damage() -> None:
    assert decoded(damaged=(0, 40)).damage(80, MILLISECOND) is None


def test_what_is_overwritten_at_the_head_is_damage() -> None:
    found = Decoded(ticks=(0, 40, 80), damaged=(0, 40), overwritten=frozenset({0, 40}))
    damage = found.damage(80, MILLISECOND)
    assert damage is not None
    assert (damage.frames, damage.of_frames, damage.places) == (2, 3, ((Fraction(0), Fraction(0)),))


def field_of(time: int, parity: int) -> Frame:
    """Every second line of a bright bar that moves two columns to the right with each field."""
    picture = np.full((60, 96), 50, np.int16)
    picture[10:50, 2 * time : 2 * time + 12] = 200
    return picture[parity::2]


def woven(top: int, bottom: int) -> Frame:
    """A frame of two fields, by their times."""
    frame = np.empty((60, 96), np.int16)
    frame[0::2], frame[1::2] = field_of(top, 0), field_of(bottom, 1)
    return frame


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 1), (2, 3), "T"),
        ((1, 0), (3, 2), "B"),
        ((0, 0), (2, 2), "P"),
        ((4, 4), (4, 4), ".?"),
    ],
)
def test_two_frames_tell_their_order(
    first: tuple[int, int], second: tuple[int, int], expected: str, noise: int
) -> None:
    chance = np.random.default_rng(1)
    one, other = (
        (woven(*times) + chance.normal(0, noise / 2, (60, 96))).astype(np.int16) for times in (first, second)
    )
    assert step(one, other) in expected


def test_overwritten_blocks_of_dv_are_counted() -> None:
    kinds = [0, 1, 1, 2, 2, 2, *(3, *(4,) * 15) * 9] * 10
    data = b"".join(bytes((kind << 5, *range(79))) for kind in kinds)
    assert wrong_blocks(data) == 0
    assert wrong_blocks(data[: 80 * 750] + bytes(80 * 15) + data[80 * 765 :]) == pytest.approx(14 / 1500)
    assert wrong_blocks(b"") == 0
