from dataclasses import replace

import pytest

import make
from vhsbatch.analysis.picture import Response, VideoMeasurement
from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.presets import Preset, derive
from vhsbatch.model.media import FieldOrder
from vhsbatch.restore.fitting import (
    fitted,
    is_fitted,
    mildly_sharpened,
    why_no_tape,
    why_not_degrained,
    without_degrain,
)

SHIPPED = load_presets([])
VHS, BEST = SHIPPED["vhs"], SHIPPED["vhs_best"]
TAPE = make.track(width=720, height=480, field_order=FieldOrder.BFF)


def picture(
    luma: float | None = 4.0, chroma: float | None = 6.0, torn: int = 0, ratio: float | None = None
) -> VideoMeasurement:
    response = None if ratio is None else Response(ratio=ratio, agreement=1.0, places=7)
    return VideoMeasurement(
        luma_noise=luma, chroma_noise=chroma, torn_lines=torn, response=response, places=7
    )


@pytest.mark.parametrize(
    ("ratio", "amount", "undone", "note"),
    [
        (0.85, 0.7, 0.0, "detail soft: sharpened by 0.7"),
        (1.06, 0.35, 0.0, "detail even: sharpened by 0.35"),
        (1.16, 0.0, 0.0, "detail even: left as it is"),
        (1.33, 0.0, 0.13, "detail sharpened: 0.13 of it undone"),
        (1.9, 0.0, 0.2, "detail sharpened: 0.2 of it undone"),
        (None, 0.21, 0.0, "detail unknown: sharpened by 0.21"),
    ],
)
def test_detail_is_sharpened_or_not_by_what_was_measured(
    ratio: float | None, amount: float, undone: float, note: str
) -> None:
    preset, notes = fitted(VHS, TAPE, picture(ratio=ratio))
    assert (preset.sharpen.amount, preset.sharpen.undo) == pytest.approx((amount, undone))
    assert note in notes


def test_sharpening_of_ones_own_stays_as_it_is() -> None:
    own = derive(VHS, {"sharpen": {"amount": 1.5, "undo": 0.1, "by_response": False}})
    assert fitted(own, TAPE, picture(ratio=1.4))[0].sharpen == own.sharpen


@pytest.mark.parametrize(("torn", "masked"), [(0, 0), (2, 4), (6, 8), (16, 10)])
def test_as_many_lines_are_masked_as_are_torn_and_no_more_than_the_preset_allows(
    torn: int, masked: int
) -> None:
    preset, notes = fitted(VHS, TAPE, picture(torn=torn))
    assert preset.crop.mask_bottom_lines == masked
    assert [note for note in notes if "torn" in note] == (
        [f"{torn} torn lines at the bottom: {masked} masked"] if torn else []
    )


@pytest.mark.parametrize("height", [720, 1080])
def test_nothing_is_masked_in_what_is_no_tape(height: int) -> None:
    preset, _ = fitted(VHS, make.track(width=1280, height=height), picture(torn=8))
    assert preset.crop.mask_bottom_lines == 0


def test_nothing_is_masked_where_nothing_was_measured() -> None:
    assert fitted(VHS, TAPE, None)[0].crop.mask_bottom_lines == 0


def test_an_ordinary_tape_gets_what_the_preset_allows() -> None:
    denoise = fitted(VHS, TAPE, picture())[0].denoise
    assert (denoise.luma_spatial, denoise.luma_temporal) == (2.0, 4.5)
    assert denoise.chroma_temporal == pytest.approx(16, abs=0.3)


@pytest.mark.parametrize("name", [name for name in SHIPPED if SHIPPED[name].denoise.by_noise])
def test_more_noise_takes_more_strength_up_to_what_the_preset_allows(name: str) -> None:
    preset = SHIPPED[name]
    keys = (
        "luma_spatial",
        "luma_temporal",
        "chroma_spatial",
        "chroma_temporal",
        "degrain_luma",
        "degrain_chroma",
    )
    levels = [fitted(preset, TAPE, picture(noise, noise))[0].denoise for noise in (0.5, 1, 2, 4, 8, 30)]
    for key in keys:
        strengths = [getattr(denoise, key) for denoise in levels]
        assert strengths == sorted(strengths)
        assert strengths[-1] == getattr(preset.denoise, key)


