"""Child process that tries a user's model on small pictures; prints in JSON what it is like.

    python -m vhsbatch.engines.model_trial PARAM WEIGHTS SCALE

A damaged or hostile model may crash ncnn, or ask it for any amount of memory: that ends this process alone.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vhsbatch.engines.colour_change import ColourChange, measured
from vhsbatch.engines.framecheck import flaw, sampled
from vhsbatch.engines.model_check import TRIAL_SIZE
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, Upscaler, open_runtime
from vhsbatch.engines.value_range import USUAL_RANGE, ValueRange

_MOST_BYTES = 8 * 2**30
_THREADS = 2
_PATCH_PX = 8
# The numbers that models take for black and white, the usual first.
_RANGES = (USUAL_RANGE, ValueRange(0, 255), ValueRange(-1, 1))
_LEVELS = np.array([45, 120, 205], np.uint8)


def scene(width: int, height: int) -> Frame:
    """A picture like one of a tape: soft slopes, hard edges, thin lines, grain, no two channels alike."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    sky = np.stack([90 + 80 * y / height, 120 + 60 * x / width, 170 - 50 * y / height], axis=-1)
    disc = (x - width / 3) ** 2 + (y - height / 2.5) ** 2 < (height / 4) ** 2
    sky[disc] = (205, 160, 60)
    sky[(x > width * 0.6) & (y > height * 0.3)] *= 0.45
    sky[(x > width * 0.7) & (np.floor(y) % 6 == 0)] += 70
    sky[np.abs(x - y) < 1] = (225, 225, 215)
    grain = np.random.default_rng(1).normal(0, 4, (height, width, 1))
    return np.clip(sky + grain, 0, 255).astype(np.uint8)


def chart(width: int, height: int) -> Frame:
    """Patches of colours that are far from each other, so that it shows what becomes of each."""
    y, x = np.mgrid[0:height, 0:width] // _PATCH_PX
    number = x + 5 * y
    return np.stack([_LEVELS[number // 9 % 3], _LEVELS[number // 3 % 3], _LEVELS[(number + x) % 3]], axis=-1)


def limit_memory() -> None:
    """Let this process take no more memory than any model of a tape needs."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MOST_BYTES if most == resource.RLIM_INFINITY else min(most, _MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


@dataclass(frozen=True, slots=True)
class _Trial:
    """How the model is run."""

    param: Path
    weights: Path
    scale: int

    def opened(self, value_range: ValueRange) -> Upscaler:
        return open_runtime(
            "ncnn",
            param=self.param,
            weights=self.weights,
            scale=self.scale,
            device="cpu",
            tile_px=0,
            threads=_THREADS,
            value_range=value_range,
        )


def _colours(pairs: list[tuple[Frame, Frame]], scale: int) -> ColourChange | str | None:
    """What a model does to colours; why it makes nonsense, or None if it keeps them.

    Args:
        pairs: pictures, and what it made of them.
        scale: the model's scale.
    """
    change = measured([(frame, sampled(larger, scale)) for frame, larger in pairs])
    if isinstance(change, str):
        return change
    for frame, larger in pairs:
        expected, contrast = (frame, 1.0) if change is None else (change.applied(frame), change.contrast)
        if (problem := flaw(expected, larger, scale=scale, contrast=contrast)) is not None:
            return problem
    return change


def _understood(trial: _Trial) -> tuple[ValueRange, ColourChange | None, float]:
    """The numbers that a model takes, what it does to colours, and the seconds that a picture takes.

    Of several ranges that make sense it is the first in which colours stay. Ends the process if none does.
    """
    found: dict[ValueRange, ColourChange | None] = {}
    problems = []
    took_s = 0.0
    for value_range in _RANGES:
        upscale = trial.opened(value_range)
        started_s = time.monotonic()
        pairs = [(frame, upscale(frame)) for frame in (scene(*TRIAL_SIZE), chart(*TRIAL_SIZE))]
        took_s = (time.monotonic() - started_s) / len(pairs)
        colours = _colours(pairs, trial.scale)
        if colours is None:
            return value_range, None, took_s
        if isinstance(colours, str):
            problems.append(colours)
        else:
            found[value_range] = colours
    for value_range, change in found.items():
        return value_range, change, took_s
    sys.exit(f"it makes nonsense of a picture: {problems[0]}")


def main() -> None:
    """Try what the command line names."""
    param, weights, scale = sys.argv[1:4]
    limit_memory()
    trial = _Trial(Path(param), Path(weights), int(scale))
    try:
        value_range, colours, took_s = _understood(trial)
    except (RuntimeFailureError, MemoryError) as error:
        sys.exit(str(error) or "it needs too much memory")
    found = {
        "seconds": took_s,
        "colours": [] if colours is None else colours.numbers,
        "black": value_range.black,
        "white": value_range.white,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
