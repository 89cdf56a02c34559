"""How busy the pipeline keeps a device: the worker program with a stand-in for a GPU.

    python benchmarks/device_busy.py [--frames 200] [--rounds 3] [--json RESULT]

The stand-in is a runtime that takes a frame, waits for as long as a GPU would take, and gives the frame
back, enlarged by repeating its samples. It works on one frame after the other, in the order in which they
come, as a GPU's queue does; copying one to it and back takes a core. All else is the worker program as it
is: frames of 720x480 come by a pipe, each is checked, and goes by a pipe. Busy is the part of the time from
the beginning of the first frame to the end of the last one in which the device is at work. What a driver
adds is not in these figures.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from network import feed
from numpy.typing import NDArray
from result import give, machine

from vhsbatch.engines import realesrgan_worker
from vhsbatch.engines.realesrgan import RealEsrganEngine, resolve_upscaling
from vhsbatch.engines.runtimes import Frame, Upscaler

WIDTH, HEIGHT, SCALE = 720, 480, 2
# 25 frames of this size a second, 50 and 100: what slow and fast GPUs make with animevideov3.
DEVICE_S = (0.04, 0.02, 0.01)
IN_FLIGHT = (1, 2, 3)
TARGET = 0.95


class StandIn:
    """A device with a queue: it begins a frame when the one before is done, whoever waits for that."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._lock = threading.Lock()
        self._frames = 0
        self._began_s = math.inf
        self._free_s = 0.0

    def __call__(self, frame: Frame) -> Frame:
        """A larger frame."""
        uploaded = frame.copy()
        with self._lock:
            now_s = time.monotonic()
            self._began_s = min(self._began_s, now_s)
            self._free_s = ready_s = max(now_s, self._free_s) + self._frame_s
            self._frames += 1
        time.sleep(max(0.0, ready_s - time.monotonic()))
        larger = np.empty((HEIGHT, SCALE, WIDTH, SCALE, 3), np.uint8)
        larger[:] = uploaded[:, None, :, None, :]
        return larger.reshape(HEIGHT * SCALE, WIDTH * SCALE, 3)

    @property
    def busy_part(self) -> float:
        """The part of the time from the first frame to the last in which it was at work."""
        return self._frames * self._frame_s / (self._free_s - self._began_s)


def work(frame_s: float, arguments: list[str]) -> None:
    """Be the worker program, and say at the end how busy the device was."""
    device = StandIn(frame_s)

    def opened(*_: object, **__: object) -> Upscaler:
        return device

    realesrgan_worker.open_runtime = opened
    sys.argv = ["realesrgan_worker", *arguments]
    realesrgan_worker.main()
    print(json.dumps({"busy": device.busy_part}), file=sys.stderr)


def pictures(count: int) -> NDArray[np.uint8]:
    """Noisy frames, no two of them alike."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.uint8)
    scene = np.stack([x // 4, y // 2, x // 8 + y // 8], axis=-1)
    noise = np.random.default_rng(1).integers(0, 17, (count, HEIGHT, WIDTH, 3), np.uint8)
    return scene + noise


def busy(frame_s: float, in_flight: int, frames: NDArray[np.uint8]) -> float:
    """How busy a device is that takes `frame_s` for a frame."""
    how = resolve_upscaling(
        "animevideov3",
        source_height=HEIGHT,
        target_height=SCALE * HEIGHT,
        device="cpu",
        runtime="ncnn",
        model_path=None,
        tile_px=0,
        in_flight=in_flight,
    )
    stage = RealEsrganEngine().stage(how, width=WIDTH, height=HEIGHT, threads=1)
    arguments = stage.argv[stage.argv.index("--width") :]
    with subprocess.Popen(
        (sys.executable, __file__, "--stand-in", str(frame_s), *arguments),
        env={**os.environ, **stage.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        feeder = threading.Thread(target=feed, args=(worker.stdin, frames))
        feeder.start()
        size = WIDTH * HEIGHT * 3 * SCALE**2
        came = 0
        while len(worker.stdout.read(size)) == size:
            came += 1
        feeder.join()
        said = worker.stderr.read().splitlines()
    assert came == len(frames), said
    return float(json.loads(said[-1])["busy"])


def measure(count: int, rounds: int) -> dict[str, Any]:
    """All figures, each a median of runs that took turns."""
    frames = pictures(count)
    runs: dict[tuple[float, int], list[float]] = {}
    for _ in range(rounds):
        for frame_s in DEVICE_S:
            for in_flight in IN_FLIGHT:
                runs.setdefault((frame_s, in_flight), []).append(busy(frame_s, in_flight, frames))
    medians = {key: statistics.median(values) for key, values in runs.items()}
    # Which number is fastest is found out on each device, so the best one counts.
    best = {frame_s: max(medians[frame_s, number] for number in IN_FLIGHT) for frame_s in DEVICE_S}
    return {
        "machine": machine(),
        "frame": [WIDTH, HEIGHT],
        "frames": count,
        "busy": [
            {"device_s": frame_s, "in_flight": in_flight, "busy": part}
            for (frame_s, in_flight), part in medians.items()
        ],
        "targets": [
            {
                "name": f"stand-in for a GPU of {1 / frame_s:.0f} frames a second, part of the time busy",
                "figure": part,
                "target": TARGET,
                "at_least": True,
                "met": part >= TARGET,
            }
            for frame_s, part in best.items()
        ],
    }


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    if sys.argv[1:2] == ["--stand-in"]:
        work(float(sys.argv[2]), sys.argv[3:])
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = measure(arguments.frames, arguments.rounds)
    give(result, arguments.json)


if __name__ == "__main__":
    main()
