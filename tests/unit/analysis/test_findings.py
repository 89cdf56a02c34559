"""What measurements mean, and what follows from them."""

from fractions import Fraction
from typing import Any

import pytest

import make
from vhsbatch.analysis.audio import AudioMeasurement, Channel
from vhsbatch.analysis.autodetect import adapted
from vhsbatch.analysis.findings import SourceFinding, find
from vhsbatch.analysis.measure import Measured
from vhsbatch.analysis.picture import Borders, ChromaShift, Levels, VideoMeasurement
from vhsbatch.config.presets import Preset, derive
from vhsbatch.model.media import MediaInfo, Telecine
from vhsbatch.probe.blank import BlankEnds
from vhsbatch.probe.telecine import FieldSteps

VHS = Preset(name="vhs")


def picture(**changes: Any) -> VideoMeasurement:
    values: dict[str, Any] = {"luma_noise": 3.4, "chroma_noise": 1.6, "torn_lines": 0, "places": 7}
    return VideoMeasurement(**(values | changes))


def channel(**changes: Any) -> Channel:
    values: dict[str, Any] = {
        "level_db": -20.0,
        "peak_db": -3.0,
        "floor_db": -60.0,
        "hiss_db": -80.0,
        "clipped_samples": 0,
        "hum_hz": 0,
        "hum_db": None,
        "hum_agreement": 1.0,
    }
    return Channel(**(values | changes))


def sound(*channels: Channel, correlation: float | None = 0.5) -> AudioMeasurement:
    return AudioMeasurement(index=1, measured_s=42, channels=channels, correlation=correlation)


def found(
    seen: VideoMeasurement | None = None,
    heard: AudioMeasurement | None = None,
    info: MediaInfo | None = None,
    **more: Any,
) -> tuple[SourceFinding, ...]:
    sounds = () if heard is None else (heard,)
    return find(info or make.info(), Measured(picture=seen or picture(), sounds=sounds, **more))


def overrides(findings: tuple[SourceFinding, ...]) -> dict[str, object]:
    return {key: value for finding in findings for key, value in finding.overrides.items()}


def test_a_source_without_faults_needs_no_overrides() -> None:
    findings = found(picture(), sound(channel(), channel()))
    assert overrides(findings) == {}
    assert adapted(VHS, findings) == (VHS, ())


@pytest.mark.parametrize(
    ("height", "rate", "said"),
    [
        (480, Fraction(30000, 1001), "NTSC"),
        (576, Fraction(25), "PAL"),
        (720, Fraction(25), "PAL"),
        (480, Fraction(25), "unclear"),
        (600, Fraction(15), "unclear"),
    ],
)
def test_the_standard_is_told_by_lines_and_rate(height: int, rate: Fraction, said: str) -> None:
    findings = found(info=make.info(make.track(height=height, rate=rate)))
    (standard,) = (finding for finding in findings if finding.subject == "standard")
    assert standard.text.startswith(said)


def test_telecine_is_told_where_it_was_looked_for() -> None:
    film = make.track(telecine=Telecine.HARD, telecine_reason="3:2 cadence", telecine_confidence=0.97)
    (finding,) = (one for one in found(info=make.info(film)) if one.subject == "telecine")
    assert (finding.text, finding.confidence) == ("hard (3:2 cadence)", 0.97)


@pytest.mark.parametrize(
    ("edges", "crops"),
    [
        ((7, 6, 0, 0), {"crop.left": 8, "crop.right": 8}),
        ((0, 0, 1, 3), {"crop.top": 4, "crop.bottom": 4}),
        ((0, 0, 72, 72), {}),  # a preset crops no more than 64
    ],
)
def test_black_edges_are_cropped_in_the_steps_that_presets_allow(
    edges: tuple[int, int, int, int], crops: dict[str, int]
) -> None:
    left, right, top, bottom = edges
    borders = Borders(left=left, right=right, top=top, bottom=bottom, agreement=1.0)
    assert overrides(found(picture(borders=borders))) == crops
    adapted(VHS, found(picture(borders=borders)))


def test_colour_that_is_displaced_is_moved_back() -> None:
    shifted = ChromaShift(x=4.2, y=-2.3, agreement=1.0, places=6)
    assert overrides(found(picture(chroma_shift=shifted))) == {
        "colour.chroma_shift_x": -4,
        "colour.chroma_shift_y": 2,
    }


