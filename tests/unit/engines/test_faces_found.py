"""What the detector's numbers mean."""

import numpy as np
import pytest

from vhsbatch.engines.face_patch import Floats
from vhsbatch.engines.faces_found import faces_in

EDGES = {8: 8, 16: 4, 32: 2}


def nothing() -> list[Floats]:
    """What the detector gives for a picture of 64x64 without a face."""
    return [
        np.full((channels, edge, edge), filling, np.float32)
        for edge in EDGES.values()
        for channels, filling in ((1, -100), (1, -100), (4, 0), (10, 0))
    ]


def with_face(
    made: list[Floats], stride: int, row: int, column: int, *, edge: float, sure: float = 3
) -> None:
    """Say that there is one, in a square box of `edge` strides."""
    first = 4 * list(EDGES).index(stride)
    for part in (0, 1):
        made[first + part][0, row, column] = sure
    made[first + 2][:, row, column] = (0.5, 0.5, np.log(edge), np.log(edge))
    made[first + 3][:, row, column] = (0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1)


def test_a_picture_without_a_face() -> None:
    assert faces_in(nothing()) == ()


@pytest.mark.parametrize("stride", EDGES)
def test_a_face_lies_where_its_cell_is(stride: int) -> None:
    made = nothing()
    with_face(made, stride, 1, 0, edge=2)
    (face,) = faces_in(made, scale=(2.0, 3.0))
    assert face.height == pytest.approx(6 * stride)
    assert face.centre.tolist() == [stride, 4.5 * stride]
    assert face.points.tolist() == [
        [0, 3 * stride],
        [2 * stride, 3 * stride],
        [stride, 4.5 * stride],
        [0, 6 * stride],
        [2 * stride, 6 * stride],
    ]
    assert face.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-5)


def test_of_boxes_over_each_other_the_surest_counts() -> None:
    made = nothing()
    with_face(made, 8, 2, 2, edge=3, sure=2)
    with_face(made, 8, 2, 3, edge=3, sure=4)
    with_face(made, 8, 7, 7, edge=3, sure=2)
    first, second = faces_in(made)
    assert first.score > second.score
    assert [face.centre.tolist() for face in (first, second)] == [[28, 20], [60, 60]]


def test_what_is_hardly_a_face_is_none() -> None:
    made = nothing()
    with_face(made, 16, 1, 1, edge=2, sure=0.5)
    assert faces_in(made) == ()
