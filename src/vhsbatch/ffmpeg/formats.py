"""Which files count as videos, and how FFmpeg may open a user's file.

A file is only ever what it looks like: a playlist, a concat script or a manifest with a video's name
would make FFmpeg open whatever other files it names, so that only the demuxers listed here may be
used, and only the ``file`` protocol (for a file of another machine: only HTTP, from loopback).
"""

import base64
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from vhsbatch.model.source import DiscStream, InSpans, Joined, Served, Source, Span, slices

VIDEO_EXTENSIONS = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".dvr-ms", ".f4v", ".flv", ".gxf", ".m1v", ".m2t",
    ".m2ts", ".m2v", ".m4v", ".mkv", ".mod", ".mov", ".mp4", ".mpeg", ".mpg", ".mpv", ".mts", ".mxf",
    ".nut", ".ogm", ".ogv", ".qt", ".tod", ".tp", ".trp", ".ts", ".vob", ".vro", ".webm", ".wmv", ".wtv",
    ".y4m",
})  # fmt: skip

# Demuxers that read nothing but the file itself.
DEMUXER_WHITELIST = (
    "asf", "avi", "dv", "flv", "gxf", "h264", "hevc", "ivf", "m4v", "matroska,webm", "mjpeg",
    "mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "ogg", "rm", "vc1",
    "wtv", "yuv4mpegpipe",
)  # fmt: skip

# Demuxers with which a seek finds exactly the frames that a continuous run finds.
SEEKABLE_DEMUXERS = frozenset({
    "avi", "dv", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mpeg", "mpegts", "mxf", "nut",
})  # fmt: skip

# In these, a seek lands on the first keyframe after the target instead of on the one before it.
LATE_SEEKING_DEMUXERS = frozenset({"mpeg", "mpegts"})

# Demuxers whose duration is written in the file; the others estimate it from what they find.
DECLARING_DEMUXERS = frozenset({"asf", "flv", "gxf", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "mxf"})

# Demuxers of files that hold frames in decoding order without the times at which to show them.
UNTIMED_DEMUXERS = frozenset({"avi", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "vc1"})

PROTOCOL_WHITELIST = "file"
FORMAT_WHITELIST = ",".join(DEMUXER_WHITELIST)

INPUT_OPTIONS = ("-protocol_whitelist", PROTOCOL_WHITELIST, "-format_whitelist", FORMAT_WHITELIST)

# Loopback is asked directly, whatever proxy the environment names. What lies in the connection when FFmpeg
# jumps, or has read enough, was fetched in vain.
_SERVED_OPTIONS: tuple[str, ...] = (
    *("-protocol_whitelist", "http,tcp", "-format_whitelist", FORMAT_WHITELIST),
    *("-http_proxy", "", "-seekable", "1", "-recv_buffer_size", "262144"),
)


# Files whose bytes in a row are one stream, wherever it was cut.
IN_A_ROW_EXTENSIONS = frozenset({
    ".dv", ".m2t", ".m2ts", ".mod", ".mpeg", ".mpg", ".mts", ".tod", ".tp", ".trp", ".ts", ".vob", ".vro",
})  # fmt: skip
# The demuxers of such streams.
IN_A_ROW_DEMUXERS = frozenset({"dv", "mpeg", "mpegts"})

_IN_A_ROW_OPTIONS = ("-protocol_whitelist", "concat,file", "-format_whitelist", FORMAT_WHITELIST)
# The list of files is written by this program, and is part of the command line.
_JOINED_OPTIONS = (
    *("-protocol_whitelist", "data,file", "-format_whitelist", f"concat,{FORMAT_WHITELIST}"),
    *("-f", "concat", "-safe", "0"),
)


# What FFmpeg says of a connection that ended too early, or was refused. It calls that the end of the file,
# fills the picture up, and ends with 0.
_CUT_OFF = re.compile(r"\[(?:http|tcp) @ [^]]*\] \[(?:error|warning)\] (?P<said>.*)")


def cut_off(line: str) -> str | None:
    """Why a source that is read by HTTP did not arrive as a whole; None in any other line of FFmpeg's.

    >>> cut_off("[http @ 0x55] [error] Stream ends prematurely at 6866, should be 6869")
    'Stream ends prematurely at 6866, should be 6869'
    >>> cut_off("[avi @ 0x55] [error] something is wrong with the index")
    """
    match = _CUT_OFF.search(line)
    return None if match is None else match["said"]


def is_video(path: Path) -> bool:
    """Whether the name of `path` is a video's."""
    return path.suffix.lower() in VIDEO_EXTENSIONS


def file_url(path: Path) -> str:
    """`path` as FFmpeg takes it whatever characters it holds: never an option, never another protocol.

    >>> file_url(Path("/tapes/-1 http:%d.avi"))
    'file:/tapes/-1 http:%d.avi'
    """
    return f"file:{path.absolute()}"


def can_be_joined(path: Path) -> bool:
    """Whether FFmpeg's lists of files have a notation for the name of `path`."""
    return not set(str(path)) & {"|", "\n", "\r"}


def concat_script(files: Sequence[Path], durations_s: Sequence[Fraction]) -> str:
    """The concat demuxer's script; each file's length is stated, so that no rounding adds up."""
    return _script([(f"file:{path}", "") for path in files], durations_s)


