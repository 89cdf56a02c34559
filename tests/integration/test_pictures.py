"""Numbered pictures become a video by the command that is named, and that is restored."""

import shlex
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg
from vhsbatch.batch.pictures import numbered_pictures
from vhsbatch.probe.probe import probe


@pytest.mark.parametrize("extension", ["png", "tif", "jpg", "dpx"])
async def test_the_named_command_makes_a_video_that_can_be_restored(extension: str, tmp_path: Path) -> None:
    folder = tmp_path / "my frames"
    folder.mkdir()
    moving = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25", "-frames:v", "26")
    ffmpeg(*moving, "-start_number", "7", folder / f"frame_%06d.{extension}")
    done = program.run("upscale", folder, "-o", tmp_path / "out", "-p", "clean", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{folder} holds 26 numbered pictures (frame_%06d.{extension} from 7 on), no video" in done.stderr
    found = numbered_pictures(folder, [file.name for file in folder.iterdir()])
    assert found is not None
    assert found.remedy in done.stderr
    _, *arguments = shlex.split(found.remedy.partition("a second: ")[2])
    ffmpeg(*arguments)
    shutil.rmtree(folder)
    info = await probe(tmp_path / "my frames.mov", ffmpeg=FFMPEG)
    assert (info.video.frames, info.video.rate, info.video.width) == (26, Fraction(25), 96)
    assert info.exact_seek
