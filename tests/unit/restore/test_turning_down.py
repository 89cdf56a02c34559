import pytest

from vhsbatch.analysis.picture import Response, VideoMeasurement
from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.presets import derive
from vhsbatch.restore.turning_down import (
    Harm,
    changes,
    denoises,
    in_words,
    less_denoised,
    not_sharpened_twice,
)

SHIPPED = load_presets([])
VHS, DISC = SHIPPED["vhs"], SHIPPED["dvd_interlaced"]
BOTH = Harm(luma=2.0, chroma=2.0)


def picture(ratio: float | None, places: int = 7) -> VideoMeasurement:
    response = None if ratio is None else Response(ratio=ratio, agreement=1.0, places=places)
    return VideoMeasurement(luma_noise=2.0, chroma_noise=3.0, torn_lines=0, response=response, places=7)


def test_half_of_what_harms_is_left_and_the_rest_stays() -> None:
    milder = less_denoised(VHS, Harm(luma=0.0, chroma=1.0), last=False)
    before, after = VHS.denoise, milder.denoise
    assert (after.chroma_spatial, after.chroma_temporal) == (
        before.chroma_spatial / 2,
        before.chroma_temporal / 2,
    )
    assert (after.luma_spatial, after.luma_temporal) == (before.luma_spatial, before.luma_temporal)
    (line,) = in_words(VHS, milder)
    assert line.startswith("denoising of the chroma turned down to 50%")


def test_colour_that_thin_structures_lose_is_harm_although_noise_is_gone() -> None:
    milder = less_denoised(VHS, Harm(luma=-0.9, chroma=-0.9, colour=0.7), last=False)
    assert milder.denoise.chroma_spatial == VHS.denoise.chroma_spatial / 2
    assert milder.denoise.luma_temporal == VHS.denoise.luma_temporal


def test_what_harms_at_any_strength_is_turned_off() -> None:
    milder = less_denoised(VHS, BOTH, last=True)
    assert not denoises(milder)
    assert all("turned off" in line for line in in_words(VHS, milder))
    assert len(in_words(VHS, milder)) == 2


@pytest.mark.parametrize("found", [Harm(), Harm(luma=0.2, chroma=-0.9, colour=0.9)])
def test_what_does_no_harm_stays_and_nothing_is_said(found: Harm) -> None:
    assert less_denoised(VHS, found, last=False) == VHS
    assert in_words(VHS, VHS) == ()


def test_what_was_turned_down_can_be_kept_and_applied_again() -> None:
    for last in (False, True):
        milder = less_denoised(VHS, BOTH, last=last)
        assert derive(VHS, changes(VHS, milder)) == milder


def test_what_a_deck_sharpened_is_not_sharpened_again() -> None:
    preset, (line,) = not_sharpened_twice(DISC, picture(1.33))
    assert preset.sharpen.amount == 0
    assert "sharpening turned off" in line and "1.33" in line


@pytest.mark.parametrize("seen", [picture(1.15), picture(1.33, places=1), picture(None), None])
def test_where_that_is_not_sure_it_is_sharpened(seen: VideoMeasurement | None) -> None:
    assert not_sharpened_twice(DISC, seen) == (DISC, ())


def test_a_preset_without_the_guard_sharpens_all_the_same() -> None:
    own = derive(DISC, {"guard": False})
    assert not_sharpened_twice(own, picture(1.33)) == (own, ())
