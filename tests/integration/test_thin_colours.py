"""Thin pale lines keep their colour with every preset, through FFmpeg's filters and through VapourSynth."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import anyio
import ffmpeg
import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

import make
import vhsbatch.ffmpeg.qtgmc_worker
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.cleaning import denoise
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.model.media import FieldOrder
from vhsbatch.restore.fitting import fitted, without_degrain

pytestmark = pytest.mark.sampled

WIDTH, HEIGHT, FRAMES = 320, 160, 10
# Y, Cb, Cr of paint in the sun, hardly coloured: what stands out is not taken for noise by any filter.
COLOURS = ((150, 116, 131), (100, 123, 139), (70, 139, 125))
LINES = [(width, colour) for width in (2, 3, 4, 6) for colour in COLOURS]
SHIPPED = load_presets([])
TAPE = make.track(width=720, height=480, field_order=FieldOrder.BFF)

Planes = NDArray[np.uint8]


def columns(number: int) -> slice:
    start = 12 + 24 * number
    return slice(start, start + LINES[number][0])


@cache
def tape(luma_noise: float, chroma_noise: float) -> bytes:
    """Lines on a grey road; noise of the chroma is as coarse as that of a tape."""
    random, soft = np.random.default_rng(1), np.ones(7) / np.sqrt(7)
    road = np.stack([np.full((HEIGHT, WIDTH), level) for level in (90.0, 128.0, 128.0)])
    for number, (_, colour) in enumerate(LINES):
        road[:, :, columns(number)] = np.array(colour)[:, None, None]
    frames = []
    for _ in range(FRAMES):
        grain = random.normal(0, 1, road.shape)
        for plane in (1, 2):
            grain[plane] = np.apply_along_axis(np.convolve, 1, grain[plane], soft, "same")
        noisy = road + grain * np.array([luma_noise, chroma_noise, chroma_noise])[:, None, None]
        frames.append(np.rint(noisy).clip(1, 254).astype(np.uint8))
    return np.stack(frames).tobytes()


def saturations(preset: Preset | None, content: bytes) -> NDArray[np.float64]:
    node = ffmpeg.input("-", framerate=30, format="rawvideo", pix_fmt="yuv444p", video_size=(WIDTH, HEIGHT))
    node = node.filter("format", pix_fmts="yuv422p")
    if preset is not None:
        node = denoise(node, preset.denoise)
    node = node.filter("format", pix_fmts="yuv444p")
    words = ffmpeg.get_args(node.output("-", format="rawvideo"))
    return measured(run(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *words, given=content))


def degrained(preset: Preset, content: bytes) -> NDArray[np.float64]:
    limits = preset.denoise
    how = f"{limits.degrain_luma},{limits.degrain_chroma},{limits.degrain_frames}"
    worker = str(Path(vhsbatch.ffmpeg.qtgmc_worker.__file__))
    size = ("--width", str(WIDTH), "--height", str(HEIGHT), "--format", "yuv444p")
    frames = ("--frames", str(FRAMES), "--keep", str(FRAMES))
    return measured(run(sys.executable, "-P", worker, *size, *frames, "--degrain", how, given=content))


def run(*command: str, given: bytes) -> bytes:
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def measured(made: bytes) -> NDArray[np.float64]:
    middle = np.frombuffer(made, np.uint8).reshape(-1, 3, HEIGHT, WIDTH)[FRAMES // 2].astype(float)
    colours = [middle[1:, :, columns(number)].mean(axis=(1, 2)) - 128 for number in range(len(LINES))]
    cb, cr = np.transpose(colours)
    both: NDArray[np.float64] = np.hypot(cb, cr)
    return both


NOISE_AND_SATURATION = pytest.mark.parametrize(
    ("luma", "chroma", "kept"), [(2.0, 3.0, 0.9), (4.0, 6.0, 0.75)]
)


@pytest.mark.parametrize("name", SHIPPED)
@NOISE_AND_SATURATION
def test_lines_keep_their_saturation(name: str, luma: float, chroma: float, kept: float) -> None:
    preset = SHIPPED[name]
    if preset.denoise.method == "degrain":
        preset, _ = without_degrain(preset)
    preset, _ = fitted(preset, TAPE, noise(luma, chroma))
    content = tape(luma, chroma)
    assert float(np.min(saturations(preset, content) / saturations(None, content))) >= kept


@pytest.mark.parametrize("name", [name for name in SHIPPED if SHIPPED[name].denoise.method == "degrain"])
@NOISE_AND_SATURATION
def test_lines_keep_their_saturation_along_the_motion(
    name: str, luma: float, chroma: float, kept: float
) -> None:
    try:
        anyio.run(qtgmc_versions, None)
    except ToolError as error:
        pytest.skip(str(error))
    preset, _ = fitted(SHIPPED[name], TAPE, noise(luma, chroma))
    content = tape(luma, chroma)
    assert float(np.min(degrained(preset, content) / measured(content))) >= kept


def noise(luma: float, chroma: float) -> VideoMeasurement:
    return VideoMeasurement(luma_noise=luma, chroma_noise=chroma, torn_lines=0, places=7)
