"""The sound of results: in sync from the beginning to the end, whatever is done to it."""

import json
import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

import program
from clips import FFMPEG, footage, make_clip
from flashes import beeps_s, flashes_s, make_flashes

pytestmark = pytest.mark.sampled

FFV1 = ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")
AT_S = (1.0, 20.0, 38.6)
SMALL = ("-r", "120", "--engine", "ffmpeg", "--no-tui")

UNTOUCHED = "{ highpass_hz = 0 }"
EVERYTHING = "{ highpass_hz = 60, hum_hz = 50, denoise_db = 12, declick = true, loudness_lufs = -20.0 }"
VOICE = "{ mode = 'voice' }"
LOSSLESS_MONO = "{ lossless = true, channels = 'left', offset_ms = 240 }"


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tapes")
    make_flashes(folder / "long.mkv", *FFV1, at_s=AT_S, seconds=40)
    make_flashes(folder / "late.mkv", *FFV1, at_s=(2.0, 5.0), seconds=6, sound="atrim=start=0.5")
    gap = "aselect='not(between(t,2,2.7))'"
    make_flashes(folder / "gap.mkv", *FFV1, at_s=(1.0, 5.0), seconds=6, sound=gap)
    make_flashes(folder / "silent.mkv", *FFV1, at_s=(0.4,), seconds=1, sound="volume=0")
    make_clip(folder / "quiet.mkv", *FFV1, "-af", "volume=0.05", scan="progressive", size="96x64")
    return folder


Restore = Callable[[str], Path]


@pytest.fixture(scope="module")
def restored(tapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Restore:
    """The tapes with the sound of a preset whose `audio` table is given; each is made once."""
    made: dict[str, Path] = {}

    def restore(audio: str) -> Path:
        if audio not in made:
            folder = made[audio] = tmp_path_factory.mktemp("made")
            done = program.run("batch", tapes, folder, "-p", "own", *SMALL, *own(folder, audio), cwd=folder)
            assert done.returncode == 0, done.stdout + done.stderr
        return made[audio]

    return restore


def own(folder: Path, audio: str) -> tuple[str, str]:
    """Options for a preset called `own` that leaves the picture as it is."""
    config, presets = folder / "own-config.toml", folder / "own.toml"
    config.write_text(f"presets = ['{presets}']\n")
    presets.write_text(
        f"[own]\ncontainer = 'mkv'\naudio = {audio}\n"
        "denoise = { method = 'none' }\nsharpen = { amount = 0.0 }\n"
    )
    return "--config", str(config)


@pytest.mark.parametrize("audio", [UNTOUCHED, EVERYTHING, VOICE])
@pytest.mark.parametrize(("name", "at_s"), [("long", AT_S), ("late", (2.0, 5.0)), ("gap", (1.0, 5.0))])
def test_flash_and_beep_come_together(
    name: str, at_s: tuple[float, ...], audio: str, restored: Restore
) -> None:
    made = restored(audio) / f"{name}_120p.mkv"
    assert flashes_s(made, Fraction(25)) == pytest.approx(at_s, abs=0.001)
    assert beeps_s(made) == pytest.approx(at_s, abs=0.02)


def test_loudness_is_what_was_asked_for_and_silence_stays_silent(restored: Restore) -> None:
    folder = restored(EVERYTHING)
    assert loudness_lufs(folder / "quiet_120p.mkv") == pytest.approx(-20, abs=0.5)
    assert beeps_s(folder / "silent_120p.mkv") == []


def loudness_lufs(path: Path) -> float:
    command: list[str | Path] = [
        FFMPEG,
        "-hide_banner",
        "-i",
        path,
        "-map",
        "0:a",
        "-af",
        "ebur128",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"I: +(-?[\d.]+) LUFS", said)[-1])