def test_a_shift_that_cannot_be_seen_is_left_alone() -> None:
    shifted = ChromaShift(x=-1.7, y=0.3, agreement=1.0, places=6)
    assert overrides(found(picture(chroma_shift=shifted))) == {}


def test_torn_lines_are_masked_unless_the_preset_masks_more() -> None:
    findings = found(picture(torn_lines=12))
    preset, reasons = adapted(VHS, findings)
    assert preset.crop.mask_bottom_lines == 14
    assert reasons == ("crop.mask_bottom_lines = 14: torn lines, 12 at the bottom",)
    masking = derive(VHS, {"crop": {"mask_bottom_lines": 20}})
    assert adapted(masking, findings) == (masking, ())


def test_a_picture_of_more_lines_than_a_tape_has_none_torn() -> None:
    info = make.info(make.track(width=1920, height=1080))
    assert "torn lines" not in {finding.subject for finding in found(picture(torn_lines=12), info=info)}


def test_nothing_follows_from_what_is_not_sure() -> None:
    assert adapted(VHS, found(picture(torn_lines=6, torn_agreement=0.5))) == (VHS, ())


def test_clipped_levels_are_told() -> None:
    levels = Levels(darkest=0, brightest=255, above_white=0.07, at_ceiling=0.03, at_floor=0.0)
    (finding,) = (one for one in found(picture(levels=levels)) if one.subject == "levels")
    assert finding.text == "0 to 255 of 255; 3.0% clipped white; 7.0% brighter than white (235)"


@pytest.mark.parametrize(
    ("heard", "keys"),
    [
        (sound(channel(hum_hz=60, hum_db=-50.0), channel()), {"audio.hum_hz": 60}),
        (sound(channel(hiss_db=-52.0), channel()), {"audio.denoise_db": 12}),
        (sound(channel(), channel(level_db=None, peak_db=None)), {"audio.channels": "left"}),
        (sound(channel(level_db=-69.0), channel()), {"audio.channels": "right"}),
        (sound(channel(), channel(), correlation=-0.95), {"audio.channels": "left"}),
        (sound(channel(), channel(), correlation=1.0), {}),
        (sound(channel(level_db=-90.0), channel(level_db=None)), {}),
        (sound(channel(clipped_samples=500)), {}),
    ],
)
def test_what_is_amiss_in_the_sound_is_mended(heard: AudioMeasurement, keys: dict[str, object]) -> None:
    findings = found(heard=heard)
    assert overrides(findings) == keys
    preset, reasons = adapted(VHS, findings)
    assert len(reasons) == len(keys)
    for key, value in keys.items():
        assert getattr(preset.audio, key.removeprefix("audio.")) == value


def test_sound_that_ends_elsewhere_is_told_and_left_alone() -> None:
    long = make.info(make.track(frames=30_000), audio=(make.sound(end_s=Fraction(1002)),))
    findings = found(info=long)
    assert overrides(findings) == {"audio.fix_drift": True}
    assert adapted(VHS, findings) == (VHS, ())


def test_repeated_frames_and_blank_ends_are_told() -> None:
    findings = found(
        ends=BlankEnds(head="blue", head_s=12.3, tail="black", tail_s=754.0),
        steps=FieldSteps(cadences=(), partners=(), repeated=30, frames=299),
    )
    said = {finding.subject: finding.text for finding in findings}
    assert said["blank head"] == "blue for the first 0:12 (12.3 s)"
    assert said["blank tail"] == "black for the last 12:34 (754.0 s)"
    assert said["repeated"] == "30 of 299 frames repeat the ones before them"


def test_the_times_are_named_that_leave_blank_ends_out() -> None:
    ends = BlankEnds(head="blue", head_s=12.3, tail="black", tail_s=754.0)
    tape = make.info(make.track(frames=54_000, rate=Fraction(30)))
    said = {finding.subject: finding.text for finding in found(info=tape, ends=ends)}
    assert said["blank head"].endswith(": --from 0:12.3 leaves it out")
    assert said["blank tail"].endswith(": --to 17:26 leaves it out")
