"""Sound of every kind that FFmpeg writes: all of it is kept, and in sync."""

from pathlib import Path
from typing import Any

import pytest

from clips import FFMPEG
from studio import BEEPS_S, Studio, beeps_s, make_sounds, picture_starts_s
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

# An audio table that copies what it can, one that filters everything, one that keeps every sample.
AUDIO: dict[str, dict[str, Any]] = {
    "clean": {},
    "filtered": {"highpass_hz": 60, "hum_hz": 50, "denoise_db": 12, "loudness_lufs": -20.0},
    "lossless": {"lossless": True},
}

# By container, FFmpeg's options for each track; the picture's codec follows from the container.
KINDS = {
    # Captures.
    "avi": (
        *("-c pcm_s16le", "-c pcm_u8 -ar 11025 -ac 1", "-c pcm_s24le -ac 4", "-c adpcm_ms -ar 22050"),
        *("-c adpcm_ima_wav -ar 44100", "-c pcm_mulaw -ar 8000 -ac 1", "-c mp2", "-c ac3"),
        *("-c libmp3lame -q 4 -ar 44100", "-c libmp3lame -b 64k -ar 16000 -ac 1"),
    ),
    "dv": ("-c pcm_s16le",),
    # Decoders of RF captures, at the rates of their converters, and what is made of captures.
    "rates.mkv": (
        *(f"-c flac -ar {rate}" for rate in (37_800, 40_000, 78_125, 176_400, 192_000, 384_000)),
        *("-c pcm_s16le -ar 50000", "-c pcm_s24le -ar 65537", "-c pcm_f32le -ac 3", "-c pcm_s16le -ac 10"),
    ),
    "mkv": (
        *("-c alac", "-c libvorbis", "-c libopus -ac 6 -mapping_family 1", "-c truehd", "-c dca"),
        *("-c wavpack", "-c adpcm_swf -ar 22050", "-c wmav2"),
    ),
    # Discs and broadcasts.
    "mpg": ("-c mp2 -ar 44100",),
    "vob": ("-c ac3 -ac 6", "-c pcm_dvd"),
    "ts": ("-c mp2 -ar 32000", "-c aac", "-c eac3 -ac 6", "-c s302m"),
    "m2ts": ("-c pcm_bluray",),
    "mxf": ("-c pcm_s24le", "-c pcm_s16le -ac 1"),
    "gxf": ("-c pcm_s16le -ac 1",),
    "wtv": ("-c mp2",),
    # Cameras and telephones.
    "mov": (
        *(f"-c {codec}" for codec in ("pcm_s16be", "pcm_s24le", "pcm_f32be", "pcm_alaw", "adpcm_ima_qt")),
        *("-c pcm_s8 -ar 8000 -ac 1", "-c pcm_s16le -ar 96000 -ac 10"),
    ),
    "mp4": (
        *("-c aac -ar 7350", "-c aac -ar 96000", "-c aac -ac 8", "-c libmp3lame", "-c pcm_s16be"),
        "-c libopus -ac 1",
    ),
    "3gp": ("-c libopencore_amrnb -ar 8000 -ac 1 -b 12.2k",),
    # Computers and the network.
    "wmv": ("-c wmav2", "-c wmav1 -ar 22050 -ac 1", "-c libmp3lame -ar 24000"),
    "flv": ("-c nellymoser -ar 22050 -ac 1",),
    "f4v": ("-c libmp3lame -ar 44100", "-c aac"),
    "ogv": ("-c libvorbis -ar 44100", "-c flac"),
    "webm": ("-c libopus -b 32k",),
    "nut": ("-c pcm_s16be", "-c libvorbis"),
    "rm": ("-c ac3",),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.mark.parametrize("container", KINDS)
async def test_sound_of_every_kind(container: str, studio: Studio, tmp_path: Path) -> None:
    source = make_sounds(tmp_path / f"{container}.{container}", *KINDS[container])
    info = await probe(source, ffmpeg=FFMPEG)
    assert len(info.audio) == len(KINDS[container])
    expected = [beeps_s(source, track.index, float(info.video.start_s)) for track in info.audio]
    for beeps in expected:
        assert beeps == pytest.approx(BEEPS_S, abs=0.12)  # encoders delay what they do not tell of
    lossless = ("lossless", "mov" if container == "mov" else "mkv")
    for audio, into in (("clean", "mp4"), ("filtered", "mkv"), lossless):
        made, published = await studio.restore(info, AUDIO[audio], into)
        assert not [note for note in published.notes if "damaged" in note or "another" in note]
        stream, start_s = 0, picture_starts_s(made)
        for track, beeps in zip(info.audio, expected, strict=True):
            stream += 1
            assert beeps_s(made, stream, start_s) == pytest.approx(beeps, abs=0.02), (audio, into, track)
            if track.channels > 8 and (audio, into) not in (("lossless", "mov"), ("lossless", "mkv")):
                stream += track.channels // 2 - 1
