"""Weights of PyTorch, and ONNX files, as models that ncnn runs: converted once, and kept by their digest."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from vhsbatch.engines.architectures import Architecture, infer
from vhsbatch.engines.onnx_conversion import ConvertedOnnx, convert_onnx
from vhsbatch.engines.weights_file import read_weights
from vhsbatch.errors import ToolError
from vhsbatch.fs import open_regular, sync, user_folder

# Raised when the same file becomes other layers or weights than before.
VERSION = 1

_PARAM, _WEIGHTS, _ABOUT = "model.param", "model.bin", "about.json"


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """What a model was converted from.

    Attributes:
        sha256: digest of the file.
        architecture: what it was told to be.
        licence: what the file says of it, empty where it says nothing.
    """

    sha256: str
    architecture: str
    licence: str = ""

    def __str__(self) -> str:
        """For records, without the file's name: that may change."""
        licence = f", licence {self.licence}" if self.licence else ""
        return f"{self.architecture}, sha256 {self.sha256}, converter {VERSION}{licence}"


@dataclass(frozen=True, slots=True)
class Converted:
    """A model that was converted.

    Attributes:
        param: its ``.param`` file.
        weights: its ``.bin`` file.
        origin: what it was made from.
    """

    param: Path
    weights: Path
    origin: ModelOrigin


def converted(path: Path) -> Converted:
    """The model of a file of weights or an ONNX file; converted if that was not done before.

    Raises:
        UnsuitableModelError: it is none that can be converted.
        OSError: it cannot be read.
        ToolError: the user's cache folder cannot be written.
    """
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    folder = user_folder("cache") / "models" / f"{sha256}-{VERSION}"
    if (known := _kept(folder)) is not None:
        return known
    model, licence = _model_of(path)
    origin = ModelOrigin(sha256, model.name, licence)
    try:
        _keep(folder, {_PARAM: model.param.encode(), _WEIGHTS: model.weights}, origin)
    except OSError as error:
        raise ToolError(
            f"the converted model cannot be kept in {folder.parent}: {error.strerror}",
            fix="make room there, or name another folder with XDG_CACHE_HOME",
        ) from error
    return Converted(folder / _PARAM, folder / _WEIGHTS, origin)


def _model_of(path: Path) -> tuple[Architecture | ConvertedOnnx, str]:
    """The model in a file, and what the file says of its licence."""
    if path.suffix.lower() == ".onnx":
        return convert_onnx(path), ""
    weights = read_weights(path)
    return infer(weights.tensors), weights.licence


def _kept(folder: Path) -> Converted | None:
    """What was converted before; None if nothing was, or it is not complete."""
    try:
        origin = ModelOrigin(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    files = folder / _PARAM, folder / _WEIGHTS
    return Converted(*files, origin) if all(file.is_file() for file in files) else None


def _keep(folder: Path, contents: dict[str, bytes], origin: ModelOrigin) -> None:
    """Put the files into `folder`, all of them or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
            sync(temporary / name)
        (temporary / _ABOUT).write_text(json.dumps(asdict(origin)), encoding="utf-8")
        if _kept(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(temporary, folder)  # noqa: PTH105 - a folder
    except OSError:
        if _kept(folder) is None:  # another process was not faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
