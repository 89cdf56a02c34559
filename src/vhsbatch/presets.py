"""Presets: what comes out. Every key is typed, and every key is applied.

A preset is data, never a raw filter string: what it holds is checked here, and
`vhsbatch.media.filters` alone turns it into filters.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vhsbatch.errors import UsageError
from vhsbatch.validation import first_problem

DeinterlaceMethod = Literal["none", "bwdif", "yadif", "w3fdif"]
EncoderName = Literal[
    "auto",
    "libx264",
    "libx265",
    "libsvtav1",
    "ffv1",
    "prores",
    "h264_nvenc",
    "hevc_nvenc",
    "av1_nvenc",
    "h264_vaapi",
    "hevc_vaapi",
    "av1_vaapi",
    "h264_qsv",
    "hevc_qsv",
    "av1_qsv",
    "h264_amf",
    "hevc_amf",
    "av1_amf",
    "h264_videotoolbox",
    "hevc_videotoolbox",
]
Container = Literal["mp4", "mkv", "mov"]
EncoderSpeed = Literal["fastest", "fast", "medium", "slow", "slowest"]
Model = Literal["animevideov3", "x4plus", "x4plus-anime"]

# The scale that `video.quality` means for each encoder, from one end to the other; None where there
# is nothing to choose. Encoders that take 0 for "choose yourself" begin at 1. `auto` takes the scale
# of libx264.
QUALITY_RANGE: Mapping[EncoderName, tuple[int, int] | None] = {
    "auto": (0, 51),
    "libx264": (0, 51),
    "libx265": (0, 51),
    "libsvtav1": (1, 63),
    "ffv1": None,
    "prores": None,
    "h264_nvenc": (1, 51),
    "hevc_nvenc": (1, 51),
    "av1_nvenc": (1, 63),
    "h264_vaapi": (1, 51),
    "hevc_vaapi": (1, 51),
    "av1_vaapi": (1, 255),
    "h264_qsv": (1, 51),
    "hevc_qsv": (1, 51),
    "av1_qsv": (1, 51),
    "h264_amf": (1, 51),
    "hevc_amf": (1, 51),
    "av1_amf": (1, 255),
    "h264_videotoolbox": (1, 100),
    "hevc_videotoolbox": (1, 100),
}
_NO_QUALITY = {
    "ffv1": "ffv1 is lossless and has no quality to choose",
    "prores": "prores keeps the quality of its profile and has none to choose",
}


def containers_for(encoder: str) -> tuple[Container, ...]:
    """The containers that can hold what `encoder` writes, the preferred one first."""
    if encoder == "ffv1":
        return ("mkv", "mov")
    if encoder == "prores":
        return ("mov", "mkv")
    # FFmpeg writes AV1 into MP4 and refuses it in MOV.
    return ("mp4", "mkv") if "av1" in encoder else ("mp4", "mkv", "mov")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Deinterlace(_Table):
    """How fields become frames; progressive sources are left alone whatever stands here."""

    method: DeinterlaceMethod = Field(
        default="bwdif", description="the deinterlacer; `none` leaves fields woven into frames"
    )
    rate: Literal["field", "frame"] = Field(
        default="field", description="`field`: a frame from each field, all of the motion is kept"
    )


class Crop(_Table):
    """What is cut from the edges, in source pixels, and what is painted over at the bottom."""

    left: int = Field(default=0, ge=0, le=64, multiple_of=2, description="columns cut off, an even number")
    right: int = Field(default=0, ge=0, le=64, multiple_of=2, description="columns cut off, an even number")
    top: int = Field(
        default=0, ge=0, le=64, multiple_of=4, description="lines cut off, a multiple of 4: the fields stay"
    )
    bottom: int = Field(
        default=0, ge=0, le=64, multiple_of=4, description="lines cut off, a multiple of 4: the fields stay"
    )
    mask_bottom_lines: int = Field(
        default=0, ge=0, le=32, description="head-switching lines replaced by the line above them"
    )


class Denoise(_Table):
    """Noise reduction over space and time; luma and chroma apart, 0 leaves a part alone.

    The strengths are those of `hqdn3d`; `atadenoise` uses the two temporal ones, `nlmeans` the spatial
    one of the luma and both of the chroma.
    """

    method: Literal["none", "hqdn3d", "atadenoise", "nlmeans"] = Field(
        default="hqdn3d",
        description="`atadenoise` averages over time alone, `nlmeans` is some 15 times slower",
    )
    luma_spatial: float = Field(
        default=3.0, ge=0, le=30, description="grain in the brightness, within a frame"
    )
    chroma_spatial: float = Field(default=6.0, ge=0, le=30, description="colour noise, within a frame")
    luma_temporal: float = Field(
        default=4.5, ge=0, le=30, description="grain in the brightness, from frame to frame"
    )
    chroma_temporal: float = Field(default=10.0, ge=0, le=30, description="colour noise, from frame to frame")


class Sharpen(_Table):
    """Unsharp masking of the luma at the output's size."""

    amount: float = Field(default=0.5, ge=0, le=2, description="strength; 0 does nothing")
    size: Literal[3, 5, 7, 9] = Field(default=5, description="edge of the mask, output pixels")


