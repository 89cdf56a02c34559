"""The models that the user has added: copies of their files, each in a folder with the model's name."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vhsbatch.config.preset_schema import MODEL_ENDINGS, is_model_file
from vhsbatch.errors import ToolError, UsageError, fix_of_folder
from vhsbatch.fs import user_folder

_FOLDER = "added-models"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")


def added_models() -> dict[str, Path]:
    """The file of each model that was added, by name."""
    folder = user_folder("data") / _FOLDER
    try:
        places = sorted(place for place in folder.iterdir() if _NAME.fullmatch(place.name))
    except OSError:
        return {}
    files = ((place.name, _model_in(place)) for place in places)
    return {name: file for name, file in files if file is not None}


def _model_in(place: Path) -> Path | None:
    return next((file for file in sorted(place.iterdir()) if file.suffix.lower() in MODEL_ENDINGS), None)


def file_named(name: str) -> Path:
    """The file that an option or a preset names: that of a model that was added, or a path."""
    added = {} if is_model_file(name) else added_models()
    return added.get(name, Path(name))


def name_for(path: Path, *, taken: Sequence[str], name: str | None = None) -> str:
    """The name under which a file is added.

    Args:
        path: the file.
        taken: names that other models have.
        name: the one that the user wants, None for the file's.

    Raises:
        UsageError: it cannot be one, or another model has it.
    """
    chosen = re.sub(r"[^A-Za-z0-9_.+-]+", "-", path.stem).strip("-.")[:100] if name is None else name
    if not _NAME.fullmatch(chosen) or Path(chosen).suffix.lower() in MODEL_ENDINGS:
        raise UsageError(
            f"'{chosen}' cannot be the name of a model", fix="--name NAME, of letters, digits, _ and -"
        )
    if chosen in taken:
        raise UsageError(
            f"there is a model called {chosen} already",
            fix=f"'vhs-upscale models remove {chosen}', or add it with another --name",
        )
    return chosen


def add_model(name: str, files: Sequence[Path]) -> Path:
    """Copy a model's files; all of them or none. The folder that has them.

    Raises:
        ToolError: they cannot be copied.
    """
    folder = user_folder("data") / _FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
        try:
            for file in files:
                shutil.copyfile(file, temporary / file.name)
            temporary.rename(folder / name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ToolError(
            f"the model cannot be kept in {folder}: {error.strerror}", fix=fix_of_folder(error)
        ) from error
    return folder / name


def remove_model(name: str) -> None:
    """Forget a model that was added; the file that it was added from is not touched.

    Raises:
        UsageError: there is none of that name.
        ToolError: its folder cannot be removed.
    """
    known = added_models()
    if name not in known:
        raise UsageError(f"no model called {name} was added", fix=f"added: {', '.join(known) or 'none'}")
    try:
        shutil.rmtree(known[name].parent)
    except OSError as error:
        raise ToolError(f"{known[name].parent} cannot be removed: {error.strerror}") from error
