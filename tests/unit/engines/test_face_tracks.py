"""Faces are followed from frame to frame, over short gaps, and never over a cut."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.engines.face_tracks import SeenFrame, filled, followed, linked, seen, windows
from vhsbatch.engines.faces import MOST_MISSED
from vhsbatch.engines.faces_found import Face

GREY = np.full((48, 64, 3), 90, np.uint8)
WHITE = np.full((48, 64, 3), 230, np.uint8)


def face(x: float, *, height: float = 20, y: float = 24) -> Face:
    points = np.array([[x - 4, y - 4], [x + 4, y - 4], [x, y], [x - 3, y + 4], [x + 3, y + 4]], np.float32)
    return Face(points, np.array([x, y], np.float32), height, 0.9)


def items(*rows: Sequence[Face], cuts: Sequence[int] = (0,)) -> list[SeenFrame]:
    return [SeenFrame(GREY, tuple(faces), number in cuts) for number, faces in enumerate(rows)]


def xs(item: SeenFrame) -> list[float]:
    return [float(one.centre[0]) for one in item.faces]


@pytest.mark.parametrize("count", range(8))
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_windows(count: int, radius: int) -> None:
    found = [(around[here], around) for around, here in windows(range(count), radius)]
    assert found == [
        (number, list(range(max(0, number - radius), min(count, number + radius + 1))))
        for number in range(count)
    ]


def test_a_scene_begins_with_the_first_frame_and_where_the_picture_changes() -> None:
    frames: list[NDArray[np.uint8]] = [GREY, GREY + 3, WHITE, WHITE - 3, GREY]
    cuts = [item.is_cut for item in seen(frames, lambda _: ())]
    assert cuts == [True, False, True, False, True]


@pytest.mark.parametrize("missed", range(1, MOST_MISSED + 2))
def test_a_face_that_is_lost_for_a_moment(missed: int) -> None:
    rows = [[face(20)], *[[] for _ in range(missed)], [face(20 + missed + 1)]]
    found = [xs(item) for item in filled(items(*rows))]
    if missed <= MOST_MISSED:
        assert found == [pytest.approx([20 + step]) for step in range(missed + 2)]
    else:
        assert found == [xs(item) for item in items(*rows)]


def test_no_face_is_made_up_over_a_cut_or_beside_one_that_is_there() -> None:
    rows = [[face(20)], [], [face(21)]]
    for cut in (1, 2):
        assert xs(list(filled(items(*rows, cuts=(0, cut))))[1]) == []
    there = [[face(20)], [face(22)], [face(21)]]
    assert [xs(item) for item in filled(items(*there))] == [[20], [22], [21]]


def test_two_faces_keep_apart() -> None:
    rows = [[face(10), face(50)], [face(48), face(12)], [face(14), face(46)]]
    assert [item.before for item in linked(items(*rows))] == [(None, None), (1, 0), (1, 0)]


@pytest.mark.parametrize(
    ("before", "after"),
    [(face(20), face(32)), (face(20), face(20, height=30)), (face(20), face(20, y=40))],
    ids=["too far", "another size", "too far down"],
)
def test_another_face(before: Face, after: Face) -> None:
    assert [item.before for item in linked(items([before], [after]))] == [(None,), (None,)]


def test_a_cut_ends_a_track() -> None:
    rows = [[face(20)]] * 4
    assert [item.before for item in linked(items(*rows, cuts=(0, 2)))] == [(None,), (0,), (None,), (0,)]


def test_how_far_a_face_is_followed() -> None:
    rows = [[], [face(20)], [face(21)], [face(22)], [face(23)], []]
    around = list(linked(items(*rows)))
    track = followed(around, 2, 0, 3)
    assert track.places == ((1, 0), (2, 0), (3, 0), (4, 0))
    assert (track.here, track.begins_with_scene, track.ends_with_scene) == (1, False, False)
    # As many on one side as on the other.
    assert track.mirrored(3) == [(1, 1, 0), (2, 2, 0), (1, 3, 0)]


def test_a_face_comes_and_goes_slowly_but_with_a_scene_at_once() -> None:
    rows = [[], *[[face(20)]] * 7, []]
    around = list(linked(items(*rows)))
    found = [followed(around, place, 0, 3).presence(3) for place in range(1, 8)]
    assert found == [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25]
    around = list(linked(items(*rows[1:-1], cuts=(0, 3))))
    assert [followed(around, place, 0, 3).presence(3) for place in range(7)] == [1.0] * 7
