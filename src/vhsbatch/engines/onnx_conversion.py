"""ONNX files as models that ncnn runs, through the program in the package ``pnnx``.

The package asks for PyTorch, which its program does not need; so it is no dependency of this one.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vhsbatch.engines.param_file import UnsuitableModelError
from vhsbatch.process.spawn import guarded

_PACKAGE = "pnnx"
_TIMEOUT_S = 270
_LARGEST_BYTES = 2**31
# Two sizes, so that it does not take either for the only one.
ANY_SIZE = ("inputshape=[1,3,64,48]", "inputshape2=[1,3,80,96]")
FACES_SIZE = ("inputshape=[1,3,512,512]",)
_EXPORT = "export it again, with one RGB picture of any size as its input"
INSTALL_PNNX = f"install it without PyTorch: {sys.executable} -m pip install --no-deps {_PACKAGE}"


@dataclass(frozen=True, slots=True)
class ConvertedOnnx:
    """A model that was converted.

    Attributes:
        name: what it was converted from, and with what.
        param: text of its ``.param`` file.
        weights: content of its ``.bin`` file.
    """

    name: str
    param: str
    weights: bytes


def convert_onnx(path: Path, shapes: Sequence[str] = ANY_SIZE) -> ConvertedOnnx:
    """The model in an ONNX file.

    Args:
        path: the file.
        shapes: of what goes in, as pnnx takes them.

    Raises:
        UnsuitableModelError: it cannot be converted, or there is no pnnx.
        OSError: it cannot be read.
    """
    program = _program()
    if program is None:
        raise UnsuitableModelError(
            "is an ONNX file, and pnnx, which converts it, is missing", fix=INSTALL_PNNX
        )
    if path.stat().st_size > _LARGEST_BYTES:
        raise UnsuitableModelError(f"has more than {_LARGEST_BYTES >> 30} GB")
    with tempfile.TemporaryDirectory(prefix="vhsbatch-onnx-") as name:
        # It writes beside its input, under names that follow from its name.
        folder = Path(name)
        shutil.copyfile(path, folder / "model.onnx")
        said = _run(program, folder, shapes)
        try:
            param = (folder / "model.ncnn.param").read_text(encoding="utf-8")
            weights = (folder / "model.ncnn.bin").read_bytes()
        except (OSError, UnicodeDecodeError):
            raise UnsuitableModelError(f"cannot be converted by pnnx: {said}", fix=_EXPORT) from None
    return ConvertedOnnx(f"ONNX (pnnx {_version()})", param, weights)


def _program() -> Path | None:
    """The program in the package; found without importing that, which would import PyTorch."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = [] if spec is None else spec.submodule_search_locations or []
    ending = ".exe" if sys.platform == "win32" else ""
    programs = (Path(folder) / f"{_PACKAGE}{ending}" for folder in folders)
    return next((program for program in programs if os.access(program, os.X_OK)), None)


def _version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "of an unknown version"


def _run(program: Path, folder: Path, shapes: Sequence[str]) -> str:
    """Run it; what it said last."""
    try:
        done = subprocess.run(
            guarded((str(program), "model.onnx", *shapes)),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_TIMEOUT_S} s"
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}"
    lines = done.stdout.decode(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it said nothing")
