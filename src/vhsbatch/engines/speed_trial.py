"""Child process that measures how fast a way of running the model is; prints frames per second.

    python -m vhsbatch.engines.speed_trial RUNTIME DEVICE TILE IN_FLIGHT
        [--size WxH] [--seconds S] [--threads N]

Noisy frames of a tape's size go through the model as they do in a segment, checks included. The
first ones are not counted: a driver compiles the model for them.
"""

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np

from vhsbatch.engines.inflight import InFlight
from vhsbatch.engines.models import choose_model
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, open_runtime

_FEWEST_FRAMES = 3


def frames(width: int, height: int) -> Iterator[Frame]:
    """Frames without end, no two in a row alike."""
    noise = np.random.default_rng(1).integers(-8, 9, (height, 2 * width, 3))
    y, x = np.mgrid[0:height, 0:width]
    slopes = np.stack([x % 200, y % 200, (x + y) % 200], axis=-1) + 28
    while True:
        for shift in range(width):
            yield (slopes + noise[:, shift : shift + width]).astype(np.uint8)


def speed(model: InFlight, width: int, height: int, seconds: float) -> float:
    """Frames per second once it is warm."""
    larger = model.upscaled(frames(width, height))
    next(larger)
    started_s, count = time.monotonic(), 0
    while count < _FEWEST_FRAMES or time.monotonic() - started_s < seconds:
        next(larger)
        count += 1
    return count / (time.monotonic() - started_s)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("runtime", "device"):
        parser.add_argument(name)
    for name in ("tile", "in_flight"):
        parser.add_argument(name, type=int)
    parser.add_argument("--size", default="720x480")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=1)
    typed = parser.parse_args()
    width, height = map(int, typed.size.split("x"))
    model = choose_model("animevideov3", source_height=height, target_height=2 * height)
    try:
        in_flight = InFlight(
            lambda: open_runtime(
                typed.runtime,
                param=model.param,
                weights=model.weights,
                scale=model.scale,
                device=typed.device,
                tile_px=typed.tile,
                threads=typed.threads,
            ),
            scale=model.scale,
            threads=typed.in_flight,
            skip_duplicates=False,
        )
        frames_per_s = speed(in_flight, width, height, typed.seconds)
    except RuntimeFailureError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{frames_per_s}\n")


if __name__ == "__main__":
    main()
