"""Noise and torn lines, measured in clips in which both are known."""

from fractions import Fraction
from pathlib import Path

import pytest

import make
from clips import FFMPEG, ffmpeg
from vhsbatch.analysis.picture import VideoMeasurement, measure_video

pytestmark = pytest.mark.anyio


async def measured(path: Path, *, width: int = 160, height: int = 240, frames: int = 60) -> VideoMeasurement:
    video = make.track(
        codec="ffv1", width=width, height=height, pixel_format="yuv422p", rate=Fraction(25), frames=frames
    )
    return await measure_video(path, video, ffmpeg=FFMPEG, seekable=True)


async def test_more_noise_measures_more_in_its_own_plane(tmp_path: Path) -> None:
    async def with_noise(name: str, options: str) -> VideoMeasurement:
        clip = tmp_path / name
        ffmpeg(
            *("-f", "lavfi", "-i", "smptebars=size=160x240:rate=25:duration=2.4"),
            *("-vf", f"format=yuv422p,noise={options}", "-c:v", "ffv1", "-g", "1", clip),
        )
        return await measured(clip)

    little = await with_noise("little.mkv", "c0s=4:c0f=t:c1s=12:c1f=t")
    much = await with_noise("much.mkv", "c0s=12:c0f=t:c1s=4:c1f=t")
    assert little.luma_noise is not None
    assert little.chroma_noise is not None
    assert much.luma_noise == pytest.approx(3 * little.luma_noise, rel=0.2)
    assert much.chroma_noise == pytest.approx(little.chroma_noise / 3, rel=0.2)
    assert little.places == 7


async def test_a_picture_without_noise_tells_of_none(tmp_path: Path) -> None:
    clip = tmp_path / "still.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "smptebars=size=160x240:rate=25:duration=2.4"),
        *("-pix_fmt", "yuv422p", "-c:v", "ffv1", "-g", "1", clip),
    )
    picture = await measured(clip)
    assert picture.luma_noise is None


async def test_displaced_lines_at_the_bottom_are_counted(tmp_path: Path) -> None:
    clip = tmp_path / "torn.mkv"
    torn = (
        "split[picture][bottom];[bottom]crop=iw:6:0:ih-6,scroll=hpos=0.3[torn];[picture][torn]overlay=0:H-6"
    )
    ffmpeg(
        *("-f", "lavfi", "-i", "smptebars=size=160x240:rate=25:duration=2.4"),
        *("-vf", f"crop=160:120:0:0,scale=160:240,noise=c0s=4:c0f=t,{torn}"),
        *("-pix_fmt", "yuv422p", "-c:v", "ffv1", "-g", "1", clip),
    )
    assert (await measured(clip)).torn_lines == 6


async def test_blanking_and_a_shift_of_colour_are_measured_on_a_tape(tmp_path: Path) -> None:
    clip = tmp_path / "edges.mkv"
    tape = "crop=700:480,pad=720:480:12:0,format=yuv422p,chromashift=cbh=3:crh=3:cbv=2:crv=2:edge=smear"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=720x480:rate=25:duration=2.4"),
        *("-vf", f"{tape},gblur=sigma=4:sigmaV=0.5:planes=6,noise=c0s=8:c0f=t:c1s=12:c1f=t"),
        *("-c:v", "ffv1", "-g", "1", clip),
    )
    picture = await measured(clip, width=720, height=480)
    assert picture.borders is not None
    assert picture.chroma_shift is not None
    assert (picture.borders.left, picture.borders.right) == (12, 8)
    assert picture.chroma_shift.x == pytest.approx(6, abs=1)
    assert picture.chroma_shift.y == pytest.approx(2, abs=0.5)
    assert picture.chroma_shift.agreement > 0.8
