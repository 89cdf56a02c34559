"""What a model does to colours on purpose: brightness, contrast, casts, saturation.

Measured on small pictures when the model is tried, and expected of every frame from then on. It is not
fitted to single frames: a black frame would fit as well as a right one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vhsbatch.engines.runtimes import Frame

_BLOCK_PX = 4
# A picture with less or more contrast than this is another one. Inverted ones have less than none.
_LEAST_CONTRAST, _MOST_CONTRAST = 0.3, 3.0
# How much of the variance of what comes out has to follow from what went in. Upscalers had 0.97 and more, a
# gamma of 2.2 had 0.96, random weights 0.95 and less.
_LEAST_EXPLAINED = 0.95
# Of each colour, at least this much of what went in comes out as the same; models that swap two have none.
_LEAST_SHARE = 0.05
# Models that keep colours seemed to change the worst one by up to 25 levels, as small pictures are not exact.
# What is less than this is left to the frame check, which allows for more.
_NO_CHANGE = 32.0
# Colours from everywhere, in one line.
_CUBE = np.stack(np.meshgrid(*[range(0, 256, 51)] * 3), axis=-1).reshape(1, -1, 3).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class ColourChange:
    """Each colour that comes out as a mixture of the three that go in, and an offset in levels.

    Attributes:
        numbers: for red, green and blue that come out: the shares of red, green and blue, and the offset.
    """

    numbers: tuple[float, ...]

    @property
    def contrast(self) -> float:
        """How much a step of grey grows in the colour where it grows least."""
        return min(map(float, self._matrix[:, :3].sum(axis=1)))

    @property
    def _matrix(self) -> NDArray[np.float32]:
        return np.array(self.numbers, np.float32).reshape(3, 4)

    def applied(self, frame: Frame) -> Frame:
        """The colours that a frame is to have."""
        matrix = self._matrix
        levels = frame.astype(np.float32) @ matrix[:, :3].T + (matrix[:, 3] + np.float32(0.5))
        return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


def measured(pairs: Sequence[tuple[Frame, Frame]]) -> ColourChange | str | None:
    """What a model does to colours; why that cannot be meant, or None if it keeps them.

    Args:
        pairs: frames that went in, and of what came out one pixel for each of theirs.
    """
    before, after = (np.concatenate([_means(pair[side]) for pair in pairs]) for side in (0, 1))
    # What was clipped says nothing of the rest.
    known = ((after > 1) & (after < 254)).all(axis=1)
    if known.sum() < 16:
        return "hardly any of its colours are between black and white"
    given = np.column_stack([before, np.ones(len(before))])
    found = np.linalg.lstsq(given[known], after[known], rcond=None)[0].T
    change = ColourChange(tuple(round(float(number), 4) for number in found.ravel()))
    unexplained = np.square(np.clip(given @ found.T, 0, 255) - after).sum()
    explained = 1 - unexplained / max(1.0, np.square(after - after.mean(axis=0)).sum())
    if explained < _LEAST_EXPLAINED:
        return f"only {100 * max(0.0, explained):.0f} % of what comes out follows from what went in"
    if not _LEAST_CONTRAST <= change.contrast <= _MOST_CONTRAST:
        return f"of its contrast {change.contrast:.2f} times as much comes out"
    if found.diagonal().min() < _LEAST_SHARE:
        return "it mixes up colours"
    if np.abs(change.applied(_CUBE).astype(int) - _CUBE).max() <= _NO_CHANGE:
        return None
    return change


def _means(frame: Frame) -> NDArray[np.float64]:
    """The mean colour of each small block."""
    height, width = (edge // _BLOCK_PX * _BLOCK_PX for edge in frame.shape[:2])
    blocks = frame[:height, :width].reshape(height // _BLOCK_PX, _BLOCK_PX, -1, _BLOCK_PX, 3)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3)).reshape(-1, 3)
    return means
