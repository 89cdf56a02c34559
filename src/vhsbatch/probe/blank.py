"""How long a tape shows nothing at its beginning and at its end: blue, black or grey, as decks do."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.source import Source
from vhsbatch.process.spawn import run

_VALUE = re.compile(r"lavfi\.signalstats\.([YUV](?:LOW|HIGH|AVG))=([\d.]+)")
# Nine tenths of a blank picture, averaged over areas, lie this close together.
_ONE_COLOUR = 6.0
_BLACK, _COLOURED = 40, 16
# The very first and last frames are often of another picture, or damaged.
_MARGIN_FRAMES = 2
_PRECISION_S = Fraction(1, 10)

Look = Callable[[Fraction], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankEnds:
    """What a source shows of one colour at its ends.

    Attributes:
        head_s: how long at the beginning, in seconds.
        head: which colour, None where it begins with a picture.
        tail_s: how long at the end.
        tail: likewise.
    """

    head_s: float = 0.0
    head: str | None = None
    tail_s: float = 0.0
    tail: str | None = None


NO_BLANK_ENDS = BlankEnds()


async def look_at_ends(
    source: Source, video: VideoTrack, *, ffmpeg: str, seekable: bool, niceness: int = 0
) -> BlankEnds:
    """Find out how much at both ends of a source is blank; nothing of one that cannot be sought.

    Args:
        source: the source.
        video: its video.
        ffmpeg: the program.
        seekable: whether FFmpeg can start in the middle.
        niceness: that of the programs that look.

    Raises:
        ToolError: FFmpeg cannot be started.
    """
    margin_s = _MARGIN_FRAMES / video.rate
    last_s = (video.frames - 1) / video.rate - margin_s
    if not seekable or last_s - margin_s < 1:
        return NO_BLANK_ENDS

    async def look(at_s: Fraction) -> str | None:
        finished = await run(
            (
                *(ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"),
                *input_arguments(source, from_s=video.start_s + at_s, mend_matrix=video.mends_matrix),
                *("-map", f"0:{video.index}", "-frames:v", "1", "-vf", _FILTERS, "-f", "null", "-"),
            ),
            niceness=niceness,
        )
        return colour_of(finished.stdout.decode("ascii", "replace"))

    head, head_s = await blank_stretch(look, margin_s, last_s)
    if head is not None and head_s == last_s:
        return BlankEnds(head=head, head_s=float(video.frames / video.rate))
    tail, tail_from_s = await blank_stretch(look, last_s, head_s)
    return BlankEnds(
        head=head,
        head_s=round(float(head_s), 1) if head else 0.0,
        tail=tail,
        tail_s=round(float(video.frames / video.rate - tail_from_s), 1) if tail else 0.0,
    )


# Frames that state reserved colours cannot be scaled.
_FILTERS = "setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown,"
_FILTERS += "crop=iw*4/5:ih*4/5,scale=64:48:flags=area,format=yuv444p,signalstats,metadata=mode=print:file=-"


async def blank_stretch(look: Look, from_s: Fraction, to_s: Fraction) -> tuple[str | None, Fraction]:
    """Which colour is shown at `from_s`, and up to where on the way to `to_s`.

    Steps grow until there is a picture, and the boundary is then halved down: a few looks are enough
    for hours.
    """
    colour = await look(from_s)
    if colour is None:
        return None, from_s
    blank, step = from_s, Fraction(1)
    while True:
        ahead = min(step, abs(to_s - blank))
        shown = blank + ahead if to_s > from_s else blank - ahead
        if await look(shown) is None:
            break
        if shown == to_s:
            return colour, to_s
        blank, step = shown, 2 * step
    while abs(shown - blank) > _PRECISION_S:
        middle = (shown + blank) / 2
        if await look(middle) is None:
            shown = middle
        else:
            blank = middle
    return colour, shown


def colour_of(printed: str) -> str | None:
    """The colour of a frame of one colour, from what `signalstats` says; None for a picture or nothing.

    >>> flat = {"Y": 41, "U": 240, "V": 110}
    >>> lines = [f"lavfi.signalstats.{p}{w}={v}" for p, v in flat.items() for w in ("LOW", "AVG", "HIGH")]
    >>> colour_of(chr(10).join(lines))
    'blue'
    """
    values = {name: float(value) for name, value in _VALUE.findall(printed)}
    if len(values) < 9 or any(values[f"{p}HIGH"] - values[f"{p}LOW"] > _ONE_COLOUR for p in "YUV"):
        return None
    blue, red = values["UAVG"] - 128, values["VAVG"] - 128
    if max(abs(blue), abs(red)) > _COLOURED:
        return "blue" if blue > abs(red) else "one colour"
    return "black" if values["YAVG"] < _BLACK else "grey"
