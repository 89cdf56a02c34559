"""Sources of variable frame rate that keep the times of their frames."""

import dataclasses
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.config.preset_schema import Deinterlace
from vhsbatch.config.presets import Preset
from vhsbatch.errors import InputError, VerificationError
from vhsbatch.ffmpeg.frame_times import cut_by_time, expect_times, own_frames
from vhsbatch.ffmpeg.preroll import PREROLL_S, read_from_s
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder
from vhsbatch.restore.planner import Toolchain, cut, make_plan

KEEP = Preset(name="phone", vfr="keep")
PHONE = make.track(
    field_order=FieldOrder.PROGRESSIVE,
    rate=Fraction(30),
    frames=300,
    constant_rate=False,
    repeated_frames=40,
    dropped_frames=3,
)
MEANS = Toolchain(engine="ffmpeg", upscaling=None, encoder="libx264", container="mp4", identity={})
DELTAS = st.lists(st.integers(1, 50_000), min_size=1, max_size=400)


def test_who_keeps_them() -> None:
    assert resolve(PHONE, KEEP).keeps_times
    assert own_frames(PHONE) == 263
    assert not resolve(PHONE, Preset(name="phone")).keeps_times
    assert not resolve(dataclasses.replace(PHONE, constant_rate=True), KEEP).keeps_times
    interlaced = dataclasses.replace(PHONE, field_order=FieldOrder.TFF)
    assert not resolve(interlaced, KEEP).keeps_times
    woven = KEEP.model_copy(update={"deinterlace": Deinterlace(method="none")})
    assert resolve(interlaced, woven).keeps_times


@given(deltas=DELTAS, segment_s=st.integers(1, 20), start=st.integers(0, 10**9))
def test_every_frame_is_in_one_segment_and_no_cut_is_near_one(
    deltas: list[int], segment_s: int, start: int
) -> None:
    times = [Fraction(sum(deltas[:number]), 90_000) for number in range(len(deltas) + 1)]
    segments = cut_by_time(cut(len(times), Fraction(30), segment_s), times)
    for number, time_s in enumerate(times):
        inside = [
            one for one in segments if one.from_s is not None and one.from_s <= time_s < (one.to_s or 0)
        ]
        assert [one.start_frame <= number < one.stop_frame for one in inside] == [True]
    for segment in segments:
        assert segment.from_s is not None
        assert min(abs(segment.from_s - time_s) for time_s in times) >= Fraction(1, 180_000)


def test_two_frames_at_once_are_refused() -> None:
    times = [Fraction(0), Fraction(1, 30), Fraction(1, 30)]
    with pytest.raises(InputError, match="two of its frames have the same time"):
        cut_by_time(cut(3, Fraction(30), 60), times)


def test_the_plan_counts_the_sources_own_frames() -> None:
    times = [Fraction(number, 25) for number in range(263)]
    source = make.info(PHONE, notes=("missing frames, filled by repeating: 40", "shown as 4:3"))
    plan = make_plan(make.job(), source, KEEP, resolve(source.video, KEEP), MEANS, times_s=times)
    assert plan.frames == 263
    assert plan.duration_s == times[-1] + Fraction(1, 30)
    assert plan.notes[0] == "shown as 4:3"
    assert "variable frame rate, kept: 263 frames, each at its own time" in plan.notes
    phone = Preset(name="phone")
    constant = make_plan(make.job(), source, phone, resolve(PHONE, phone), MEANS)
    assert constant.frames == 300
    assert constant.duration_s == 10
    assert constant.fingerprint != plan.fingerprint


def test_reading_begins_by_time_before_a_segment() -> None:
    times = [Fraction(number, 5) for number in range(263)]
    preset = KEEP.model_copy(update={"segment_s": 2})
    track = dataclasses.replace(PHONE, start_s=Fraction(7))
    plan = make_plan(make.job(), make.info(track), preset, resolve(track, preset), MEANS, times_s=times)
    segment = plan.segments[1]
    assert segment.from_s == times[segment.start_frame] - Fraction(1, 10)
    assert read_from_s(plan, plan.segments[0]) is None
    assert read_from_s(plan, segment) == 7 + segment.from_s - PREROLL_S


def test_fields_are_made_constant_and_that_is_said() -> None:
    source = make.info(dataclasses.replace(PHONE, field_order=FieldOrder.TFF))
    plan = make_plan(make.job(), source, KEEP, resolve(source.video, KEEP), MEANS)
    assert plan.shown_s is None
    assert any("made constant all the same" in note for note in plan.notes)


def test_times_are_held_against_the_sources() -> None:
    times = [Fraction(0), Fraction(1, 30), Fraction(1, 7)]
    expect_times([Fraction(0), Fraction(33, 1000), Fraction(143, 1000)], times)
    with pytest.raises(VerificationError, match="2 frames instead of 3"):
        expect_times(times[:2], times)
    with pytest.raises(VerificationError, match=r"shows frame 2 at 0\.0400 s instead of 0\.0333 s"):
        expect_times([times[0], Fraction(4, 100), times[2]], times)
