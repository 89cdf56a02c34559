"""Sound that is brought to a loudness: very loud, silent and very short tracks too, in every encoder."""

import re
import subprocess
from pathlib import Path

import pytest

from clips import FFMPEG
from studio import Studio, make_sounds
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

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
