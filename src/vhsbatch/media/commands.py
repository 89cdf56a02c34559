"""FFmpeg command lines: plain functions from a plan to argument lists, nothing is run here."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vhsbatch.media.audio import AudioEncode, loudness_filters
from vhsbatch.media.colour import output_colour
from vhsbatch.media.deinterlacing import deinterlaces_apart
from vhsbatch.media.encoders import EncodeArguments
from vhsbatch.media.filters import (
    OUTPUT_LABEL,
    decode_graph,
    encode_graph,
    fields_format,
    fields_graph,
    segment_graph,
)
from vhsbatch.media.formats import INPUT_OPTIONS, Served, file_url, input_arguments
from vhsbatch.media.kept import date_arguments, subtitle_arguments, timecode_arguments
from vhsbatch.media.preroll import read_from_s
from vhsbatch.media.shape import recorded_size
from vhsbatch.media.timeline import TICKS_PER_S
from vhsbatch.model.media import AudioTrack, Colour
from vhsbatch.model.plan import JobPlan, Segment

# FFmpeg's messages come with their level, so that warnings can be told from errors.
_QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning")
PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")
_STRICT = ("-xerror", "-err_detect", "explode")

# Of the bytes of all packets of a stream; it is to find accidents, not forgeries.
_PACKET_DIGEST = ("-f", "streamhash", "-hash", "murmur3", "pipe:1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """How many threads a lane's FFmpeg may use.

    Attributes:
        decode: by the decoder.
        filter: by each filter.
    """

    decode: int
    filter: int


def segment_command(
    ffmpeg: str,
    plan: JobPlan,
    segment: Segment,
    *,
    encode: EncodeArguments,
    output: Path,
    threads: Threads,
    served: Served | None = None,
) -> tuple[str, ...]:
    """Make a segment in one FFmpeg.

    Args:
        ffmpeg: the program.
        plan: the plan.
        segment: which part of it.
        encode: the encoder's arguments.
        output: the segment's file.
        threads: how many threads may be used.
        served: where the source is read, if it is no file of this machine.
    """
    graph = segment_graph(plan, segment, encode.pixel_format)
    return (
        *(ffmpeg, *_QUIET, *PROGRESS, *encode.global_arguments),
        *_read_frames(plan, segment, threads, served),
        *_graph(graph, encode.upload_filter),
        *_write_segment(plan, encode, output),
    )


def fields_command(
    ffmpeg: str, plan: JobPlan, segment: Segment, threads: Threads, served: Served | None = None
) -> tuple[str, ...]:
    """Decode a segment for a deinterlacer of its own; planar frames with both fields go to stdout."""
    return (
        *(ffmpeg, *_QUIET),
        *_read_source(plan, segment, threads, served),
        *_graph(fields_graph(plan, segment), None),
        *_frames_to_stdout(fields_format(plan.info.video, plan.preset)),
    )


def decode_command(
    ffmpeg: str, plan: JobPlan, segment: Segment, threads: Threads, served: Served | None = None
) -> tuple[str, ...]:
    """Decode and filter a segment; rgb24 frames of the source's size go to stdout."""
    return (
        *(ffmpeg, *_QUIET),
        *_read_frames(plan, segment, threads, served),
        *_graph(decode_graph(plan, segment), None),
        *_frames_to_stdout("rgb24"),
    )


def encode_command(
    ffmpeg: str,
    plan: JobPlan,
    *,
    encode: EncodeArguments,
    output: Path,
    threads: Threads,
    width: int,
    height: int,
) -> tuple[str, ...]:
    """Encode the engine's frames.

    Args:
        ffmpeg: the program.
        plan: the plan.
        encode: the encoder's arguments.
        output: the segment's file.
        threads: how many threads may be used.
        width: width of the frames on stdin in pixels.
        height: their height.
    """
    return (
        *(ffmpeg, *_QUIET, *PROGRESS, *encode.global_arguments),
        *("-filter_complex_threads", str(threads.filter)),
        *_frames_from_stdin(plan, "rgb24", width, height),
        *_graph(encode_graph(plan, encode.pixel_format), encode.upload_filter),
        *_write_segment(plan, encode, output),
    )


