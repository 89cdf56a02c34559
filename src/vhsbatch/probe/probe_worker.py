"""Child process that reads all packets of a source and prints what it found as one JSON object.

    python -P -m vhsbatch.probe.probe_worker PATH… [source]
    python -P -m vhsbatch.probe.probe_worker title LAYOUT

Of several files, the bytes in a row are one stream. A title of a DVD is read as it lies on its disc. Every
packet is read, and sound is decoded: only so the true ends of the streams are known. With ``source`` two
things more are found out, which none of our own files says: when a camera recorded it, and whether its
first frame asks to be seen in a mirror. It is a separate process because a hostile file can crash the
libraries that read it. Fractions are printed as ``"numerator/denominator"`` and everything is ASCII. A file
that cannot be read gives ``{"error": MESSAGE}`` and exit code 0; any other exit code is a failure of the
program.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack
from dataclasses import astuple
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.logging

from vhsbatch.ffmpeg.formats import FORMAT_WHITELIST, UNTIMED_DEMUXERS, input_options, input_url, span_url
from vhsbatch.fs import open_in_a_row
from vhsbatch.model.source import DvdTitle, InSpans, Joined, PartFile, Source, Span
from vhsbatch.probe.audio_packets import AudioPackets
from vhsbatch.probe.avi_chunks import AviChunks
from vhsbatch.probe.camera import WITH_DISPLAY_MATRIX, is_mirrored, recorded
from vhsbatch.probe.completeness import fills_container
from vhsbatch.probe.dv_frames import DvFrames, dv_frames
from vhsbatch.probe.dvd_ifo import TICKS_PER_S
from vhsbatch.probe.dvd_title import Times, TitleLayout, as_read, in_spans, layout_of
from vhsbatch.probe.stream_headers import picture_header, searched_bytes

# AVFieldOrder: unknown, progressive, tt, bb, tb, bt. FFmpeg itself writes "tb" for top field first.
_FIELD_ORDERS = ("unknown", "progressive", "tff", "bff", "tff", "bff")
# Its header lists each packet.
_WITH_ALL_SAMPLES = "mov,mp4,m4a,3gp,3g2,mj2"
# The MPEG-TS reader searches this number of bytes for the next packet before it asks to be called again.
_RESYNC_BYTES = 65_536
# The pieces of a title say where it is.
_DISC = Joined(parts=())
_NOT_MOVING = ("attached_pic", "still_image", "timed_thumbnails")


def main(argv: list[str]) -> int:
    """Read the files named by the arguments and print the result."""
    # Whatever a native library may print must not land in the JSON.
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    av.logging.set_level(av.logging.PANIC)
    result: dict[str, Any]
    try:
        laid = layout_of(argv[2]) if argv[1] == "title" else None
        paths = [] if laid else [Path(name) for name in argv[1:] if name != "source"]  # those are absolute
        result = {**scan(paths, laid), "recorded": None, "mirrored": False}
        if argv[-1] == "source":
            result["recorded"] = recorded(argv[1])
            if result["container"] == WITH_DISPLAY_MATRIX:
                result["mirrored"] = mirrored(paths)
    except (av.FFmpegError, OSError) as error:
        result = {"error": getattr(error, "strerror", None) or str(error)}
    with answer:
        json.dump(result, answer)
    return 0


def scan(paths: Sequence[Path], laid: TitleLayout | None = None) -> dict[str, Any]:
    """Everything about the files that can be known without decoding their picture.

    Args:
        paths: the files.
        laid: the title of a DVD that is read instead.
    """
    if laid is not None:
        title, parts = _title(laid)
        with _opened(InSpans(whole=_DISC, spans=parts, title=title)) as container:
            return {**_scanned(container, [], parts, None, "mpeg"), "title": _described(title)}
    with ExitStack() as stack:
        whole = _whole(paths)
        container = stack.enter_context(_opened(whole))
        dv, spans = _raw_dv(container, paths)
        # FFmpeg would never come to an end, or stop without a message.
        if dv is not None and dv.lost is not None:
            return {"container": "dv", "lost": [*dv.lost, dv.frame_bytes], "pal": dv.pal}
        if spans:
            if any({"\n", "\r"} & set(str(path)) for path in paths):
                return _refusal("damaged, and a line break in its name hides the rest", "rename it")
            container = stack.enter_context(_opened(InSpans(whole=whole, spans=tuple(spans))))
            if _lacks_sound(container, whole, spans):
                return _refusal(
                    f"damaged: before its first lost frame (byte {spans[0].stop}) it has less sound",
                    f"copy it again, or keep what is behind: tail -c +{spans[1].start + 1} IN > 2.dv",
                )
        return _scanned(container, paths, spans, dv, "dv" if spans else container.format.name)


def _scanned(
    container: Any, paths: Sequence[Path], spans: Sequence[Span], dv: DvFrames | None, name: str
) -> dict[str, Any]:
    """Everything about an open source, of which `name` is the format."""
    video = _main_video(container.streams.video)
    result: dict[str, Any] = {
        "container": name,
        "spans": [(span.start, span.stop, _text(span.length_s)) for span in spans],
        "start_s": _text(_microseconds(container.start_time)),
        "duration_s": _text(_microseconds(container.duration)),
        "pictures": sum(_is_duplicate(stream) for stream in container.streams.video),
        "videos": sum(not _is_duplicate(stream) for stream in container.streams.video),
    }
    if video is None:
        return {**result, "video": None}
    packets = _VideoPackets(video, untimed=container.format.name in UNTIMED_DEMUXERS)
    sounds = {
        stream.index: AudioPackets(stream) for stream in container.streams.audio if _has_decoder(stream)
    }
    with open_in_a_row(paths) as file:
        chunks = AviChunks(file) if container.format.name == "avi" else None
        reach_s, read_error, filled = _read(container, packets, sounds, chunks)
        is_short = not 0 < video.frames <= packets.end_tick
        if chunks is not None:
            chunks.finish(container.size)
    holes = chunks.holes if chunks is not None and is_short else []
    if dv is not None and packets.count:
        first, last = packets.ends
        misread = (round(frame / dv.rate / Fraction(video.time_base)) for frame in dv.misread)
        holes = [
            *[first] * dv.lost_at_head,
            *(first + tick for tick in misread),
            *[last] * (dv.rest_bytes > 0),
        ]
    return {
        **result,
        "unknown_audio": len(container.streams.audio) - len(sounds),
        "audio_left_out": [why for sound in sounds.values() if (why := sound.left_out) is not None],
        "reach_s": _text(reach_s),
        "read_error": read_error,
        "whole": packets.count >= video.frames
        if container.format.name == _WITH_ALL_SAMPLES and video.frames
        else fills_container(paths[-1], container.format.name)
        if paths
        else None,
        "holes": holes,
        "video": {**_describe_video(video), **packets.summary()},
        "subtitles": [
            {"index": stream.index, "codec": _codec_name(stream)}
            for stream in container.streams.subtitles
            # A disc lists subtitles that a title does not have.
            if paths or stream.index in filled
        ],
        "other_streams": len(container.streams.data) + len(container.streams.attachments),
        "timecode": _timecode(container, video),
        "tags": sorted(name.lower() for name in container.metadata),
        "audio": [sound.summary() for sound in sounds.values() if sound.is_heard],
    }


def _title(laid: TitleLayout) -> tuple[DvdTitle, tuple[Span, ...]]:
    """A title of a DVD as FFmpeg opens it: with the streams with which its first part begins."""
    times: list[Times] = []
    picture: int | None = None
    sounds: list[int] = []
    for clock in laid.clocks:
        with _part(laid, clock.start, clock.stop) as container:
            start_s = _microseconds(container.start_time) or Fraction(0)
            if picture is None:
                video = _main_video(container.streams.video)
                if video is None:
                    raise OSError("it holds no video")
                picture, sounds = video.id, [stream.id for stream in container.streams.audio]
        with _part(laid, clock.last_unit, clock.stop) as container:
            end_s = _picture_end_s(container) or Fraction(clock.ends, TICKS_PER_S)
        times.append(Times(start_s=start_s, end_s=end_s))
    return as_read(laid, picture or 0, sounds, times), tuple(in_spans(laid, times))


def _part(laid: TitleLayout, start: int, stop: int) -> Any:
    """A part of a title by itself, with its own clock."""
    part = Span(start=start, stop=stop, length_s=Fraction(0))
    title = DvdTitle(number=laid.number, pieces=laid.pieces, streams=())
    options = {"protocol_whitelist": "concat,subfile,file", "format_whitelist": FORMAT_WHITELIST}
    return av.open(span_url(InSpans(whole=_DISC, spans=(part,), title=title), part), options=options)


def _picture_end_s(container: Any) -> Fraction | None:
    """When the last frame ends; None where no frame says when it is shown."""
    ends = [
        (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
        for packet in (container.demux(video=0) if container.streams.video else ())
        if packet.pts is not None
    ]
    return max(ends, default=None)


def _described(title: DvdTitle) -> dict[str, Any]:
    return {
        "streams": [astuple(stream) for stream in title.streams],
        "chapters_s": [_text(at_s) for at_s in title.chapters_s],
    }


def _raw_dv(container: Any, paths: Sequence[Path]) -> tuple[DvFrames | None, list[Span]]:
    """How the frames of raw DV lie in its files, and the parts to be read where FFmpeg cannot follow all."""
    if container.format.name != "dv":
        return None, []
    with open_in_a_row(paths) as file:
        dv = dv_frames(file, container.size)
    return dv, [] if dv is None else dv.spans(container.size)


def _lacks_sound(container: Any, whole: Path | Joined, spans: Sequence[Span]) -> bool:
    """Whether FFmpeg finds less sound in the first span than in the longest one: it would drop the rest."""
    longest = max(spans, key=lambda span: span.stop - span.start)
    with _opened(InSpans(whole=whole, spans=(longest,))) as other:
        return len(container.streams.audio) < len(other.streams.audio)


def _refusal(cause: str, fix: str) -> dict[str, Any]:
    return {"container": "dv", "refused": [cause, fix]}


def _whole(paths: Sequence[Path]) -> Path | Joined:
    """The files as FFmpeg opens them."""
    if len(paths) == 1:
        return paths[0]
    return Joined(parts=tuple(PartFile(path=path, size_bytes=0, modified_ns=0) for path in paths))


def _opened(source: Source) -> Any:
    words = input_options(source)
    options = {name.removeprefix("-"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    return av.open(input_url(source), format=options.pop("f", None), options=options)


def _codec_name(stream: Any) -> str:
    codec = stream.codec_context
    return "unknown" if codec is None else codec.codec.canonical_name


def _timecode(container: Any, video: Any) -> str | None:
    stated: str | None = container.metadata.get("timecode") or video.metadata.get("timecode")
    return stated


def mirrored(paths: Sequence[Path]) -> bool:
    """Whether the file asks for a picture seen in a mirror."""
    with _opened(_whole(paths)) as container:
        video = _main_video(container.streams.video)
        return video is not None and is_mirrored(container, video)


def _read(
    container: Any, video: "_VideoPackets", sounds: dict[int, AudioPackets], chunks: AviChunks | None
) -> tuple[Fraction | None, str | None, Set[int]]:
    """Take every packet in.

    Returns:
        When the last packet of any stream ends, the error that stopped the reading, and the streams that
        have packets.
    """
    ends: dict[int, int] = {}
    bases: dict[int, Fraction] = {}
    error: str | None = None
    try:
        for packet in packets_of(container):
            if packet.size == 0 and packet.dts is None:  # PyAV's end of a stream
                continue
            stream = packet.stream
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None:
                bases[stream.index] = Fraction(stream.time_base)
                ends[stream.index] = max(ends.get(stream.index, time), time + (packet.duration or 0))
            if chunks is not None:
                chunks.add(packet, is_video=stream.index == video.index)
            if stream.index == video.index:
                video.add(packet)
            elif (sound := sounds.get(stream.index)) is not None:
                sound.add(packet)
    except av.FFmpegError as failure:
        error = failure.strerror
    for sound in sounds.values():
        sound.finish()
    return max((end * bases[index] for index, end in ends.items()), default=None), error, ends.keys()


def packets_of(container: Any) -> Iterator[Any]:
    """All packets of a file: like FFmpeg, goes on after damage in MPEG-TS."""
    for _ in range(max(container.size or 0, 0) // _RESYNC_BYTES + 1):
        try:
            yield from container.demux()
        except BlockingIOError:
            continue
        return


def _main_video(streams: Any) -> Any:
    """The largest moving picture; of equal ones the default one, then the first."""
    moving = [stream for stream in streams if not _is_duplicate(stream) and _has_decoder(stream)]
    return max(
        moving,
        key=lambda stream: (
            stream.codec_context.width * stream.codec_context.height,
            _has(stream, "default"),
            -stream.index,
        ),
        default=None,
    )


def _has_decoder(stream: Any) -> bool:
    return stream.codec_context is not None


def _is_duplicate(stream: Any) -> bool:
    return any(_has(stream, name) for name in _NOT_MOVING)


def _has(stream: Any, disposition: str) -> bool:
    names = type(stream.disposition)
    flag = getattr(names, disposition, None)
    return flag is not None and bool(stream.disposition & flag)


def _describe_video(stream: Any) -> dict[str, Any]:
    codec = stream.codec_context
    order = int(getattr(codec, "field_order", 0) or 0)
    return {
        "index": stream.index,
        "codec": codec.codec.canonical_name,
        "width": codec.width,
        "height": codec.height,
        "time_base": _text(stream.time_base),
        # DV's average is the tick rate; what FFmpeg guesses is right more often than anything else.
        "rates": [
            _text(rate) for rate in (stream.guessed_rate, stream.base_rate, stream.average_rate) if rate
        ],
        "field_order": _FIELD_ORDERS[order] if order < len(_FIELD_ORDERS) else "unknown",
        "declared_frames": stream.frames,
        "matrix": int(codec.colorspace),
    }


class _VideoPackets:
    """The packets of the video stream, as far as they tell when frames are shown."""

    def __init__(self, stream: Any, *, untimed: bool) -> None:
        self.index = stream.index
        self.count = 0
        self._time_base = Fraction(stream.time_base)
        self._untimed = untimed
        self._ticks: list[int] = []
        self._next_tick = 0
        self._without_time = 0
        self._last_dts: int | None = None
        self._jump_back = 0
        self._jump_at = 0
        self._keyframes: list[int] = []
        self._looks = _Looks(stream)

    def add(self, packet: Any) -> None:
        """Take one packet in."""
        self.count += 1
        if packet.is_discard:  # cut off by an edit list: decoded, never shown
            return
        dts, pts = packet.dts, packet.pts
        if dts is not None:
            if self._last_dts is not None and self._last_dts - dts > self._jump_back:
                self._jump_back, self._jump_at = self._last_dts - dts, self._last_dts
            self._last_dts = dts
        tick = dts if self._untimed else pts
        if tick is None and self._untimed:
            tick = self._next_tick
        if tick is None:
            self._without_time += 1
            return
        self._next_tick = tick + (packet.duration or 1)
        self._ticks.append(tick)
        if packet.is_keyframe:
            self._looks.add(packet, tick)
            self._keyframes.append(tick)

    @property
    def end_tick(self) -> int:
        """When the last packet ends, in the order in which they came."""
        return self._next_tick

    @property
    def ends(self) -> tuple[int, int]:
        """When the first and the last packet are shown."""
        return (min(self._ticks), max(self._ticks)) if self._ticks else (0, 0)

    def summary(self) -> dict[str, Any]:
        """The ticks of all packets in ascending order, and what is odd about them."""
        self._ticks.sort()
        groups = sorted((*self._keyframes, *self._ticks[:1], *self._ticks[-1:]))
        keyframe_gap = max((b - a for a, b in pairwise(groups)), default=0)
        return {
            "ticks": self._ticks,
            "packets_without_time": self._without_time,
            "keyframe_gap_s": _text(keyframe_gap * self._time_base),
            "jump_back_s": _text(self._jump_back * self._time_base),
            "jump_at_s": _text(self._jump_at * self._time_base),
            "looks": self._looks.changes,
        }


# More are no changes of a picture but damage.
_MOST_LOOKS = 200


class _Looks:
    """Where the format of a stream's frames changes, and what it is before and after that.

    Only headers are compared, and one packet is decoded for each that was not seen before.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._codec = stream.codec_context.codec.canonical_name
        self._bytes = searched_bytes(self._codec)
        self._header: bytes | None = None
        self._first: tuple[bytes, Any, int] | None = None
        self._known: dict[bytes, list[Any] | None] = {}
        self.changes: list[list[Any]] = []

    def add(self, packet: Any, tick: int) -> None:
        """Take a packet in that can be decoded by itself, and when it is shown."""
        if packet.has_sidedata("new_extradata"):
            header: bytes | None = bytes(packet.get_sidedata("new_extradata"))
        else:
            header = picture_header(self._codec, bytes(memoryview(packet)[: self._bytes]))
        if header is None or header == self._header:
            return
        self._header = header
        if self._first is None:  # nearly always the only one
            self._first = header, packet, tick
            return
        if not self._known:
            self._take(*self._first)
        self._take(header, packet, tick)

    def _take(self, header: bytes, packet: Any, tick: int) -> None:
        if header not in self._known:
            if len(self._known) >= _MOST_LOOKS:
                return
            self._known[header] = self._decoded(packet)
        look = self._known[header]
        if look is not None and (not self.changes or self.changes[-1][1:] != look):
            self.changes.append([tick, *look])

    def _decoded(self, packet: Any) -> list[Any] | None:
        """Size, format, aspect of samples, matrix, transfer and range; None if it does not decode."""
        decoder = av.CodecContext.create(self._codec, "r")
        decoder.extradata = self._stream.codec_context.extradata
        try:
            frames = [*decoder.decode(packet), *decoder.decode(None)]
        except av.FFmpegError:
            return None
        if not frames:
            return None
        frame, aspect = frames[0], decoder.sample_aspect_ratio
        return [
            *(frame.width, frame.height, frame.format.name, _text(aspect) if aspect else None),
            *(int(frame.colorspace), int(frame.color_trc), int(frame.color_range)),
        ]


def _microseconds(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value, 1_000_000)


def _text(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
