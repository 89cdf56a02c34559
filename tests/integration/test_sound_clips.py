"""Audio whose faults are known."""

from fractions import Fraction
from pathlib import Path

import anyio
import pytest

import make
from clips import FFMPEG, ffmpeg
from vhsbatch.analysis.audio import AudioMeasurement, measure_audio
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

# Something like speech: a tone that comes and goes, three times a second.
VOICE = "0.2*sin(2*PI*440*t)*max(0,sin(2*PI*3*t))*(0.4+0.6*sin(2*PI*0.7*t)^2)"


async def heard(
    path: Path, left: str, right: str, *, seconds: float = 12, rate: int = 48000
) -> AudioMeasurement:
    clip = path / "sound.wav"
    source = f"aevalsrc='{left}|{right}':d={seconds}:s={rate}"
    ffmpeg("-f", "lavfi", "-i", source, "-c:a", "pcm_s16le", "-f", "nut", clip)
    track = make.sound(index=0, sample_rate_hz=rate, end_s=Fraction(seconds))
    sound = await measure_audio(clip, track, ffmpeg=FFMPEG, seekable=True)
    assert sound is not None
    return sound


def hum(hz: float, level: float) -> str:
    """The fundamental of a hum and its overtones."""
    return "+".join(f"{level / n}*sin(2*PI*{hz * n}*t)" for n in (1, 2, 3))


@pytest.mark.parametrize(("hz", "played"), [(50, 50), (60, 60), (60, 59.8)])
@pytest.mark.parametrize("rate", [48000, 32000])
async def test_hum_is_found_under_speech(hz: int, played: float, rate: int, tmp_path: Path) -> None:
    humming = f"{VOICE}+{hum(played, 0.004)}+0.0005*(random(0)-0.5)"
    sound = await heard(tmp_path, humming, humming, rate=rate)
    assert [channel.hum_hz for channel in sound.channels] == [hz, hz]
    assert sound.channels[0].hum_db == pytest.approx(-49.6, abs=2)  # 0.004 of full scale, and overtones


async def test_speech_alone_does_not_hum(tmp_path: Path) -> None:
    sound = await heard(tmp_path, f"{VOICE}+0.001*(random(0)-0.5)", f"{VOICE}+0.001*(random(1)-0.5)")
    assert [channel.hum_hz for channel in sound.channels] == [0, 0]
    assert sound.is_twice_the_same
    assert sound.dead_channel is None


@pytest.mark.parametrize("level", [0.001, 0.01])
async def test_hiss_is_measured_between_the_words(level: float, tmp_path: Path) -> None:
    sound = await heard(tmp_path, f"{VOICE}+{level}*(random(0)-0.5)*2", "0")
    # White noise of a third of its peak's power, of which 8 of 24 kHz are counted.
    expected_db = {0.001: -69.5, 0.01: -49.5}[level]
    assert sound.channels[0].hiss_db == pytest.approx(expected_db, abs=1.5)


@pytest.mark.parametrize(("left", "right", "dead"), [(VOICE, "0", 1), ("0.0001*random(0)", VOICE, 0)])
async def test_a_dead_channel_is_named(left: str, right: str, dead: int, tmp_path: Path) -> None:
    sound = await heard(tmp_path, left, right)
    assert sound.dead_channel == dead
    assert not sound.is_inverted


async def test_channels_that_cancel_each_other_are_found(tmp_path: Path) -> None:
    sound = await heard(tmp_path, f"{VOICE}+0.002*random(0)", f"0-({VOICE})+0.002*random(1)")
    assert sound.is_inverted


async def test_silence_is_silence(tmp_path: Path) -> None:
    sound = await heard(tmp_path, "0", "0")
    assert sound.is_silent
    assert sound.dead_channel is None


async def test_clipped_samples_are_counted(tmp_path: Path) -> None:
    sound = await heard(tmp_path, "1.5*sin(2*PI*300*t)", VOICE)
    assert sound.channels[0].clipped_samples > 10_000
    assert sound.channels[1].clipped_samples == 0
    assert sound.channels[0].peak_db == pytest.approx(0, abs=0.1)


async def test_a_long_tape_is_heard_in_places(tmp_path: Path) -> None:
    sound = await heard(tmp_path, f"if(lt(t,30),0,{VOICE})", VOICE, seconds=60)
    assert sound.measured_s == pytest.approx(42, abs=0.2)


async def test_sound_that_changes_its_rate_and_its_channels_is_measured(tmp_path: Path) -> None:
    content = b""
    for number, (rate, channels) in enumerate(((48000, 2), (44100, 1))):
        part, shown = tmp_path / f"{number}.ts", ("-f", "lavfi", "-i", "color=s=64x48:r=25:d=25")
        tone = ("-f", "lavfi", "-i", f"sine=440:r={rate}:d=25", "-ac", str(channels))
        codecs = ("-c:v", "mpeg2video", "-c:a", "mp2", "-output_ts_offset", str(number * 25), "-f", "mpegts")
        ffmpeg(*shown, *tone, *codecs, part)
        content += part.read_bytes()
    clip = tmp_path / "changes.ts"
    clip.write_bytes(content)
    info = await probe(clip, ffmpeg=FFMPEG)
    (track,) = info.audio
    assert track.changes_at_s is not None
    with anyio.fail_after(300):  # FFmpeg used to hang where it was heard in several places at a time
        sound = await measure_audio(clip, track, ffmpeg=FFMPEG, seekable=True)
    assert sound is not None
    assert sound.measured_s > 40
    assert all(-26 < channel.level_db < -22 for channel in sound.channels if channel.level_db is not None)
