"""Whether a damaged source is taken, and what is said of it."""

from dataclasses import replace
from fractions import Fraction

import pytest

import make
from vhsbatch.errors import InputError
from vhsbatch.model.media import Damage, Gap
from vhsbatch.restore.damage import damage_notes, expect_usable

DAMAGE = Damage(
    frames=30,
    of_frames=300,
    places=tuple((Fraction(at), Fraction(at) + Fraction(1, 2)) for at in (5, 65, 70, 80, 90)),
)
WORDS = (
    "30 of 300 frames (10.0 %) do not decode cleanly, "
    "at 0:05.0 to 0:05.5, 1:05.0 to 1:05.5, 1:10.0 to 1:10.5 and 2 more places"
)


def test_too_much_is_refused_with_the_places_and_the_way_out() -> None:
    with pytest.raises(InputError, match="damaged: ") as refused:
        expect_usable(replace(make.info(), damage=DAMAGE), 5)
    assert WORDS in str(refused.value)
    assert "--max-damage 100" in str(refused.value)


@pytest.mark.parametrize("percent", [10, 100])
def test_what_is_allowed_is_told(percent: int) -> None:
    info = replace(make.info(), damage=DAMAGE)
    expect_usable(info, percent)
    assert damage_notes(info) == (f"damaged, and restored as it decodes: {WORDS}",)


@pytest.mark.parametrize(
    ("keeps_times", "told"),
    [
        (False, "2 overwritten frames replaced by the frame before"),
        (True, "2 overwritten frames shown as decoded, as --vfr keep asks"),
    ],
)
def test_it_is_told_what_is_shown_of_overwritten_frames(keeps_times: bool, told: str) -> None:
    track = make.track(overwritten=(Gap(start=12, stop=14),))
    info = replace(make.info(track), damage=DAMAGE)
    (note,) = damage_notes(info, keeps_times=keeps_times)
    assert note.endswith(f"; {told}")


def test_a_sound_source_needs_no_words() -> None:
    expect_usable(make.info(), 0)
    assert damage_notes(make.info()) == ()
