"""FFmpeg command lines of a segment: plain functions from a plan to argument lists, nothing is run here."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path

from vhsbatch.ffmpeg.encoders import EncodeArguments
from vhsbatch.ffmpeg.filters import (
    decode_graph,
    encode_graph,
    fields_graph,
    hold_filters,
    segment_graph,
)
from vhsbatch.ffmpeg.formats import file_url, input_arguments
from vhsbatch.ffmpeg.graph import OUTPUT_LABEL, ratio
from vhsbatch.ffmpeg.preroll import read_from_s
from vhsbatch.model.media import Colour
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.model.source import Served

# FFmpeg's messages come with their level, so that warnings can be told from errors.
QUIET = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning")
_PAL_LINES = 576
# The option came with FFmpeg 8.0.
_FIRST_THAT_DROPS = 8
PROGRESS = ("-progress", "pipe:1", "-stats_period", "0.5")


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
        *(ffmpeg, *QUIET, *PROGRESS, *encode.global_arguments),
        *_read_frames(plan, segment, threads, served),
        *graph_arguments(graph, encode.upload_filter, hold_filters(plan, segment)),
        *_write_segment(plan, encode, output),
    )


def frames_command(
    ffmpeg: str, plan: JobPlan, segment: Segment, *, pixel_format: str, output: Path, threads: Threads
) -> tuple[str, ...]:
    """Make a segment without an encoder, to look at its frames; bare ones go to the file `output`."""
    graph = segment_graph(plan, segment, pixel_format)
    return (
        *(ffmpeg, *QUIET),
        *_read_frames(plan, segment, threads, None),
        *graph_arguments(graph, hold_filters(plan, segment)),
        *("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixel_format, "-y", file_url(output)),
    )


def fields_command(
    ffmpeg: str, plan: JobPlan, segment: Segment, threads: Threads, served: Served | None = None
) -> tuple[str, ...]:
    """Decode a segment for a separate deinterlacer; planar frames with both fields go to stdout."""
    return (
        *(ffmpeg, *QUIET),
        *read_source(plan, segment, threads, served),
        *graph_arguments(fields_graph(plan, segment)),
        *_frames_to_stdout(plan.recipe.front),
    )


def decode_command(
    ffmpeg: str, plan: JobPlan, segment: Segment, threads: Threads, served: Served | None = None
) -> tuple[str, ...]:
    """Decode and filter a segment; rgb24 frames of the source's size go to stdout."""
    return (
        *(ffmpeg, *QUIET),
        *_read_frames(plan, segment, threads, served),
        *graph_arguments(decode_graph(plan, segment)),
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
        *(ffmpeg, *QUIET, *PROGRESS, *encode.global_arguments),
        *("-filter_complex_threads", str(threads.filter)),
        *_frames_from_stdin(plan, "rgb24", width, height),
        *graph_arguments(encode_graph(plan, encode.pixel_format), encode.upload_filter),
        *_write_segment(plan, encode, output),
    )


def _read_frames(plan: JobPlan, segment: Segment, threads: Threads, served: Served | None) -> tuple[str, ...]:
    """Read the source, or what a separate deinterlacer makes of it."""
    if not plan.recipe.uses_vapoursynth:
        return read_source(plan, segment, threads, served)
    return (
        *("-filter_complex_threads", str(threads.filter)),
        *_frames_from_stdin(plan, plan.recipe.front, *plan.recipe.recorded),
    )


def _frames_from_stdin(plan: JobPlan, pixel_format: str, width: int, height: int) -> tuple[str, ...]:
    return (
        *("-f", "rawvideo", "-pix_fmt", pixel_format, "-video_size", f"{width}x{height}"),
        *("-framerate", ratio(plan.rate), "-i", "pipe:0"),
    )


def _frames_to_stdout(pixel_format: str) -> tuple[str, ...]:
    return ("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", pixel_format, "pipe:1")


def read_source(
    plan: JobPlan, segment: Segment, threads: Threads, served: Served | None = None
) -> tuple[str, ...]:
    """Open the source where the reading for a segment begins."""
    source = plan.info.source if served is None else plan.info.in_spans(served)
    return (
        *("-filter_complex_threads", str(threads.filter), "-threads", str(threads.decode)),
        *_other_sizes(plan),
        "-copyts",
        *input_arguments(
            source,
            from_s=read_from_s(plan, segment),
            mend_matrix=plan.info.video.mends_matrix,
            keeps_clock=True,
            drop_before_s=_whole_from_s(plan, segment),
        ),
    )


def _whole_from_s(plan: JobPlan, segment: Segment) -> Fraction | None:
    """Half a frame before the first one of PAL DV that is not overwritten; None for other sources.

    Zeros decode to an NTSC frame. As the first one, it would give the filters its size.
    """
    track = plan.info.video
    if track.codec != "dvvideo" or track.height != _PAL_LINES or plan.info.damage is None:
        return None
    from_s = read_from_s(plan, segment)
    first = 0 if from_s is None else floor((from_s - track.start_s) * track.rate)
    for place in track.overwritten:
        if place.start <= first < place.stop:
            first = place.stop
    return track.start_s + (first - Fraction(1, 2)) / track.rate


def _other_sizes(plan: JobPlan) -> tuple[str, ...]:
    """What becomes of frames of another size than the first one."""
    if plan.info.video.changes:
        # The recording really changes. A new graph would lose frames and start counting at zero.
        return ("-reinit_filter", "0")
    if plan.info.damage is not None and _can_drop(plan.identity.get("ffmpeg", "")):
        # Of damaged frames a decoder may make anything: the one before them is held instead.
        return ("-drop_changed", "1")
    return ()


def _can_drop(ffmpeg_version: str) -> bool:
    """Whether an FFmpeg can leave out frames of another size; those without a number are new.

    >>> [_can_drop(version) for version in ("5.1.8-0+deb12u1", "n7.1", "9.0.2", "N-120000-gabc")]
    [False, False, True, True]
    """
    major = re.match(r"n?(\d+)\.", ffmpeg_version)
    return major is None or int(major[1]) >= _FIRST_THAT_DROPS


def graph_arguments(graph: str, *behind: str | None) -> tuple[str, ...]:
    """Run a graph, with more filters behind it where there are some."""
    if filters := ",".join(filter(None, behind)):
        graph = graph.removesuffix(OUTPUT_LABEL) + f"[soft];[soft]{filters}{OUTPUT_LABEL}"
    return ("-filter_complex", graph, "-map", OUTPUT_LABEL)


def _write_segment(plan: JobPlan, encode: EncodeArguments, output: Path) -> tuple[str, ...]:
    return (
        *("-fps_mode", "passthrough", *encode.arguments),
        *colour_tags(plan.recipe.target),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-f", segment_muxer(plan.encoder)),
        *("-y", file_url(output)),
    )


def segment_muxer(encoder: str) -> str:
    """The container of a segment: one with exact timestamps that holds what the encoder makes."""
    return "mov" if encoder == "prores" else "mp4"


def colour_tags(colour: Colour) -> tuple[str, ...]:
    """What an output says of its colours."""
    return (
        *("-colorspace", colour.matrix or "unknown", "-color_primaries", colour.primaries or "unknown"),
        *("-color_trc", colour.transfer or "unknown", "-color_range", colour.range or "tv"),
    )


def describe(command: Sequence[str]) -> str:
    """The command as a shell would take it, for a log."""
    return shlex.join(command)