@pytest.mark.parametrize("preset", [VHS, BEST], ids=lambda preset: preset.name)
def test_without_noise_nothing_is_denoised(preset: Preset) -> None:
    made, notes = fitted(preset, TAPE, picture(0.1, 0.0))
    assert made.denoise.method == "none"
    assert notes[0] == "noise 0.1 in luma, 0.0 in chroma: not denoised"


def test_noise_in_the_chroma_alone_leaves_the_luma_alone() -> None:
    denoise = fitted(VHS, TAPE, picture(0.0, 5.0))[0].denoise
    assert (denoise.luma_spatial, denoise.luma_temporal) == (0, 0)
    assert denoise.chroma_temporal > 10


def test_noise_that_cannot_be_told_is_taken_for_that_of_a_good_recording() -> None:
    unknown, notes = fitted(VHS, TAPE, picture(None, None))
    assert 0 < unknown.denoise.luma_temporal < VHS.denoise.luma_temporal / 2
    assert notes[0] == "noise unknown in luma, unknown in chroma: denoised to suit"


def test_strengths_of_ones_own_stay_as_they_are() -> None:
    own = Preset(name="own")
    assert not is_fitted(own)
    assert fitted(own, TAPE, picture()) == (own, ())


@pytest.mark.parametrize(
    ("method", "track", "words"),
    [
        ("qtgmc", TAPE, None),
        ("bwdif", TAPE, None),
        ("qtgmc", make.track(field_order=FieldOrder.PROGRESSIVE), None),
        ("yadif", TAPE, "it does not go with deinterlace.method yadif"),
        ("none", TAPE, "it does not go with deinterlace.method none"),
        ("qtgmc", replace(TAPE, height=483), "it has an odd number of lines"),
        ("qtgmc", make.track(width=1440, height=1080, field_order=FieldOrder.TFF), "it is HD"),
    ],
)
def test_what_cannot_be_degrained_says_why(method: str, track: object, words: str | None) -> None:
    assert why_not_degrained(derive(BEST, {"deinterlace": {"method": method}}), track) == words  # type: ignore[arg-type]


def test_without_vapoursynth_ffmpeg_does_what_it_can() -> None:
    preset, instead = without_degrain(BEST)
    assert instead == "bwdif and atadenoise instead of qtgmc and degrain"
    assert (preset.denoise.method, preset.deinterlace.method) == ("atadenoise", "bwdif")


HD = make.track(width=1920, height=1080, field_order=FieldOrder.TFF)
PROGRESSIVE = make.track(width=640, height=480, field_order=FieldOrder.PROGRESSIVE)


def test_a_preset_for_tapes_says_where_a_source_is_none() -> None:
    assert why_no_tape(VHS, HD, picture(0.5, 0.5)) == "1920x1080"
    assert why_no_tape(VHS, PROGRESSIVE, picture(0.4, 0.2)) == "progressive, and hardly any noise"


def test_what_may_be_a_tape_is_taken_for_one() -> None:
    assert why_no_tape(VHS, TAPE, picture(0.5, 0.5)) is None
    assert why_no_tape(VHS, PROGRESSIVE, picture(3.0, 4.0)) is None
    assert why_no_tape(VHS, PROGRESSIVE, None) is None
    assert why_no_tape(SHIPPED["clean"], HD, picture(0.5, 0.5)) is None


def test_what_is_sharp_already_is_hardly_sharpened() -> None:
    assert mildly_sharpened(VHS).sharpen.amount == 0.2
    assert mildly_sharpened(SHIPPED["vhs_archive"]) == SHIPPED["vhs_archive"]
