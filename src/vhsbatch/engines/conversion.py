"""Weights of PyTorch, and ONNX files, as models that ncnn runs: converted once, and kept by their digest."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.errors import ToolError, fix_of_folder
from vhsbatch.fs import open_regular, sync, user_folder
from vhsbatch.process.spawn import guarded

if TYPE_CHECKING:
    from vhsbatch.engines.architectures import Architecture
    from vhsbatch.engines.onnx_conversion import ConvertedOnnx

# Raised when the same file becomes other layers or weights than before.
VERSION = 1
TIMEOUT_S = 300

# So end the folders of models that restore faces.
_FACES = "-faces"
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


def converted(path: Path, *, faces: bool = False) -> Converted:
    """The model of a file of weights or an ONNX file; converted if that was not done before.

    A process of its own does it: whatever a file makes NumPy and the unpickler do, it ends there.

    Args:
        path: the file.
        faces: whether it is to restore faces, instead of enlarging pictures.

    Raises:
        UnsuitableModelError: it is none that can be converted.
        OSError: it cannot be read.
        ToolError: the user's cache folder cannot be written.
    """
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    folder = user_folder("cache") / "models" / f"{sha256}-{VERSION}{_FACES if faces else ''}"
    if (known := _kept(folder)) is not None:
        return known
    command = (sys.executable, "-m", "vhsbatch.engines.conversion", str(path), str(folder))
    try:
        done = subprocess.run(
            guarded(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnsuitableModelError(f"could not be converted within {TIMEOUT_S} s") from error
    known = _kept(folder)
    if done.returncode == 0 and known is not None:
        return known
    raise _told(done.stdout)


def _told(stdout: bytes) -> UnsuitableModelError | ToolError:
    """What the process said that could not convert a file."""
    try:
        told = json.loads(stdout)
        if told["by_folder"]:
            return ToolError(told["reason"], fix=told["fix"])
        return UnsuitableModelError(told["reason"], fix=told["fix"])
    except (ValueError, LookupError, TypeError):
        return UnsuitableModelError("ended the program that converts it")


def main() -> None:
    """Convert the file that the command line names into a folder; say in JSON why that cannot be."""
    path, folder = map(Path, sys.argv[1:3])
    try:
        _convert(path, folder)
    except (UnsuitableModelError, MemoryError) as error:
        fix = getattr(error, "fix", None)
        told = {"reason": str(error) or "needs too much memory", "fix": fix, "by_folder": False}
    except OSError as error:
        reason = f"the converted model cannot be kept in {folder.parent}: {error.strerror}"
        told = {"reason": reason, "fix": fix_of_folder(error), "by_folder": True}
    else:
        return
    sys.stdout.write(json.dumps(told))
    sys.exit(1)


def _convert(path: Path, folder: Path) -> None:
    # NumPy is loaded where it is needed.
    from vhsbatch.engines.architectures import infer
    from vhsbatch.engines.gfpgan import infer_face_model
    from vhsbatch.engines.onnx_conversion import ANY_SIZE, FACES_SIZE, convert_onnx
    from vhsbatch.engines.weights_file import read_weights

    licence, faces = "", folder.name.endswith(_FACES)
    model: Architecture | ConvertedOnnx
    if path.suffix.lower() == ".onnx":
        model = convert_onnx(path, FACES_SIZE if faces else ANY_SIZE)
    else:
        weights = read_weights(path)
        model = infer_face_model(weights.tensors) if faces else infer(weights.tensors)
        licence = weights.licence
    origin = ModelOrigin(folder.name.partition("-")[0], model.name, licence)
    _keep(folder, {_PARAM: model.param.encode(), _WEIGHTS: model.weights}, origin)


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


if __name__ == "__main__":
    main()
