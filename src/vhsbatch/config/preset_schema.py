"""The tables of a preset: each key with its type, its bounds and its meaning."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

DeinterlaceMethod = Literal["none", "bwdif", "yadif", "w3fdif", "nnedi", "qtgmc"]
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
    "h264_vulkan",
    "hevc_vulkan",
    "av1_vulkan",
    "h264_videotoolbox",
    "hevc_videotoolbox",
]
Container = Literal["mp4", "mkv", "mov"]
EncoderSpeed = Literal["fastest", "fast", "medium", "slow", "slowest"]
# How the files of models end.
WEIGHTS_ENDINGS = (".pth", ".safetensors")
CONVERTED_ENDINGS = (*WEIGHTS_ENDINGS, ".onnx")
MODEL_ENDINGS = (".param", *CONVERTED_ENDINGS)

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
    "h264_vulkan": (1, 51),
    "hevc_vulkan": (1, 51),
    "av1_vulkan": (1, 255),
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


class Table(BaseModel):
    """What all tables have in common: unknown keys are errors, and values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Deinterlace(Table):
    """How fields become frames; progressive sources are left alone whatever stands here."""

    method: DeinterlaceMethod = Field(
        default="bwdif",
        description="the deinterlacer; `nnedi` needs weights, `qtgmc` VapourSynth; with `none` fields stay",
    )
    rate: Literal["field", "frame"] = Field(
        default="field", description="`field`: a frame from each field, all of the motion is kept"
    )
    film: bool = Field(
        default=True, description="film gets its own frames back instead: 4 of every 5, or 25 a second"
    )


class Crop(Table):
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
        default=0,
        ge=0,
        le=32,
        description="the most head-switching lines at the bottom that are replaced by a mirror image of "
        "those above: as many as are torn, none where none are or where they are cut off",
    )


class Denoise(Table):
    """Noise reduction over space and time; luma and chroma apart, 0 leaves a part alone.

    The strengths are those of `hqdn3d`. With `atadenoise` the two temporal ones are its thresholds, and
    `hqdn3d` does the rest within a frame; `nlmeans` takes over the spatial one of the luma. `degrain` has
    thresholds of its own; where it cannot run, `atadenoise` takes its place.
    """

    method: Literal["none", "hqdn3d", "atadenoise", "nlmeans", "degrain"] = Field(
        default="hqdn3d",
        description="`atadenoise` averages over time without smearing, `nlmeans` is some 15 times slower; "
        "`degrain` averages along the motion, and needs VapourSynth",
    )
    by_noise: bool = Field(
        default=False,
        description="the noise of each source is measured; all strengths are the most that is done about it",
    )
    luma_spatial: float = Field(
        default=3.0, ge=0, le=30, description="grain in the brightness, within a frame"
    )
    chroma_spatial: float = Field(default=6.0, ge=0, le=30, description="colour noise, within a frame")
    luma_temporal: float = Field(
        default=4.5, ge=0, le=30, description="grain in the brightness, from frame to frame"
    )
    chroma_temporal: float = Field(default=10.0, ge=0, le=30, description="colour noise, from frame to frame")
    degrain_luma: int = Field(
        default=400, ge=0, le=3000, description="by how much blocks may differ (SAD of 8x8) to be averaged"
    )
    degrain_chroma: int = Field(default=1500, ge=0, le=6000, description="the same for the colour")
    degrain_frames: int = Field(
        default=2, ge=1, le=3, description="with how many frames before it, and after it, each is averaged"
    )


class Sharpen(Table):
    """Unsharp masking of the luma at the output's size, and the undoing of it on the source's own samples."""

    amount: float = Field(default=0.5, ge=0, le=2, description="strength; 0 does nothing")
    by_response: bool = Field(
        default=False,
        description="what deck and camera did to detail is measured: all of the amount where it is soft, "
        "nothing where it is sharp, and no more undone than was sharpened",
    )
    undo: float = Field(
        default=0.0,
        ge=0,
        le=0.3,
        description="sharpening by the deck or the camera that is undone, along the lines; 0 does nothing",
    )
    size: Literal[3, 5, 7, 9] = Field(default=5, description="edge of the mask, output pixels")


class ColourCorrection(Table):
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
    lut_strength: float = Field(
        default=1.0, ge=0, le=1, description="how much of the LUT's picture to use; the rest is without it"
    )


