"""Child process that reads all packets of one file and prints what it found as one JSON object.

    python -P -m vhsbatch.media.probe_worker PATH [source]

Nothing is decoded, but every packet is read: only so the true ends of the streams are known. With
``source`` two things more are found out, which none of our own files says: when a camera recorded it, and
whether its first frame asks to be seen in a mirror. It is a process of its own because a hostile file can
crash the libraries that read it. Fractions are printed as ``"numerator/denominator"`` and everything is
ASCII. A file that cannot be read gives ``{"error": MESSAGE}`` and exit code 0; any other exit code is a
failure of the program.
"""

import json
import os
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.logging

from vhsbatch.media.camera import WITH_DISPLAY_MATRIX, is_mirrored, recorded
from vhsbatch.media.formats import FORMAT_WHITELIST, PROTOCOL_WHITELIST, UNTIMED_DEMUXERS, file_url

# AVFieldOrder: unknown, progressive, tt, bb, tb, bt. FFmpeg itself writes "tb" for top field first.
_FIELD_ORDERS = ("unknown", "progressive", "tff", "bff", "tff", "bff")
# In so many bytes the reader of MPEG-TS looks for the next packet before it asks to be called again.
_RESYNC_BYTES = 65_536
_NOT_MOVING = ("attached_pic", "still_image", "timed_thumbnails")


def main(argv: list[str]) -> int:
    """Read the file named by the first argument and print the result."""
    # Whatever a native library may print must not land in the JSON.
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    av.logging.set_level(av.logging.PANIC)
    result: dict[str, Any]
    try:
        result = {**scan(argv[1]), "recorded": None, "mirrored": False}
        if "source" in argv[2:]:
            result["recorded"] = recorded(argv[1])
            if result["container"] == WITH_DISPLAY_MATRIX:
                result["mirrored"] = mirrored(argv[1])
    except (av.FFmpegError, OSError) as error:
        result = {"error": getattr(error, "strerror", None) or str(error)}
    with answer:
        json.dump(result, answer)
    return 0


def scan(path: str) -> dict[str, Any]:
    """Everything about the file that can be known without decoding it."""
    with _opened(path) as container:
        video = _main_video(container.streams.video)
        result: dict[str, Any] = {
            "container": container.format.name,
            "start_s": _text(_microseconds(container.start_time)),
            "duration_s": _text(_microseconds(container.duration)),
            "pictures": sum(_is_still(stream) for stream in container.streams.video),
            "videos": sum(not _is_still(stream) for stream in container.streams.video),
        }
        if video is None:
            return {**result, "video": None}
        packets = _VideoPackets(video, untimed=container.format.name in UNTIMED_DEMUXERS)
        sounds = {
            stream.index: _SoundPackets(stream) for stream in container.streams.audio if _has_decoder(stream)
        }
        reach_s, read_error = _read(container, packets, sounds)
        return {
            **result,
            "unknown_sounds": len(container.streams.audio) - len(sounds),
            "reach_s": _text(reach_s),
            "read_error": read_error,
            "video": {**_describe_video(video), **packets.summary()},
            "subtitles": [
                {"index": stream.index, "codec": _codec_name(stream)}
                for stream in container.streams.subtitles
            ],
            "other_streams": len(container.streams.data) + len(container.streams.attachments),
            "timecode": _timecode(container, video),
            "tags": sorted(name.lower() for name in container.metadata),
            "audio": [sound.summary() for sound in sounds.values() if sound.end_s is not None],
        }


def _opened(path: str) -> Any:
    options = {"protocol_whitelist": PROTOCOL_WHITELIST, "format_whitelist": FORMAT_WHITELIST}
    return av.open(file_url(Path(path)), options=options)


def _codec_name(stream: Any) -> str:
    codec = stream.codec_context
    return "unknown" if codec is None else codec.codec.canonical_name


def _timecode(container: Any, video: Any) -> str | None:
    stated: str | None = container.metadata.get("timecode") or video.metadata.get("timecode")
    return stated


def mirrored(path: str) -> bool:
    """Whether the file asks for a picture seen in a mirror."""
    with _opened(path) as container:
        video = _main_video(container.streams.video)
        return video is not None and is_mirrored(container, video)


def _read(
    container: Any, video: "_VideoPackets", sounds: "dict[int, _SoundPackets]"
) -> tuple[Fraction | None, str | None]:
    """Take every packet in.

    Returns:
        When the last packet of any stream ends, and the error that stopped the reading.
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
            if stream.index == video.index:
                video.add(packet)
            elif (sound := sounds.get(stream.index)) is not None:
                sound.add(packet)
    except av.FFmpegError as failure:
        error = failure.strerror
    return max((end * bases[index] for index, end in ends.items()), default=None), error


def packets_of(container: Any) -> Iterator[Any]:
    """All packets of a file: FFmpeg too goes on behind a damaged place of MPEG-TS."""
    for _ in range(max(container.size, 0) // _RESYNC_BYTES + 1):
        try:
            yield from container.demux()
        except BlockingIOError:
            continue
        return


def _main_video(streams: Any) -> Any:
    """The largest moving picture; of equal ones the default one, then the first."""
    moving = [stream for stream in streams if not _is_still(stream) and _has_decoder(stream)]
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


def _is_still(stream: Any) -> bool:
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
    }


class _VideoPackets:
    """The packets of the video stream, as far as they tell when frames are shown."""

    def __init__(self, stream: Any, *, untimed: bool) -> None:
        self.index = stream.index
        self._time_base = Fraction(stream.time_base)
        self._untimed = untimed
        self._ticks: list[int] = []
        self._next_tick = 0
        self._without_time = 0
        self._last_dts: int | None = None
        self._jump_back = 0
        self._jump_at = 0
        self._keyframes: list[int] = []

    def add(self, packet: Any) -> None:
        """Take one packet in."""
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
            self._keyframes.append(tick)

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
        }


class _SoundPackets:
    """The packets of an audio stream, as far as they tell when it is heard."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._time_base = Fraction(stream.time_base)
        self._start_s: Fraction | None = None
        self._next_tick = 0
        self.end_s: Fraction | None = None

    def add(self, packet: Any) -> None:
        """Take one packet in."""
        tick = packet.pts if packet.pts is not None else packet.dts
        if tick is None:
            tick = self._next_tick
        self._next_tick = tick + (packet.duration or 0)
        skipped_start, skipped_end = _skipped_samples(packet)
        rate = self._stream.codec_context.sample_rate or 1
        if self._start_s is None:
            self._start_s = tick * self._time_base + Fraction(skipped_start, rate)
        end_s = self._next_tick * self._time_base - Fraction(skipped_end, rate)
        self.end_s = end_s if self.end_s is None else max(self.end_s, end_s)

    def summary(self) -> dict[str, Any]:
        """What an `AudioTrack` holds."""
        codec = self._stream.codec_context
        return {
            "index": self._stream.index,
            "codec": codec.codec.canonical_name,
            "sample_rate_hz": codec.sample_rate,
            "channels": codec.layout.nb_channels,
            "start_s": _text(self._start_s),
            "end_s": _text(self.end_s),
            "language": self._stream.language,
        }


def _skipped_samples(packet: Any) -> tuple[int, int]:
    """How many samples at the start and at the end of a packet are the encoder's padding."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    start, end = struct.unpack_from("<II", bytes(packet.get_sidedata("skip_samples")))
    return start, end


def _microseconds(value: int | None) -> Fraction | None:
    return None if value is None else Fraction(value, 1_000_000)


def _text(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
