"""The shape of results: bars, and samples that are not square, as a file says them."""

from fractions import Fraction
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

FFV1 = ("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le")
SMALL = ("-r", "120", "-p", "clean", "--engine", "ffmpeg", "--no-tui")


@pytest.mark.parametrize(
    ("options", "name", "size", "sar"),
    [
        (("--pad", "16:9"), "made.mp4", (214, 120), Fraction(1)),
        (("--keep-sar",), "made.mkv", (180, 120), Fraction(8, 9)),
        (("--keep-sar",), "made.mp4", (180, 120), Fraction(8, 9)),
    ],
)
async def test_the_file_has_the_shape_that_was_asked_for(
    options: tuple[str, ...], name: str, size: tuple[int, int], sar: Fraction, tmp_path: Path
) -> None:
    tape = make_clip(tmp_path / "tape.mkv", *FFV1, scan="progressive", seconds=0.3)
    done = program.run("upscale", tape, "-o", name, *options, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    video = (await probe(tmp_path / name, ffmpeg=FFMPEG)).video
    assert ((video.width, video.height), video.sar or 1) == (size, sar)
