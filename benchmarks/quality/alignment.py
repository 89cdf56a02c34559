"""Whether a restoration shows the right thing at the right time and place. Pure numpy.

Scores of pictures that are one frame or one pixel apart look like scores of a bad restoration, so
nothing is scored before this has been proven.
"""

import numpy as np
from numpy.typing import NDArray

# Luma, frames x lines x columns.
Luma = NDArray[np.uint8]

MOST_FRAMES = 3
MOST_PIXELS = 2


class MisalignedError(Exception):
    """The result is best compared with another moment or another place of the original."""


def shift_in_time(original: Luma, result: Luma) -> int:
    """By how many frames the result is late; of up to `MOST_FRAMES` the one that fits best."""
    one, other = _coarse(original), _coarse(result)
    inner = np.arange(MOST_FRAMES, len(one) - MOST_FRAMES)
    if not len(inner):
        raise ValueError(f"{len(one)} frames are too few: give more than {2 * MOST_FRAMES}")
    shifts = sorted(range(-MOST_FRAMES, MOST_FRAMES + 1), key=abs)
    return shifts[int(np.argmin([_difference(one[inner - shift], other[inner]) for shift in shifts]))]


def shift_in_space(original: Luma, result: Luma) -> tuple[int, int]:
    """By how many pixels the result lies too low and too far to the right."""
    m = MOST_PIXELS
    one = original.astype(np.float32)
    inside = result[:, m:-m, m:-m].astype(np.float32)
    height, width = inside.shape[1:]
    shifts = sorted(
        ((y, x) for y in range(-m, m + 1) for x in range(-m, m + 1)),
        key=lambda shift: abs(shift[0]) + abs(shift[1]),
    )
    moved = (one[:, m - y : m - y + height, m - x : m - x + width] for y, x in shifts)
    return shifts[int(np.argmin([_difference(picture, inside) for picture in moved]))]


def check(original: Luma, result: Luma) -> None:
    """Prove that the two are aligned.

    Args:
        original: frames of the original.
        result: as many frames of the restoration, of the same size.

    Raises:
        MisalignedError: they are not.
    """
    if original.shape != result.shape:
        raise MisalignedError(f"the result is {result.shape}, the original {original.shape}")
    late = shift_in_time(original, result)
    if late:
        raise MisalignedError(f"the result is {late:+d} frames late")
    some = slice(len(original) // 4, None, max(1, len(original) // 3))
    down, right = shift_in_space(original[some], result[some])
    if down or right:
        raise MisalignedError(f"the result lies {down:+d} pixels lower and {right:+d} to the right")


def _coarse(frames: Luma) -> NDArray[np.float32]:
    """Means of 4 x 4 pixels: noise goes, movement stays."""
    height, width = (edge // 4 * 4 for edge in frames.shape[1:])
    blocks = frames[:, :height, :width].reshape(len(frames), height // 4, 4, width // 4, 4)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.mean((one - other) ** 2))
