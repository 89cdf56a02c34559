"""All that is found out about one source, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.analysis.autodetect import adapted, suitable_preset
from vhsbatch.analysis.findings import SourceFinding, find
from vhsbatch.analysis.measure import Measured, cached_measurement
from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.colour import decoded_colour
from vhsbatch.ffmpeg.shape import sample_aspect
from vhsbatch.ffmpeg.toolchain import FFmpeg
from vhsbatch.formatting import counted, duration
from vhsbatch.model.media import MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was found.

    Attributes:
        info: what the source is.
        measured: what its picture and its sound are like.
        findings: what that means, and how sure it is.
        preset: the name of the preset that suits it.
        reason: why.
        overrides: changes to that preset with their reasons, one line each.
    """

    info: MediaInfo
    measured: Measured
    findings: tuple[SourceFinding, ...]
    preset: str
    reason: str
    overrides: tuple[str, ...] = ()


async def analyse(
    info: MediaInfo,
    presets: dict[str, Preset],
    cache: Cache | None,
    *,
    ffmpeg: FFmpeg,
) -> Analysis:
    """Measure a source that has been probed.

    Args:
        info: the source.
        presets: those from which one is chosen.
        cache: what earlier runs found out; None without a cache.
        ffmpeg: what decodes it.

    Raises:
        InputError: its picture cannot be measured.
    """
    measured = await cached_measurement(info, cache, ffmpeg=ffmpeg)
    findings = find(info, measured)
    preset, reason = suitable_preset(info, measured.picture)
    _, overrides = adapted(presets[preset], findings)
    return Analysis(
        info=info, measured=measured, findings=findings, preset=preset, reason=reason, overrides=overrides
    )


def describe_analysis(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """What was found, as pairs of a word and what is to be said of it. Pure."""
    info, video = analysis.info, analysis.info.video
    length = duration(float(video.frames / video.rate))
    yield "format", f"{info.container}, {video.codec}, {video.width}x{video.height} {video.pixel_format}"
    yield "length", f"{length}, {counted(video.frames, 'frame')}"
    if info.recorded is not None:
        yield "recorded", f"{info.recorded}, by the camera's clock"
    yield "shape", f"pixels {_ratio(sample_aspect(video))}, {_stated(video.sar)}"
    colour = decoded_colour(video)
    yield "colour", f"{colour.matrix}, {colour.range}" + ("" if video.colour.matrix else " (not stated)")
    for finding in analysis.findings:
        sure = "" if finding.confidence is None else f" [{finding.confidence:.0%} sure]"
        yield finding.subject, f"{finding.text}{sure}"
    for note in info.notes:
        yield "note", note
    yield "preset", f"{analysis.preset} ({analysis.reason})"
    for override in analysis.overrides:
        yield "override", override


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


def _stated(sar: Fraction | None) -> str:
    return "not stated" if sar is None else f"the file says {_ratio(sar)}"
