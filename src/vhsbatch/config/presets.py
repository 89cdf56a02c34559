"""Presets: what comes out. Every key is typed, and every key is applied.

A preset is data, never a raw filter string: what it holds is checked here, and
`vhsbatch.ffmpeg.filters` alone turns it into filters.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
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
    Faces,
    Sharpen,
    Table,
    Upscale,
    Video,
    containers_for,
    with_mode,
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
    guard: bool = Field(
        default=True,
        description="a few frames are made first, and what does harm to them is turned down; `false` does "
        "what the preset says",
    )
    deinterlace: Deinterlace = Deinterlace()
    crop: Crop = Crop()
    denoise: Denoise = Denoise()
    sharpen: Sharpen = Sharpen()
    colour: ColourCorrection = ColourCorrection()
    upscale: Upscale = Upscale()
    faces: Faces = Faces()
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
        if key == "audio" and isinstance(value, Mapping):
            value = with_mode(value)  # noqa: PLW2901
        merges = isinstance(value, Mapping) and isinstance(values.get(key), dict)
        values[key] = {**values[key], **value} if merges else value  # type: ignore[dict-item]
    return Preset.model_validate(values)


def override(
    preset: Preset, changes: Mapping[str, object], *, options: Mapping[str, str] = MappingProxyType({})
) -> Preset:
    """`preset` with what the command line says.

    Args:
        preset: what is changed.
        changes: new values by key; dots stand between tables.
        options: the options that set keys, for what is said of wrong values.

    Raises:
        UsageError: a value is not allowed, or they do not go together; names the option.
    """
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        *tables, name = key.split(".")
        table = nested
        for one in tables:
            table = table.setdefault(one, {})
        table[name] = value
    try:
        return derive(preset, nested)
    except ValidationError as error:
        problem = first_problem(error, Preset)
    option = options.get(problem.key)
    cause = f"{option} {problem.value}: {problem.cause}" if option is not None else problem.cause
    raise UsageError(cause, fix=problem.fix)


def value_of(preset: Preset, key: str) -> object:
    """The value of a key of `preset`; dots stand between tables."""
    return functools.reduce(getattr, key.split("."), preset)
