"""Frames in and out of files, by way of FFmpeg."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")

# An original: exact times, no loss, the colours of HD.
LOSSLESS = ("-c:v", "ffv1", "-g", "1", "-pix_fmt", "yuv420p")
# Chroma samples level with the first of the luma samples that they are for, as all but JPEG have them.
SITED = "out_h_chr_pos=0"
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")


class FfmpegError(Exception):
    """FFmpeg failed; the message is what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size and rate of a stream of frames."""

    width: int
    height: int
    rate: Fraction


def run(*arguments: str | Path) -> str:
    """Run FFmpeg; what it printed."""
    done = subprocess.run(
        [FFMPEG, *_QUIET, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FfmpegError(done.stderr.strip()[-2000:])
    return done.stdout


def read(
    path: Path, filters: str, pixel_format: str, frame: tuple[int, ...]
) -> Iterator[NDArray[np.generic]]:
    """The frames of a file behind `filters`, as arrays of the shape `frame`, of 8 or 16 bits."""
    kind = np.dtype("<u2" if pixel_format.endswith("le") else "u1")
    command = [FFMPEG, *_QUIET, "-i", str(path), "-vf", filters, "-f", "rawvideo"]
    size = int(np.prod(frame)) * kind.itemsize
    with subprocess.Popen([*command, "-pix_fmt", pixel_format, "-"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, kind).reshape(frame)
    if process.returncode or data:
        raise FfmpegError(f"{path} could not be read to its end")


def write(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    shape: Shape,
    pixel_format: str,
    *output: str,
    filters: str = "null",
) -> None:
    """Write frames of 8 bits; `output` are FFmpeg's output arguments."""
    command = [
        *(FFMPEG, *_QUIET, "-f", "rawvideo", "-pix_fmt", pixel_format),
        *("-video_size", f"{shape.width}x{shape.height}", "-framerate", str(shape.rate), "-i", "pipe:0"),
        *("-vf", filters, *output, str(path)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in frames:
            process.stdin.write(np.ascontiguousarray(frame).data)
    if process.returncode:
        raise FfmpegError(f"{path} could not be written")


def unpack(path: Path, filters: str, unpacked: Path) -> None:
    """Write the frames of a file behind `filters` as bare yuv420p, to be read more than once."""
    run(
        "-i",
        path,
        "-vf",
        filters,
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        unpacked,
    )


def luma(unpacked: Path, width: int, height: int) -> NDArray[np.uint8]:
    """The luma of every frame of an unpacked file; it is read where it is used."""
    frames = np.memmap(unpacked, np.uint8, "r").reshape(-1, width * height * 3 // 2)
    return frames[:, : width * height].reshape(-1, height, width)
