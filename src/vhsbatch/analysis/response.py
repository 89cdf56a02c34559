"""How steep the edges of a picture are across it and down it. Pure numpy.

A tape limits what changes along a line, and a deck may sharpen that; neither touches what changes from line
to line. So the steepest edges across, beside the steepest ones down, tell the deck's response apart from how
sharp the scene is: a soft scene is soft in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Of an edge's two sides, the mean over some samples or lines must differ by so much.
_SMALLEST_STEP = 50
# Either side is even, up to this part of the step. Texture has steps too, and tells nothing.
_UNEVEN = 0.12
# An edge that rises by more than its whole step between two samples is a thin line.
_STEEPEST = 1.15
# Levels at which a recorder clips, and makes edges steep.
_BLACK, _WHITE = 20, 225
# The steepest fifth: others are the scene's own soft ones.
_STEEP_PERCENT = 80
_FEWEST_EDGES = 150

Samples = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Where an edge's two sides lie.

    Attributes:
        near: from so many samples beside its middle on.
        far: up to so many.
    """

    near: int
    far: int


# A field has about half as many lines as a line has samples, for the same part of the picture.
_ACROSS, _DOWN = _Sides(near=4, far=8), _Sides(near=2, far=4)


def steepness(lumas: Sequence[npt.NDArray[np.uint8]], *, fields: int) -> tuple[float, float] | None:
    """The part of its step by which a steep edge rises: from sample to sample, and from line to line.

    Args:
        lumas: frames of one place.
        fields: 2 where the lines of a frame belong to two fields, else 1.

    Returns:
        None where there are too few edges in either direction.
    """
    across, down = [], []
    for luma in lumas:
        for parity in range(fields):
            field = luma[parity::fields].astype(np.float32)
            if min(field.shape) <= 4 * _ACROSS.far:
                return None
            # Means along the edge: noise is not what is steep.
            across.append(_rises((field[:-2] + field[1:-1] + field[2:]) / 3, _ACROSS))
            columns = [field[:, start : start + field.shape[1] - 4] for start in range(5)]
            down.append(_rises(np.ascontiguousarray(np.mean(columns, axis=0).T), _DOWN))
    rises = [np.concatenate(found) for found in (across, down)]
    if min(map(len, rises)) < _FEWEST_EDGES:
        return None
    return float(np.percentile(rises[0], _STEEP_PERCENT)), float(np.percentile(rises[1], _STEEP_PERCENT))


def _rises(plane: Samples, sides: _Sides) -> Samples:
    """The steepest rise of each edge along the rows of `plane`, as a part of its step."""
    margin, width = sides.far + 2, plane.shape[1]

    def moved(values: Samples, by: int) -> Samples:
        return values[:, margin + by : width - margin + by]

    sums = np.cumsum(np.pad(plane, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    squares = np.cumsum(np.pad(plane**2, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    means, spreads = [], []
    for start, stop in ((-sides.far, 1 - sides.near), (1 + sides.near, sides.far + 2)):
        mean, square = ((moved(s, stop) - moved(s, start)) / (stop - start) for s in (sums, squares))
        means.append(mean)
        spreads.append(square - mean**2)
    before, after = means
    step = after - before
    rise = np.diff(plane, axis=1)
    around = np.stack([moved(rise, by) for by in range(1 - sides.near, sides.near)]) * np.sign(step)
    here = around[sides.near - 1]
    edge = (
        (np.abs(step) > _SMALLEST_STEP)
        & (np.maximum(*spreads) < (_UNEVEN * step) ** 2)
        & (np.minimum(before, after) > _BLACK)
        & (np.maximum(before, after) < _WHITE)
        & (here >= around.max(axis=0))
        & (here <= _STEEPEST * np.abs(step))
    )
    rises: Samples = (here[edge] / np.abs(step[edge])).astype(np.float32)
    return rises
