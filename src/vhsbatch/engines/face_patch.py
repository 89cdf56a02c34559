"""A face cut out of its frame, upright and as large as models take it; and what they change of it put back.

Points are x and y in pixels of a frame. Patches are `EDGE_PX` x `EDGE_PX` x 3, RGB, in levels from 0 to 255.
"""

import functools
import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vhsbatch.engines.runtimes import Frame, RuntimeFailureError

EDGE_PX = 512

Floats = NDArray[np.float32]
Patch = Floats
Points = Floats
# Two rows of three numbers: what a point of a frame becomes in the patch.
Matrix = NDArray[np.float64]

# Where the eyes, the nose and the corners of the mouth are in the faces that such models were trained with.
_TEMPLATE = np.array(
    [[192.98, 239.95], [318.90, 240.19], [256.63, 314.02], [201.26, 371.41], [313.09, 371.15]]
)
# What of a patch is put back: this ellipse, fading out to half as large again, and nothing at its border.
_MIDDLE, _HALF = (256, 285), (150, 185)
_FADED = 1.45
_BORDER_PX = 32


class RunModel(Protocol):
    """Numbers in, numbers out, as `LoadedModel` has it."""

    def __call__(self, planes: Floats, outputs: tuple[str, ...], *, given: str) -> list[Floats]:
        """What comes out of `outputs`."""
        ...


def restored(model: RunModel, face: Patch, *, given: str, made: str) -> Patch:
    """What a model makes of a face.

    Raises:
        RuntimeFailureError: it gave something else than a face.
    """
    (planes,) = model(face.transpose(2, 0, 1) / np.float32(127.5) - 1, (made,), given=given)
    if planes.shape != (3, EDGE_PX, EDGE_PX):
        raise RuntimeFailureError(f"the face model gave {planes.shape} instead of {(3, EDGE_PX, EDGE_PX)}")
    levels: Patch = (np.clip(planes.transpose(1, 2, 0), -1, 1) + 1) * np.float32(127.5)
    return levels


def upright(points: Points, *, aspect: float = 1.0) -> Matrix:
    """The turn, scale and shift that bring a face nearest to where models expect it.

    Args:
        points: right eye, left eye, nose, right and left corner of the mouth, 5 x 2.
        aspect: how much wider than high a pixel of the frame is.
    """
    given = points.astype(float) * (aspect, 1)
    middle, wanted = given.mean(0), _TEMPLATE.mean(0)
    one, other = given - middle, _TEMPLATE - wanted
    size = max(float((one**2).sum()), 1e-6)
    along = float((one * other).sum()) / size
    across = float((one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum()) / size
    turn = np.array([[along, -across], [across, along]])
    shift = wanted - turn @ middle
    return np.column_stack([turn @ np.diag([aspect, 1.0]), shift])


def cut_out(frame: Frame, matrix: Matrix) -> Patch:
    """The patch of a face; beyond the frame, its last pixels go on."""
    back = _inverse(matrix)
    left, top, right, bottom = _box(back)
    height, width, _ = frame.shape
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    part = Image.fromarray(np.ascontiguousarray(frame[rows[:, None], columns]))
    # What is much larger than a patch is made smaller first, or every other pixel would be left out.
    factor = max(1, int(_scale(back)))
    part = part.reduce(factor) if factor > 1 else part
    back = (back - [[0, 0, left], [0, 0, top]]) / factor
    patch = part.transform(
        (EDGE_PX, EDGE_PX), Image.Transform.AFFINE, tuple(back.flat), Image.Resampling.BILINEAR
    )
    return np.asarray(patch, np.float32)


def put_back(frame: Frame, difference: Patch, matrix: Matrix, strength: float) -> Frame:
    """A frame with `strength` times the difference between a restored face and its patch added to it."""
    back = _inverse(matrix)
    height, width, _ = frame.shape
    left, top, right, bottom = _box(back)
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if left >= right or top >= bottom:
        return frame
    faded = difference * _mask()[..., None]
    edge = min(EDGE_PX, max(1, round(EDGE_PX * _scale(back))))
    forth = matrix * (edge / EDGE_PX)
    forth = np.column_stack([forth[:, :2], forth @ (left, top, 1)])
    size = right - left, bottom - top
    added = np.stack([_warped(faded[..., channel], edge, forth, size) for channel in range(3)], axis=-1)
    result = frame.copy()
    part = result[top:bottom, left:right]
    part[:] = np.clip(part + np.float32(strength) * added + 0.5, 0, 255).astype(np.uint8)
    return result


def _warped(plane: Floats, edge: int, forth: Matrix, size: tuple[int, int]) -> Floats:
    image = Image.fromarray(np.ascontiguousarray(plane))
    # What becomes smaller is averaged first.
    image = image.resize((edge, edge), Image.Resampling.BOX) if edge < EDGE_PX else image
    warped = image.transform(size, Image.Transform.AFFINE, tuple(forth.flat), Image.Resampling.BILINEAR)
    return np.asarray(warped, np.float32)


@functools.cache
def _mask() -> Floats:
    """How much of each pixel of a patch is used, 0 to 1."""
    y, x = np.mgrid[0:EDGE_PX, 0:EDGE_PX] + 0.5
    distance = np.hypot((x - _MIDDLE[0]) / _HALF[0], (y - _MIDDLE[1]) / _HALF[1])
    ellipse = np.clip((_FADED - distance) / (_FADED - 1), 0, 1)
    border = np.clip(np.minimum(np.minimum(x, EDGE_PX - x), np.minimum(y, EDGE_PX - y)) / _BORDER_PX, 0, 1)
    inside = ellipse * border
    mask: Floats = (inside * inside * (3 - 2 * inside)).astype(np.float32)
    return mask


def _inverse(matrix: Matrix) -> Matrix:
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])


def _scale(back: Matrix) -> float:
    """How many pixels of a frame a pixel of the patch is high."""
    return math.hypot(back[1, 0], back[1, 1])


def _box(back: Matrix) -> tuple[int, int, int, int]:
    """The pixels of a frame that a patch lies in: left, top, and the first ones behind it."""
    corners = np.array([[x, y, 1] for x in (0, EDGE_PX) for y in (0, EDGE_PX)])
    low, high = (corners @ back.T).min(0), (corners @ back.T).max(0)
    return math.floor(low[0]) - 1, math.floor(low[1]) - 1, math.ceil(high[0]) + 1, math.ceil(high[1]) + 1
