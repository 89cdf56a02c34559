"""The QTGMC worker program with the real VapourSynth, on small frames."""

import subprocess
import sys
from pathlib import Path

import anyio
import numpy as np
import pytest

import vhsbatch.ffmpeg.qtgmc_worker
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.ffmpeg.qtgmc_worker import Format

pytestmark = pytest.mark.sampled

WORKER = str(Path(vhsbatch.ffmpeg.qtgmc_worker.__file__))
FRAMES = 8


@pytest.fixture(scope="module", autouse=True)
def _needs_vapoursynth() -> None:
    try:
        anyio.run(qtgmc_versions, None)
    except ToolError as error:
        pytest.skip(str(error))


def pictures(name: str, width: int, height: int, frames: int = FRAMES) -> bytes:
    """Slopes that move, with noise on them, as raw frames."""
    form, noise = Format(name), np.random.default_rng(1)
    content = b""
    for number in range(frames):
        for lines, columns in form.shapes(width, height):
            y, x = np.mgrid[0:lines, 0:columns]
            levels = 60 + (x + y + 3 * number) % 120 + noise.integers(-3, 4, (lines, columns))
            content += (levels << (form.bits - 8)).astype(form.samples).tobytes()
    return content


def deinterlace(
    name: str, width: int, height: int, *, frames: int = FRAMES, keep: int = 2 * FRAMES, threads: int = 2
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", WORKER, "--width", str(width), "--height", str(height), "--format", name]
    command += ["--frames", str(frames), "--keep", str(keep), "--order", "bff", "--rate", "field"]
    command += ["--bob", "qtgmc"]
    command += ["--threads", str(threads)]
    return subprocess.run(command, input=pictures(name, width, height), capture_output=True, check=False)


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [("yuv420p", 90, 68), ("yuvj420p", 64, 64), ("yuv422p10le", 98, 66), ("yuv444p16le", 64, 48)],
)
def test_every_frame_comes_out_whatever_its_samples(name: str, width: int, height: int) -> None:
    done = deinterlace(name, width, height)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) == 2 * len(pictures(name, width, height))
    form, (luma, *_) = Format(name), Format(name).shapes(width, height)
    size = len(done.stdout) // (2 * FRAMES)
    for number in range(2 * FRAMES):
        frame = np.frombuffer(done.stdout[number * size :], form.samples, luma[0] * luma[1])
        level = frame.mean() / 2 ** (form.bits - 8)
        assert 100 < level < 140


def test_the_number_of_threads_changes_nothing() -> None:
    one, three = (deinterlace("yuv420p", 96, 64, threads=threads) for threads in (1, 3))
    assert one.returncode == three.returncode == 0
    assert one.stdout == three.stdout


@pytest.mark.parametrize(
    ("frames", "keep", "words"),
    [
        (FRAMES + 1, 2 * FRAMES, "the input ended after 8 of 9 frames"),
        (FRAMES - 1, 2 * FRAMES - 2, "more than 7 frames came in"),
        (FRAMES, 2 * FRAMES + 1, "17 frames cannot be made of 8"),
    ],
)
def test_frames_are_counted(frames: int, keep: int, words: str) -> None:
    done = deinterlace("yuv420p", 96, 64, frames=frames, keep=keep)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == words


def work(content: bytes, frames: int, keep: int, *how: str) -> bytes:
    """What the worker makes of frames of 96x64."""
    command = [sys.executable, "-P", WORKER, "--width", "96", "--height", "64", "--format", "yuv420p"]
    command += ["--frames", str(frames), "--keep", str(keep), "--threads", "2", *how]
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("how", "of_each"),
    [
        (("--bob", "qtgmc", "--rate", "field", "--degrain", "400,1500,3"), 2),
        (("--bob", "bwdif", "--rate", "frame", "--degrain", "400,0,2"), 1),
        (("--degrain", "400,1500,3"), 1),
    ],
    ids=["qtgmc", "bwdif", "progressive"],
)
def test_degraining_from_a_later_frame_makes_the_same_frames(how: tuple[str, ...], of_each: int) -> None:
    frames, first, warm = 22, 6, 8
    content, size = pictures("yuv420p", 96, 64, frames), 96 * 64 * 3 // 2
    whole = work(content, frames, of_each * frames, *how)
    later = work(content[first * size :], frames - first, of_each * (frames - first), *how)
    assert len(whole) == of_each * len(content)
    seam = (first + warm) * of_each * size
    assert whole[seam:] == later[warm * of_each * size :]


def test_degraining_takes_noise_away_and_leaves_the_rest() -> None:
    noise = np.random.default_rng(2)
    clean = np.full((10, 96 * 64 * 3 // 2), 110.0)
    noisy = np.rint(clean + noise.normal(0, 4, clean.shape)).astype(np.uint8)
    made = np.frombuffer(work(noisy.tobytes(), 10, 10, "--degrain", "800,1500,3"), np.uint8).reshape(10, -1)
    assert made[5].std() < 0.6 * noisy[5].std()
    assert abs(float(made[5].mean()) - 110) < 0.5
