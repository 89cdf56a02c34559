"""What the packets of a file tell: the answer of `probe_worker` as a value, or why there is none."""

import errno
import json
import os
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import Any

import anyio.to_thread

from vhsbatch.errors import InputError, ToolError
from vhsbatch.ffmpeg.formats import DECLARING_DEMUXERS
from vhsbatch.formatting import place
from vhsbatch.model.media import AudioTrack, FieldOrder, SubtitleTrack
from vhsbatch.model.source import DiscStream, DvdTitle, Span
from vhsbatch.probe.dvd_title import TitleLayout
from vhsbatch.process.spawn import describe_exit, run

# The frame count of an AVI that was written to a pipe.
_AVI_UNKNOWN_FRAMES = 2**30

_TRUNCATED_S = Fraction(1)
_TRUNCATED_PART = Fraction(1, 200)

# What such files begin with, and what they are.
_POSERS = (
    (b"ffconcat", "a concat script"),
    (b"#EXTM3U", "a playlist (HLS)"),
    (b"<MPD", "a playlist (DASH)"),
    (b"<ASX", "a playlist (ASX)"),
    (b"[playlist]", "a playlist (PLS)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What pictures are like from one packet on.

    Attributes:
        tick: when the packet is shown.
        width: in pixels.
        height: in pixels.
        pixel_format: FFmpeg's name.
        sar: the sample aspect ratio that the codec states, None where it states none.
        matrix: the number of the colour matrix, as all standards count them.
        transfer: that of the transfer.
        range: that of the range, as FFmpeg counts them.
    """

    tick: int
    width: int
    height: int
    pixel_format: str
    sar: Fraction | None
    matrix: int
    transfer: int
    range: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All that is known of a file without decoding it.

    Attributes:
        container: FFmpeg's demuxer name.
        declared_s: the duration that is written in the file, None where none is.
        reach_s: when the last packet of any stream ends, counted from the beginning.
        read_error: what stopped the reading before the end of the file.
        whole: whether everything that its container lists is there; None where that cannot be told.
        videos: number of moving pictures in the file.
        pictures: number of still pictures, such as covers.
        unknown_audio: number of audio streams whose codec nothing knows.
        index: index of the video stream, as everything below is about it.
        codec: FFmpeg's codec name.
        matrix: the number of its colour matrix, as all standards count them.
        width: in pixels.
        height: in pixels.
        mirrored: whether it is to be shown as in a mirror.
        time_base: seconds per tick.
        rates: what the container says about the frame rate, the most trustworthy first.
        stated_order: the field order that container and codec headers state.
        ticks: when the packets are shown, ascending.
        packets_without_time: packets that do not say when they are shown.
        keyframe_gap_s: the longest time without a keyframe.
        jump_back_s: the largest jump backwards of the stream's clock, 0 when there is none.
        jump_at_s: where that is.
        looks: where pictures become other ones, and what they are like; empty where all are alike.
        audio: the audio streams of which something decodes.
        subtitles: the subtitle streams.
        other_streams: number of streams of other kinds.
        timecode: of the first frame, None where none is stated.
        tags: the names of what else the file says of itself, in small letters.
        recorded: when a camera recorded it, in its own time, None where it does not say.
        audio_left_out: the other audio streams, each with why.
        other_programmes: the programmes of a broadcast that are not the picture's, by name.
        holes: when pictures are shown beside which the file is overwritten, in ticks; in raw DV one for each
            frame that is missing at an end.
        start_s: when its first stream begins, on its own clock.
        spans: the parts of the stream that FFmpeg can follow; empty where it can follow all of it.
        title: the title of a DVD that it is.
    """

    container: str
    declared_s: Fraction | None
    reach_s: Fraction
    read_error: str | None
    whole: bool | None
    videos: int
    pictures: int
    unknown_audio: int
    index: int
    codec: str
    matrix: int
    width: int
    height: int
    mirrored: bool
    time_base: Fraction
    rates: tuple[Fraction, ...]
    stated_order: FieldOrder
    ticks: tuple[int, ...]
    packets_without_time: int
    keyframe_gap_s: Fraction
    jump_back_s: Fraction
    jump_at_s: Fraction
    looks: tuple[Look, ...]
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[SubtitleTrack, ...] = ()
    other_streams: int = 0
    timecode: str | None = None
    recorded: str | None = None
    tags: tuple[str, ...] = ()
    audio_left_out: tuple[str, ...] = ()
    other_programmes: tuple[str, ...] = ()
    holes: tuple[int, ...] = ()
    start_s: Fraction = Fraction(0)
    spans: tuple[Span, ...] = ()
    title: DvdTitle | None = None

    @property
    def truncated(self) -> bool:
        """Whether its end is missing."""
        return self.ends_early and not self.whole and not self.holes

    @property
    def lost_frames(self) -> int:
        """How many frames are missing where the file is overwritten; of each place one at least."""
        if not self.holes:
            return 0
        missing = 0
        if self.declared_s is not None:
            # A tick of some AVI files is a part of a frame.
            usual = median_low([later - earlier for earlier, later in pairwise(self.ticks)] or [1])
            missing = round((self.declared_s / self.time_base - self.ticks[-1]) / max(1, usual)) - 1
        return max(missing, len(self.holes))

    @property
    def ends_early(self) -> bool:
        """Whether packets end clearly before the declared end; headers can be wrong."""
        if self.declared_s is None:
            return False
        missing_s = self.declared_s - self.reach_s
        return missing_s > max(_TRUNCATED_S, _TRUNCATED_PART * self.declared_s)


async def scan(*paths: Path, beginning: bytes, timeout_s: float | None, of_source: bool = False) -> Scan:
    """Read all packets of a file in a child process.

    Args:
        paths: absolute path; of several files, the bytes in a row are one stream.
        beginning: its first bytes, to name what it is when it is no video.
        timeout_s: seconds after which to give up, None for never.
        of_source: whether to look for what none of our own files says: a recording date, a mirror.

    Raises:
        InputError: it is no video, or nothing can read it.
        TimeoutError: it took longer than `timeout_s`.
        ToolError: PyAV does not work.
    """
    answer = await _answer(*map(str, paths), *(("source",) if of_source else ()), timeout_s=timeout_s)
    # In a thread, since the timestamps of a long tape are megabytes.
    return await anyio.to_thread.run_sync(_parse, answer, beginning)


async def scan_title(laid: TitleLayout, *, timeout_s: float | None) -> Scan:
    """Read all packets of a title of a DVD, in a child process.

    Raises:
        InputError: nothing can read it.
        TimeoutError: it took longer than `timeout_s`.
        ToolError: PyAV does not work.
    """
    answer = await _answer("title", laid.as_json, timeout_s=timeout_s)
    packets = await anyio.to_thread.run_sync(_parse, answer, b"")
    said: dict[str, Any] = json.loads(answer)["title"]
    return replace(
        packets,
        title=DvdTitle(
            number=laid.number,
            pieces=laid.pieces,
            streams=tuple(
                DiscStream(id=id_, language=language, palette=palette)
                for id_, language, palette in said["streams"]
            ),
            chapters_s=tuple(map(Fraction, said["chapters_s"])),
        ),
    )


async def _answer(*words: str, timeout_s: float | None) -> bytes:
    # -P: the current folder is the user's, and must not be searched for modules.
    worker = (sys.executable, "-P", "-m", "vhsbatch.probe.probe_worker", *words)
    finished = await run(worker, timeout_s=timeout_s)
    if finished.exit_code < 0:
        raise InputError(
            f"the program that reads it {describe_exit(finished.exit_code)}: the file is damaged",
            fix="copy it again from the original",
        )
    if finished.exit_code > 0:
        said = finished.stderr_tail[-1] if finished.stderr_tail else "it said nothing"
        raise ToolError(f"PyAV does not work: {said}", fix="pip install --force-reinstall av")
    return finished.stdout


def _parse(answer: bytes, beginning: bytes) -> Scan:
    try:
        found: dict[str, Any] = json.loads(answer)
    except json.JSONDecodeError as error:  # cut off where it becomes unreasonable
        raise InputError(
            "it has too many packets: days of video, or a damaged file", fix="cut it into shorter ones"
        ) from error
    if "error" in found:
        raise _unreadable(found["error"], beginning)
    if "refused" in found:
        cause, fix = found["refused"]
        raise InputError(cause, fix=fix)
    if "lost" in found:
        raise _lost_place(*found["lost"], pal=found["pal"])
    video = found["video"]
    if video is None:
        raise _no_video(found)
    if not video["ticks"]:
        raise InputError("its video stream is empty", fix="copy it again from the original")
    start_s, reach_s = _fraction(found["start_s"]) or Fraction(0), _fraction(found["reach_s"]) or Fraction(0)
    return Scan(
        container=found["container"],
        declared_s=_declared_s(found),
        # Some containers count their duration from 0, some from their first timestamp.
        reach_s=max(reach_s, reach_s - start_s),
        read_error=found["read_error"],
        whole=found["whole"],
        videos=found["videos"],
        pictures=found["pictures"],
        unknown_audio=found["unknown_audio"],
        index=video["index"],
        codec=video["codec"],
        matrix=video["matrix"],
        width=video["width"],
        height=video["height"],
        mirrored=found["mirrored"],
        time_base=Fraction(video["time_base"]),
        rates=tuple(map(Fraction, video["rates"])),
        stated_order=FieldOrder(video["field_order"]),
        ticks=tuple(video["ticks"]),
        packets_without_time=video["packets_without_time"],
        keyframe_gap_s=Fraction(video["keyframe_gap_s"]),
        jump_back_s=Fraction(video["jump_back_s"]),
        jump_at_s=Fraction(video["jump_at_s"]),
        looks=tuple(_look(*look) for look in video["looks"]),
        audio=tuple(_audio_track(sound) for sound in found["audio"]),
        subtitles=tuple(SubtitleTrack(**subtitle) for subtitle in found["subtitles"]),
        other_streams=found["other_streams"],
        timecode=found["timecode"],
        recorded=found["recorded"],
        tags=tuple(found["tags"]),
        audio_left_out=tuple(found["audio_left_out"]),
        holes=tuple(found["holes"]),
        start_s=start_s,
        spans=tuple(
            Span(start=start, stop=stop, length_s=Fraction(length_s))
            for start, stop, length_s in found["spans"]
        ),
    )


def _look(tick: int, width: int, height: int, pixel_format: str, sar: str | None, *colour: int) -> Look:
    matrix, transfer, range_ = colour
    return Look(
        tick=tick, width=width, height=height, pixel_format=pixel_format, sar=_fraction(sar),
        matrix=matrix, transfer=transfer, range=range_,
    )  # fmt: skip


def _unreadable(message: str, beginning: bytes) -> InputError:
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, kind in _POSERS:
        if text.startswith(mark) or (text.startswith(b"<?xml") and mark in text):
            return InputError(f"it is {kind}, not a video", fix="give the video files that it names")
    if beginning[4:8] == b"ftyp":
        return InputError(
            "its index is missing: the recording or the copy was cut off",
            fix="copy it again from the original",
        )
    if message == os.strerror(errno.EINVAL):  # what FFmpeg says of formats that are not allowed
        message = "its content is of another kind"
    return InputError(
        f"it is not a video that can be read ({message})", fix="check that a player can play it"
    )


def _lost_place(frame: int, at: int, next_at: int | None, frame_bytes: int, *, pal: bool) -> InputError:
    """Why nothing can follow a raw DV stream, and how to save what is before and after that place."""
    where = f"at {place(frame / (Fraction(25) if pal else Fraction(30000, 1001)))} (byte {at})"
    if next_at is None:
        return InputError(
            f"damaged: no frame of its DV stream follows {where}",
            fix=f"copy it again, or keep what is before: head -c {at} IN > 1.dv",
        )
    wrong = (next_at - at) % frame_bytes
    lacks = wrong > frame_bytes // 2 or next_at - at < frame_bytes
    count = (frame_bytes - wrong) % frame_bytes if lacks else wrong
    gone = f"{(next_at - at) // frame_bytes} frames are overwritten"
    what = f"{count} bytes {'are missing' if lacks else 'too many are there'}" if count else gone
    return InputError(
        f"damaged: its DV stream loses its place {where}: {what}",
        fix=f"copy it again, or cut it there: head -c {at} IN > 1.dv; tail -c +{next_at + 1} IN > 2.dv",
    )


def _no_video(found: dict[str, Any]) -> InputError:
    if found["pictures"]:
        return InputError("it holds a still picture (cover art) but no video")
    if found["videos"]:
        return InputError("nothing can decode its video", fix="convert it with the program that made it")
    return InputError("it holds no video")


def _declared_s(found: dict[str, Any]) -> Fraction | None:
    if found["container"] == "avi":
        video = found["video"]
        counted = 0 < video["declared_frames"] < _AVI_UNKNOWN_FRAMES
        return video["declared_frames"] * Fraction(video["time_base"]) if counted else None
    return _fraction(found["duration_s"]) if found["container"] in DECLARING_DEMUXERS else None


def _audio_track(sound: dict[str, Any]) -> AudioTrack:
    return AudioTrack(
        index=sound["index"],
        codec=sound["codec"],
        sample_rate_hz=sound["sample_rate_hz"],
        channels=sound["channels"],
        start_s=Fraction(sound["start_s"]),
        end_s=Fraction(sound["end_s"]),
        language=sound["language"] if sound["language"] != "und" else None,
        heard_s=Fraction(sound["heard_s"]),
        undecoded_packets=sound["undecoded_packets"],
        undecoded_at_s=_fraction(sound["undecoded_at_s"]),
        changes_at_s=_fraction(sound["changes_at_s"]),
    )


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
