"""`models list`, `add`, `check` and `remove`: the models that upscale."""

import functools
import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vhsbatch.cache import default_cache
from vhsbatch.cli.completers import added_model_names
from vhsbatch.config.preset_schema import model_names
from vhsbatch.engines.added_models import add_model, added_models, name_for, remove_model
from vhsbatch.engines.face_models import FaceModel, expect_face_model, face_model, restores_faces
from vhsbatch.engines.model_check import TRIAL_SIZE, expect_sane, tried
from vhsbatch.engines.models import SHIPPED_SCALES, ModelFiles, digest, find_model, user_model
from vhsbatch.engines.param_file import read_graph
from vhsbatch.errors import VhsBatchError
from vhsbatch.formatting import plain, size
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.ui.text import show_line

_SHORT_DIGEST = 12


def list_models() -> int:
    """List the shipped models and those that you added."""
    added = added_models()
    width = max(map(len, (*SHIPPED_SCALES, *added)))
    for name, scales in SHIPPED_SCALES.items():
        show_line(f"{name:<{width}}  {' '.join(f'x{scale}' for scale in scales)}, shipped")
    for name in added:
        try:
            if restores_faces(name):
                line = _face_model_in_a_line(face_model(name))
            else:
                line = _in_a_line(user_model(Path(name)))
        except VhsBatchError as error:
            line = f"cannot be used: {error.cause}"
        show_line(plain(f"{name:<{width}}  {line}"))
    return 0


def add(file: Path, /, *, name: str | None = None) -> int:
    """Check a model, and keep a copy of it under a name.

    Args:
        file: Model: a .param file with its .bin beside it, or a .pth, .safetensors or .onnx file.
        name: Name for --model and for presets. [default: the file's]
    """
    chosen = name_for(file, taken=[*SHIPPED_SCALES, *added_models()], name=name)
    if restores_faces(str(file)):
        model = face_model(str(file.absolute()))
        run_until_stopped(expect_face_model, model, default_cache())
        add_model(chosen, model.files)
        show_line(plain(f"{chosen}: {_face_model_in_a_line(model)}"))
        show_line(f'Use it with --face-restore {chosen}, or in a preset: faces.model = "{chosen}"')
        return 0
    files = user_model(file.absolute())
    run_until_stopped(expect_sane, files, default_cache())
    add_model(chosen, _files_of(files))
    show_line(plain(f"{chosen}: {_in_a_line(files)}"))
    show_line(f'Use it with --model {chosen}, or in a preset: upscale.model = "{chosen}"')
    return 0


def check(model: Annotated[Path, Parameter(completer=added_model_names)], /) -> int:
    """Run a model on small pictures, and say what it is.

    Args:
        model: Model file, or the name of a shipped or an added model; several with commas between them.
    """
    if restores_faces(str(model)):
        _show_checked_faces(face_model(str(model)))
        return 0
    found = [find_model(name, source_height=1, target_height=2) for name in model_names(str(model))]
    for files in found:
        _show_checked(files)
    if len(found) > 1:
        names = " + ".join(files.name for files in found)
        show_line(plain(f"{names}: x{math.prod(files.scale for files in found)} together"))
    return 0


def _show_checked(files: ModelFiles) -> None:
    traits = run_until_stopped(functools.partial(tried, files))
    show_line(plain(f"{files.name}: {_in_a_line(files)}"))
    graph = read_graph(files.param.read_text(encoding="utf-8", errors="replace"))
    sizes = "any size" if graph.align_px == 1 else f"sizes padded to multiples of {graph.align_px}"
    show_line(plain(f"  takes RGB of {sizes} (blob {graph.input}), gives RGB (blob {graph.output})"))
    for file in _files_of(files):
        show_line(plain(f"  {file}: sha256 {digest(file)}"))
    if files.is_own:
        show_line(
            f"  takes {traits.value_range} for black to white, and looks {graph.halo_px} pixels around each"
        )
    if traits.colours:
        show_line("  changes brightness or colours; its frames are compared with the changed ones")
    width, height = TRIAL_SIZE
    took = f"{traits.seconds:.2f} s"
    show_line(f"  ok: a picture of {width}x{height} pixels came out right, in {took} on the CPU")


def _show_checked_faces(model: FaceModel) -> None:
    took_s = run_until_stopped(expect_face_model, model, None)
    show_line(plain(f"{model.name}: {_face_model_in_a_line(model)}"))
    show_line(plain(f"  takes a face (blob {model.given}), gives one (blob {model.made})"))
    for file in model.files:
        show_line(plain(f"  {file}: sha256 {digest(file)}"))
    show_line(f"  ok: a drawn face came out as one, in {took_s:.1f} s on the CPU")


def remove(name: Annotated[str, Parameter(completer=added_model_names)], /) -> int:
    """Remove a model that you added. The file that it was added from stays.

    Args:
        name: Name of the model.
    """
    remove_model(name)
    show_line(plain(f"{name} was removed"))
    return 0


def _files_of(files: ModelFiles) -> list[Path]:
    """The files that the user has of a model."""
    return [files.param, files.weights] if not files.origin or files.file is None else [files.file]


def _in_a_line(files: ModelFiles) -> str:
    """What a model is."""
    graph = files.graph
    layers = "shipped" if graph is None else f"ncnn model of {graph.layers} layers"
    kind = files.origin.partition(",")[0] if files.origin else layers
    return (
        f"x{files.scale}, {kind}, {size(files.weights.stat().st_size)}, "
        f"sha256 {digest(files.file or files.weights)[:_SHORT_DIGEST]}"
    )


def _face_model_in_a_line(model: FaceModel) -> str:
    return (
        f"restores faces of 512x512, {model.kind}, {size(model.weights.stat().st_size)}, "
        f"sha256 {digest(model.file)[:_SHORT_DIGEST]}"
    )
