"""All that is found out about one source, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.media.colour import source_colour
from vhsbatch.media.picture import Picture, measure_picture
from vhsbatch.model.media import MediaInfo
from vhsbatch.pipeline.autodetect import is_standard_definition, suitable_preset
from vhsbatch.pipeline.describe import field_order, frame_rate
from vhsbatch.pipeline.geometry import sample_aspect
from vhsbatch.wording import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was found.

    Attributes:
        info: what the source is.
        picture: what its picture is like.
        preset: the name of the preset that suits it.
        reason: why.
    """

    info: MediaInfo
    picture: Picture
    preset: str
    reason: str


async def analyse(info: MediaInfo, *, ffmpeg: str) -> Analysis:
    """Measure a source that has been probed.

    Raises:
        InputError: its picture cannot be measured.
    """
    picture = await measure_picture(info.path, info.video, ffmpeg=ffmpeg, seekable=info.exact_seek)
    preset, reason = suitable_preset(info, picture)
    return Analysis(info=info, picture=picture, preset=preset, reason=reason)


def describe_analysis(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """What was found, as pairs of a word and what is to be said of it. Pure."""
    info, video, picture = analysis.info, analysis.info.video, analysis.picture
    length = duration(float(video.frames / video.rate))
    yield "format", f"{info.container}, {video.codec}, {video.width}x{video.height} {video.pixel_format}"
    yield "length", f"{length}, {video.frames} frames at {frame_rate(video.rate)}"
    yield "field order", f"{field_order(video.field_order)} ({video.field_order_reason})"
    if video.telecine_reason:
        yield "telecine", f"{video.telecine} ({video.telecine_reason})"
    yield "shape", f"pixels {_ratio(sample_aspect(video))}, {_stated(video.sar)}"
    colour = source_colour(video)
    yield "colour", f"{colour.matrix}, {colour.range}" + ("" if video.colour.matrix else " (not stated)")
    yield "noise", f"{_level(picture.luma_noise)} in luma, {_level(picture.chroma_noise)} in chroma, of 255"
    if is_standard_definition(video):
        yield "torn lines", f"{picture.torn_lines} at the bottom" if picture.torn_lines else "none"
    yield from _edges_and_levels(picture)
    for number, track in enumerate(info.audio, start=1):
        rate = f"{track.codec}, {track.sample_rate_hz} Hz, {track.channels} channels"
        start_s, end_s = (float(at_s - video.start_s) for at_s in (track.start_s, track.end_s))
        yield f"sound {number}", f"{rate}, from {start_s:.3f} s to {end_s:.3f} s of the picture"
    for note in info.notes:
        yield "note", note
    yield "preset", f"{analysis.preset} ({analysis.reason})"


def _edges_and_levels(picture: Picture) -> Iterator[tuple[str, str]]:
    if (edges := picture.borders) is not None:
        sides = {"left": edges.left, "right": edges.right, "top": edges.top, "bottom": edges.bottom}
        black = ", ".join(f"{count} {side}" for side, count in sides.items() if count)
        yield "black edges", black or "none"
    if (shift := picture.chroma_shift) is not None:
        yield "chroma shift", f"{shift.x:+.1f} px across, {shift.y:+.1f} lines down"
    if (levels := picture.levels) is not None:
        clipped = f", {levels.at_ceiling:.1%} at the upper end" if levels.at_ceiling >= 0.001 else ""
        yield "levels", f"{levels.darkest} to {levels.brightest} of 255{clipped}"
    if picture.blank_places:
        yield "blank", f"{picture.blank_places} of {picture.places} places show one colour alone"


def _level(noise: float | None) -> str:
    return "unknown" if noise is None else f"{noise:.1f}"


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


def _stated(sar: Fraction | None) -> str:
    return "not stated" if sar is None else f"the file says {_ratio(sar)}"
