"""The network and the worker program, as the benchmarks of both use them."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from vhsbatch.engines.models import choose_model
from vhsbatch.engines.realesrgan import RealEsrganEngine, resolve_upscaling
from vhsbatch.engines.runtimes import Upscaler, open_runtime
from vhsbatch.model.plan import Upscaling
from vhsbatch.process.chain import StageSpec

Frames = NDArray[np.uint8]
THREADS = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Size:
    """Of a frame, in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Passage:
    """When each frame came out of the worker program, and what the program said."""

    times_s: list[float]
    said: list[str]

    @property
    def frames_per_s(self) -> float:
        """From the first to the last frame: loading the network is no part of it."""
        return frames_per_s(self.times_s)


def frames_per_s(times_s: Sequence[float]) -> float:
    """Of frames that were ready at these times."""
    return (len(times_s) - 1) / (times_s[-1] - times_s[0])


def network(
    runtime: str,
    size: Size,
    *,
    device: str = "cpu",
    model: str = "animevideov3",
    scale: int = 2,
    tile_px: int = 0,
    in_flight: int = 1,
) -> Upscaling:
    """The network as a segment uses it."""
    return resolve_upscaling(
        choose_model(model, source_height=size.height, target_height=scale * size.height),
        device=device,
        runtime=runtime,
        tile_px=tile_px,
        in_flight=in_flight,
    )


def opened(how: Upscaling, threads: int = THREADS) -> Upscaler:
    """The network in this process."""
    (model,) = how.models
    return open_runtime(
        how.runtime,
        param=model.param,
        weights=model.weights,
        scale=model.scale,
        device=how.device,
        tile_px=how.tile_px,
        threads=threads,
    )


def program(how: Upscaling, size: Size, threads: int = THREADS) -> StageSpec:
    """The worker program."""
    return RealEsrganEngine().stage(how, width=size.width, height=size.height, threads=threads)


def pictures(size: Size, count: int) -> Frames:
    """Noisy frames, no two of them alike."""
    y, x = np.mgrid[0 : size.height, 0 : size.width].astype(np.uint8)
    scene = np.stack([x // 4, y // 2, x // 8 + y // 8], axis=-1)
    noise = np.random.default_rng(1).integers(0, 17, (count, size.height, size.width, 3), np.uint8)
    return scene + noise


def passed_through(worker: StageSpec, frames: Frames, *, scale: int) -> Passage:
    """Give frames to the worker program by one pipe, and take what it makes of them from another."""
    larger_bytes = frames[0].nbytes * scale**2
    times_s = []
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            worker.argv,
            env={**os.environ, **worker.env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        feeder = threading.Thread(target=_feed, args=(process.stdin, frames))
        feeder.start()
        while len(process.stdout.read(larger_bytes)) == larger_bytes:
            times_s.append(time.monotonic())
        feeder.join()
        process.wait()
        said.seek(0)
        lines = said.read().splitlines()
    assert (process.returncode, len(times_s)) == (0, len(frames)), lines
    return Passage(times_s, lines)


def _feed(pipe: IO[bytes], frames: Frames) -> None:
    with pipe:
        for frame in frames:
            pipe.write(frame.tobytes())
