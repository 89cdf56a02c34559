"""FFmpeg command lines with which several captures of a tape become one. Nothing is run here."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.filters import fields_graph
from vhsbatch.ffmpeg.formats import file_url, input_options, input_url
from vhsbatch.ffmpeg.graph import OUTPUT_LABEL, ratio
from vhsbatch.ffmpeg.output_commands import STRICT, tolerance
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.segment_commands import (
    PROGRESS,
    QUIET,
    Threads,
    colour_tags,
    fields_command,
    graph_arguments,
    read_source,
)
from vhsbatch.ffmpeg.stream_mapping import date_arguments, subtitle_arguments, timecode_arguments
from vhsbatch.model.media import FieldOrder, MediaInfo
from vhsbatch.model.plan import Job, JobPlan, Segment

# The grid of cells of a field whose means are its fingerprint.
CELLS_ACROSS, CELLS_DOWN = 32, 24
CELLS = CELLS_ACROSS * CELLS_DOWN

# What decodes to samples of no more than 16 bits; what else is no PCM decodes to floating point.
_SHORT_SAMPLES = ("pcm_s16", "pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw", "adpcm_")
_SETFIELD = {FieldOrder.TFF: "tff", FieldOrder.BFF: "bff", FieldOrder.PROGRESSIVE: "prog"}


def stack_plan(info: MediaInfo, output: Path, *, pixel_format: str | None = None) -> JobPlan:
    """A capture as it is, frame by frame, in the planar format of the reference. Pure.

    Args:
        info: the capture.
        output: what becomes of it.
        pixel_format: the reference's; None for the reference itself.
    """
    preset = Preset.model_validate(
        {"name": "stack", "deinterlace": {"method": "none"}, "container": "mkv", "vfr": "cfr"}
    )
    track = info.video
    recipe = resolve(track, preset)
    recipe = replace(
        recipe,
        front=pixel_format or recipe.planar.replace("be", "le"),
        width=track.width,
        height=track.height,
        sar=track.sar or Fraction(1),
        target=track.colour,
    )
    return JobPlan(
        job=Job(id=output.name, index=1, source=info.path, output=output),
        info=info,
        preset=preset,
        recipe=recipe,
        engine="ffmpeg",
        upscaling=None,
        encoder="ffv1",
        container="mkv",
        frames=track.frames,
        segments=(Segment(index=0, start_frame=0, stop_frame=track.frames),),
        fingerprint="",
    )


def decode_capture_command(ffmpeg: str, plan: JobPlan, threads: Threads) -> tuple[str, ...]:
    """Decode a whole capture; planar frames with both fields go to stdout."""
    return fields_command(ffmpeg, plan, plan.segments[0], threads)


def fingerprint_command(ffmpeg: str, plan: JobPlan, output: Path, threads: Threads) -> tuple[str, ...]:
    """Decode a whole capture; the means of its cells, of top fields before bottom ones, go to a file."""
    whole = fields_graph(plan, plan.segments[0])
    # The lowest lines are torn, and captures do not end in the same columns.
    cells = (
        "extractplanes=y,crop=w=trunc(iw*0.9/2)*2:h=trunc(ih*0.9/4)*4:x=trunc(iw*0.05):y=trunc(ih*0.05/2)*2,"
        f"il=l=d,scale={CELLS_ACROSS}:{2 * CELLS_DOWN}:flags=area,format=gray"
    )
    graph = whole.removesuffix(OUTPUT_LABEL) + f"[whole];[whole]{cells}{OUTPUT_LABEL}"
    return (
        *(ffmpeg, *QUIET, *read_source(plan, plan.segments[0], threads), *graph_arguments(graph)),
        *("-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-y", file_url(output)),
    )


def encode_stack_command(
    ffmpeg: str, plan: JobPlan, output: Path, *, encoder: tuple[str, ...]
) -> tuple[str, ...]:
    """Encode the merged frames on stdin without loss, with the sound and the texts of the reference."""
    track, recipe, info = plan.info.video, plan.recipe, plan.info
    colours = colour_tags(replace(recipe.target, range=recipe.decoded.range))
    filters = [f"setfield={mode}" for mode in [_SETFIELD.get(track.field_order)] if mode]
    if track.sar is not None:
        filters.append(f"setsar={ratio(track.sar)}")
    return (
        *(ffmpeg, *QUIET, *PROGRESS, *tolerance(plan), "-copyts"),
        *("-f", "rawvideo", "-pix_fmt", recipe.front, "-video_size", f"{track.width}x{track.height}"),
        *("-framerate", ratio(track.rate), "-i", "pipe:0"),
        *("-itsoffset", f"{-float(track.start_s):.9f}", *input_options(info.source), "-vn", "-dn"),
        *("-i", input_url(info.source)),
        *("-map", "0:v:0", *(("-vf", ",".join(filters)) if filters else ()), *encoder),
        *("-pix_fmt", recipe.front, "-fps_mode", "passthrough", *colours),
        *_sound(info),
        *subtitle_arguments(plan, 1),
        *("-map_metadata", "1", "-map_chapters", "1", *timecode_arguments(plan), *date_arguments(plan)),
        *("-f", "matroska", "-y", file_url(output)),
    )


def digest_command(ffmpeg: str, plan: JobPlan, path: Path, *, threads: int) -> tuple[str, ...]:
    """Decode all of a stacked capture; the digest of its frames goes to stdout."""
    return (
        *(ffmpeg, *QUIET, *PROGRESS, *STRICT, "-threads", str(threads)),
        *("-protocol_whitelist", "file", "-i", file_url(path)),
        *("-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", plan.recipe.front),
        *("-f", "hash", "-hash", "sha256", "pipe:1"),
        *(("-map", "0:a", "-f", "null", "-") if plan.info.audio else ()),
    )


def _sound(info: MediaInfo) -> tuple[str, ...]:
    return tuple(
        word
        for number, track in enumerate(info.audio)
        for word in ("-map", f"1:{track.index}", f"-c:a:{number}", pcm_of(track.codec))
    )


def pcm_of(codec: str) -> str:
    """The PCM that holds all that a codec decodes to.

    >>> pcm_of("pcm_s16be"), pcm_of("pcm_s24le"), pcm_of("mp2")
    ('pcm_s16le', 'pcm_s24le', 'pcm_s24le')
    """
    if codec.startswith(_SHORT_SAMPLES):
        return "pcm_s16le"
    if codec.startswith(("pcm_s32", "pcm_u32")):
        return "pcm_s32le"
    return "pcm_f32le" if codec.startswith(("pcm_f32", "pcm_f64")) else "pcm_s24le"
