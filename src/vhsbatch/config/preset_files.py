"""Finding presets: the shipped ones, and the user's files that add to them or change them."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vhsbatch.config.preset_schema import is_model_file, model_names
from vhsbatch.config.presets import Preset, derive
from vhsbatch.config.validation import first_problem, nearest, suggestion
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.formatting import shortened
from vhsbatch.fs import read_regular

SHIPPED = "presets.toml"
_TOML_FIX = "give a TOML file in UTF-8"
_LARGEST_BYTES = 2**20
_NOTHING = Path(os.devnull)
# No setting needs half as many.
_DEEPEST = 8
_TOO_DEEP = "has tables or lists too deep within others"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def load_presets(user_files: Sequence[Path] = ()) -> dict[str, Preset]:
    """All presets by name, the shipped ones first.

    A table starts from the preset that its `inherits` names, in the same file or an earlier one. One
    without `inherits` starts from the earlier preset of its own name, so that it changes only the keys
    it names, and a new name starts from the defaults.

    Raises:
        UsageError: a file cannot be read, or a preset in it is wrong; names file, preset and key.
        ToolError: the shipped presets are not there.
    """
    presets = _PresetFile(SHIPPED, tomllib.loads(_shipped_text()), {}).load()
    for file in user_files:
        tables = _PresetFile(str(file), read_toml(file), presets).load()
        presets |= {name: _with_files_of(preset, file) for name, preset in tables.items()}
    return presets


def find_preset(presets: Mapping[str, Preset], name: str) -> Preset:
    """The preset called `name`.

    Raises:
        UsageError: there is none.
    """
    if name in presets:
        return presets[name]
    near = nearest(name, presets)
    known = f"presets: {', '.join(presets)}"
    raise UsageError(
        f"there is no preset '{shortened(name)}'",
        fix=known if near is None else f"did you mean '{near}'? {known}",
    )


def read_toml(file: Path) -> dict[str, Any]:
    """What a user's TOML file holds; the null device is one in which nothing is said.

    Raises:
        UsageError: it cannot be read or is not TOML; names file and line.
    """
    if file == _NOTHING:
        return {}
    try:
        table = tomllib.loads(read_regular(file, limit_bytes=_LARGEST_BYTES).decode())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", fix=_TOML_FIX) from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not a text file in UTF-8", fix=_TOML_FIX) from None
    except RecursionError:
        raise UsageError(f"{file} {_TOO_DEEP}", fix=_TOML_FIX) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{file} is not valid TOML: {error}", fix="a line is: key = value, with text in quotes"
        ) from None
    except ValueError:
        raise UsageError(f"{file} has a number of too many digits", fix="no value is so large") from None
    if _is_deeper_than(_DEEPEST, table):
        raise UsageError(f"{file} {_TOO_DEEP}", fix=_TOML_FIX)
    return table


def _is_deeper_than(levels: int, value: object) -> bool:
    """Whether tables and lists stand within more than so many others."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in layer)


def _shipped_text() -> str:
    """In a wheel they lie in the package; in a checkout, at the top of the repository."""
    repository = Path(__file__).parents[3]
    for place in (resources.files("vhsbatch") / SHIPPED, repository / SHIPPED):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise ToolError("the shipped presets are missing", fix="install vhsbatch again")


