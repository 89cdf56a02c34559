"""Whether a frame from the model can be right: it is held against the frame that went in.

The runtimes drop their return codes. A device that fails gives black, green or old pixels, in the whole
frame or in tiles of it, and mostly far too fast. A right frame is the frame that went in, only larger:
averaged over blocks, the two hardly differ.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from vhsbatch.engines.colour_change import ColourChange
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError

_BLOCK_PX = 16
# Block means of right frames differed by up to 14 levels in tapes, drawings and noise, and by 36 in a
# chessboard of single pixels; those of a block of another picture differ by more.
_LARGEST_DIFFERENCE = 48.0
# A block that goes in with more contrast than noise has does not come out as one colour. Noise alone may, as
# where it is dark: its standard deviation is lower than that of a picture, and the mean hardly moves.
_SOME_CONTRAST = 24
_NOISE = 10.0
_STAYED = 12.0

# Where an input block differs from the one before by this many levels on average, what comes out
# differs too: noise alone is as much.
_SOME_CHANGE = 2.0

# A frame that takes less than this part of the usual time is made again, to see whether it comes out the
# same; of a device that does nothing it does not.
_SUSPICIOUS_PART = 0.1
_FRAMES_TO_KNOW = 8


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame that came out, and how long the model took for it."""

    larger: Frame
    took_s: float


class FrameCheck:
    """Holds every frame that comes out against the one that went in, one after the other."""

    def __init__(self, *, scale: int, colours: ColourChange | None = None) -> None:
        self._scale = scale
        self._colours = colours
        self._recent_s: deque[float] = deque(maxlen=25)
        self._previous: tuple[Frame, Frame] | None = None
        self._count = 0

    def expect_right(self, frame: Frame, made: TimedFrame, *, again: Callable[[], TimedFrame]) -> None:
        """Look at the next frame.

        Args:
            frame: what went in.
            made: what came out.
            again: makes it once more.

        Raises:
            RuntimeFailureError: what came out cannot be right, or could not be made once more.
        """
        self._count += 1
        expected = frame if self._colours is None else self._colours.applied(frame)
        contrast = 1.0 if self._colours is None else self._colours.contrast
        problem = flaw(expected, made.larger, scale=self._scale, contrast=contrast) or self._frozen(
            expected, made.larger
        )
        if (
            problem is None
            and self._is_suspicious(made.took_s)
            and not np.array_equal(again().larger, made.larger)
        ):
            problem = f"it took {made.took_s:.3f} s, and came out differently the second time"
        if problem is not None:
            raise RuntimeFailureError(f"frame {self._count} came out wrong: {problem}")
        self._recent_s.append(made.took_s)
        self._previous = (expected, made.larger)

    def _frozen(self, frame: Frame, larger: Frame) -> str | None:
        if self._previous is None:
            return None
        part = frozen_part(self._previous, (frame, larger), scale=self._scale)
        return f"{100 * part:.0f} % of it repeats the frame before" if part else None

    def _is_suspicious(self, took_s: float) -> bool:
        known = len(self._recent_s) >= _FRAMES_TO_KNOW
        return known and took_s < _SUSPICIOUS_PART * median(self._recent_s)


def flaw(frame: Frame, larger: Frame, *, scale: int, contrast: float = 1.0) -> str | None:
    """What is wrong with a frame; None if nothing is.

    Args:
        frame: height x width x 3, what went in, with the colours that are to come out.
        larger: the same, larger by `scale`, what came out.
        scale: the model's scale.
        contrast: how much of the contrast is to come out; of less, other pictures differ by less.
    """
    height, width, _ = frame.shape
    if larger.shape != (height * scale, width * scale, 3):
        return f"it has the shape {larger.shape} instead of {(height * scale, width * scale, 3)}"
    middle = sampled(larger, scale)
    before, after = _block_means(frame), _block_means(middle)
    differences = np.abs(after - before).max(axis=2)
    bad = (differences > _LARGEST_DIFFERENCE * min(1.0, contrast)) | _went_blank(frame, middle)
    if not bad.any():
        return None
    row, column = np.unravel_index(int((differences + 256 * bad).argmax()), differences.shape)
    colour = ", ".join(str(round(value)) for value in after[row, column])
    return (
        f"{100 * float(bad.mean()):.0f} % of it is not what went in (the worst part has the colour {colour})"
    )


def frozen_part(before: tuple[Frame, Frame], after: tuple[Frame, Frame], *, scale: int) -> float:
    """How much of a frame is an old one, from 0 to 1; told by its green channel, nearest to luma.

    Args:
        before: a frame that went in, and what came out.
        after: the same of the next frame.
        scale: the model's scale.
    """
    (frame_0, larger_0), (frame_1, larger_1) = before, after
    old, new = (sampled(larger, scale)[..., 1] for larger in (larger_0, larger_1))
    rows, columns = _edges(new)
    moved = np.logical_or.reduceat(np.logical_or.reduceat(old != new, rows, axis=0), columns, axis=1)
    if moved.all():
        return 0.0
    green_0, green_1 = frame_0[..., 1:2], frame_1[..., 1:2]
    differences = np.where(green_0 > green_1, green_0 - green_1, green_1 - green_0)
    changed = _block_means(differences)[..., 0] > _SOME_CHANGE
    # What is one colour may have been clipped to it.
    return float((changed & ~moved & (_contrast(new) > 0)).mean())


def sampled(larger: Frame, scale: int) -> Frame:
    """Of each square of pixels that were one pixel before, the one in the middle."""
    return larger[scale // 2 :: scale, scale // 2 :: scale]


def _block_means(frame: Frame | NDArray[np.uint16]) -> NDArray[np.float64]:
    """The mean colour of each block; blocks at the right and the bottom are smaller."""
    height, width, _ = frame.shape
    rows, columns = _edges(frame)
    sums = np.add.reduceat(np.add.reduceat(frame, rows, axis=0, dtype=np.uint32), columns, axis=1)
    heights, widths = np.diff(rows, append=height), np.diff(columns, append=width)
    means: NDArray[np.float64] = sums / (heights[:, None] * widths[None, :])[..., None]
    return means


def _went_blank(frame: Frame, middle: Frame) -> NDArray[np.bool_]:
    """Which blocks of the green channel, nearest to luma, lost all of their contrast."""
    before, after = _contrast(frame[..., 1]), _contrast(middle[..., 1])
    blank: NDArray[np.bool_] = (before > _SOME_CONTRAST) & (after == 0)
    if not blank.any():
        return blank
    green = frame[..., 1:2].astype(np.uint16)
    mean = _block_means(green)[..., 0]
    deviation = np.sqrt(np.maximum(_block_means(green * green)[..., 0] - mean**2, 0))
    moved = np.abs(_block_means(middle[..., 1:2])[..., 0] - mean)
    return blank & ((deviation > _NOISE) | (moved > _STAYED))


def _contrast(plane: Frame) -> NDArray[np.int16]:
    rows, columns = _edges(plane)
    high = np.maximum.reduceat(np.maximum.reduceat(plane, rows, axis=0), columns, axis=1)
    low = np.minimum.reduceat(np.minimum.reduceat(plane, rows, axis=0), columns, axis=1)
    contrast: NDArray[np.int16] = high.astype(np.int16) - low
    return contrast


def _edges(frame: Frame | NDArray[np.uint16]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.arange(0, frame.shape[0], _BLOCK_PX), np.arange(0, frame.shape[1], _BLOCK_PX)
