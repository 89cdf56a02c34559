"""Child process that tries a user's model on a small picture; prints the seconds if it can be right.

    python -m vhsbatch.engines.model_trial PARAM WEIGHTS SCALE

A damaged or hostile model may crash ncnn, or ask it for any amount of memory: that ends this process alone.
"""

import sys
import time
from pathlib import Path

import numpy as np

from vhsbatch.engines.framecheck import flaw
from vhsbatch.engines.model_check import TRIAL_SIZE
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, open_runtime

_MOST_BYTES = 8 * 2**30
_THREADS = 2


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


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MOST_BYTES if most == resource.RLIM_INFINITY else min(most, _MOST_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def main() -> None:
    """Try what the command line names."""
    param, weights, scale = sys.argv[1:4]
    _limit_memory()
    frame = scene(*TRIAL_SIZE)
    try:
        upscale = open_runtime(
            "ncnn",
            param=Path(param),
            weights=Path(weights),
            scale=int(scale),
            device="cpu",
            tile_px=0,
            threads=_THREADS,
        )
        started_s = time.monotonic()
        larger = upscale(frame)
        took_s = time.monotonic() - started_s
    except (RuntimeFailureError, MemoryError) as error:
        sys.exit(str(error) or "it needs too much memory")
    if (problem := flaw(frame, larger, scale=int(scale))) is not None:
        sys.exit(f"it makes nonsense of a picture: {problem}")
    sys.stdout.write(f"{took_s}\n")


if __name__ == "__main__":
    main()