class _PresetFile:
    """The presets of one file, each made when it is first needed, so that their order does not matter."""

    def __init__(self, label: str, tables: Mapping[str, object], earlier: Mapping[str, Preset]) -> None:
        self._label = label
        self._tables = tables
        self._earlier = earlier
        self._made: dict[str, Preset] = {}
        self._heirs: list[str] = []  # from the first that was asked for to the one being made

    def load(self) -> dict[str, Preset]:
        try:
            return {name: self._make(name) for name in self._tables}
        except RecursionError:
            raise UsageError(
                f"{self._label}: too many presets inherit from each other", fix="inherit from fewer"
            ) from None

    def _make(self, name: str) -> Preset:
        if name in self._made:
            return self._made[name]
        if name in self._heirs:
            circle = " -> ".join([*self._heirs[self._heirs.index(name) :], name])
            raise self._wrong(name, f"inherits from itself: {circle}")
        table = self._tables[name]
        if not isinstance(table, dict):
            raise self._wrong(name, "must be a table", fix=f"presets are tables: [{name}]")
        if not _NAME.fullmatch(name):
            raise self._wrong(name, "a preset's name has letters, digits, '_' and '-' alone")
        if "name" in table:
            raise self._wrong(name, "unknown key 'name'", fix="its name is that of its table")
        self._heirs.append(name)
        try:
            changes = {key: value for key, value in table.items() if key != "inherits"}
            self._made[name] = derive(self._parent(name, table.get("inherits")), {**changes, "name": name})
        except ValidationError as error:
            problem = first_problem(error, Preset)
            raise self._wrong(name, problem.line, fix=problem.fix) from None
        finally:
            self._heirs.pop()
        return self._made[name]

    def _parent(self, name: str, inherits: object) -> Preset:
        """What the preset starts from."""
        if inherits is None or inherits == name:
            return self._earlier.get(name) or Preset(name=name)
        if not isinstance(inherits, str):
            raise self._wrong(name, "inherits: must be the name of a preset")
        if inherits in self._tables:
            parent = self._make(inherits)
        elif inherits in self._earlier:
            parent = self._earlier[inherits]
        else:
            raise self._wrong(
                name,
                f"inherits from '{shortened(inherits)}', which does not exist",
                fix=suggestion(inherits, dict.fromkeys((*self._earlier, *self._tables))),
            )
        return parent.model_copy(update={"description": f"like {parent.name}, with changes"})

    def _wrong(self, name: str, cause: str, *, fix: str | None = None) -> UsageError:
        return UsageError(f"{self._label}: preset '{name}': {cause}", fix=fix)


def with_files_from(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A table with the keys of a preset; its LUT and its models are found from `folder`."""
    found = dict(table)
    colour, upscale = table.get("colour"), table.get("upscale")
    if isinstance(colour, dict) and isinstance(lut := colour.get("lut"), str):
        found["colour"] = {**colour, "lut": str(folder / lut)}
    if isinstance(upscale, dict) and isinstance(model := upscale.get("model"), str | list):
        found["upscale"] = {**upscale, "model": models_from(model, folder)}
    faces = table.get("faces")
    if isinstance(faces, dict) and isinstance(model := faces.get("model"), str):
        found["faces"] = {**faces, "model": models_from(model, folder)}
    return found


def models_from(model: object, folder: Path) -> object:
    """What names a model, or several, with the absolute paths of files; of what does not, nothing changes."""
    if isinstance(model, list | tuple):
        if not all(isinstance(one, str) for one in model):
            return model
        model = ",".join(model)
    if not isinstance(model, str | Path):
        return model
    # os.path leaves the folder of an unknown user alone where pathlib would fail.
    return ",".join(
        str((folder / os.path.expanduser(name)).absolute()) if is_model_file(name) else name  # noqa: PTH111
        for name in model_names(str(model))
    )


def _with_files_of(preset: Preset, file: Path) -> Preset:
    """`preset` with the absolute paths of its LUT and its models.

    Raises:
        UsageError: the LUT is not there, or not one.
    """
    model = models_from(preset.upscale.model, file.parent)
    preset = preset.model_copy(update={"upscale": preset.upscale.model_copy(update={"model": model})})
    if preset.faces.model is not None:
        of_faces = {"model": models_from(preset.faces.model, file.parent)}
        preset = preset.model_copy(update={"faces": preset.faces.model_copy(update=of_faces)})
    return _with_lut_of(preset, file)


def _with_lut_of(preset: Preset, file: Path) -> Preset:
    """`preset` with its LUT's absolute path.

    Raises:
        UsageError: the LUT is not there, or not one.
    """
    lut = preset.colour.lut
    if lut is None:
        return preset
    path = (file.parent / lut).absolute()
    if path.suffix.lower() != ".cube" or not os.path.isfile(path):  # noqa: PTH113 - any text may be in it
        raise UsageError(
            f"{file}: preset '{preset.name}': colour.lut: {path} is not a .cube file that exists"
        )
    return preset.model_copy(update={"colour": preset.colour.model_copy(update={"lut": path})})
