"""Sources of variable frame rate that keep the times of their frames."""

from fractions import Fraction
from pathlib import Path

import anyio
import pytest

import program
from clips import FFMPEG
from counters import make_counted, numbers
from vhsbatch.probe.probe import frame_times, packet_times

pytestmark = pytest.mark.slow

# Of 30 frames a second some are lost, there is a pause, and every second one is late.
IRREGULAR = (
    "select='not(eq(mod(n,7),3))*not(between(n,60,80))',setpts='PTS+if(mod(N,2),0.007,0)/TB',settb=1/90000"
)
FRAMES = [n for n in range(150) if n % 7 != 3 and not 60 <= n <= 80]
H264 = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-c:v", "libx264", "-crf", "12", "-g", "30")
NEAREST_X2 = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"


def restored(
    folder: Path, name: str, *options: str, height: int, segment_s: int = 60, encoder: str = "auto"
) -> Path:
    """`phone.mp4` in `folder`, made in segments of `segment_s`."""
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(
        f"[own]\nvfr = 'keep'\nsegment_s = {segment_s}\ntarget_height = {height}\n"
        f"[own.video]\nencoder = '{encoder}'\n[own.denoise]\nmethod = 'none'\n"
    )
    done = program.run(
        "upscale", "phone.mp4", "-o", folder / name, "-p", "own", "--no-tui", *options, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / name


def times_of(path: Path) -> tuple[list[Fraction], list[Fraction]]:
    source = anyio.run(lambda: frame_times(path.with_name("phone.mp4"), Fraction(0), ffmpeg=FFMPEG))
    return source, anyio.run(packet_times, path)


def test_each_frame_comes_once_at_its_own_time_however_it_is_cut(tmp_path: Path) -> None:
    make_counted(tmp_path / "phone.mp4", *H264, rate="30", seconds=5, fields=IRREGULAR)
    how, height = ("--engine", "ffmpeg"), 480
    whole = restored(tmp_path, "whole.mp4", *how, height=height)
    assert numbers(whole) == FRAMES
    source, made = times_of(whole)
    assert made == source
    ffv1 = {
        segment_s: restored(
            tmp_path, f"{segment_s}.mkv", *how, height=height, segment_s=segment_s, encoder="ffv1"
        )
        for segment_s in (1, 60)
    }
    assert program.frame_digests(ffv1[1]) == program.frame_digests(ffv1[60])
    assert numbers(ffv1[1]) == FRAMES
    source, made = times_of(ffv1[1])
    assert max(abs(a - b) for a, b in zip(source, made, strict=True)) <= Fraction(1, 1000)


def test_through_the_network(tmp_path: Path) -> None:
    make_counted(tmp_path / "phone.mp4", *H264, rate="30", seconds=1, fields=IRREGULAR)
    (tmp_path / "nearest.param").write_text(NEAREST_X2)
    (tmp_path / "nearest.bin").touch()
    made = restored(tmp_path, "ai.mp4", "--model", "nearest.param", "--device", "cpu", height=720)
    assert numbers(made) == [n for n in FRAMES if n < 30]
    source, times = times_of(made)
    assert times == source
