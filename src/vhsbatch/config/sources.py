"""Where settings come from.

The command line is asked first, then the environment, then ``./vhsbatch.toml``, then the user's own
``vhsbatch.toml``. Each is read on its own, so that every value can say where it came from.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_settings import InitSettingsSource

from vhsbatch.config.preset_files import SHIPPED, models_from, read_toml, with_files_from
from vhsbatch.config.settings import ENV_PREFIX, Settings
from vhsbatch.config.validation import Problem, first_problem, nearest
from vhsbatch.errors import UsageError
from vhsbatch.fs import user_folder

FILE_NAME = "vhsbatch.toml"


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
    return (own, *settings.presets) if os.path.lexists(own) else settings.presets


def config_folder() -> Path:
    """Where the platform keeps a user's configuration of this program."""
    return user_folder("config")


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
        files = [file for file in usual if os.path.lexists(file)]
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
    for name in ("nnedi_weights", "temp_dir", "tls", "tls_ca", "tls_cert", "tls_key"):
        if name in values:
            anchored[name] = anchor(values[name])
    if "model" in values:
        anchored["model"] = models_from(values["model"], folder) or None
    if isinstance(tables := values.get("files"), dict):
        anchored["files"] = {
            pattern: with_files_from(table, folder) if isinstance(table, dict) else table
            for pattern, table in tables.items()
        }
    if isinstance(folders := values.get("watch"), list | tuple):
        anchored["watch"] = [
            {name: anchor(value) if name in ("input", "output") else value for name, value in one.items()}
            if isinstance(one, dict)
            else one
            for one in folders
        ]
    if isinstance(paths := values.get("presets"), list | tuple):
        anchored["presets"] = tuple(anchor(path) for path in paths)
    for name in ("ffmpeg", "vapoursynth_python"):
        if isinstance(program := values.get(name), str | Path):
            # A bare name is a program to be looked up, as in a shell.
            text = str(program)
            is_path = any(sign in text for sign in ("/", os.sep, "~"))
            anchored[name] = str(anchor(text)) if is_path else text or None
    return _certificates(anchored.get("tls")) | anchored


def _certificates(folder: object) -> dict[str, object]:
    """The files of a folder of certificates; single ones may be named beside it."""
    if not isinstance(folder, Path):
        return {}
    return {f"tls_{name}": folder / f"{name}.pem" for name in ("ca", "cert", "key")}


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
