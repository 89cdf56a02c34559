"""Faces are cut out upright, and what is put back lands where it came from and nowhere else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.engines.face_patch import EDGE_PX, cut_out, put_back, restored, upright
from vhsbatch.engines.runtimes import RuntimeFailureError

# Where models expect the eyes, the nose and the corners of the mouth.
EXPECTED = np.array([[193, 240], [319, 240], [257, 314], [201, 371], [313, 371]], np.float32)
HEIGHT, WIDTH = 360, 480


def scene() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = (120 + 60 * np.sin(x / 23), 110 + 50 * np.cos(y / 19), 100 + 40 * np.sin((x + y) / 31))
    return np.stack(planes, axis=-1).astype(np.uint8)


def placed(scale: float, *, turn: float = 0.0, aspect: float = 1.0) -> NDArray[np.float32]:
    """The points of a face in the middle of the scene."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (EXPECTED - EXPECTED.mean(0)) @ rotation.T * scale / (aspect, 1) + (WIDTH / 2, HEIGHT / 2)
    made: NDArray[np.float32] = points.astype(np.float32)
    return made


@pytest.mark.parametrize("turn", [0.0, 0.4, -0.7])
@pytest.mark.parametrize("aspect", [1.0, 0.9, 1.4])
def test_a_face_is_brought_to_where_models_expect_it(turn: float, aspect: float) -> None:
    points = placed(0.3, turn=turn, aspect=aspect)
    matrix = upright(points, aspect=aspect)
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(moved - EXPECTED).max() < 1


@pytest.mark.parametrize("scale", [0.1, 0.5, 1.0, 2.5])
def test_nothing_changes_where_there_is_no_difference(scale: float) -> None:
    frame = scene()
    matrix = upright(placed(scale, turn=0.2))
    zero = np.zeros((EDGE_PX, EDGE_PX, 3), np.float32)
    assert np.array_equal(put_back(frame, zero, matrix, 1.0), frame)


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.5])
def test_a_difference_is_added_to_the_face_and_to_nothing_else(scale: float) -> None:
    frame = scene()
    matrix = upright(placed(scale, turn=0.2))
    brighter = np.full((EDGE_PX, EDGE_PX, 3), 40, np.float32)
    changed = put_back(frame, brighter, matrix, 0.5).astype(int) - frame
    assert np.abs(changed[HEIGHT // 2 - 2 : HEIGHT // 2 + 2, WIDTH // 2 - 2 : WIDTH // 2 + 2] - 20).max() <= 1
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    far = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) > EDGE_PX * scale * 0.75
    assert far.any()
    assert not changed[far].any()
    assert np.min(changed) >= 0
    # It fades out, and ends nowhere with an edge.
    assert np.abs(np.diff(changed, axis=1)).max() <= max(4, 1.5 / scale)


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_what_is_put_back_lies_where_it_was_cut_out(scale: float) -> None:
    frame = scene()
    matrix = upright(placed(scale, turn=-0.3))
    patch = cut_out(frame, matrix)
    negative = 255 - 2 * patch
    changed = put_back(frame, negative, matrix, 1.0)
    middle = slice(HEIGHT // 2 - 12, HEIGHT // 2 + 12), slice(WIDTH // 2 - 12, WIDTH // 2 + 12)
    assert np.abs(changed[middle].astype(int) - (255 - frame[middle].astype(int))).max() <= 12


def test_a_face_at_the_edge_of_the_frame() -> None:
    frame = scene()
    matrix = upright(placed(0.5) - np.array([WIDTH / 2, HEIGHT / 2], np.float32))
    patch = cut_out(frame, matrix)
    # What lies beyond the frame goes on as its edge does: it is not black.
    assert np.min(patch) > 30
    assert put_back(frame, patch * 0 + 30, matrix, 1.0).shape == frame.shape
    beyond = upright(placed(0.1) + np.array([4 * WIDTH, 0], np.float32))
    assert put_back(frame, patch * 0 + 30, beyond, 1.0) is frame


def test_a_model_gets_levels_from_minus_one_to_one() -> None:
    face = np.linspace(0, 255, EDGE_PX * EDGE_PX * 3, dtype=np.float32).reshape(EDGE_PX, EDGE_PX, 3)
    seen: list[tuple[object, ...]] = []

    def same(
        planes: NDArray[np.float32], outputs: tuple[str, ...], *, given: str
    ) -> list[NDArray[np.float32]]:
        seen.append((planes.shape, float(np.min(planes)), float(np.max(planes)), outputs, given))
        return [planes]

    assert np.abs(restored(same, face, given="in0", made="out0") - face).max() < 0.01
    assert seen == [((3, EDGE_PX, EDGE_PX), -1.0, 1.0, ("out0",), "in0")]
    with pytest.raises(RuntimeFailureError, match=r"gave \(3, 256, 512\)"):
        restored(lambda planes, _, given: [planes[:, :256]], face, given="in0", made="out0")
