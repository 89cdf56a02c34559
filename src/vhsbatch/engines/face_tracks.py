"""Faces followed from frame to frame. What holds for a frame follows from a few frames on each side of it.

So it does not matter where a video is cut into segments, if each is begun so many frames earlier and ended
so many later.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vhsbatch.engines.face_patch import Points
from vhsbatch.engines.faces import MOST_MISSED
from vhsbatch.engines.faces_found import Face
from vhsbatch.engines.runtimes import Frame

_THUMBNAIL = (32, 24)
# Of two frames of one scene the thumbnails differ by less.
_CUT_LEVELS = 20.0
# From one frame to the next a face moves by less than this part of its height, and changes it by less.
_FARTHEST = 0.5
_LARGEST_CHANGE = 1.4

# Points are rounded, so that a face that does not move does not move by the last digit either.
_STEPS_PER_PX = 64

_One = TypeVar("_One")


# Finds the faces of a frame.
Detect = Callable[[Frame], tuple[Face, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class SeenFrame:
    """A frame with its faces.

    Attributes:
        frame: the frame.
        faces: its faces.
        is_cut: whether a scene begins with it.
        before: for each face, which one of the frame before it is; None if it is new.
    """

    frame: Frame
    faces: tuple[Face, ...]
    is_cut: bool
    before: tuple[int | None, ...] = ()


def windows(items: Iterable[_One], radius: int) -> Iterator[tuple[list[_One], int]]:
    """Each item among those around it, at most `radius` on each side, and its place among them."""
    around: list[_One] = []
    here = 0
    for item in items:
        around.append(item)
        if len(around) > here + radius:
            yield list(around), here
            here = _advanced(around, here, radius)
    while here < len(around):
        yield list(around), here
        here = _advanced(around, here, radius)


def _advanced(around: list[_One], here: int, radius: int) -> int:
    """The place of the next item; what is too far before it is forgotten."""
    if here < radius:
        return here + 1
    around.pop(0)
    return here


def seen(frames: Iterable[Frame], detect: Detect) -> Iterator[SeenFrame]:
    """Frames with what is found in each alone, and where scenes begin."""
    last: NDArray[np.float32] | None = None
    for frame in frames:
        small = Image.fromarray(frame).resize(_THUMBNAIL, Image.Resampling.BOX)
        thumbnail = np.asarray(small, np.float32)
        is_cut = last is None or float(np.abs(thumbnail - last).mean()) > _CUT_LEVELS
        last = thumbnail
        yield SeenFrame(frame, detect(frame), is_cut)


def filled(items: Iterable[SeenFrame]) -> Iterator[SeenFrame]:
    """With the faces that were lost for a few frames, between where they were seen before and after."""
    for around, here in windows(items, MOST_MISSED + 1):
        lost = []
        for start in range(max(0, here - MOST_MISSED), here + 1):
            for stop in range(here + 1, min(len(around), start + MOST_MISSED + 1)):
                if start == 0 or any(around[place].is_cut for place in range(start, stop + 1)):
                    continue
                lost += _between(around, start - 1, stop, here)
        item = around[here]
        yield replace(item, faces=(*item.faces, *lost)) if lost else item


def _between(around: Sequence[SeenFrame], first: int, last: int, here: int) -> list[Face]:
    """The faces at `here` that are seen at `first` and at `last`, and nowhere between."""
    steps = last - first
    pairs = _matched(around[first].faces, around[last].faces, steps)
    found = []
    for after, before in enumerate(pairs):
        if before is None:
            continue
        one, other = around[first].faces[before], around[last].faces[after]
        between = [_mixed(one, other, (place - first) / steps) for place in range(first + 1, last)]
        is_lost = all(
            _matched((face,), around[place].faces, 1).count(0) == 0
            for place, face in zip(range(first + 1, last), between, strict=True)
        )
        if is_lost:
            found.append(between[here - first - 1])
    return found


def _mixed(one: Face, other: Face, share: float) -> Face:
    return Face(
        points=one.points + (other.points - one.points) * np.float32(share),
        centre=one.centre + (other.centre - one.centre) * np.float32(share),
        height=one.height + (other.height - one.height) * share,
        score=min(one.score, other.score),
    )


def _matched(before: Sequence[Face], after: Sequence[Face], steps: int = 1) -> list[int | None]:
    """For each of `after`, which of `before` it is; the nearest first."""
    pairs = sorted(
        (distance, new, old)
        for new, face in enumerate(after)
        for old, earlier in enumerate(before)
        if (distance := _distance(earlier, face)) < _FARTHEST * steps
    )
    found: list[int | None] = [None] * len(after)
    taken: set[int] = set()
    for _, new, old in pairs:
        if found[new] is None and old not in taken:
            found[new] = old
            taken.add(old)
    return found


def _distance(one: Face, other: Face) -> float:
    """How far two faces are from each other, in heights of the smaller one; infinite for other sizes."""
    small, large = sorted((one.height, other.height))
    if large > _LARGEST_CHANGE * small:
        return np.inf
    return float(np.hypot(*(one.centre - other.centre))) / small


def linked(items: Iterable[SeenFrame]) -> Iterator[SeenFrame]:
    """With which face each was in the frame before."""
    last: tuple[Face, ...] = ()
    for item in items:
        before = _matched(() if item.is_cut else last, item.faces)
        last = item.faces
        yield replace(item, before=tuple(before))


@dataclass(frozen=True, slots=True)
class Track:
    """One face in the frames around one of them.

    Attributes:
        places: from the farthest before to the farthest after: the place of a frame among those around, and
            the number of the face in it.
        here: which of them is the frame in question.
        begins_with_scene: whether it is there from the first frame of a scene on.
        ends_with_scene: whether it is there up to the last frame of one.
    """

    places: tuple[tuple[int, int], ...]
    here: int
    begins_with_scene: bool
    ends_with_scene: bool

    def mirrored(self, radius: int) -> list[tuple[int, int, int]]:
        """As many frames before as after, at most `radius`: weight, place, face."""
        reach = min(self.here, len(self.places) - 1 - self.here, radius)
        return [
            (reach + 1 - abs(offset), *self.places[self.here + offset]) for offset in range(-reach, reach + 1)
        ]

    def presence(self, radius: int) -> float:
        """How far it has come, or how far it has still to go, so that it neither pops up nor vanishes."""
        before = radius if self.begins_with_scene else self.here
        after = radius if self.ends_with_scene else len(self.places) - 1 - self.here
        return min(1.0, (min(before, after) + 1) / (radius + 1))


class Linked(Protocol):
    """What can be followed."""

    @property
    def is_cut(self) -> bool:
        """Whether a scene begins with it."""
        ...

    @property
    def before(self) -> tuple[int | None, ...]:
        """For each face, which one of the frame before it is."""
        ...


def followed(around: Sequence[Linked], here: int, face: int, radius: int) -> Track:
    """A face of ``around[here]`` through the frames on both sides of it."""
    backward: list[tuple[int, int]] = []
    place, number = here, face
    while len(backward) < radius and (earlier := around[place].before[number]) is not None and place:
        place, number = place - 1, earlier
        backward.append((place, number))
    # At the very beginning there is nothing before the first.
    begins = around[place].before[number] is None and around[place].is_cut
    forward: list[tuple[int, int]] = []
    place, number = here, face
    while len(forward) < radius and place + 1 < len(around) and number in around[place + 1].before:
        place, number = place + 1, around[place + 1].before.index(number)
        forward.append((place, number))
    ends = place + 1 == len(around) or around[place + 1].is_cut
    return Track((*reversed(backward), (here, face), *forward), len(backward), begins, ends)


def steadied(points: Sequence[tuple[float, Points]]) -> Points:
    """The mean of points with their weights; of the same points it is exactly these, whatever the weights."""
    weights, places = [weight for weight, _ in points], [one for _, one in points]
    mean = np.average(np.stack(places).astype(np.float64), axis=0, weights=weights)
    steady: Points = (np.round(mean * _STEPS_PER_PX) / _STEPS_PER_PX).astype(np.float32)
    return steady
