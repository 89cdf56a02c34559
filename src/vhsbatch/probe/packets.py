"""What a source's packets say: which frames lie where, and whether it can be sought, or used at all. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import LATE_SEEKING_DEMUXERS, SEEKABLE_DEMUXERS, UNTIMED_DEMUXERS
from vhsbatch.formatting import duration, place
from vhsbatch.model.media import FieldOrder, Gap, VideoTrack
from vhsbatch.model.timeline import Timeline, lay_on_grid, positions_of, whole_frames
from vhsbatch.probe import field_order as fieldorder
from vhsbatch.probe.idet import SHORT_FRAMES
from vhsbatch.probe.scan import Scan
from vhsbatch.probe.showinfo import Glimpse

REMUX = "repair its timestamps first: ffmpeg -fflags +genpts -i IN -map 0:v -map 0:a? -c copy OUT.mkv"

# Up to here the whole source is decoded, which leaves nothing to guess.
_SHORT_PACKETS = 100
# With fewer frames than a third of the packets, most are lost: a packet holds half a frame at least.
_MOSTLY_LOST = 3
# Where seeks overshoot their target, they may overshoot by this much.
_LATE_SEEK_S = Fraction(1)
# A grid with more positions than this comes from a broken clock, not from slow video.
_POSITIONS_PER_FRAME = 100
_EXTRA_POSITIONS = 100_000
# More places than this are no damage but an unknown kind of stream.
_MOST_OVERWRITTEN = 5000
# Nobody pauses a capture for longer and wants to see that.
_LONGEST_GAP_S = 3600
# From here on, a gap is named.
_NOTICED_GAP_S = 1
_MOST_NAMED = 3
# Sound of which less is heard beside the picture is left out.
_SHORTEST_SOUND_S = Fraction(1, 20)
# A clock that goes back further than reordered frames explain.
_JUMP_BACK_S = Fraction(1, 2)


def is_short(packets: Scan) -> bool:
    """Whether so little is there that all of it is decoded."""
    return len(packets.ticks) <= (SHORT_FRAMES if can_be_interlaced(packets) else _SHORT_PACKETS)


def can_be_interlaced(packets: Scan) -> bool:
    """Whether its frames may have fields."""
    return fieldorder.can_be_interlaced(packets.height, packets.stated_order)


def can_seek(packets: Scan) -> bool:
    """Whether a seek finds the same frames as a continuous run, as far as packets tell."""
    return (
        packets.container in SEEKABLE_DEMUXERS
        and packets.packets_without_time == 0
        and packets.jump_back_s == 0
        and not packets.truncated
        and (packets.container not in LATE_SEEKING_DEMUXERS or packets.keyframe_gap_s <= _LATE_SEEK_S)
    )


def is_avi_with_gaps(packets: Scan, timeline: Timeline) -> bool:
    """AVI has no timestamps: after dropped frames, seeks are off by a few frames."""
    return packets.container == "avi" and not timeline.constant_rate


def frames_on_grid(
    packets: Scan, head: Glimpse, tail: Glimpse | None, overwritten: frozenset[int] = frozenset()
) -> tuple[list[int], Timeline]:
    """When every frame that decodes is shown, and the grid on which they lie.

    Those that are overwritten are left out at both ends, as those are that do not decode.
    """
    ticks = sorted(head.ticks) if is_short(packets) else _frame_ticks(packets, head, tail)
    good = [place for place, tick in enumerate(ticks) if tick not in overwritten]
    if good:
        ticks = ticks[good[0] : good[-1] + 1]
    # Where most frames are lost, the distances of those that decode say nothing of the rate.
    clock = packets.ticks if _MOSTLY_LOST * len(ticks) < len(packets.ticks) else None
    return ticks, lay_on_grid(ticks, packets.time_base, packets.rates, clock=clock)


def _frame_ticks(packets: Scan, head: Glimpse, tail: Glimpse | None) -> list[int]:
    """When packets are shown, less those that do not decode and those that are second fields."""
    first = min(head.ticks)
    shift = first - packets.ticks[0] if packets.container in UNTIMED_DEMUXERS else 0
    ticks = [tick + shift for tick in packets.ticks if tick + shift >= first]
    if tail is not None and tail.ticks:
        last = max(tail.ticks)
        ticks = [tick for tick in ticks if tick <= last]
    has_fields = any(frame.fields is not FieldOrder.PROGRESSIVE for frame in head.frames)
    deltas = [b - a for a, b in pairwise(sorted(head.ticks)) if b > a]
    # H.264 alone has packets that are single fields.
    if packets.codec == "h264" and has_fields and deltas:
        return whole_frames(ticks, min(deltas))
    return ticks


def without_overwritten(
    video: VideoTrack, ticks: Sequence[int], time_base: Fraction, overwritten: frozenset[int]
) -> VideoTrack:
    """`video` with gaps where its frames are overwritten.

    Args:
        video: with those gaps alone that have no frame.
        ticks: when each frame is shown.
        time_base: seconds per tick.
        overwritten: when those are shown that are overwritten.
    """
    positions = positions_of(ticks, time_base, video.rate)
    shown = {position for position, tick in zip(positions, ticks, strict=True) if tick not in overwritten}
    places = _in_a_row(set(positions) - shown)
    if not shown or not places or len(places) > _MOST_OVERWRITTEN:
        return video
    gone = {position for gap in (*video.gaps, *places) for position in range(gap.start, gap.stop)}
    return replace(
        video,
        gaps=_in_a_row(gone),
        overwritten=places,
        repeated_frames=video.repeated_frames + sum(place.frames for place in places),
    )


def _in_a_row(positions: Collection[int]) -> tuple[Gap, ...]:
    """Positions as ranges."""
    rows = groupby(enumerate(sorted(positions)), key=lambda numbered: numbered[1] - numbered[0])
    ranges = ([position for _, position in row] for _, row in rows)
    return tuple(Gap(start=row[0], stop=row[-1] + 1) for row in ranges)


def undecoded_tail(packets: Scan, tail: Glimpse | None) -> int:
    """How many packets follow the last frame that decodes."""
    if tail is None or not tail.ticks or packets.container in UNTIMED_DEMUXERS:
        return 0
    last = max(tail.ticks)
    return sum(tick > last for tick in packets.ticks[-1000:])


def expect_sense(packets: Scan, timeline: Timeline, ticks: list[int]) -> None:
    """Refuse a grid that no picture has.

    Raises:
        InputError: its timestamps make no sense, or jump ahead by hours.
    """
    if (gap := max(timeline.gaps, key=lambda gap: gap.frames, default=None)) is not None:
        at_s, to_s = (count / timeline.rate for count in (gap.start, gap.stop))
        if to_s - at_s > _LONGEST_GAP_S:
            # From just after the jump, or FFmpeg begins with the last keyframe before it.
            first = f"ffmpeg -i IN -to {float(at_s):.2f} -c copy 1.mkv"
            second = f"ffmpeg -ss {ceil(to_s * 100) / 100:.2f} -i IN -c copy 2.mkv"
            # Of these formats, FFmpeg joins the clock on by itself.
            joined = packets.container in LATE_SEEKING_DEMUXERS
            raise InputError(
                f"its clock jumps ahead by {duration(float(to_s - at_s))} at {duration(float(at_s))}",
                fix=REMUX if joined else f"cut it in two there: {first}, {second}",
            )
    if timeline.frames > _POSITIONS_PER_FRAME * len(ticks) + _EXTRA_POSITIONS:
        length_s = timeline.frames / float(timeline.rate)
        raise InputError(f"its timestamps make no sense: {len(ticks)} frames in {length_s:.0f} s", fix=REMUX)


def expect_restorable(packets: Scan, max_pixels: int, *, allow_truncated: bool) -> None:
    """Refuse what would make a wrong result or exhaust the machine.

    Raises:
        InputError: the picture is too large, the end is missing, or the clock goes back.
    """
    if packets.width * packets.height > max_pixels:
        raise InputError(
            f"a picture of {packets.width}x{packets.height} is too large",
            fix="if it really is that large, allow it with --max-pixels",
        )
    if packets.truncated and not allow_truncated:
        raise InputError(
            _truncation(packets),
            fix="copy it again from the original, or restore what is there with --allow-truncated",
        )
    if packets.jump_back_s > _JUMP_BACK_S:
        raise InputError(
            f"its clock jumps back by {float(packets.jump_back_s):.1f} s at {float(packets.jump_at_s):.1f} s",
            fix=REMUX,
        )


def _overstated(packets: Scan) -> str:
    declared_s = packets.declared_s or packets.reach_s
    return (
        f"its header states {float(declared_s):.1f} s, which is wrong: "
        f"the file is complete with {float(packets.reach_s):.1f} s"
    )


def _truncation(packets: Scan) -> str:
    declared_s = packets.declared_s or packets.reach_s
    return f"truncated: {float(packets.reach_s):.1f} s of {float(declared_s):.1f} s are there"


def expect_one_size(head: Glimpse, tail: Glimpse | None, *, ignoring: frozenset[int] = frozenset()) -> None:
    """Refuse video whose format changes: filters would restart there and lose frames.

    Args:
        head: the first frames, or all.
        tail: the last ones, None where these are among the first.
        ignoring: when damaged frames are shown, of which a decoder may make anything.

    Raises:
        InputError: it changes its size.
    """
    seen = [*head.frames, *(tail.frames if tail is not None else ())]
    sizes = list(
        dict.fromkeys(f"{frame.width}x{frame.height}" for frame in seen if frame.tick not in ignoring)
    )
    if len(sizes) > 1:
        raise InputError(
            f"its picture changes size: {' and '.join(sizes)}", fix="cut the source where it changes"
        )


def without_early_sound(packets: Scan, start_s: Fraction) -> Scan:
    """`packets` without the tracks that end before the picture begins, at `start_s`."""
    early = [
        track
        for track in packets.audio
        if track.start_s < start_s and track.end_s - start_s < _SHORTEST_SOUND_S
    ]
    why = (f"stream {track.index} ({track.codec}): it ends before the picture begins" for track in early)
    return replace(
        packets,
        audio=tuple(track for track in packets.audio if track not in early),
        audio_left_out=(*packets.audio_left_out, *why),
    )


def notes(packets: Scan, timeline: Timeline, *, undecoded: int) -> tuple[str, ...]:
    """What the user should know."""
    before = (
        (packets.truncated, _truncation(packets)),
        (packets.ends_early and packets.whole and not packets.holes, _overstated(packets)),
        (packets.read_error, f"cannot be read to its end: {packets.read_error}"),
        (undecoded, f"frames at the end that do not decode and are left out: {undecoded}"),
    )
    behind = (
        (packets.videos > 1, f"of its {packets.videos} video streams the largest is restored"),
        (packets.unknown_audio, f"audio streams left out, nothing decodes them: {packets.unknown_audio}"),
        (packets.audio_left_out, f"audio left out: {'; '.join(packets.audio_left_out)}"),
        (packets.other_programmes, f"other programmes left out: {', '.join(packets.other_programmes)}"),
    )
    return (
        *(text for applies, text in before if applies),
        *rate_notes(timeline),
        *(text for applies, text in behind if applies),
    )


def rate_notes(source: Timeline | VideoTrack) -> tuple[str, ...]:
    """What making its rate constant does to a source."""
    repeated, dropped, rate = source.repeated_frames, source.dropped_frames, float(source.rate)
    changes = (
        (repeated, f"missing frames, filled by repeating: {repeated}{_where(source)}"),
        (dropped, f"frames left out above {rate:.2f} a second: {dropped}"),
    )
    return (*(text for applies, text in changes if applies), *_gap_notes(source))


def _where(source: Timeline | VideoTrack) -> str:
    """The places of all missing frames, where each is known."""
    gaps = source.gaps
    if not gaps or sum(gap.frames for gap in gaps) != source.repeated_frames:
        return ""
    first, last = (place(gap.start / source.rate) for gap in (gaps[0], gaps[-1]))
    return f", at {first}" if len(gaps) == 1 else f", in {len(gaps)} places from {first} to {last}"


def _gap_notes(source: Timeline | VideoTrack) -> Iterator[str]:
    """Where the picture freezes for long because nothing was recorded."""
    noticed = [gap for gap in source.gaps if gap.frames >= _NOTICED_GAP_S * source.rate]
    for gap in noticed[:_MOST_NAMED]:
        at_s, length_s = (float(count / source.rate) for count in (gap.start, gap.frames))
        yield f"no frame for {length_s:.1f} s from {duration(at_s)} on: the one before is held"
    if (more := len(noticed) - _MOST_NAMED) > 0:
        yield f"no frame for a second or more in {more} other places: the one before is held"
