"""Real videos for tests: clips that FFmpeg makes, and footage that cameras made."""

import os
import subprocess
import time
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import pytest

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
NTSC = Fraction(30000, 1001)

_BESIDE = Path(__file__).parents[2] / "shared" / "footage"
FOOTAGE = Path(os.environ.get("VHSBATCH_FOOTAGE", _BESIDE))


def footage(name: str) -> Path:
    """A file of the footage folder; the test is skipped where it is not there."""
    path = FOOTAGE / name
    if not path.is_file():
        pytest.skip(f"no {name} in the footage folder; set VHSBATCH_FOOTAGE")
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run FFmpeg and fail with what it said."""
    command = [FFMPEG, "-nostdin", "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def make_clip(path: Path, *codec: str, scan: str = "tff", seconds: float = 2, size: str = "720x480") -> Path:
    """A moving NTSC picture with sound.

    Args:
        path: the clip; its suffix decides the container.
        codec: FFmpeg's output arguments.
        scan: `tff` or `bff` for fields that are really recorded in that order, else `progressive`.
        seconds: its length.
        size: of the picture.
    """
    if scan == "progressive":
        source, filters = f"testsrc2=s={size}:r=30000/1001:d={seconds}", "null"
    else:
        source = f"testsrc2=s={size}:r=60000/1001:d={seconds}"
        filters = f"interlace=scan={scan}:lowpass=0,setfield={scan}"
    inputs = ("-f", "lavfi", "-i", source, "-f", "lavfi", "-i", f"sine=d={seconds}:r=48000")
    ffmpeg(*inputs, "-vf", filters, "-ac", "2", *codec, path)
    # A file that has just been written is waited for, as it could be a copy that is under way.
    an_hour_ago_s = time.time() - 3600
    os.utime(path, (an_hour_ago_s, an_hour_ago_s))
    return path
