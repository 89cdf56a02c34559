"""Restored faces: which, how steady, and the same however a video is cut."""

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.engines.control import FaceCounts
from vhsbatch.engines.face_patch import EDGE_PX, Patch, cut_out, upright
from vhsbatch.engines.face_stage import FaceChoice, restored_frames
from vhsbatch.engines.face_trial import drawn_face
from vhsbatch.engines.faces import CONTEXT_FRAMES
from vhsbatch.engines.faces_found import Face
from vhsbatch.engines.runtimes import Frame

HEIGHT, WIDTH, SCALE = 200, 260, 0.3
EXPECTED = np.array([[193, 240], [319, 240], [257, 314], [201, 371], [313, 371]], np.float32) * SCALE


@functools.cache
def small_face() -> NDArray[np.float32]:
    edge = int(EDGE_PX * SCALE)
    steps = np.arange(edge) * EDGE_PX // edge
    return drawn_face()[steps][:, steps]


def face_at(x: float, y: float) -> Face:
    """A face whose patch begins at x and y."""
    points = EXPECTED + np.array([x, y], np.float32)
    return Face(points, points.mean(0), 120 * SCALE * 2, 0.9)


def frames_with(
    places: Sequence[tuple[int, int]], *, noise: float = 3.0, seed: int = 1, dark: float = 1.0
) -> list[Frame]:
    """Frames with the drawn face at these places, under noise that differs from frame to frame."""
    random = np.random.default_rng(seed)
    made = []
    for x, y in places:
        frame = np.full((HEIGHT, WIDTH, 3), 100.0)
        face = small_face()
        frame[y : y + len(face), x : x + len(face)] = face
        made.append(np.clip(frame * dark + random.normal(0, noise, frame.shape), 0, 255).astype(np.uint8))
    return made


def detector(
    frames: Sequence[Frame], faces: Sequence[tuple[Face, ...]]
) -> Callable[[Frame], tuple[Face, ...]]:
    """Knows the faces of each frame."""
    known = {frame.tobytes(): found for frame, found in zip(frames, faces, strict=True)}
    return lambda frame: known[frame.tobytes()]


def boiling(patch: Patch) -> Patch:
    """Draws other detail each time: which, follows from the noise of the patch."""
    random = np.random.default_rng(int(patch.sum() * 64) % 2**32)
    coarse = random.normal(0, 10, (64, 64, 3)).astype(np.float32)
    drawn: Patch = np.clip(patch + coarse.repeat(8, 0).repeat(8, 1), 0, 255)
    return drawn


def brighter(patch: Patch) -> Patch:
    return patch + np.float32(30)


def run(
    frames: Sequence[Frame],
    faces: Sequence[tuple[Face, ...]],
    restore: Callable[[Patch], Patch] = brighter,
    choice: FaceChoice = FaceChoice(),  # noqa: B008 - does not change
) -> tuple[list[Frame], FaceCounts]:
    counts = FaceCounts()
    made = restored_frames(
        frames, detect=detector(frames, faces), restore=restore, choice=choice, counts=counts
    )
    return list(made), counts


def flicker(frames: Sequence[Frame], faces: Sequence[tuple[Face, ...]]) -> float:
    """By how much the middle of a face differs from frame to frame, seen from the face."""
    patches = [
        cut_out(frame, upright(found[0].points))[150:420, 150:360]
        for frame, found in zip(frames, faces, strict=True)
    ]
    return float(np.mean([np.abs(one - other).mean() for one, other in itertools.pairwise(patches)]))


def test_a_face_that_is_drawn_differently_each_time_flickers_no_more_than_before() -> None:
    places = [(20 + 2 * step, 20 + step) for step in range(16)]
    frames, faces = frames_with(places), [(face_at(x, y),) for x, y in places]
    result, counts = run(frames, faces, boiling)
    assert counts == FaceCounts(faces=16, tracks=1, frames=16)
    # The first and the last have fewer frames around them.
    inner = slice(5, -5)
    before = flicker(frames[inner], faces[inner])
    assert flicker(result[inner], faces[inner]) <= 1.1 * before
    # One by one they would boil.
    alone = [run([frame], [found], boiling)[0][0] for frame, found in zip(frames, faces, strict=True)]
    assert flicker(alone[inner], faces[inner]) > 1.5 * before
    # And still something is drawn.
    assert np.abs(result[8].astype(int) - frames[8]).max() > 5