def span_script(source: InSpans) -> str:
    """The concat demuxer's script of parts of a stream."""
    # The script's files do not inherit the options of their list, and an option cannot be empty there.
    served = isinstance(source.whole, Served)
    option = "\noption http_proxy ' '\noption seekable 1" if served else ""
    ranges = [(span_url(source, span), option) for span in source.spans]
    streams = () if source.title is None else source.title.streams
    return _script(ranges, [span.length_s for span in source.spans], streams)


def span_url(source: InSpans, span: Span) -> str:
    """How FFmpeg calls a part of a stream."""
    if source.title is None:
        return _range_url(input_url(source.whole), span.start, span.stop)
    pieces = slices(source.title.pieces, span.start, span.stop)
    served = input_url(source.whole) if isinstance(source.whole, Served) else None
    urls = [_range_url(served or file_url(piece.path), piece.start, piece.stop) for piece in pieces]
    return urls[0] if len(urls) == 1 else "concat:" + "|".join(urls)


def _range_url(url: str, start: int, stop: int) -> str:
    return f"subfile,,start,{start},end,{stop},,:{url}"


def _script(
    files: Sequence[tuple[str, str]], durations_s: Sequence[Fraction], streams: Sequence[DiscStream] = ()
) -> str:
    lines = ["ffconcat version 1.0"]
    for stream in streams:
        lines += ["stream", f"exact_stream_id {stream.id:#x}"]
        lines += [] if stream.language is None else [f"stream_meta language {stream.language}"]
        if stream.palette:  # subtitles, of which the first may come late
            lines += ["stream_codec dvd_subtitle", f"stream_extradata {stream.palette.encode().hex()}"]
    for (url, options), duration_s in zip(files, durations_s, strict=True):
        quoted = url.replace("'", "'\\''")
        lines += [f"file '{quoted}'{options}", f"duration {float(duration_s):.6f}"]
    return "\n".join(lines) + "\n"


def data_url(script: str) -> str:
    """A file that FFmpeg reads from its command line."""
    return f"data:text/plain;base64,{base64.b64encode(os.fsencode(script)).decode('ascii')}"


def input_options(source: Source | Served) -> tuple[str, ...]:
    """FFmpeg's options that let it open `source`, and nothing else."""
    match source:
        case Served():
            return _SERVED_OPTIONS
        case Joined():
            return _IN_A_ROW_OPTIONS if source.in_a_row else _JOINED_OPTIONS
        case InSpans():
            served = isinstance(source.whole, Served)
            # What is handed out is one file, of which a title may lie in several pieces.
            protocols = "concat," if not served or source.title is not None else ""
            protocols += "http,tcp" if served else "file"
            return (
                *("-protocol_whitelist", f"data,subfile,{protocols}"),
                *("-format_whitelist", f"concat,{FORMAT_WHITELIST}", "-f", "concat", "-safe", "0"),
            )
        case Path():
            return INPUT_OPTIONS


def input_url(source: Source | Served, *, sound: bool = False) -> str:
    """How FFmpeg calls `source`.

    Args:
        source: the source.
        sound: whether its sound is read: each part's follows the one before to the sample.
    """
    match source:
        case Served():
            return source.url
        case Joined() if source.in_a_row:
            return in_a_row_url([part.path for part in source.parts])
        case Joined():
            begins = [part.sound_s if sound else part.picture_s for part in source.parts]
            times = [time_s for time_s in (*begins, source.end_s) if time_s is not None]
            durations_s = [after - before for before, after in pairwise(times)]
            return data_url(concat_script([part.path for part in source.parts], durations_s))
        case InSpans():
            return data_url(span_script(source))
        case Path():
            return file_url(source)


def in_a_row_url(paths: Sequence[Path]) -> str:
    """How FFmpeg calls files whose bytes in a row are one stream.

    >>> in_a_row_url([Path("/dvd/VTS_01_1.VOB"), Path("/dvd/VTS_01_2.VOB")])
    'concat:file:/dvd/VTS_01_1.VOB|file:/dvd/VTS_01_2.VOB'
    """
    return "concat:" + "|".join(file_url(path) for path in paths)


def input_arguments(
    source: Source | Served,
    *,
    from_s: Fraction | None = None,
    mend_matrix: bool = False,
    keeps_clock: bool = False,
    drop_before_s: Fraction | None = None,
) -> tuple[str, ...]:
    """FFmpeg's arguments that open the user's `source`, and nothing else than that.

    Args:
        source: the file, or the files.
        from_s: where to begin on the container's clock, in seconds; None for the first frame.
        mend_matrix: whether MPEG-2 states a colour matrix that does not exist, see `VideoTrack.mends_matrix`.
        keeps_clock: whether the command says `-copyts`. Frames may then come from before `from_s`: FFmpeg
            would leave out too many, as it adds the time with which the container's clock begins.
        drop_before_s: before which time no packet reaches the decoder, None to leave none out.
    """
    seek: tuple[str, ...] = ()
    if from_s is not None:
        seek = ("-seek_timestamp", "1", *(("-noaccurate_seek",) if keeps_clock else ()))
        seek += ("-ss", f"{float(from_s):.6f}")
    options = input_options(source)
    if mend_matrix:
        options = (*options, "-bsf:v", "mpeg2_metadata=matrix_coefficients=2")
    if drop_before_s is not None:
        options = (*options, "-bsf:v", f"noise=drop='lt(pts*tb,{float(drop_before_s):.6f})'")
    # The filter graph rotates pictures. Frames of a damaged file decode differently, and to
    # another number, where several are decoded at a time.
    return (*seek, *options, "-thread_type", "slice", "-noautorotate", "-i", input_url(source))
