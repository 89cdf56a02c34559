"""Finding out all that a plan needs to know of a source, or why it cannot be restored.

Three looks at the file, each by child processes: all packets are read and the sound is decoded (`scan`),
FFmpeg decodes the first and the last frames (`showinfo`), and `idet` measures the field order
(`fieldorder`). Of a short source all frames are decoded, and the last two looks are one.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import anyio.to_thread

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import LATE_SEEKING_DEMUXERS
from vhsbatch.model.media import INVALID_MATRIX, FieldOrder, MediaInfo, VideoTrack
from vhsbatch.model.source import InSpans, Joined, Source
from vhsbatch.model.timeline import Timeline, lay_on_grid, positions_of
from vhsbatch.probe import field_order as fieldorder
from vhsbatch.probe.decoding import Decoded, decode_all
from vhsbatch.probe.field_order import Sight
from vhsbatch.probe.idet import look_at_fields
from vhsbatch.probe.packets import (
    REMUX,
    can_be_interlaced,
    can_seek,
    expect_one_size,
    expect_restorable,
    expect_sense,
    frames_on_grid,
    is_avi_with_gaps,
    is_short,
    notes,
    undecoded_tail,
    without_early_sound,
    without_overwritten,
)
from vhsbatch.probe.picture_changes import with_changes
from vhsbatch.probe.programmes import of_one_programme
from vhsbatch.probe.reading import read_source
from vhsbatch.probe.scan import Scan, scan
from vhsbatch.probe.showinfo import Glimpse, look
from vhsbatch.probe.telecine import with_telecine
from vhsbatch.probe.teletext import read_teletext, without_teletext

MAX_PIXELS = 8192 * 8192 // 2

_HEAD_FRAMES = 25

# Numbers that mean a colour matrix, or that there is none.
_MATRICES = frozenset(range(18)) - {3}
_TAIL_S = Fraction(1)


async def probe(
    path: Path,
    *,
    parts: Sequence[Path] = (),
    ffmpeg: str,
    max_pixels: int = MAX_PIXELS,
    timeout_s: float | None = None,
    allow_truncated: bool = False,
) -> MediaInfo:
    """Find out what a source is.

    Args:
        path: the source; its name may hold any bytes.
        parts: all files of a recording in several, of which the first is `path`.
        ffmpeg: the program that will decode it.
        max_pixels: refuse larger pictures.
        timeout_s: seconds that each look at it may take; by default generous for its size.
        allow_truncated: take a file of which the end is missing as it is, with a note.

    Raises:
        InputError: it cannot be restored.
        ToolError: FFmpeg or PyAV does not work.
    """
    expect = partial(expect_restorable, max_pixels=max_pixels, allow_truncated=allow_truncated)
    opened = await read_source(path, parts=parts, timeout_s=timeout_s, of_source=True, expect=expect)
    source, packets, timeout_s = opened.source, opened.packets, opened.timeout_s
    whole = source.whole if isinstance(source, InSpans) else source
    try:
        head = await _look_at_head(source, packets, ffmpeg, timeout_s)
        packets = of_one_programme(packets, head.programmes)
        subtitles, teletext, of_teletext = without_teletext(packets.subtitles, head.teletext)
        tail = await _look_at_tail(source, packets, head, ffmpeg, timeout_s)
        decoded = await decode_all(
            source, packets.index, len(packets.ticks), fields=can_be_interlaced(packets), timeout_s=timeout_s
        )
        recorded = _as_recorded(head, decoded)
        if len(packets.looks) < 2:
            expect_one_size(recorded, tail, ignoring=frozenset(decoded.damaged))
        ticks, timeline = await anyio.to_thread.run_sync(
            frames_on_grid, packets, head, tail, decoded.overwritten
        )
        expect_sense(packets, timeline, ticks)
        packets = without_early_sound(packets, ticks[0] * packets.time_base)
        video = _video_track(packets, recorded, timeline, start_s=ticks[0] * packets.time_base)
        video = with_changes(video, packets, ticks)
        video = without_overwritten(video, ticks, packets.time_base, decoded.overwritten)
        exact_seek = can_seek(packets) and not is_avi_with_gaps(packets, timeline)
        captions = decoded.captions_from(
            ticks[0], packets.time_base, video.rate if video.constant_rate else None
        )
        if captions is None and teletext is not None:
            captions = await read_teletext(
                source, teletext, ffmpeg=ffmpeg, start_s=video.start_s, rate=video.rate, timeout_s=timeout_s
            )
        sights = None
        if head.sights is not None:
            sights = tuple(_counted_from(video.start_s, head.sights))
        elif fieldorder.can_be_interlaced(video.height, video.flagged_order):
            sights = await look_at_fields(
                source, video, ffmpeg=ffmpeg, seekable=exact_seek, timeout_s=timeout_s
            )
    except TimeoutError as error:
        raise InputError(
            f"reading it takes more than {timeout_s:.0f} s", fix="copy it to a faster disk"
        ) from error
    video = fieldorder.decided(video, sights)
    if decoded.orders is not None:
        positions = _positions(decoded, ticks, packets.time_base, video.rate)
        video = fieldorder.confirmed(video, sights, decoded.orders, positions)
    return MediaInfo(
        path=opened.path,
        size_bytes=opened.size_bytes,
        modified_ns=opened.modified_ns,
        container=packets.container,
        declared_s=packets.declared_s,
        exact_seek=exact_seek,
        video=await with_telecine(
            source, video, sights, ticks, packets.time_base, ffmpeg=ffmpeg, seekable=exact_seek
        ),
        audio=packets.audio,
        subtitles=subtitles,
        other_streams=packets.other_streams,
        timecode=packets.timecode,
        recorded=packets.recorded,
        pictures=packets.pictures,
        tags=packets.tags,
        notes=(
            *opened.notes,
            *(() if of_teletext is None else (of_teletext,)),
            *notes(
                packets,
                timeline,
                undecoded=undecoded_tail(packets, tail)
                + sum(tick > ticks[-1] for tick in (*decoded.overwritten, *packets.holes)),
            ),
        ),
        captions=captions,
        damage=decoded.damage(ticks[0], packets.time_base, packets.holes, packets.lost_frames),
        joined=whole if isinstance(whole, Joined) else None,
        spans=packets.spans,
    )


def _as_recorded(head: Glimpse, decoded: Decoded) -> Glimpse:
    """The first frames less those that are overwritten, of which a decoder may make anything."""
    frames = tuple(frame for frame in head.frames if frame.tick not in decoded.overwritten)
    return replace(head, frames=frames) if frames else head


async def frame_times(
    path: Path, start_s: Fraction, *, parts: Sequence[Path] = (), ffmpeg: str
) -> list[Fraction]:
    """When each frame of a source is shown, in seconds from the first one that is restored, at `start_s`.

    Raises:
        InputError: it cannot be read.
        ToolError: FFmpeg or PyAV does not work.
    """
    opened = await read_source(path, parts=parts)
    packets = opened.packets
    head = await _look_at_head(opened.source, packets, ffmpeg, opened.timeout_s)
    tail = await _look_at_tail(opened.source, packets, head, ffmpeg, opened.timeout_s)
    ticks, _ = await anyio.to_thread.run_sync(frames_on_grid, packets, head, tail)
    times_s = (tick * packets.time_base - start_s for tick in ticks)
    return [time_s for time_s in times_s if time_s >= 0]


async def packet_times(path: Path) -> list[Fraction]:
    """When each frame of one of our own outputs is shown, from the first one on, in seconds.

    Args:
        path: absolute path.

    Raises:
        InputError: it cannot be read.
    """
    packets = await scan(path, beginning=b"", timeout_s=None)
    return [(tick - packets.ticks[0]) * packets.time_base for tick in packets.ticks]


async def probe_result(path: Path, *, ffmpeg: str) -> MediaInfo:
    """What one of our own outputs is: its packets are read, and its first frame is decoded.

    Raises:
        InputError: it cannot be read.
        ToolError: FFmpeg or PyAV does not work.
    """
    opened = await read_source(path, timeout_s=math.inf)
    packets = opened.packets
    head = await look(opened.source, ffmpeg=ffmpeg, stream=packets.index, frames=1)
    if not head.ticks:
        raise InputError("its first frame does not decode", fix="make it again")
    timeline = await anyio.to_thread.run_sync(lay_on_grid, packets.ticks, packets.time_base, packets.rates)
    return MediaInfo(
        path=opened.path,
        size_bytes=opened.size_bytes,
        modified_ns=opened.modified_ns,
        container=packets.container,
        declared_s=packets.declared_s,
        exact_seek=True,
        video=_video_track(packets, head, timeline, start_s=packets.ticks[0] * packets.time_base),
        audio=packets.audio,
        subtitles=packets.subtitles,
    )


async def _look_at_head(source: Source, packets: Scan, ffmpeg: str, timeout_s: float) -> Glimpse:
    """The first frames that decode; of a short source all of them."""
    look_at_it = partial(
        look,
        source,
        ffmpeg=ffmpeg,
        stream=packets.index,
        frames=None if is_short(packets) else _HEAD_FRAMES,
        fields=is_short(packets) and can_be_interlaced(packets),
        timeout_s=timeout_s,
    )
    head = await look_at_it()
    if not head.frames and packets.codec == "mpeg2video" and packets.matrix not in _MATRICES:
        head = await look_at_it(mend_matrix=True)
    if not head.frames:
        said = f": {head.complaint}" if head.complaint else ""
        raise InputError(f"no frame of its video can be decoded{said}", fix="check that a player can play it")
    if not head.ticks:
        raise InputError("its frames have no timestamps", fix=REMUX)
    return head


async def _look_at_tail(
    source: Source, packets: Scan, head: Glimpse, ffmpeg: str, timeout_s: float
) -> Glimpse | None:
    """The last frames that decode, None where they are known already or cannot be found."""
    if is_short(packets) or not can_seek(packets):
        return None
    late_s = 2 * packets.keyframe_gap_s if packets.container in LATE_SEEKING_DEMUXERS else Fraction(0)
    return await look(
        source,
        ffmpeg=ffmpeg,
        stream=packets.index,
        from_s=packets.ticks[-1] * packets.time_base - _TAIL_S - late_s,
        mend_matrix=head.colour.matrix == INVALID_MATRIX,
        timeout_s=timeout_s,
    )


def _counted_from(start_s: Fraction, sights: Iterable[Sight]) -> Iterator[Sight]:
    return (replace(sight, at_s=sight.at_s - start_s) for sight in sights)


def _positions(decoded: Decoded, ticks: list[int], time_base: Fraction, rate: Fraction) -> list[int]:
    """The grid position of each frame that was decoded.

    The times of files without any are those of the packets, in the order in which frames are shown.
    """
    shown = [tick for tick in decoded.ticks if tick is not None]
    if len(decoded.ticks) == len(ticks) or len(shown) < len(decoded.ticks):
        return positions_of([*ticks, *(ticks[-1:] * (len(decoded.ticks) - len(ticks)))], time_base, rate)
    return [max(0, position) for position in positions_of([ticks[0], *sorted(shown)], time_base, rate)[1:]]


def _video_track(packets: Scan, head: Glimpse, timeline: Timeline, *, start_s: Fraction) -> VideoTrack:
    """The video stream with the field order that it states, before one has been decided on."""
    frame = head.frames[0]
    return VideoTrack(
        index=packets.index,
        codec=packets.codec,
        width=frame.width,
        height=frame.height,
        pixel_format=frame.pixel_format,
        sar=frame.sar,
        rate=timeline.rate,
        frames=timeline.frames,
        start_s=start_s,
        constant_rate=timeline.constant_rate,
        repeated_frames=timeline.repeated_frames,
        dropped_frames=timeline.dropped_frames,
        gaps=timeline.gaps,
        flagged_order=fieldorder.stated_order(_usual_fields(head), packets.stated_order),
        rotation_degrees=head.rotation_degrees,
        mirrored=packets.mirrored,
        colour=head.colour,
    )


def _usual_fields(head: Glimpse) -> FieldOrder:
    """What most frames with fields say of them."""
    orders = Counter(frame.fields for frame in head.frames if frame.fields is not FieldOrder.PROGRESSIVE)
    return orders.most_common(1)[0][0] if orders else FieldOrder.PROGRESSIVE