def test_where_a_video_is_cut_into_segments_makes_no_difference() -> None:
    count, start, stop = 2 * CONTEXT_FRAMES + 8, CONTEXT_FRAMES + 2, CONTEXT_FRAMES + 5
    places = [(20 + step, 20) for step in range(count)]
    frames = frames_with(places)
    # A face that is lost for two frames, another one that comes, goes and comes again.
    faces = [
        (
            *((face_at(x, y),) if step not in (start + 1, start + 2) else ()),
            *((face_at(150, 40),) if step % 6 else ()),
        )
        for step, (x, y) in enumerate(places)
    ]
    whole, _ = run(frames, faces, boiling)
    part = slice(start - CONTEXT_FRAMES, stop + CONTEXT_FRAMES)
    made, _ = run(frames[part], faces[part], boiling)
    for number in range(start, stop):
        assert np.array_equal(made[number - part.start], whole[number])
        assert not np.array_equal(whole[number], frames[number])


def test_nothing_goes_over_a_cut() -> None:
    places = [(20, 20)] * 4
    first, second = frames_with(places), frames_with(places, seed=2, dark=0.5)
    faces = [(face_at(20, 20),)] * 4
    together, counts = run([*first, *second], faces * 2, boiling)
    assert counts.tracks == 2
    apart = run(first, faces, boiling)[0] + run(second, faces, boiling)[0]
    for one, other in zip(together, apart, strict=True):
        assert np.array_equal(one, other)


def test_a_face_that_changes_is_not_mixed_with_what_it_was() -> None:
    frames = frames_with([(20, 20)] * 7, noise=0)
    for frame in frames[4:]:  # the mouth opens
        frame[20 + 105 : 20 + 118, 20 + 62 : 20 + 92] = (30, 10, 10)

    def inverted(patch: Patch) -> Patch:
        return np.where(patch < 40, patch + 50, patch).astype(np.float32)

    result, _ = run(frames, [(face_at(20, 20),)] * 7, inverted)
    mouth = slice(20 + 108, 20 + 115), slice(20 + 68, 20 + 86)
    shut, opened = (result[number][mouth].astype(int) - frames[number][mouth] for number in (3, 4))
    assert np.abs(shut).max() <= 3
    assert np.min(opened) >= 45


def test_what_is_no_face_any_more_is_not_used() -> None:
    frames, faces = frames_with([(20, 20)] * 3), [(face_at(20, 20),)] * 3
    result, counts = run(frames, faces, np.zeros_like)
    assert all(np.array_equal(one, other) for one, other in zip(result, frames, strict=True))
    assert (counts.faces, counts.frames, counts.rejected) == (0, 0, 3)


@pytest.mark.parametrize(
    ("choice", "changed"),
    [
        (FaceChoice(), [True, True]),
        (FaceChoice(least_percent=30), [True, False]),
        (FaceChoice(centre_only=True), [False, True]),
        (FaceChoice(strength=0.05, least_percent=90), [False, False]),
    ],
    ids=["all", "large ones", "the middle one", "none"],
)
def test_which_faces_are_restored(choice: FaceChoice, changed: list[bool]) -> None:
    frames = frames_with([(0, 20)])
    large = face_at(0, 20)
    points = EXPECTED * np.float32(0.4) + np.array([110, 70], np.float32)
    small = Face(points, points.mean(0), 28, 0.9)
    result, _ = run(frames, [(large, small)], choice=choice)
    difference = result[0].astype(int) - frames[0]
    for face, expected in zip((large, small), changed, strict=True):
        x, y = face.centre.astype(int)
        assert bool(difference[y, x].max() > 15) is expected


def test_a_still_picture_is_drawn_once() -> None:
    frames = frames_with([(20, 20)]) * 5
    calls = []

    def counted(patch: Patch) -> Patch:
        calls.append(patch)
        return brighter(patch)

    result, counts = run(frames, [(face_at(20, 20),)] * 5, counted)
    assert (len(calls), counts.faces) == (1, 5)
    assert all(np.array_equal(one, result[0]) for one in result)


def test_only_frames_of_the_segment_are_counted() -> None:
    frames, faces = frames_with([(20, 20)] * 6), [(face_at(20, 20),)] * 6
    counts = FaceCounts()
    made = restored_frames(
        frames,
        detect=detector(frames, faces),
        restore=brighter,
        choice=FaceChoice(),
        counts=counts,
        counted=range(2, 5),
    )
    assert len(list(made)) == 6
    # It began before the segment.
    assert counts == FaceCounts(faces=3, tracks=0, frames=3)
