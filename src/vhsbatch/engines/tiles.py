"""Cutting a frame into tiles that overlap, so that a model needs memory for one tile only. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# By how much a tile is larger on each side: nearly as far as a shipped model looks around a pixel. Upstream's
# program takes it for all its models.
USUAL_HALO_PX = 10


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of the frame in input pixels, without its halo.

    Attributes:
        x0: left edge.
        y0: upper edge.
        x1: the column after the last one.
        y1: the line after the last one.
    """

    x0: int
    y0: int
    x1: int
    y1: int


def tiles(width: int, height: int, tile_px: int, *, align_px: int = 1) -> Iterator[Tile]:
    """Tiles that cover `width` x `height` pixels; none is much smaller than the others.

    Args:
        width: frame width in pixels.
        height: frame height in pixels.
        tile_px: longest edge of a tile, but for its alignment; 0 for one tile.
        align_px: what the edges within the frame are multiples of.
    """
    for y0, y1 in _spans(height, tile_px, align_px):
        for x0, x1 in _spans(width, tile_px, align_px):
            yield Tile(x0, y0, x1, y1)


def _spans(length: int, tile_px: int, align_px: int) -> list[tuple[int, int]]:
    count = -(-length // tile_px) if tile_px else 1
    edges = (min(length, aligned(length * number // count, align_px)) for number in range(count + 1))
    return [(start, stop) for start, stop in pairwise(edges) if start < stop]


def aligned(length: int, align_px: int) -> int:
    """The next multiple of `align_px`.

    >>> aligned(50, 4), aligned(52, 4)
    (52, 52)
    """
    return -(-length // align_px) * align_px