def join_command(
    ffmpeg: str,
    plan: JobPlan,
    concat_script: Path,
    audio: Sequence[AudioEncode],
    output: Path,
    *,
    retimed: Path | None = None,
) -> tuple[str, ...]:
    """Join the segments, add the source's sound at its own time, keep titles, chapters and subtitles.

    All inputs keep their own clock (`-copyts`): the joined picture begins at 0, and the source is
    shifted by the time of its first picture, which thereby falls on 0 too; its sound, which is read from an
    input of its own, also by what the preset asks. The digest of the packets that were read from the
    segments goes to stdout. Where frames keep their own times, the picture is joined already, in `retimed`.
    """
    source = plan.info
    shift_s = -float(source.video.start_s)
    sound_shift_s = shift_s + plan.preset.audio.offset_ms / 1000
    sound = [
        argument
        for number, encode in enumerate(audio)
        for argument in ("-map", f"1:{encode.track.index}", *encode.arguments(number))
    ]
    return (
        *(ffmpeg, *_QUIET, *PROGRESS, "-copyts"),
        *(("-f", "concat", "-safe", "0") if retimed is None else ()),
        *("-protocol_whitelist", "file", "-i", file_url(retimed or concat_script)),
        *("-itsoffset", f"{sound_shift_s:.9f}", *INPUT_OPTIONS, "-vn", "-sn", "-dn"),
        *("-i", file_url(source.path)),
        *("-itsoffset", f"{shift_s:.9f}", *INPUT_OPTIONS, "-vn", "-an", "-dn"),
        *("-i", file_url(source.path)),
        *("-map", "0:v:0", "-c:v", "copy", *_tag(plan)),
        *sound,
        *subtitle_arguments(plan, 2),
        *("-map_metadata", "2", "-map_chapters", "2", *timecode_arguments(plan)),
        *date_arguments(plan),
        *_container(plan),
        *("-y", file_url(output)),
        *("-map", "0:v:0", "-c:v", "copy", *_PACKET_DIGEST),
    )


def loudness_command(ffmpeg: str, plan: JobPlan, track: AudioTrack) -> tuple[str, ...]:
    """Decode a track to nothing and print how loud it is once it is cleaned."""
    return (
        *(ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", *INPUT_OPTIONS),
        *("-vn", "-sn", "-dn", "-i", file_url(plan.info.path), "-map", f"0:{track.index}"),
        *("-af", loudness_filters(track, plan.info.video, plan.preset.audio), "-f", "null", "-"),
    )


def check_command(ffmpeg: str, path: Path, *, threads: int) -> tuple[str, ...]:
    """Decode every stream of one of our own files to nothing; errors end it.

    Deblocking is left out: it reads nothing from the file, so that nothing can fail in it.
    """
    return (
        *(ffmpeg, *_QUIET, *PROGRESS, *_STRICT, "-threads", str(threads), "-skip_loop_filter", "all"),
        *("-protocol_whitelist", "file", "-i", file_url(path)),
        # Frames of variable rate have times between those of any rate.
        *("-map", "0:v:0", "-map", "0:a?", "-fps_mode", "passthrough"),
        *("-enc_time_base:v", f"1:{TICKS_PER_S}", "-f", "null", "-"),
    )


def reread_command(ffmpeg: str, plan: JobPlan, path: Path) -> tuple[str, ...]:
    """Read a joined file back: the digest of its video packets to stdout, its sound decoded to nothing.

    FFmpeg reads H.264 from a list of files in another notation than from one file, so that is put into
    the same notation.
    """
    is_h264 = plan.encoder == "libx264" or plan.encoder.startswith("h264")
    notation = ("-bsf:v", "h264_mp4toannexb") if is_h264 else ()
    return (
        *(ffmpeg, *_QUIET, *PROGRESS, *_STRICT, "-protocol_whitelist", "file", "-i", file_url(path)),
        *("-map", "0:v:0", "-c:v", "copy", *notation, *_PACKET_DIGEST),
        *(("-map", "0:a", "-f", "null", "-") if plan.info.audio else ()),
    )


def _read_frames(plan: JobPlan, segment: Segment, threads: Threads, served: Served | None) -> tuple[str, ...]:
    """Read the source, or what a deinterlacer of its own makes of it."""
    track, preset = plan.info.video, plan.preset
    if not deinterlaces_apart(preset, track):
        return _read_source(plan, segment, threads, served)
    return (
        *("-filter_complex_threads", str(threads.filter)),
        *_frames_from_stdin(plan, fields_format(track, preset), *recorded_size(track, preset)),
    )


def _frames_from_stdin(plan: JobPlan, pixel_format: str, width: int, height: int) -> tuple[str, ...]:
    return (
        *("-f", "rawvideo", "-pix_fmt", pixel_format, "-video_size", f"{width}x{height}"),
        *("-framerate", _ratio(plan.rate), "-i", "pipe:0"),
    )


def _frames_to_stdout(pixel_format: str) -> tuple[str, ...]:
    return ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixel_format, "pipe:1")


