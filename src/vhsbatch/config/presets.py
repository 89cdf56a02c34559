"""Presets: what comes out. Every key is typed, and every key is applied.

A preset is data, never a raw filter string: what it holds is checked here, and
`vhsbatch.ffmpeg.filters` alone turns it into filters.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from vhsbatch.config.preset_schema import (
    QUALITY_RANGE,
    Audio,
    ColourCorrection,
    Container,
    Crop,
    Deinterlace,
    Denoise,
    Sharpen,
    Table,
    Upscale,
    Video,
    containers_for,
)
from vhsbatch.config.validation import first_problem
from vhsbatch.errors import UsageError


class Preset(Table):
    """One preset with everything filled in."""

    name: str
    description: str = Field(default="", description="one line for lists")
    target_height: int = Field(
        default=1080, ge=120, le=4320, multiple_of=2, description="lines of the output; the width follows"
    )
    keep_sar: bool = Field(
        default=False, description="samples keep the source's shape, instead of becoming square"
    )
    pad: Literal["16:9", "4:3"] | None = Field(
        default=None, description="black bars fill the picture up to this shape; left out: none"
    )
    vfr: Literal["cfr", "keep"] = Field(
        default="cfr",
        description="of variable frame rates: `cfr` makes them constant, `keep` shows each frame at its time",
    )
    container: Container = Field(default="mp4", description="also the output's file name extension")
    segment_s: int = Field(default=60, ge=1, le=3600, description="length of a segment, FFmpeg engine")
    ai_segment_s: int = Field(default=10, ge=1, le=3600, description="length of a segment, Real-ESRGAN")
    dropouts: bool = Field(
        default=False, description="streaks of one line, where the tape had no signal, are painted over"
    )
    deinterlace: Deinterlace = Deinterlace()
    crop: Crop = Crop()
    denoise: Denoise = Denoise()
    sharpen: Sharpen = Sharpen()
    colour: ColourCorrection = ColourCorrection()
    upscale: Upscale = Upscale()
    video: Video = Video()
    audio: Audio = Audio()

    @model_validator(mode="after")
    def _bars_need_square_samples(self) -> Self:
        if self.keep_sar and self.pad is not None:
            raise ValueError(
                "keep_sar and pad do not go together (bars are made of square pixels): leave one out"
            )
        return self

    @model_validator(mode="after")
    def _container_holds_encoder(self) -> Self:
        allowed = containers_for(self.video.encoder)
        if self.container not in allowed:
            raise ValueError(
                f"{self.video.encoder} does not fit into {self.container}: use {' or '.join(allowed)}"
            )
        return self


def derive(parent: Preset, changes: Mapping[str, object]) -> Preset:
    """`parent` with `changes`: the keys of a preset, tables as mappings of the keys to change.

    A change of encoder brings that encoder's own quality and, where it is needed, its container,
    unless `changes` say otherwise: one encoder's scale means nothing to another.

    Raises:
        ValidationError: the result is no valid preset.
    """
    values: dict[str, Any] = parent.model_dump()
    video = changes.get("video")
    encoder = video.get("encoder") if isinstance(video, Mapping) else None
    if isinstance(encoder, str) and encoder in QUALITY_RANGE and encoder != parent.video.encoder:
        if {encoder, parent.video.encoder} != {"auto", "libx264"}:
            values["video"]["quality"] = None
        allowed = containers_for(encoder)
        values["container"] = parent.container if parent.container in allowed else allowed[0]
    for key, value in changes.items():
        merges = isinstance(value, Mapping) and isinstance(values.get(key), dict)
        values[key] = {**values[key], **value} if merges else value  # type: ignore[dict-item]
    return Preset.model_validate(values)


_OPTIONS = {
    "target_height": "-r",
    "video.quality": "--crf",
    "video.encoder": "--encoder",
    "container": "--container",
    "pad": "--pad",
    "deinterlace.method": "--deinterlace",
}


def override(
    preset: Preset,
    *,
    height: int | None = None,
    quality: int | None = None,
    encoder: str | None = None,
    container: str | None = None,
    fix_drift: bool = False,
    keep_sar: bool = False,
    pad: str | None = None,
    deinterlace: str | None = None,
    vfr: str | None = None,
    dropouts: bool = False,
) -> Preset:
    """`preset` with what the command line says; None changes nothing.

    Raises:
        UsageError: a value is not allowed, or they do not go together; names the option.
    """
    video = {"encoder": encoder, "quality": quality}
    changes: dict[str, object] = {
        key: value
        for key, value in {
            "target_height": height,
            "container": container,
            "pad": pad,
            "vfr": vfr,
        }.items()
        if value is not None
    }
    if keep_sar:
        changes["keep_sar"] = True
    if dropouts:
        changes["dropouts"] = True
    if deinterlace is not None:
        changes["deinterlace"] = {"method": deinterlace}
    if fix_drift:
        changes["audio"] = {"fix_drift": True}
    changes["video"] = {key: value for key, value in video.items() if value is not None}
    try:
        return derive(preset, changes)
    except ValidationError as error:
        problem = first_problem(error, Preset)
    option = _OPTIONS.get(problem.key)
    cause = f"{option} {problem.value}: {problem.cause}" if option is not None else problem.cause
    raise UsageError(cause, fix=problem.fix)