class Upscale(Table):
    """The Real-ESRGAN network, where that engine is used."""

    model: str = Field(
        default="animevideov3",
        min_length=1,
        description="`animevideov3`, `x4plus` (draws skin more naturally, tens of times slower), "
        "`x4plus-anime`, or a model file of your own, found from the preset file's folder; several, in a "
        "list or with commas, run one after the other",
    )
    ai_width: int = Field(
        default=0,
        ge=0,
        le=4096,
        multiple_of=2,
        description="columns that the network gets, fewer are faster; 0: as many as the source has",
    )
    sharpen: float = Field(
        default=0.0,
        ge=0,
        le=2,
        description="takes the place of `sharpen.amount` behind the network, which sharpens by itself",
    )
    strength: float = Field(
        default=1.0,
        ge=0.05,
        le=1,
        description="how much of the model's picture to use; the rest is the frame scaled without it, "
        "which holds back detail that the model invents",
    )

    @field_validator("model", mode="before")
    @classmethod
    def _joined(cls, value: object) -> object:
        are_names = isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)
        return ",".join(value) if isinstance(value, list | tuple) and are_names else value


class Faces(Table):
    """Faces, redrawn by a model of your own. It changes people's faces; without a model nothing is done."""

    model: str | None = Field(
        default=None,
        min_length=1,
        description="weights of GFPGAN, or another model of faces, found from the preset file's folder; "
        "left out: faces stay as they are",
    )
    strength: float = Field(
        default=0.7,
        ge=0.05,
        le=1,
        description="how much of what the model draws to use; the rest is the source",
    )
    least_percent: int = Field(
        default=8,
        ge=2,
        le=90,
        description="faces lower than this part of the picture's height, in percent, stay",
    )
    centre_only: bool = Field(
        default=False, description="only the face next to the middle of the picture is restored"
    )


def model_names(model: str) -> tuple[str, ...]:
    """The models that run one after the other, as a preset or an option names them.

    >>> model_names("bleed.pth, x4plus")
    ('bleed.pth', 'x4plus')
    """
    return tuple(filter(None, map(str.strip, model.split(",")))) or (model,)


def is_model_file(model: str) -> bool:
    """Whether what names a model is a path: by its ending, or since a folder is in it.

    >>> is_model_file("vhs.param"), is_model_file("x4plus")
    (True, False)
    """
    return PurePath(model).suffix.lower() in MODEL_ENDINGS or len(PurePath(model).parts) > 1


class Video(Table):
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


AudioMode = Literal["light", "moderate", "aggressive", "voice", "music"]
# The keys that a mode sets. None removes hum: that of the wrong mains frequency takes notes away. None
# repairs clicks: that took pulses of a clean voice for clicks (its SI-SDR fell from 34 to 21 dB).
AUDIO_MODES: Mapping[AudioMode, Mapping[str, object]] = {
    "light": {"highpass_hz": 40, "denoise_db": 6},
    "moderate": {"highpass_hz": 60, "denoise_db": 12},
    "aggressive": {"highpass_hz": 80, "denoise_db": 20},
    "voice": {"highpass_hz": 80, "denoise_db": 15, "loudness_lufs": -18.0},
    "music": {"highpass_hz": 20, "denoise_db": 4},
}


def with_mode(audio: Mapping[str, object]) -> dict[str, object]:
    """Keys of the sound with those that their mode sets; a key that is beside the mode wins.

    >>> with_mode({"mode": "light", "denoise_db": 3})
    {'highpass_hz': 40, 'denoise_db': 3, 'mode': 'light'}
    """
    mode = audio.get("mode")
    keys = next((keys for name, keys in AUDIO_MODES.items() if name == mode), {})
    return {**keys, **audio}


class Audio(Table):
    """The sound. With every key of these at its default a track is copied where the container can hold it."""

    mode: AudioMode | None = Field(
        default=None,
        description="sets several of the keys below, see `--audio`; a key that is written beside it wins",
    )
    lossless: bool = Field(default=False, description="what must be encoded becomes FLAC")
    bitrate_kbps: int = Field(
        default=192, ge=32, le=640, description="of each stereo pair when encoded lossily"
    )
    channels: Literal["all", "left", "right", "mono"] = Field(
        default="all",
        description="of a stereo track: both, the one that is good, or a mixture as one; others stay",
    )
    highpass_hz: int = Field(default=0, ge=0, le=500, description="rumble below this is removed; 0: none")
    hum_hz: Literal[0, 50, 60] = Field(
        default=0, description="the mains frequency whose hum and overtones are removed; 0: none"
    )
    denoise_db: int = Field(
        default=0, ge=0, le=40, description="by how much hiss is reduced at most; 0: not at all"
    )
    declick: bool = Field(default=False, description="repair clicks")
    loudness_lufs: float | None = Field(
        default=None,
        ge=-40,
        le=-5,
        description="EBU R128 loudness to bring it to, measured first; left out: as it is",
    )
    fix_drift: bool = Field(
        default=False, description="stretch a track that is up to 1 % longer or shorter than the picture"
    )
    offset_ms: int = Field(default=0, ge=-5000, le=5000, description="all sound moved later, milliseconds")