def _read_source(plan: JobPlan, segment: Segment, threads: Threads, served: Served | None) -> tuple[str, ...]:
    source = served or plan.info.path
    return (
        *("-filter_complex_threads", str(threads.filter), "-threads", str(threads.decode)),
        *("-copyts", *input_arguments(source, from_s=read_from_s(plan, segment))),
    )


def _graph(graph: str, upload_filter: str | None) -> tuple[str, ...]:
    if upload_filter is not None:
        graph = graph.removesuffix(OUTPUT_LABEL) + f"[soft];[soft]{upload_filter}{OUTPUT_LABEL}"
    return ("-filter_complex", graph, "-map", OUTPUT_LABEL)


def _write_segment(plan: JobPlan, encode: EncodeArguments, output: Path) -> tuple[str, ...]:
    return (
        *("-fps_mode", "passthrough", *encode.arguments),
        *_colour_tags(output_colour(plan.info.video, plan.height)),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", segment_muxer(plan.encoder)),
        *("-y", file_url(output)),
    )


def segment_muxer(encoder: str) -> str:
    """The container of a segment: one with exact timestamps that holds what the encoder makes."""
    return "mov" if encoder == "prores" else "mp4"


def _colour_tags(colour: Colour) -> tuple[str, ...]:
    return (
        *("-colorspace", colour.matrix or "unknown", "-color_primaries", colour.primaries or "unknown"),
        *("-color_trc", colour.transfer or "unknown", "-color_range", colour.range or "tv"),
    )


def _tag(plan: JobPlan) -> tuple[str, ...]:
    """HEVC is called hvc1 in MP4 and MOV, or Apple's players refuse it."""
    hevc = plan.encoder.startswith("hevc") or plan.encoder == "libx265"
    return ("-tag:v", "hvc1") if hevc and plan.container in ("mp4", "mov") else ()


def _container(plan: JobPlan) -> tuple[str, ...]:
    if plan.container == "mkv":
        return ("-f", "matroska")
    # The index goes to the front, so that a player can start before it has the whole file.
    return (
        "-f",
        plan.container,
        "-movflags",
        "+faststart+write_colr",
        "-video_track_timescale",
        _timescale(plan),
    )


def _timescale(plan: JobPlan) -> str:
    """Ticks per second in which every frame time is a whole number."""
    scale = plan.rate.numerator if plan.shown_s is None else TICKS_PER_S
    while scale < 10_000:
        scale *= 2
    return str(scale)


def concat_script(files: Sequence[Path], durations_s: Sequence[Fraction]) -> str:
    """The concat demuxer's script; each file's length is stated, so that no rounding adds up."""
    lines = ["ffconcat version 1.0"]
    for path, duration_s in zip(files, durations_s, strict=True):
        quoted = str(path).replace("'", "'\\''")
        lines += [f"file 'file:{quoted}'", f"duration {float(duration_s):.6f}"]
    return "\n".join(lines) + "\n"


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def describe(command: Sequence[str]) -> str:
    """The command as a shell would take it, for a log."""
    return shlex.join(command)