class ColourCorrection(_Table):
    """Level corrections, and a 3D LUT that is applied last."""

    brightness: float = Field(default=0.0, ge=-1, le=1, description="added; 1 is from black to white")
    contrast: float = Field(default=1.0, ge=0, le=3, description="factor about mid-grey")
    saturation: float = Field(default=1.0, ge=0, le=3, description="factor; 0 is black and white")
    gamma: float = Field(default=1.0, ge=0.1, le=10, description="above 1 lifts the shadows")
    chroma_shift_x: int = Field(default=0, ge=-16, le=16, description="chroma moved right, source pixels")
    chroma_shift_y: int = Field(default=0, ge=-16, le=16, description="chroma moved down, source pixels")
    lut: Path | None = Field(
        default=None, strict=False, description="a `.cube` file, found from the preset file's folder"
    )


class Upscale(_Table):
    """The Real-ESRGAN network, where that engine is used."""

    model: Model = Field(
        default="animevideov3", description="`x4plus` draws skin more naturally and is tens of times slower"
    )


class Video(_Table):
    """The encode."""

    encoder: EncoderName = Field(default="auto", description="`auto`: the best one for all players")
    quality: int | None = Field(
        default=None,
        description="on the encoder's own scale (CRF, CQ, QP), see below; left out: the encoder's default",
    )
    speed: EncoderSpeed = Field(default="medium", description="slower is smaller at the same quality")
    bit_depth: Literal[8, 10] = Field(default=8, description="10 where the encoder can; no banding in skies")

    @field_validator("quality")
    @classmethod
    def _on_the_encoders_scale(cls, quality: int | None, info: ValidationInfo) -> int | None:
        encoder = info.data.get("encoder")
        if quality is None or encoder is None:
            return quality
        scale = QUALITY_RANGE[encoder]
        if scale is None:
            raise ValueError(_NO_QUALITY[encoder])
        if not scale[0] <= quality <= scale[1]:
            name = "the default encoder" if encoder == "auto" else encoder
            raise ValueError(f"must be {scale[0]} to {scale[1]} for {name}")
        return quality


class Audio(_Table):
    """The sound. With every cleaning key at its default a track is copied where the container can hold it."""

    lossless: bool = Field(default=False, description="what must be encoded becomes FLAC")
    bitrate_kbps: int = Field(
        default=192, ge=32, le=640, description="of each stereo pair when encoded lossily"
    )
    highpass_hz: int = Field(default=0, ge=0, le=500, description="rumble below this is removed; 0: none")
    hum_hz: Literal[0, 50, 60] = Field(
        default=0, description="the mains frequency whose hum and overtones are removed; 0: none"
    )
    denoise_db: int = Field(default=0, ge=0, le=40, description="by how much hiss is reduced; 0: not at all")
    declick: bool = Field(default=False, description="repair clicks")
    loudness_lufs: float | None = Field(
        default=None, ge=-40, le=-5, description="EBU R128 loudness to bring it to; left out: as it is"
    )


class Preset(_Table):
    """One preset with everything filled in."""

    name: str
    description: str = Field(default="", description="one line for lists")
    target_height: int = Field(
        default=1080, ge=120, le=4320, multiple_of=2, description="lines of the output; the width follows"
    )
    container: Container = Field(default="mp4", description="also the output's file name extension")
    segment_s: int = Field(default=60, ge=1, le=3600, description="length of a segment, FFmpeg engine")
    ai_segment_s: int = Field(default=10, ge=1, le=3600, description="length of a segment, Real-ESRGAN")
    deinterlace: Deinterlace = Deinterlace()
    crop: Crop = Crop()
    denoise: Denoise = Denoise()
    sharpen: Sharpen = Sharpen()
    colour: ColourCorrection = ColourCorrection()
    upscale: Upscale = Upscale()
    video: Video = Video()
    audio: Audio = Audio()

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
}


def override(
    preset: Preset,
    *,
    height: int | None = None,
    quality: int | None = None,
    encoder: str | None = None,
    container: str | None = None,
) -> Preset:
    """`preset` with what the command line says; None changes nothing.

    Raises:
        UsageError: a value is not allowed, or they do not go together; names the option.
    """
    video = {"encoder": encoder, "quality": quality}
    changes: dict[str, object] = {
        key: value
        for key, value in {"target_height": height, "container": container}.items()
        if value is not None
    }
    changes["video"] = {key: value for key, value in video.items() if value is not None}
    try:
        return derive(preset, changes)
    except ValidationError as error:
        problem = first_problem(error, Preset)
    option = _OPTIONS.get(problem.key)
    cause = f"{option} {problem.value}: {problem.cause}" if option is not None else problem.cause
    raise UsageError(cause, fix=problem.fix)
