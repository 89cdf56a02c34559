"""What is tried when a device gives bad frames or none: a smaller tile, another device, the CPU. Pure."""

from dataclasses import replace

from vhsbatch.engines.devices import NCNN
from vhsbatch.model.plan import Upscaling

# Half of the tile that upstream takes by default; it also divides what memory a tile needs by four.
_SMALL_TILE_PX = 100


def fallbacks(upscaling: Upscaling) -> tuple[Upscaling, ...]:
    """Every way to make a segment, the planned one first."""
    tile_px = min(_SMALL_TILE_PX, max(32, upscaling.tile_px // 2 or _SMALL_TILE_PX))
    smaller = replace(upscaling, tile_px=tile_px, in_flight=1)
    if upscaling.device == "cpu":
        return (upscaling, smaller)
    others = tuple(replace(smaller, device=device) for device in upscaling.spare_devices)
    return (upscaling, smaller, *others, replace(smaller, device="cpu", runtime=NCNN))


def fallback(upscaling: Upscaling, step: int) -> Upscaling:
    """The way that is taken after `step` failures of the model; the last one from there on."""
    ways = fallbacks(upscaling)
    return ways[min(step, len(ways) - 1)]


def in_words(upscaling: Upscaling) -> str:
    """A way, for the journal.

    >>> in_words(Upscaling(model="x2", models=(), runtime="ncnn", device="cpu", tile_px=100))
    'the CPU (ncnn, tiles of 100 px)'
    """
    device = "the CPU" if upscaling.device == "cpu" else f"Vulkan device {upscaling.device}"
    tile = f", tiles of {upscaling.tile_px} px" if upscaling.tile_px else ""
    return f"{device} ({upscaling.runtime}{tile})"
