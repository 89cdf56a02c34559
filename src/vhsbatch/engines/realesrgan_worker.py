"""The worker program: raw rgb24 frames on stdin, larger raw rgb24 frames on stdout.

    python -m vhsbatch.engines.realesrgan_worker --width W --height H --scale S …

A separate process, since a runtime may hold the interpreter's lock for a whole frame, and
may die by a signal. Reading and writing run in threads beside the model, so that the pipes never
wait for each other. What it says is in `vhsbatch.engines.control`; it exits with 0 only if every
frame that came in went out.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from vhsbatch.engines.colour_change import ColourChange
from vhsbatch.engines.control import ControlLine
from vhsbatch.engines.frame_pipes import (
    StreamError,
    fail,
    keep_stdout_clean,
    one_line,
    read_ahead,
    say,
    write,
)
from vhsbatch.engines.inflight import InFlight
from vhsbatch.engines.runtimes import RuntimeFailureError, open_runtime
from vhsbatch.engines.value_range import ValueRange


def main() -> None:
    """Run until stdin ends."""
    arguments = _parse()
    frames_out = keep_stdout_clean()
    try:
        models = [_opened(arguments, model) for model in _models(arguments)]
        say(ControlLine("ready"))
        written_frames = _run(models, (arguments.height, arguments.width, 3), frames_out)
    except (StreamError, RuntimeFailureError, ImportError, MemoryError, OSError) as error:
        fail(one_line(error))
    say(ControlLine("done", frames=written_frames, repeated_frames=models[0].duplicate_frames))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(","))) if text else ()


_OF_MODELS: dict[str, Callable[[str], object]] = {
    "scale": int,
    "param": Path,
    "weights": Path,
    "halo": int,
    "range": _numbers,
    "colours": _numbers,
}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("width", "height", "tile", "threads", "in-flight"):
        parser.add_argument(f"--{name}", type=int, required=True)
    # Each model has its own.
    for name, kind in _OF_MODELS.items():
        parser.add_argument(f"--{name}", type=kind, action="append", required=True)
    for name in ("runtime", "device"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--every-frame", action="store_true")
    return parser.parse_args()


class _Model(NamedTuple):
    """What is said of each model."""

    scale: int
    param: Path
    weights: Path
    halo: int
    range: tuple[float, ...]
    colours: tuple[float, ...]


def _models(arguments: argparse.Namespace) -> list[_Model]:
    said = (getattr(arguments, name) for name in _OF_MODELS)
    return [_Model(*values) for values in zip(*said, strict=True)]


def _opened(arguments: argparse.Namespace, model: _Model) -> InFlight:
    return InFlight(
        lambda: open_runtime(
            arguments.runtime,
            param=model.param,
            weights=model.weights,
            scale=model.scale,
            device=arguments.device,
            tile_px=arguments.tile,
            threads=arguments.threads,
            halo_px=model.halo,
            value_range=ValueRange(*model.range),
        ),
        scale=model.scale,
        threads=arguments.in_flight,
        skip_duplicates=not arguments.every_frame,
        strength=arguments.strength,
        colours=ColourChange(model.colours) if model.colours else None,
    )


def _run(models: Sequence[InFlight], shape: tuple[int, int, int], frames_out: int) -> int:
    """Upscale every frame of stdin; how many were written."""
    frames = read_ahead(shape)
    for model in models:
        frames = model.upscaled(frames)
    return write(frames, frames_out)


if __name__ == "__main__":
    main()
