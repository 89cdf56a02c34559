"""Pictures that move and carry their own number in eight blocks, and the numbers that a result shows."""

import os
import subprocess
import time
from pathlib import Path

from clips import FFMPEG, ffmpeg

WIDTH, HEIGHT = 120, 480
_BLOCK = WIDTH // 8
_FROM_LINE = 320

# FFmpeg's notation of the pictures; what comes behind it makes fields of them. In Gray's code a block is
# never the same two fields before and after another one, which would be a still picture to deinterlacers.
_BIT = f"floor(X/{_BLOCK})"
_GRAY = f"mod(floor((N+pow(2,{_BIT}))/pow(2,{_BIT}+1)),2)"
COUNTED = (
    f"testsrc2=s={WIDTH}x{HEIGHT}:r={{rate}}:d={{seconds}},boxblur=2,"
    f"geq=lum='if(gt(Y,{_FROM_LINE}),40+160*{_GRAY},lum(X,Y))':cb='cb(X,Y)':cr='cr(X,Y)'"
)


def make_counted(path: Path, *codec: str, rate: str, seconds: float, fields: str) -> Path:
    """A clip whose frames, at `rate`, carry their numbers before `fields` makes fields of them."""
    source = f"{COUNTED.format(rate=rate, seconds=seconds)},{fields}"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *codec, path)
    an_hour_ago_s = time.time() - 3600
    os.utime(path, (an_hour_ago_s, an_hour_ago_s))
    return path


def numbers(path: Path) -> list[int]:
    """The number that each frame shows."""
    crop = f"crop=iw:ih/6:0:ih*{_FROM_LINE + 20}/{HEIGHT},scale=8:1:flags=area,format=gray"
    raw = ("-fps_mode", "passthrough", "-f", "rawvideo", "-")
    command: list[str | Path] = [FFMPEG, "-v", "error", "-i", path, "-vf", crop, *raw]
    levels = subprocess.run(command, capture_output=True, check=True).stdout
    frames = [levels[at : at + 8] for at in range(0, len(levels), 8)]
    return [_from_gray(sum((level > 120) << bit for bit, level in enumerate(frame))) for frame in frames]


def _from_gray(code: int) -> int:
    number = code
    while code := code >> 1:
        number ^= code
    return number
