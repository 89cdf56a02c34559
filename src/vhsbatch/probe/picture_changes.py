"""Where the pictures of a source become other ones, from what its headers say."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from vhsbatch.model.media import Colour, PictureChange, VideoTrack
from vhsbatch.probe.scan import Look, Scan

# Containers that state no shape, so that the codec's decides.
_CODEC_DECIDES = frozenset({"avi", "dv", "h264", "hevc", "m4v", "mpeg", "mpegts", "mpegvideo", "vc1"})
# A shape that is stated for less than this is damage, as of a dropout on a tape.
_SHORTEST_SHAPE_FRAMES = 12

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
