"""Finding faces: what YuNet makes of a frame, and the faces that this means."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vhsbatch.engines.face_models import DETECTOR_FILES
from vhsbatch.engines.face_patch import Floats, Points
from vhsbatch.engines.runtimes import Frame, LoadedModel

_STRIDES_PX = (8, 16, 32)
_PARTS = ("cls", "obj", "box", "points")
_OUTPUTS = tuple(f"{part}{stride}" for stride in _STRIDES_PX for part in _PARTS)
# Larger pictures find smaller faces, and take longer.
_LINES = 384
_LEAST_SCORE = 0.7
_SAME_FACE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a frame.

    Attributes:
        points: right eye, left eye, nose, right and left corner of the mouth, 5 x 2.
        centre: its middle, x and y.
        height: its height in pixels.
        score: how sure it is, 0 to 1.
    """

    points: Points
    centre: Points
    height: float
    score: float


class Detector:
    """Finds the faces of frames."""

    def __init__(self, *, threads: int) -> None:
        self._model = LoadedModel(*DETECTOR_FILES, threads=threads)

    def __call__(self, frame: Frame, *, aspect: float = 1.0) -> tuple[Face, ...]:
        """The faces of a frame, the surest first; `aspect` is how much wider than high its pixels are."""
        height, width, _ = frame.shape
        lines = min(_LINES, height)
        columns = max(1, round(width * aspect * lines / height))
        small = Image.fromarray(frame).resize((columns, lines), Image.Resampling.BOX)
        edge = _STRIDES_PX[-1]
        bgr = np.pad(
            np.asarray(small, np.float32)[..., ::-1], ((0, -lines % edge), (0, -columns % edge), (0, 0))
        )
        made = self._model(bgr.transpose(2, 0, 1), _OUTPUTS)
        return faces_in(made, scale=(width / columns, height / lines))


def faces_in(made: Sequence[Floats], *, scale: tuple[float, float] = (1.0, 1.0)) -> tuple[Face, ...]:
    """The faces that the detector's output means. Pure.

    Args:
        made: for each stride the scores for a face, and for any object; the boxes, and the points.
        scale: by what x and y are multiplied.
    """
    found: list[tuple[float, Floats, Points]] = []
    for number, stride in enumerate(_STRIDES_PX):
        classes, objects, boxes, points = made[4 * number : 4 * number + 4]
        scores = np.sqrt(_sigmoid(classes[0]) * _sigmoid(objects[0]))
        for row, column in zip(*np.nonzero(scores >= _LEAST_SCORE), strict=True):
            cell = np.array([column, row], np.float32)
            middle, size = boxes[:2, row, column] + cell, np.exp(boxes[2:, row, column])
            box = np.concatenate([middle - size / 2, middle + size / 2]) * stride
            five = (points[:, row, column].reshape(5, 2) + cell) * stride
            found.append((float(scores[row, column]), box, five))
    found.sort(key=lambda one: -one[0])
    kept: list[tuple[float, Floats, Points]] = []
    for one in found:
        if all(_overlap(one[1], other[1]) < _SAME_FACE for other in kept):
            kept.append(one)
    factor = np.array(scale, np.float32)
    return tuple(
        Face(
            points=five * factor,
            centre=(box[:2] + box[2:]) * np.float32(0.5) * factor,
            height=float(box[3] - box[1]) * scale[1],
            score=score,
        )
        for score, box, five in kept
    )


def _sigmoid(numbers: Floats) -> Floats:
    # Far from 0 it makes no difference, and would overflow.
    result: Floats = (1 / (1 + np.exp(-np.clip(numbers, -50, 50)))).astype(np.float32)
    return result


def _overlap(one: Floats, other: Floats) -> float:
    """How much of what two boxes cover both of them cover."""
    shared = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.clip(shared, 0, None).prod())
    return both / float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - both)
