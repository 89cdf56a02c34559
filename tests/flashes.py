"""Clips that flash and beep at the same instants, and where a result does so."""

import os
import subprocess
import time
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from clips import FFMPEG, ffmpeg

BEEP_S = 0.1
RATE_HZ = 48_000


def make_flashes(
    path: Path, *codec: str, at_s: Sequence[float], seconds: float, rate: str = "25", sound: str = "anull"
) -> Path:
    """A dark, silent clip that flashes white and beeps together at each of `at_s`.

    Args:
        path: the clip.
        codec: FFmpeg's output arguments.
        at_s: when; each must be the time of a frame.
        seconds: the clip's length.
        rate: frames per second.
        sound: filters for its sound.
    """
    on = "+".join(f"between(t,{at - 0.0001},{at + BEEP_S})" for at in at_s)
    white = on.replace("(t,", "(T,")
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=64x48:r={rate}:d={seconds}"),
        *(
            "-f",
            "lavfi",
            "-i",
            f"aevalsrc='0.5*sin(2*PI*1000*t)*({on})+0.001*random(0)':s={RATE_HZ}:d={seconds}",
        ),
        *("-vf", f"geq=lum='16+200*({white})':cb=128:cr=128", "-af", sound),
        *codec,
        path,
    )
    an_hour_ago_s = time.time() - 3600
    os.utime(path, (an_hour_ago_s, an_hour_ago_s))
    return path


def flashes_s(path: Path, rate: Fraction) -> list[float]:
    """When the picture becomes white."""
    levels = _decoded(path, "0:v:0", "-vf", "scale=1:1,format=gray", "-f", "rawvideo")
    return [
        float(number / rate) for number in range(1, len(levels)) if levels[number - 1] < 110 <= levels[number]
    ]


def beeps_s(path: Path, track: int = 0) -> list[float]:
    """When sound begins after silence; times count from the first picture."""
    # The gap before a track that begins late is filled.
    raw = _decoded(
        path, f"0:a:{track}", "-af", "aresample=async=1:first_pts=0,highpass=f=500", "-f", "s16le", "-ac", "1"
    )
    samples = array("h", raw)
    rate_hz = _rate_hz(path, track)
    loud = [number for number, sample in enumerate(samples) if abs(sample) > 1500]
    starts = [at for before, at in zip([-rate_hz, *loud], loud, strict=False) if at - before > rate_hz // 4]
    return [start / rate_hz for start in starts]


def _decoded(path: Path, stream: str, *arguments: str) -> bytes:
    command: list[str | Path] = [FFMPEG, "-v", "error", "-i", path, "-map", stream, *arguments, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _rate_hz(path: Path, track: int) -> int:
    import av

    with av.open(str(path)) as container:
        return int(container.streams.audio[track].codec_context.sample_rate)
