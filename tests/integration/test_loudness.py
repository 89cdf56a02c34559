"""Sound that is brought to a loudness: very loud, silent and very short tracks too, in every encoder."""

import dataclasses
import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

import make
from clips import FFMPEG, ffmpeg
from studio import PICTURE, Studio, make_sounds
from vhsbatch.ffmpeg.audio import MeasuredSound, plan_audio
from vhsbatch.model.trim import Excerpt
from vhsbatch.probe.probe import probe

pytestmark = [pytest.mark.anyio, pytest.mark.sampled]

WANTED_LUFS = -18.0


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


def tone(loud: float, *, clicks: float = 0, seconds: float = 4) -> str:
    """A tone on both channels, and a click now and then."""
    wave = f"{loud}*sin(2*PI*1000*t)+{clicks}*lt(mod(t,0.5),0.0005)"
    return f"aevalsrc='{wave}|{wave}':d={seconds}:s=48000"


def loudness(path: Path) -> tuple[float, float]:
    """The loudness in LUFS and the true peak in dBTP."""
    command = [FFMPEG, "-hide_banner", "-nostats", "-i", str(path), "-map", "0:a", "-af", "ebur128=peak=true"]
    said = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    found = re.search(r"I: +(\S+) LUFS.*Peak: +(\S+) dBFS", summary, re.DOTALL)
    assert found is not None, summary
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize(
    ("codec", "loud", "clicks", "tolerance_db"),
    [
        ("pcm_s16le", 1000, 0, 0.3),  # clipped: nearly a square wave
        ("pcm_f32le", 1, 0, 0.3),
        ("pcm_f32le", 8, 0, 0.3),
        ("pcm_f32le", 30, 0, 0.3),
        # The limiter takes the clicks; a gain alone would leave the tone at -30 LUFS.
        ("pcm_f32le", 8, 200, 4),
        # The numbers of 16 bits written as floats: the filter measures no more than 30 LUFS.
        ("pcm_f32le", 32768, 0, 1.5),
    ],
)
async def test_a_track_above_full_scale_is_as_loud_as_wanted(
    codec: str,
    loud: float,
    clicks: float,
    tolerance_db: float,
    lossless: bool,
    studio: Studio,
    tmp_path: Path,
) -> None:
    sound = tone(loud, clicks=clicks)
    source = make_sounds(tmp_path / "loud.mkv", f"-c {codec}", sound=sound)
    audio = {"lossless": lossless, "loudness_lufs": WANTED_LUFS}
    made, _ = await studio.restore(await probe(source, ffmpeg=FFMPEG), audio, "mkv")
    integrated, peak = loudness(made)
    assert integrated == pytest.approx(WANTED_LUFS, abs=tolerance_db)
    assert peak <= -1


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("sound", ["anullsrc=r=48000:d=4", tone(1e-6)])
async def test_a_silent_track_stays_silent(
    sound: str, lossless: bool, studio: Studio, tmp_path: Path
) -> None:
    source = make_sounds(tmp_path / "silent.mkv", "-c pcm_f32le", sound=sound)
    audio = {"lossless": lossless, "loudness_lufs": WANTED_LUFS}
    made, _ = await studio.restore(await probe(source, ffmpeg=FFMPEG), audio, "mkv")
    assert loudness(made)[1] < -60


@pytest.mark.parametrize(
    ("container", "codec", "audio"),
    [
        ("mkv", "pcm_s16le", {"lossless": True}),
        ("mkv", "pcm_s16le", {}),
        ("mov", "pcm_s16le", {"lossless": True}),
        ("mov", "pcm_s24le", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("seconds", [0.3, 1.5])
async def test_a_short_track_is_levelled_in_every_encoder(
    container: str, codec: str, audio: dict[str, Any], seconds: float, studio: Studio, tmp_path: Path
) -> None:
    source = make_sounds(tmp_path / "short.mkv", f"-c {codec}", sound=tone(0.1, seconds=seconds))
    info = await probe(source, ffmpeg=FFMPEG)
    made, _ = await studio.restore(info, {**audio, "loudness_lufs": WANTED_LUFS}, container)
    track = (await probe(made, ffmpeg=FFMPEG)).audio[0]
    assert float(track.end_s - track.start_s) == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize(("first", "all_samples"), [(1, 90_000), (15, 90_000), (500, 5), (15, 15)])
async def test_flac_takes_a_part_that_begins_anywhere_in_a_frame(
    first: int, all_samples: int, tmp_path: Path
) -> None:
    source = tmp_path / "whole.mkv"
    sound = ("-ac", "2", "-c:a", "flac", "-af", "asetnsamples=1000")
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", "sine=d=2:r=48000", *sound, source)
    info = await probe(source, ffmpeg=FFMPEG)
    from_s = Fraction(1000 - first, 48_000)
    part = Excerpt(first_frame=0, stop_frame=1, from_s=from_s, to_s=from_s + Fraction(all_samples, 48_000))
    (encode,) = plan_audio(
        dataclasses.replace(make.plan(info=info, container="mkv"), excerpt=part), MeasuredSound()
    )
    assert encode.codec == "flac"
    ffmpeg("-copyts", "-i", source, "-map", "0:a", *encode.arguments(0), tmp_path / "part.mkv")
    with av.open(str(tmp_path / "part.mkv")) as made:
        lengths = [frame.samples for frame in made.decode(audio=0)]
    assert sum(lengths) == max(all_samples, 16)
    assert set(lengths[:-1]) <= {4096}
