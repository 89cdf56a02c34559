"""How busy the pipeline keeps a device: the worker program with a GPU, and with a stand-in for one.

    python benchmarks/device_busy.py [--frames 200] [--rounds 3] [--device INDEX …] [--json RESULT]

Every Vulkan GPU that is there, in the way that is fastest on it: what its driver says of how busy it is, from
the first to the last frame.

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
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import numpy as np
from result import give, machine, target
from worker import Frames, Passage, Size, network, passed_through, pictures, program

from vhsbatch.engines import realesrgan_worker
from vhsbatch.engines.devices import NCNN, VulkanDevice, encoder_devices, render_nodes, vulkan_devices
from vhsbatch.engines.runtimes import Frame, Upscaler
from vhsbatch.engines.tuning import Way, fastest
from vhsbatch.engines.tuning import measure as measure_ways
from vhsbatch.hardware.gauges import gpu_gauges
from vhsbatch.model.plan import Upscaling
from vhsbatch.process.chain import StageSpec
from vhsbatch.scheduling.readings import NamedDevice, named_gpus

SIZE = Size(720, 480)
SCALE = 2
# 25 frames of this size a second, 50 and 100: what slow and fast GPUs make with animevideov3.
DEVICE_S = (0.04, 0.02, 0.01)
IN_FLIGHT = (1, 2, 3)
TARGET = 0.95
# A GPU is at work for so long, and asked so often.
GPU_S = 10.0
SAMPLE_S = 0.25


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
        larger = np.empty((SIZE.height, SCALE, SIZE.width, SCALE, 3), np.uint8)
        larger[:] = uploaded[:, None, :, None, :]
        return larger.reshape(SIZE.height * SCALE, SIZE.width * SCALE, 3)

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


def busy_stand_in(frame_s: float, in_flight: int, frames: Frames) -> float:
    """How busy a device is that takes `frame_s` for a frame."""
    worker = stood_in(program(network(NCNN, SIZE, in_flight=in_flight), SIZE, threads=1), frame_s)
    return float(json.loads(passed_through(worker, frames, scale=SCALE).said[-1])["busy"])


def stood_in(worker: StageSpec, frame_s: float) -> StageSpec:
    """The worker program with a stand-in for its device."""
    arguments = worker.argv[worker.argv.index("--width") :]
    return replace(worker, argv=(sys.executable, __file__, "--stand-in", str(frame_s), *arguments))


class Gauge:
    """What a GPU's driver says of how busy it is, asked again and again."""

    def __init__(self, device: VulkanDevice, devices: Sequence[VulkanDevice]) -> None:
        index = str(device.index)
        self._named = {index: NamedDevice(device.name, encoder_devices(devices, render_nodes())[index])}
        self._samples: list[tuple[float, int]] = []
        self._over = threading.Event()

    @contextmanager
    def read(self) -> Iterator[None]:
        """Ask for as long as what is within runs."""
        reader = threading.Thread(target=self._read)
        reader.start()
        try:
            yield
        finally:
            self._over.set()
            reader.join()

    def _read(self) -> None:
        while not self._over.wait(SAMPLE_S):
            (reading, *_) = named_gpus(anyio.run(gpu_gauges), self._named)
            if reading.busy_percent is not None:
                self._samples.append((time.monotonic(), reading.busy_percent))

    def busy_part(self, passage: Passage) -> float | None:
        """The average from the first to the last frame; None where the driver does not tell."""
        first_s, *_, last_s = passage.times_s
        parts = [percent / 100 for at_s, percent in self._samples if first_s <= at_s <= last_s]
        return statistics.mean(parts) if parts else None


def busy_gpu(device: VulkanDevice, devices: Sequence[VulkanDevice]) -> dict[str, Any]:
    """How busy a GPU is in the way that is fastest on it."""
    index = str(device.index)
    found = fastest(anyio.run(measure_ways, index))
    if found is None:
        return {"device": device.name, "not_measured": "no runtime works on it"}
    way, speed = found
    frames = pictures(SIZE, max(10, round(GPU_S * speed)))
    gauge = Gauge(device, devices)
    with gauge.read():
        passage = passed_through(program(_used(way, index), SIZE, threads=1), frames, scale=SCALE)
    measured = {"device": device.name, "way": str(way), "frames_per_s": passage.frames_per_s}
    if (busy := gauge.busy_part(passage)) is None:
        return {**measured, "not_measured": "its driver does not tell how busy it is"}
    return {**measured, "busy": busy}


def _used(way: Way, device: str) -> Upscaling:
    return network(way.runtime, SIZE, device=device, tile_px=way.tile_px, in_flight=way.in_flight)


def stand_ins(count: int, rounds: int) -> dict[tuple[float, int], float]:
    """How busy each stand-in is with so many frames under way, medians of runs that took turns."""
    frames = pictures(SIZE, count)
    runs: dict[tuple[float, int], list[float]] = {}
    for _ in range(rounds):
        for frame_s in DEVICE_S:
            for in_flight in IN_FLIGHT:
                part = busy_stand_in(frame_s, in_flight, frames)
                runs.setdefault((frame_s, in_flight), []).append(part)
    return {key: statistics.median(values) for key, values in runs.items()}


def result_of(medians: dict[tuple[float, int], float], gpus: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures with their targets."""
    # Which number is fastest is found out on each device, so the best one counts.
    figures = {
        f"stand-in for a GPU of {1 / frame_s:.0f} frames a second": max(
            medians[frame_s, number] for number in IN_FLIGHT
        )
        for frame_s in DEVICE_S
    }
    figures |= {gpu["device"]: gpu["busy"] for gpu in gpus if "busy" in gpu}
    not_measured = {gpu["device"]: gpu["not_measured"] for gpu in gpus if "busy" not in gpu}
    return {
        "machine": machine(),
        "frame": [SIZE.width, SIZE.height],
        "stand_ins": [
            {"device_s": frame_s, "in_flight": in_flight, "busy": part}
            for (frame_s, in_flight), part in medians.items()
        ],
        "gpus": gpus,
        "not_measured": {
            f"{name}, part of the time busy": why
            for name, why in (not_measured if gpus else {"a Vulkan GPU": "there is none here"}).items()
        },
        "targets": [
            target(f"{name}, part of the time busy", part, TARGET, at_least=True)
            for name, part in figures.items()
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
    parser.add_argument("--device", type=int, nargs="+", help="these in the place of every GPU")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    there = anyio.run(vulkan_devices)
    wanted = arguments.device or [device.index for device in there if device.is_gpu]
    gpus = [busy_gpu(device, there) for device in there if device.index in wanted]
    give(result_of(stand_ins(arguments.frames, arguments.rounds), gpus), arguments.json)


if __name__ == "__main__":
    main()
