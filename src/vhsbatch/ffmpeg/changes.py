"""Sources of which the pictures are not all alike: where they change, and how they become one shape.

Programmes of broadcasts and DVDs follow each other in one file, in 4:3 and in 16:9, in 704 and in 720
columns. A player shows each in its own shape; an output has one, which is that of most of its frames.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from vhsbatch.ffmpeg.colour import HDR, decoded_colour, is_rgb
from vhsbatch.ffmpeg.graph import Node
from vhsbatch.ffmpeg.planar import SCALER, recorded_format
from vhsbatch.ffmpeg.shape import sample_aspect
from vhsbatch.model.media import PictureChange, VideoTrack

# Shapes that differ by less look alike.
_ALIKE = Fraction(1, 50)
# A field's lines of 4:2:0 come in fours, so that bars do not shift one against the other.
_LINES = 4
_MOST_NAMED = 3
# The times of more do not fit into a command line.
_MOST_FOLLOWED = 2000


def change_problem(track: VideoTrack) -> tuple[str, str] | None:
    """Why the source's changes cannot be followed, and what helps; None if they can."""
    if not track.changes:
        return None
    if len(track.changes) > _MOST_FOLLOWED:
        return f"its picture changes {len(track.changes)} times", "convert it to one size first"
    parts = [_part(track, change) for change in track.changes]
    for (one, _), (other, change) in pairwise(zip(parts, track.changes, strict=True)):
        what = None
        if is_rgb(one.pixel_format) != is_rgb(other.pixel_format):
            what = f"from {one.pixel_format} to {other.pixel_format}"
        elif _meaning(one) != _meaning(other):
            what = f"from {_in_words(one)} to {_in_words(other)}"
        if what is not None:
            return f"its colours change {what} {_place(change)}", "cut it there, and restore the parts"
    return None


def _part(track: VideoTrack, change: PictureChange) -> VideoTrack:
    """The source as if all of it were like the part from `change` on."""
    return replace(
        track,
        width=change.width,
        height=change.height,
        pixel_format=change.pixel_format,
        sar=change.sar,
        colour=replace(change.colour, primaries=track.colour.primaries),
        changes=(),
    )


def _meaning(part: VideoTrack) -> tuple[str | None, bool, str | None]:
    colour = decoded_colour(part)
    # BT.601 has one matrix under two names.
    matrix = "bt470bg" if colour.matrix == "smpte170m" else colour.matrix
    return matrix, colour.transfer in HDR, colour.range


def _in_words(part: VideoTrack) -> str:
    colour = decoded_colour(part)
    kind = f", {HDR[colour.transfer]}" if colour.transfer in HDR else ""
    return f"{colour.matrix} ({'full' if colour.range == 'pc' else 'limited'} range{kind})"


def _place(change: PictureChange) -> str:
    return f"at {float(change.at_s):.3f} s (frame {change.frame})"


def change_notes(track: VideoTrack) -> Iterator[str]:
    """How the source's pictures become one shape."""
    if not track.changes:
        return
    words = [_look_in_words(track, change) for change in track.changes]
    turns = [
        f"{words[number]} {_place(track.changes[number])}"
        for number in range(1, len(words))
        if words[number] != words[number - 1]
    ]
    if not turns:
        return
    more = f" and {len(turns) - _MOST_NAMED} more times" if len(turns) > _MOST_NAMED else ""
    bars = any(_fitted(track, change).bars for change in track.changes)
    how = "fitted into that of most frames with bars" if bars else "brought to the size of most frames"
    yield (
        f"its picture changes: {words[0]}, then {', '.join(turns[:_MOST_NAMED])}{more}; {how}"
        + (" (cut it there to give each part its own shape)" if bars else "")
    )


def _look_in_words(track: VideoTrack, change: PictureChange) -> str:
    shape = _shape(_part(track, change))
    words = f"{change.width}x{change.height} shown as {float(shape):.2f}:1"
    alike = len({change.pixel_format for change in track.changes}) == 1
    return words if alike else f"{words} in {change.pixel_format}"


def _shape(track: VideoTrack) -> Fraction:
    return sample_aspect(track) * track.width / track.height


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """Size at which a part is laid into the frames of all.

    Attributes:
        width: in pixels.
        height: in pixels.
        bars: whether it does not fill them.
    """

    width: int
    height: int
    bars: bool


def _fitted(track: VideoTrack, change: PictureChange) -> _Fitted:
    """The part's size in the frames of `track`, which shows it undistorted."""
    wider = _shape(_part(track, change)) / _shape(track)
    width, height = track.width, track.height
    if abs(wider - 1) >= _ALIKE:
        if wider > 1:
            height = height - round(height * (1 - 1 / wider) / (2 * _LINES)) * 2 * _LINES
        else:
            width = width - round(width * (1 - wider) / (2 * _LINES)) * 2 * _LINES
    return _Fitted(width=width, height=height, bars=(width, height) != (track.width, track.height))


def follow(node: Node, track: VideoTrack) -> Node:
    """Frames of one size, shape and format out of those of a source that changes; on the source's times."""
    if not track.changes:
        return node
    fitted = [_fitted(track, change) for change in track.changes]
    node = node.filter(
        "scale",
        w=_by_time(track, [size.width for size in fitted]),
        h=_by_time(track, [size.height for size in fitted]),
        eval="frame",
        flags=SCALER,
        interl=int(track.field_order.has_fields),
    )
    node = node.filter("format", pix_fmts=recorded_format(track))
    node = node.filter(
        "pad", w=track.width, h=track.height, x="floor((ow-iw)/8)*4", y="floor((oh-ih)/8)*4", eval="frame"
    )
    return node.filter("setsar", sar=1)


def _by_time(track: VideoTrack, values: Sequence[int]) -> str:
    """An expression for what holds from each change on; half a frame before it, since clocks round."""
    begins_s = [float(change.at_s - 1 / (2 * track.rate)) for change in track.changes]
    turns = [number for number in range(len(values)) if number == 0 or values[number] != values[number - 1]]
    return _latest([(begins_s[number], values[number]) for number in turns])


def _latest(parts: Sequence[tuple[float, int]]) -> str:
    """Of parts that begin at a time each, the value of the one that has begun last.

    The parts are halved again and again, since FFmpeg reads no more than 100 terms within each other.

    >>> _latest([(0, 1), (2, 3)])
    'if(gte(t,2.000000),3,1)'
    """
    if len(parts) == 1:
        return str(parts[0][1])
    half = len(parts) // 2
    return f"if(gte(t,{parts[half][0]:.6f}),{_latest(parts[half:])},{_latest(parts[:half])})"
