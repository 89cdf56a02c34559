"""Weights of PyTorch, converted and run by ncnn, against the same architectures in NumPy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import weights
from vhsbatch.engines.architectures import infer
from vhsbatch.engines.conversion import converted
from vhsbatch.engines.gfpgan import infer_face_model
from vhsbatch.engines.onnx_conversion import INSTALL_PNNX, _program, convert_onnx
from vhsbatch.engines.param_file import UnsuitableModelError, read_graph
from vhsbatch.engines.runtimes import LoadedModel, Upscaler, open_runtime
from vhsbatch.engines.runtimes import _ModelFiles as OpenedFiles
from vhsbatch.engines.runtimes import _Ncnn as Ncnn
from vhsbatch.errors import ToolError
from weights import Floats, Tensors

pytestmark = pytest.mark.sampled

NOISE = np.random.default_rng(5).integers(0, 256, (28, 32, 3), np.uint8)


def planes_of(frame: NDArray[np.uint8]) -> Floats:
    """A picture as models get it."""
    return (frame.transpose(2, 0, 1) / 255).astype(np.float32)


PLANES = planes_of(NOISE)


def made(param: Path, weights_file: Path, scale: int, frame: NDArray[np.uint8]) -> Floats:
    """What ncnn makes of a picture, before it is rounded."""
    model = Ncnn(
        OpenedFiles(param=param, weights=weights_file, scale=scale, device="cpu", tile_px=0), threads=1
    )
    return model._run(frame)


def run_converted(
    tensors: Tensors, folder: Path, frame: NDArray[np.uint8] = NOISE
) -> tuple[Floats, int, int]:
    """What ncnn makes of a picture; the scale, and the alignment."""
    model = infer(tensors)
    param, file = folder / "model.param", folder / "model.bin"
    param.write_text(model.param)
    file.write_bytes(model.weights)
    graph = read_graph(model.param)
    assert graph.scale == model.scale
    return made(param, file, model.scale, frame), model.scale, graph.align_px


def furthest(one: Floats, other: Floats) -> float:
    """In levels of 255."""
    assert one.shape == other.shape
    return 255 * float(np.abs(one - other).max())


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_compact(scale: int, tmp_path: Path) -> None:
    tensors = weights.compact(scale)
    result, found, align_px = run_converted(tensors, tmp_path)
    assert (found, align_px) == (scale, 1)
    assert furthest(result, weights.run_compact(tensors, PLANES)) < 1


@pytest.mark.parametrize("levels", [2, 3])
def test_gfpgan(levels: int, tmp_path: Path) -> None:
    tensors = weights.gfpgan(levels)
    model = infer_face_model(tensors)
    (tmp_path / "model.param").write_text(model.param)
    (tmp_path / "model.bin").write_bytes(model.weights)
    edge = 4 * 2**levels
    face = np.random.default_rng(6).uniform(-1, 1, (3, edge, edge)).astype(np.float32)
    (result,) = LoadedModel(tmp_path / "model.param", tmp_path / "model.bin")(face, ("output",))
    expected = weights.run_gfpgan(tensors, face)
    # From black to white is from -1 to 1.
    assert furthest(result, expected) < 2
    assert 0.1 < expected.std() < 1


RENAMED: dict[str, Callable[[Tensors, int], Tensors]] = {
    "new": lambda tensors, _: tensors,
    "middle": lambda tensors, _: weights.with_middle_names(tensors),
    "old": weights.with_old_names,
}


@pytest.mark.parametrize("names", RENAMED)
@pytest.mark.parametrize("ups", [0, 1, 2])
def test_esrgan_by_the_names_of_three_generations(ups: int, names: str, tmp_path: Path) -> None:
    tensors = weights.esrgan(ups)
    result, scale, align_px = run_converted(RENAMED[names](tensors, ups), tmp_path)
    assert (scale, align_px) == (2**ups, 1)
    assert furthest(result, weights.run_esrgan(tensors, PLANES, ups=ups)) < 1


@pytest.mark.parametrize("unshuffle", [2, 4])
def test_esrgan_that_takes_pixels_apart(unshuffle: int, tmp_path: Path) -> None:
    tensors = weights.esrgan(2, unshuffle=unshuffle)
    result, scale, align_px = run_converted(tensors, tmp_path)
    assert (scale, align_px) == (4 // unshuffle, unshuffle)
    assert furthest(result, weights.run_esrgan(tensors, PLANES, ups=2, unshuffle=unshuffle)) < 1


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_span(scale: int, normalised: bool, tmp_path: Path) -> None:
    tensors = weights.span(scale, normalised=normalised)
    # Its 23 convolutions see that far, and only there the reference knows what they do.
    far = 23
    frame = np.random.default_rng(6).integers(0, 256, (2 * far + 6, 2 * far + 8, 3), np.uint8)
    result, found, _ = run_converted(tensors, tmp_path, frame)
    expected = weights.run_span(tensors, planes_of(frame))
    inside = (slice(None), slice(far * scale, -far * scale), slice(far * scale, -far * scale))
    assert found == scale
    assert furthest(result[inside], expected[inside]) < 1


def test_weights_too_large_or_too_small_for_16_bits(tmp_path: Path) -> None:
    tensors = weights.compact(2)
    tensors["body.2.weight"] *= 1e6
    tensors["body.4.weight"] *= 1e-6
    result, _, _ = run_converted(tensors, tmp_path)
    assert furthest(result, weights.run_compact(tensors, PLANES)) < 1


def test_every_kind_of_file_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tensors = weights.compact(2)
    files = [
        weights.pth(tmp_path / "plain.pth", tensors),
        weights.pth(tmp_path / "ema.pth", tensors, within="params_ema"),
        weights.legacy_pth(tmp_path / "legacy.pth", tensors),
        weights.safetensors(tmp_path / "safe.safetensors", tensors, licence="CC-BY-4.0"),
    ]
    models = [converted(file) for file in files]
    assert len({model.param.parent for model in models}) == len(files)
    assert len({(model.param.read_text(), model.weights.read_bytes()) for model in models}) == 1
    assert {model.origin.architecture for model in models} == {"Compact"}
    assert models[-1].origin.licence == "CC-BY-4.0"
    # The second time nothing is converted.
    monkeypatch.delattr("vhsbatch.engines.conversion.subprocess")
    assert converted(files[0]) == models[0]


def test_a_file_that_would_take_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("vhsbatch.engines.conversion.TIMEOUT_S", 5)
    # A tuple of itself twice, a hundred times over: its hash, as a key, takes 2^100 steps.
    doubled = b")" + b"q\x00" + 100 * b"h\x00h\x00\x86q\x00"
    bomb = b"\x80\x02ccollections\nOrderedDict\n)R" + doubled.replace(b"q\x00h", b"q\x000h") + b"K\x01s."
    (tmp_path / "bomb.pth").write_bytes(bomb)
    with pytest.raises(UnsuitableModelError, match="could not be converted within 5 s"):
        converted(tmp_path / "bomb.pth")


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ToolError, match="cannot be kept in"):
        converted(weights.pth(tmp_path / "m.pth", weights.compact(2)))


def test_onnx_through_pnnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if _program() is None:
        pytest.skip(f"pnnx is not here; {INSTALL_PNNX}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tensors = weights.compact(2)
    model = converted(weights.onnx(tmp_path / "m.onnx", tensors))
    graph = read_graph(model.param.read_text())
    assert (graph.input, graph.output, graph.scale, graph.align_px) == ("in0", "out0", 2, 1)
    assert furthest(made(model.param, model.weights, 2, NOISE), weights.run_compact(tensors, PLANES)) < 1
    assert model.origin.architecture.startswith("ONNX (pnnx ")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x08\x3a\xff\xff\x03"])
def test_what_pnnx_cannot_convert_is_told(content: bytes, tmp_path: Path) -> None:
    if _program() is None:
        pytest.skip(f"pnnx is not here; {INSTALL_PNNX}")
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(UnsuitableModelError, match="cannot be converted by pnnx: "):
        convert_onnx(tmp_path / "m.onnx")


def test_without_pnnx_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vhsbatch.engines.onnx_conversion._PACKAGE", "no_such_package")
    with pytest.raises(UnsuitableModelError, match="pnnx, which converts it, is missing") as caught:
        convert_onnx(weights.onnx(tmp_path / "m.onnx", weights.compact(2)))
    assert caught.value.fix == INSTALL_PNNX


def opened(tensors: Tensors, folder: Path, *, tile_px: int, halo_px: int | None = None) -> Upscaler:
    """A model with the halo that follows from its layers, or another."""
    model = infer(tensors)
    (folder / "m.param").write_text(model.param)
    (folder / "m.bin").write_bytes(model.weights)
    return open_runtime(
        "ncnn",
        param=folder / "m.param",
        weights=folder / "m.bin",
        scale=model.scale,
        device="cpu",
        tile_px=tile_px,
        threads=1,
        halo_px=read_graph(model.param).halo_px if halo_px is None else halo_px,
    )


def off_by(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


TILED = {
    "compact": lambda: weights.compact(2, layers=12),
    "takes pixels apart": lambda: weights.esrgan(1, unshuffle=2, blocks=1),
    "takes more apart": lambda: weights.esrgan(2, unshuffle=4, blocks=1),
    "SPAN": lambda: weights.span(2),
}


@pytest.mark.parametrize("name", TILED)
def test_tiles_of_any_size_come_out_as_the_whole_frame(name: str, tmp_path: Path) -> None:
    # Odd, and no multiple of what any of them aligns to.
    frame = np.random.default_rng(5).integers(0, 256, (37, 61, 3), np.uint8)
    whole = opened(TILED[name](), tmp_path, tile_px=0)(frame)
    assert off_by(opened(TILED[name](), tmp_path, tile_px=20)(frame), whole) <= 1


def test_a_halo_that_is_too_small_shows(tmp_path: Path) -> None:
    frame = np.random.default_rng(5).integers(0, 256, (20, 40, 3), np.uint8)
    tensors = weights.compact(2, layers=12)
    whole = opened(tensors, tmp_path, tile_px=0)(frame)
    assert off_by(opened(tensors, tmp_path, tile_px=20, halo_px=2)(frame), whole) > 1
