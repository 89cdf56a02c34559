"""Dropouts are painted over where they are, and nothing else is touched, however the video is cut."""

import json
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import program
from clips import FFMPEG, ffmpeg, make_clip

WIDTH, LINES, FRAMES = 240, 96, 60
PICTURE = f"testsrc2=s={WIDTH}x{LINES}:r=50:d=2.4,gblur=1.5,noise=alls=6:allf=t:all_seed=1,format=yuv422p"
# FFmpeg's way to take fields out of frames of the double rate.
FIELDS = {scan: f"interlace=scan={scan}:lowpass=0,setfield={scan}" for scan in ("tff", "bff")}


def make_tape(folder: Path, scan: str, streaks: int) -> None:
    """`tape.mkv` in `folder`, with white and black streaks on single lines of fields."""
    bare, frame_bytes = folder / "bare.yuv", 2 * WIDTH * LINES
    ffmpeg("-f", "lavfi", "-i", PICTURE, "-vf", FIELDS[scan], "-f", "rawvideo", bare)
    frames = np.fromfile(bare, np.uint8).reshape(FRAMES, frame_bytes)
    luma = frames[:, : WIDTH * LINES].reshape(FRAMES, LINES, WIDTH)
    random = np.random.default_rng(7)
    for number in range(streaks):
        start, line = random.integers(WIDTH - 40), random.integers(LINES)
        luma[random.integers(FRAMES), line, start : start + 36] = (235, 16)[number % 2]
    frames.tofile(bare)
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv422p", "-video_size", f"{WIDTH}x{LINES}", "-framerate", "25")
    codec = ("-vf", f"setfield={scan}", "-c:v", "ffv1", "-g", "1")
    ffmpeg(*raw, "-i", bare, *codec, folder / "tape.mkv")


def restored(folder: Path, scan: str, *, dropouts: bool, segment_s: int = 60) -> Path:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(
        f"[own]\nsegment_s = {segment_s}\ntarget_height = 120\ndropouts = {str(dropouts).lower()}\n"
        "[own.video]\nencoder = 'ffv1'\n[own.denoise]\nmethod = 'none'\n[own.sharpen]\namount = 0\n"
    )
    made = folder / f"made-{dropouts}-{segment_s}.mkv"
    words = ("upscale", "tape.mkv", "-o", made, "-p", "own", "--engine", "ffmpeg", "--field-order", scan)
    done = program.run(*words, "--no-tui", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def luma(path: Path) -> NDArray[np.float64]:
    command = [FFMPEG, "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8) / 1.0


def test_streaks_go_and_nothing_else_does(tmp_path: Path) -> None:
    scan = "bff"
    clean, worn = tmp_path / "clean", tmp_path / "worn"
    for folder, streaks in ((clean, 0), (worn, 30)):
        folder.mkdir()
        make_tape(folder, scan, streaks)
    truth = restored(clean, scan, dropouts=False)
    assert program.frame_digests(restored(clean, scan, dropouts=True)) == program.frame_digests(truth)
    damage, left = (
        np.square(luma(restored(worn, scan, dropouts=dropouts)) - luma(truth)).sum()
        for dropouts in (False, True)
    )
    assert left < 0.2 * damage


def test_a_video_that_is_cut_comes_out_as_it_does_in_one(tmp_path: Path) -> None:
    make_tape(tmp_path, "tff", 100)
    whole, cut = (restored(tmp_path, "tff", dropouts=True, segment_s=length) for length in (60, 1))
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_a_tape_whose_colour_has_samples_of_another_shape(tmp_path: Path) -> None:
    dv = ("-pix_fmt", "yuv411p", "-f", "dv")
    make_clip(tmp_path / "tape.dv", *dv, scan="bff", seconds=0.4)
    words = ("upscale", "tape.dv", "-o", "made.mkv", "-r", "120", "--dropouts", "--engine", "ffmpeg")
    done = program.run(*words, "--no-tui", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dropouts are painted over" in json.loads((tmp_path / "made.mkv.json").read_text())["notes"]
