"""The weights of FFmpeg's nnedi: a file that FFmpeg does not come with, found where others put it."""

import os
from importlib.util import find_spec
from pathlib import Path

from vhsbatch.errors import ToolError
from vhsbatch.fs import user_folder

FILE_NAME = "nnedi3_weights.bin"
# FFmpeg takes a file of this size alone.
_SIZE_BYTES = 13_574_928
_SHARED = (Path("/usr/share/nnedi3"), Path("/usr/local/share/nnedi3"), Path("/opt/homebrew/share/nnedi3"))


def find_weights(setting: Path | None) -> Path:
    """The weights that the setting names, or the first that are where they usually are.

    Raises:
        ToolError: they are not there, or are something else.
    """
    places = [setting] if setting is not None else _usual_places()
    path = next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113
    if path is None:
        where = f"at {setting}" if setting else f"in none of {', '.join(str(one.parent) for one in places)}"
        raise ToolError(
            f"the file of weights that nnedi needs is {'not ' if setting else ''}{where}",
            fix="pip install vapoursynth-znedi3, which brings them along, or name the file in nnedi_weights",
        )
    if path.stat().st_size != _SIZE_BYTES:
        raise ToolError(
            f"{path} is not the file of nnedi's weights: it has {path.stat().st_size} bytes",
            fix=f"the right one has {_SIZE_BYTES}",
        )
    return path


def _usual_places() -> list[Path]:
    # Found without being imported: its packages are many, and its plugins are libraries.
    package = find_spec("vapoursynth")
    folders = [] if package is None else [Path(folder) for folder in package.submodule_search_locations or ()]
    return [
        user_folder("data") / FILE_NAME,
        *(folder / "plugins" / FILE_NAME for folder in folders),
        *(folder / FILE_NAME for folder in _SHARED),
    ]