def test_the_modes_take_hiss_away_and_a_video_may_have_its_own(tmp_path: Path) -> None:
    """A tone of 1 kHz, which begins after 2 s of hiss alone, keeps its level."""
    (tmp_path / "in").mkdir()
    amplitudes = {"run": 0.0017, "own": 0.0017, "loud": 0.02, "clean": 0.0002}
    for name, amplitude in amplitudes.items():
        sound = (
            f"anoisesrc=r=48000:a={amplitude}:d=4:seed=1[hiss];"
            "sine=1000:r=48000:d=4,volume='gte(t,2)':eval=frame[tone];"
            "[hiss][tone]amix=normalize=0:duration=shortest"
        )
        subprocess.run(
            [
                *(FFMPEG, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=4"),
                *("-f", "lavfi", "-i", sound, *FFV1, tmp_path / "in" / f"{name}.mkv"),
            ],
            check=True,
        )
    (tmp_path / "in" / "own.mkv.toml").write_text('audio.mode = "light"\n')
    preset = own(tmp_path, "{ lossless = true }")
    done = program.run(
        "batch", "in", "out", "-p", "own", "--audio", "aggressive", *SMALL, *preset, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "audio mode aggressive: rumble below 80 Hz removed, hiss reduced by up to 20 dB" in done.stderr
    assert "audio mode light: rumble below 40 Hz removed, hiss reduced by up to 6 dB" in done.stderr
    expected = {
        "run": ("aggressive", "hiss of -61 dB reduced by up to 20 dB", 8, 20),
        "own": ("light", "hiss of -61 dB reduced by up to 6 dB", 3, 7),
        "loud": ("aggressive", "hiss of -39 dB reduced by up to 20 dB", 8, 20),
        "clean": ("aggressive", "no hiss is heard, so none is reduced", -1, 2),
    }
    for name, (mode, said, least_db, most_db) in expected.items():
        source, made = tmp_path / "in" / f"{name}.mkv", tmp_path / "out" / f"{name}_120p.mkv"
        record = json.loads(made.with_name(f"{made.name}.json").read_text())
        assert record["preset"]["audio"]["mode"] == mode
        assert any(f"audio track 1: {said}" in note for note in record["notes"]), record["notes"]
        gone_db = level_db(source, 1, 1.9) - level_db(made, 1, 1.9)
        assert least_db < gone_db < most_db
        assert abs(level_db(source, 3, 3.9) - level_db(made, 3, 3.9)) < 0.2


def level_db(path: Path, from_s: float, to_s: float) -> float:
    """The level of the sound of an excerpt."""
    done = subprocess.run(
        [FFMPEG, "-i", path, "-af", f"atrim={from_s}:{to_s},volumedetect", "-vn", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    (level,) = re.findall(r"mean_volume: (-?[\d.]+) dB", done.stderr)
    return float(level)


def test_sound_is_moved_and_made_mono_as_the_preset_says(tapes: Path, tmp_path: Path) -> None:
    options = own(tmp_path, LOSSLESS_MONO)
    made = tmp_path / "made.mkv"
    done = program.run("upscale", tapes / "gap.mkv", "-o", made, "-p", "own", *SMALL, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert beeps_s(made) == pytest.approx((1.24, 5.24), abs=0.02)


def test_sound_that_drifts_is_told_and_mended(tmp_path: Path) -> None:
    # A deck that ran 0.4 % fast: what should come at 60 s is heard at 59.76 s.
    fast = "asetrate=48192,aresample=48000"
    at_s = (1.0, 30.0, 60.0)
    make_flashes(tmp_path / "fast.mkv", *FFV1, at_s=at_s, seconds=62, rate="5", sound=fast)
    options = own(tmp_path, UNTOUCHED)
    told = program.run("batch", ".", "out", *SMALL, "--dry-run", cwd=tmp_path).stdout
    assert "audio track 1 ends 0.25 s before the picture: if it is out of sync by then, --fix-drift" in told
    done = program.run("batch", ".", "out", "-p", "own", "--fix-drift", *options, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    made = tmp_path / "out" / "fast_120p.mkv"
    assert flashes_s(made, Fraction(5)) == pytest.approx(at_s, abs=0.001)
    assert beeps_s(made) == pytest.approx(at_s, abs=0.02)


def test_a_phone_whose_sound_has_a_gap_and_a_damaged_broadcast(tmp_path: Path) -> None:
    # How many of the broadcast's first frames decode depends on how many are decoded at a time; the
    # last frame of its sound is half there.
    (tmp_path / "in").mkdir()
    for name in ("phone_vfr_home_indoor.mp4", "dvb_1080i50_h264.ts"):
        (tmp_path / "in" / name).symlink_to(footage(name))
    done = program.run("batch", "in", "out", "-p", "webcam", *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    copied = program.run(
        "upscale", "in/dvb_1080i50_h264.ts", "-o", "c.mkv", "-p", "clean", *SMALL, cwd=tmp_path
    )
    assert copied.returncode == 0, copied.stdout
