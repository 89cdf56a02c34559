"""Which filters a track gets."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

import make
from vhsbatch.config.presets import Preset, override
from vhsbatch.ffmpeg.audio import AudioEncode, Loudness, MeasuredSound, audio_notes, drift, plan_audio
from vhsbatch.ffmpeg.loudness import parse_loudness
from vhsbatch.model.media import AudioTrack
from vhsbatch.model.plan import JobPlan

# What FFmpeg 9 prints with -loglevel info.
PRINTED = """[Parsed_loudnorm_1 @ 0x55d0c8]
{
\t"input_i" : "-33.51",
\t"input_tp" : "-12.04",
\t"input_lra" : "1.40",
\t"input_thresh" : "-43.91",
\t"output_i" : "-18.20",
\t"output_tp" : "-2.00",
\t"output_lra" : "0.00",
\t"output_thresh" : "-28.20",
\t"normalization_type" : "dynamic",
\t"target_offset" : "0.20"
}
[out#0/null @ 0x563c] video:0KiB audio:1500KiB subtitle:0KiB"""
MEASURED = Loudness(integrated=-33.51, range=1.4, true_peak=-12.04, threshold=-43.91)


def encodes(
    audio: dict[str, Any],
    sound: dict[str, Any] | None = None,
    loudness: Loudness | None = None,
    hiss_db: float | None = None,
) -> AudioEncode:
    track = make.sound(**(sound or {}))
    measured = MeasuredSound(
        loudness={} if loudness is None else {track.index: loudness},
        hiss_db={} if hiss_db is None else {track.index: hiss_db},
    )
    (encode,) = plan_audio(_plan(audio, track, "mov"), measured)
    return encode


def _plan(audio: dict[str, Any], track: AudioTrack, container: str) -> JobPlan:
    return make.plan(
        info=make.info(make.track(frames=300), audio=(track,)),
        preset=Preset.model_validate({"name": "own", "audio": audio}),
        container=container,
    )


def test_a_track_that_is_left_alone_is_copied() -> None:
    assert encodes({}).codec == "copy"
    assert encodes({"channels": "left"}, {"channels": 1}).codec == "copy"
    assert encodes({"fix_drift": True}, {"end_s": Fraction(1001, 100)}).codec == "copy"


def test_a_mode_says_what_it_does_to_the_sound_that_there_is() -> None:
    info = make.info(make.track(frames=300), audio=(make.sound(),))
    preset = override(Preset(name="own"), {"audio.mode": "voice", "audio.hum_hz": 50})
    (note,) = audio_notes(info, preset, "mp4")
    assert note == (
        "audio mode voice: rumble below 80 Hz removed, hum of 50 Hz removed, hiss reduced by up to 15 dB, "
        "loudness -18 LUFS"
    )
    assert list(audio_notes(make.info(make.track(frames=300), audio=()), preset, "mp4")) == []


def test_what_a_container_cannot_hold_is_encoded_with_its_gaps_filled_and_no_more() -> None:
    encode = encodes({}, {"codec": "wmav2"})
    assert encode.codec == "aac"
    assert encode.filters == "aresample=async=1:min_hard_comp=0.02"


def test_the_delay_of_the_denoiser_is_taken_back_and_the_length_stays() -> None:
    chain = encodes({"denoise_db": 12}, {"sample_rate_hz": 44_100}, hiss_db=-46.3).filters.split(",")
    assert chain[1:] == [
        "apad=pad_len=1102",
        "afftdn=nr=12:nf=-46",
        "atrim=start_sample=1102",
        "asetpts=PTS-1102/SR/TB",
        "apad=whole_len=441000",
        "atrim=end_sample=441000",
    ]


def test_what_was_not_heard_is_not_reduced() -> None:
    assert "afftdn" not in encodes({"denoise_db": 12}).filters


@pytest.mark.parametrize(("hiss_db", "floor_db"), [(-3.0, -20), (-20.4, -20), (-61.2, -61), (-99.0, -80)])
def test_the_filter_gets_levels_that_it_takes(hiss_db: float, floor_db: int) -> None:
    assert f"afftdn=nr=12:nf={floor_db}," in encodes({"denoise_db": 12}, hiss_db=hiss_db).filters


def test_loudness_takes_two_passes() -> None:
    assert parse_loudness(PRINTED.splitlines()) == MEASURED
    filters = encodes({"loudness_lufs": -18.0}, loudness=MEASURED).filters
    assert "measured_I=-33.51:measured_LRA=1.40:measured_TP=-12.04:measured_thresh=-43.91" in filters
    assert "loudnorm" not in encodes({"loudness_lufs": -18.0}).filters


@pytest.mark.parametrize("integrated", [0, 0.75, 29.95])
def test_loudnorm_gets_figures_that_it_takes(integrated: float) -> None:
    loudness = Loudness(
        integrated=integrated, range=120, true_peak=integrated + 110, threshold=integrated - 10
    )
    chain = encodes({"loudness_lufs": -18.0}, loudness=loudness).filters.split(",")
    assert chain[1] == f"volume={-10 - integrated:.2f}dB"
    assert chain[2].endswith("measured_I=-10.00:measured_LRA=99.00:measured_TP=99.00:measured_thresh=-20.00")


def test_a_steady_sound_has_a_range_that_loudnorm_takes_for_measured() -> None:
    steady = dataclasses.replace(MEASURED, range=0)
    assert "measured_LRA=0.01" in encodes({"loudness_lufs": -18.0}, loudness=steady).filters


def test_flac_gets_frames_of_its_usual_length() -> None:
    (encode,) = plan_audio(_plan({"lossless": True, "highpass_hz": 60}, make.sound(), "mkv"), MeasuredSound())
    assert (encode.codec, encode.filters.split(",")[-1]) == ("flac", "asetnsamples=n=4096:p=0")


def test_one_channel_becomes_a_mono_track_of_half_the_bits() -> None:
    encode = encodes({"channels": "right"})
    assert "pan=mono|c0=c1" in encode.filters
    assert encode.options == (("b", "96k"),)


@pytest.mark.parametrize(
    ("start_s", "end_s", "ratio"),
    [
        ("0", "10.01", None),
        ("0", "10.05", Fraction(2002, 2010)),
        ("0.5", "9.97", Fraction(10_010 - 500, 9_970 - 500)),
        ("0", "9", None),
        ("0", "0", None),
    ],
)
def test_drift_is_a_small_difference_in_length(start_s: str, end_s: str, ratio: Fraction | None) -> None:
    sound = make.sound(start_s=Fraction(start_s), end_s=Fraction(end_s))
    assert drift(sound, make.track(frames=300)) == ratio


@pytest.mark.parametrize(
    ("rate_hz", "encoded_hz"),
    [(8000, 8000), (8001, 11025), (37_800, 44_100), (50_000, 48_000), (176_400, 44_100), (384_000, 48_000)],
)
def test_filters_count_samples_of_the_rate_that_is_encoded(rate_hz: int, encoded_hz: int) -> None:
    chain = encodes({"highpass_hz": 60}, {"sample_rate_hz": rate_hz}).filters.split(",")
    resampled = "" if rate_hz == encoded_hz else f"{encoded_hz}:"
    assert chain[0] == f"aresample={resampled}async=1:min_hard_comp=0.02"
    assert chain[-1] == f"atrim=end_sample={10 * encoded_hz}"


@pytest.mark.parametrize(
    ("sound", "note"),
    [
        ({"undecoded_packets": 3}, "packets that do not decode: 3; encoded instead of copied"),
        ({"undecoded_packets": 1, "undecoded_at_s": Fraction(7, 2)}, "decode: 1, the first at 3.5 s;"),
        ({"changes_at_s": Fraction(5)}, "at 5.0 s: made 48000 Hz with 2 channels throughout"),
        ({"codec": "flac", "sample_rate_hz": 192_000}, "aac cannot hold its 192000 Hz, but 48000 Hz"),
        ({"codec": "flac", "channels": 16}, "has 16 channels, more than aac holds: made 8 tracks"),
        ({}, None),
    ],
)
def test_a_track_that_cannot_stay_as_it_is_is_told_of(sound: dict[str, Any], note: str | None) -> None:
    info = make.info(make.track(frames=300), audio=(make.sound(**sound),))
    notes = list(audio_notes(info, Preset(name="own"), "mov"))
    if note is None:
        assert notes == []
        return
    (text,) = notes
    assert note in text
