"""An excerpt of a source in frames, in segments, in sound and in the fingerprint."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

import make
from vhsbatch.config.presets import Preset, derive
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.audio import MeasuredSound, plan_audio
from vhsbatch.ffmpeg.preroll import read_from_s
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import Damage, FieldOrder, MediaInfo, Telecine
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.trim import Excerpt, Trim, trim_of
from vhsbatch.restore.damage import damage_notes, expect_usable
from vhsbatch.restore.planner import Toolchain, make_plan

VHS = Preset(name="vhs")
TOOLS = Toolchain(engine="ffmpeg", upscaling=None, encoder="libx264", container="mkv", identity={})
TAPE = make.info(make.track(frames=3000, rate=make.NTSC_RATE, field_order=FieldOrder.TFF))


def planned(info: MediaInfo, begin: object, end: object, preset: Preset = VHS) -> JobPlan:
    trimmed = replace(info, trim=trim_of(begin, end))
    return make_plan(make.job(), trimmed, preset, resolve(info.video, preset), TOOLS)


def test_a_part_begins_and_ends_with_whole_frames_of_the_source() -> None:
    plan = planned(TAPE, 10, 20)
    # Frame 300 is shown at 10.01 s, frame 600 at 20.02 s.
    assert plan.excerpt == Excerpt(
        first_frame=600, stop_frame=1200, from_s=Fraction(1001, 100), to_s=Fraction(1001, 50)
    )
    assert (plan.frames, plan.first_frame, plan.duration_s) == (600, 600, Fraction(1001, 100))
    assert plan.notes[-1] == "only from 0:10 to 0:20 of 1:40.1: 600 frames"


def test_a_frame_that_is_shown_at_that_very_time_is_the_first_and_not_the_last() -> None:
    excerpt = planned(TAPE, "10.01", "20.02").excerpt
    assert excerpt is not None
    assert (excerpt.first_frame, excerpt.stop_frame) == (600, 1200)


def test_segments_tile_the_part_with_the_numbers_of_the_whole() -> None:
    plan = planned(TAPE, 10, 95, derive(VHS, {"segment_s": 20}))
    assert (plan.segments[0].start_frame, plan.segments[-1].stop_frame) == (600, 600 + plan.frames)
    assert all(a.stop_frame == b.start_frame for a, b in pairwise(plan.segments))
    assert len(plan.segments) == 4
    assert [segment.index for segment in plan.segments] == [0, 1, 2, 3]


def test_film_begins_with_its_own_first_frame() -> None:
    film = make.info(replace(TAPE.video, telecine=Telecine.HARD))
    plan = planned(film, 10, 20)
    assert plan.excerpt is not None
    assert plan.recipe.decimates
    assert (plan.excerpt.first_frame, plan.excerpt.stop_frame) == (240, 480)
    assert plan.excerpt.from_s == 240 / plan.rate >= 10


def test_only_an_end_leaves_the_beginning_alone_and_the_other_way_round() -> None:
    assert planned(TAPE, None, 20).excerpt == Excerpt(
        first_frame=0, stop_frame=1200, from_s=Fraction(0), to_s=Fraction(1001, 50)
    )
    assert planned(TAPE, 10, None).excerpt == Excerpt(
        first_frame=600, stop_frame=6000, from_s=Fraction(1001, 100)
    )


def test_an_end_after_the_end_is_told() -> None:
    plan = planned(TAPE, 10, 200)
    assert (plan.excerpt.stop_frame, plan.excerpt.to_s) == (6000, None) if plan.excerpt else False
    assert "restored to its end at 1:40.1, which comes before 3:20" in plan.essential_notes


def test_a_part_between_two_frames_has_none() -> None:
    with pytest.raises(
        InputError, match=r"no frame begins from 0:10.011 to 0:10.02 \(the video is 1:40.1 long"
    ):
        planned(TAPE, "10.011", "10.02")


def test_frames_with_their_own_times_are_chosen_by_them() -> None:
    preset = derive(VHS, {"vfr": "keep", "deinterlace": {"method": "none"}})
    video = replace(
        TAPE.video, frames=300, constant_rate=False, repeated_frames=200, field_order=FieldOrder.PROGRESSIVE
    )
    times_s = [Fraction(number, 10) + (5 if number >= 50 else 0) for number in range(100)]
    info = make.info(video)
    trimmed = replace(info, trim=trim_of("2.05", "7"))
    plan = make_plan(make.job(), trimmed, preset, resolve(video, preset), TOOLS, times_s=times_s)
    assert plan.excerpt == Excerpt(first_frame=21, stop_frame=50, from_s=Fraction(21, 10), to_s=Fraction(7))
    assert plan.shown_s == Fraction(49, 10)
    assert plan.segments[0].from_s == Fraction(205, 100)


def test_only_a_part_is_in_the_fingerprint() -> None:
    prints = {
        planned(TAPE, begin, end).fingerprint for begin, end in ((None, None), (10, 20), (10, 21), (11, 20))
    }
    assert len(prints) == 4
    # Times between the same frames make the same result.
    assert planned(TAPE, 10, 20).fingerprint == planned(TAPE, "10.005", "20.01").fingerprint
    assert planned(TAPE, 0, None).fingerprint == planned(TAPE, None, None).fingerprint


def test_a_source_without_places_to_seek_to_is_read_from_its_beginning() -> None:
    plan = planned(replace(TAPE, exact_seek=False), 10, 20)
    assert len(plan.segments) == 1
    assert read_from_s(plan, plan.segments[0]) is None
    plan = planned(TAPE, 10, 20)
    assert read_from_s(plan, plan.segments[0]) == TAPE.video.start_s + Fraction(1001, 100) - 3


def test_sound_is_cut_at_its_samples_and_stays_as_good_as_it_was() -> None:
    sounds = tuple(
        make.sound(index=number, codec=codec, start_s=start_s, end_s=Fraction(100))
        for number, (codec, start_s) in enumerate((("pcm_s16le", 0), ("ac3", 0), ("flac", 50)), start=1)
    )
    info = replace(TAPE, audio=sounds)
    plan = planned(info, 10, 20)
    pcm, ac3 = plan_audio(plan, MeasuredSound())
    assert (pcm.codec, ac3.codec) == ("pcm_s16le", "aac")
    first = round((plan.from_s) * 48_000)
    assert (
        f"aformat=sample_rates=48000,atrim=start_pts={first}:end_pts={2 * first},asetpts=PTS-{first}"
        in pcm.filters
    )
    assert pcm.filters.endswith(f"apad=whole_len={first},atrim=end_sample={first}")
    assert "audio track 3 left out, which has no sound in this excerpt" in plan.essential_notes
    assert [encode.codec for encode in plan_audio(planned(info, None, None), MeasuredSound())] == ["copy"] * 3


def test_damage_outside_of_a_part_does_not_count() -> None:
    damage = Damage(frames=300, of_frames=3000, places=((Fraction(0), Fraction(5)),))
    info = replace(TAPE, damage=damage)
    with pytest.raises(InputError, match="damaged"):
        expect_usable(info, 5)
    excerpt = replace(info, trim=Trim(from_s=Fraction(6)))
    expect_usable(excerpt, 5)
    assert damage_notes(excerpt) == ()
    with pytest.raises(InputError, match="damaged"):
        expect_usable(replace(info, trim=Trim(from_s=Fraction(4))), 5)
