"""What a source's picture is like, measured in a few places: noise, and torn lines at the bottom."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median, median_low

from vhsbatch.errors import ChainError, InputError
from vhsbatch.media.cleaning import chroma_subsampling
from vhsbatch.media.filters import planar_format
from vhsbatch.media.formats import input_arguments
from vhsbatch.model.media import VideoTrack
from vhsbatch.proc.chain import StageSpec, run_chain

_FRAMES = 6
_PLACES = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4), Fraction(1, 10), Fraction(9, 10))
# Torn lines are the deck's doing, so they are there all through the tape.
_SAME_LINES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a picture is like.

    Attributes:
        luma_noise: standard deviation in steps of 8 bits, None where nothing stands still.
        chroma_noise: likewise, of the noisier of the two chroma planes.
        torn_lines: lines at the bottom that the head switch displaced.
        places: in how many places of the tape it was measured.
    """

    luma_noise: float | None
    chroma_noise: float | None
    torn_lines: int
    places: int


async def measure_picture(path: Path, video: VideoTrack, *, ffmpeg: str, seekable: bool) -> Picture:
    """Measure the picture, in places spread over the tape where it can be sought.

    Raises:
        InputError: nothing of it decodes.
        ToolError: FFmpeg or Python cannot be started.
    """
    places = [await _measure(path, video, from_s, ffmpeg) for from_s in _places(video, seekable=seekable)]
    return summarise([place for place in places if place is not None])


def summarise(places: Sequence[Picture]) -> Picture:
    """The picture of a whole tape, from what it is like in single places. Pure.

    Raises:
        InputError: there is no place.
    """
    if not places:
        raise InputError("its picture cannot be measured", fix="name a preset with -p")
    lines = [place.torn_lines for place in places]
    usual = median_low(lines)
    agreeing = sum(abs(count - usual) <= _SAME_LINES for count in lines if count)
    return Picture(
        luma_noise=_median([place.luma_noise for place in places]),
        chroma_noise=_median([place.chroma_noise for place in places]),
        torn_lines=usual if 2 * agreeing > len(places) else 0,
        places=len(places),
    )


def _median(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return median(told) if told else None


def _places(video: VideoTrack, *, seekable: bool) -> Iterator[Fraction | None]:
    if not seekable or video.frames < len(_PLACES) * _FRAMES:
        yield None
        return
    for part in _PLACES:
        yield video.start_s + int((video.frames - _FRAMES) * part) / video.rate


async def _measure(path: Path, video: VideoTrack, from_s: Fraction | None, ffmpeg: str) -> Picture | None:
    """The picture in one place; None where nothing decodes."""
    horizontal, vertical = chroma_subsampling(planar_format(video))
    pixel_format = {(4, 1): "yuv411p", (2, 1): "yuv422p", (2, 2): "yuv420p"}.get(
        (horizontal, vertical), "yuv444p"
    )
    if pixel_format == "yuv444p":
        horizontal = vertical = 1
    size = (video.width, video.height, -(-video.width // horizontal), -(-video.height // vertical))
    answers: list[str] = []
    decode = (
        *(ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"),
        *input_arguments(path, from_s=from_s),
        *("-map", f"0:{video.index}", "-fps_mode", "passthrough", "-frames:v", str(_FRAMES)),
        *("-f", "rawvideo", "-pix_fmt", pixel_format, "pipe:1"),
    )
    measure = (sys.executable, "-P", "-m", "vhsbatch.media.picture_worker", *map(str, size))
    try:
        await run_chain(
            (StageSpec(name="decode", argv=decode), StageSpec(name="measure", argv=measure)),
            on_stdout=answers.append,
            on_stderr=lambda _stage, _line: None,
        )
    except ChainError:
        return None
    return parse_answer(answers[-1]) if answers else None


def parse_answer(line: str) -> Picture | None:
    """What the worker printed; None if it saw no two frames.

    >>> parse_answer('{"frames": 6, "luma_noise": 3.4, "chroma_noise": null, "torn_lines": 6}')
    Picture(luma_noise=3.4, chroma_noise=None, torn_lines=6, places=1)
    """
    answer = json.loads(line)
    if answer.pop("frames") < 2:
        return None
    return Picture(**answer, places=1)
