"""Sources of which the pictures are not all alike: where they change, and how they become one shape.

Programmes of broadcasts and DVDs follow each other in one file, in 4:3 and in 16:9, in 704 and in 720
columns. A player shows each in its own shape; an output has one, which is that of most of its frames.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from vhsbatch.media.cleaning import Node
from vhsbatch.media.colour import HDR, decoded_colour, is_rgb
from vhsbatch.media.planar import SCALER, recorded_format
from vhsbatch.media.scan import Look, Scan
from vhsbatch.media.shape import sample_aspect
from vhsbatch.model.media import Colour, PictureChange, VideoTrack

# Containers that state no shape of their own, so that the codec's decides.
_CODEC_DECIDES = frozenset({"avi", "dv", "h264", "hevc", "m4v", "mpeg", "mpegts", "mpegvideo", "vc1"})
# A shape that is stated for less than this is damage, as of a dropout on a tape.
_SHORTEST_SHAPE_FRAMES = 12
# Shapes that differ by less look alike.
_ALIKE = Fraction(1, 50)
# A field's lines of 4:2:0 come in fours, so that bars do not shift one against the other.
_LINES = 4
_MOST_NAMED = 3

_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc"}
_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67"}
_RANGES = {1: "tv", 2: "pc"}


def with_changes(track: VideoTrack, packets: Scan, ticks: Sequence[int]) -> VideoTrack:
    """The source with what its headers say of changes; described as most of its frames are.

    Args:
        track: the source as its first frames are.
        packets: what its packets say.
        ticks: when each frame is shown, ascending.
    """
    if len(packets.looks) < 2:
        return track
    looks = list(packets.looks)
    if packets.container not in _CODEC_DECIDES:
        looks = [replace(look, sar=None) for look in looks]
    starts = [bisect_left(ticks, look.tick) for look in looks]
    counts = [after - before for before, after in pairwise([*starts, len(ticks)])]
    runs: list[tuple[Look, int]] = []
    for look, start, count in zip(looks, starts, counts, strict=True):
        if count <= 0:
            continue
        before = runs[-1][0] if runs else None
        if before is not None and (_like(before, look) or _blip(before, look, count)):
            continue
        runs.append((look, start if runs else 0))
    if len(runs) < 2:
        return track
    frames: Counter[tuple[object, ...]] = Counter()
    ends = [start for _, start in runs[1:]] + [len(ticks)]
    for (look, start), end in zip(runs, ends, strict=True):
        frames[_key(look)] += end - start
    usual = frames.most_common(1)[0][0]
    main = next(look for look, _ in runs if _key(look) == usual)
    stated = packets.container in _CODEC_DECIDES
    changes = tuple(
        PictureChange(
            at_s=(ticks[start] - ticks[0]) * packets.time_base,
            frame=round((ticks[start] - ticks[0]) * packets.time_base * track.rate),
            width=look.width,
            height=look.height,
            pixel_format=look.pixel_format,
            sar=look.sar if stated else track.sar,
            colour=_colour(look),
        )
        for look, start in runs
    )
    first = runs[0][0]
    colour = track.colour
    if _colour(main) != _colour(first):
        colour = replace(_colour(main), primaries=track.colour.primaries)
    return replace(
        track,
        width=main.width,
        height=main.height,
        pixel_format=track.pixel_format if main.pixel_format == first.pixel_format else main.pixel_format,
        sar=main.sar if stated else track.sar,
        colour=colour,
        changes=changes,
    )


def _key(look: Look) -> tuple[object, ...]:
    return (
        look.width, look.height, look.pixel_format, look.sar, look.matrix, look.transfer, look.range
    )  # fmt: skip


def _like(one: Look, other: Look) -> bool:
    return _key(one) == _key(other)


def _blip(before: Look, look: Look, count: int) -> bool:
    """Whether only the stated shape differs, for too short a time to be meant."""
    return count < _SHORTEST_SHAPE_FRAMES and _like(replace(look, sar=before.sar), before)


def _colour(look: Look) -> Colour:
    return Colour(
        matrix=_MATRICES.get(look.matrix),
        transfer=_TRANSFERS.get(look.transfer),
        range=_RANGES.get(look.range),
    )


def change_problem(track: VideoTrack) -> tuple[str, str] | None:
    """Why the source's changes cannot be followed, and what helps; None if they can."""
    if not track.changes:
        return None
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
    expression = str(values[0])
    for change, value in zip(track.changes[1:], values[1:], strict=True):
        at_s = change.at_s - 1 / (2 * track.rate)
        expression = f"if(gte(t,{float(at_s):.6f}),{value},{expression})"
    return expression
