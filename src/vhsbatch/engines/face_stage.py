"""Frames with their faces restored.

A model redraws a face in each frame, a little differently each time, and the face boils. So what is put
into a frame is not what the model drew there, but the difference between that and what it was given, averaged
along the face's way through the frames. Where the face itself changes, as when it blinks, other frames do
not count.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from vhsbatch.engines.control import FaceCounts
from vhsbatch.engines.face_patch import EDGE_PX, Floats, Matrix, Patch, cut_out, put_back, upright
from vhsbatch.engines.face_tracks import (
    Detect,
    SeenFrame,
    filled,
    followed,
    linked,
    seen,
    steadied,
    windows,
)
from vhsbatch.engines.faces import DRAWN_RADIUS, POINTS_RADIUS
from vhsbatch.engines.faces_found import Face
from vhsbatch.engines.runtimes import Frame

# What a model draws is like what it was given: where a block differs by more levels, it is not used.
_LARGEST_DIFFERENCE = 64.0
_BLOCK_PX = 64
# Where two patches of a face differ by so many levels, they no longer show the same.
_ALIKE_LEVELS = 12.0
_ALIKE_PX = 64

Restore = Callable[[Patch], Patch]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceChoice:
    """Which faces are restored, and how much.

    Attributes:
        strength: how much of what the model draws is used, 0 to 1.
        least_percent: faces lower than this part of the frame stay as they are.
        centre_only: whether only the face next to the middle of the frame is restored.
        aspect: how much wider than high a pixel is.
    """

    strength: float = 1.0
    least_percent: float = 0.0
    centre_only: bool = False
    aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A face, where it is, and what the model would change of it.

    Attributes:
        matrix: what brings it upright.
        patch: the face.
        looks: the same, small, to compare it.
        difference: what the model changes; None if that is not used.
    """

    matrix: Matrix
    patch: Patch
    looks: Floats
    difference: Patch | None


@dataclass(frozen=True, slots=True, eq=False)
class _DrawnFrame:
    frame: Frame
    faces: tuple[_Drawn, ...]
    is_cut: bool
    before: tuple[int | None, ...]


def restored_frames(
    frames: Iterable[Frame],
    *,
    detect: Detect,
    restore: Restore,
    choice: FaceChoice,
    counts: FaceCounts,
    counted: range | None = None,
) -> Iterator[Frame]:
    """The frames with their faces restored, one for each that comes in.

    Args:
        frames: the frames.
        detect: finds the faces of a frame.
        restore: the model.
        choice: which faces, and how much.
        counts: what is done is added to it.
        counted: which frames count; None for all.
    """
    found = linked(_chosen(filled(seen(frames, detect)), choice))
    for number, (around, here) in enumerate(windows(_drawn(found, restore, choice), DRAWN_RADIUS)):
        item = around[here]
        result = item.frame
        done = 0
        for face, drawn in enumerate(item.faces):
            if drawn.difference is None:
                continue
            track = followed(around, here, face, DRAWN_RADIUS)
            steady = _averaged(drawn, [(w, around[p].faces[f]) for w, p, f in track.mirrored(DRAWN_RADIUS)])
            strength = choice.strength * track.presence(DRAWN_RADIUS)
            result = put_back(result, steady, drawn.matrix, strength)
            done += 1
        if counted is None or number in counted:
            counts.faces += done
            counts.frames += done > 0
            counts.rejected += len(item.faces) - done
            counts.tracks += item.before.count(None)
        yield result


def _chosen(items: Iterable[SeenFrame], choice: FaceChoice) -> Iterator[SeenFrame]:
    """With those faces only that are to be restored."""
    for item in items:
        height, width, _ = item.frame.shape
        faces = [face for face in item.faces if face.height >= height * choice.least_percent / 100]
        if choice.centre_only and faces:
            faces = [min(faces, key=lambda face: _off_centre(face, width, height))]
        yield replace(item, faces=tuple(faces))


def _off_centre(face: Face, width: int, height: int) -> float:
    x, y = face.centre
    return float(np.hypot(x - width / 2, y - height / 2))


def _drawn(items: Iterable[SeenFrame], restore: Restore, choice: FaceChoice) -> Iterator[_DrawnFrame]:
    """What the model draws of each face; one that looks as in the frame before is not drawn again."""
    last: tuple[_Drawn, ...] = ()
    for around, here in windows(items, POINTS_RADIUS):
        item = around[here]
        faces = []
        for face, before in enumerate(item.before):
            track = followed(around, here, face, POINTS_RADIUS)
            places = track.mirrored(POINTS_RADIUS)
            points = steadied(
                [(weight, around[place].faces[number].points) for weight, place, number in places]
            )
            matrix = upright(points, aspect=choice.aspect)
            patch = cut_out(item.frame, matrix)
            earlier = None if before is None else last[before]
            if earlier is not None and np.array_equal(earlier.patch, patch):
                faces.append(replace(earlier, matrix=matrix))
            else:
                faces.append(_Drawn(matrix, patch, _small(patch, _ALIKE_PX), _difference(patch, restore)))
        last = tuple(faces)
        yield _DrawnFrame(item.frame, last, item.is_cut, item.before)


def _difference(patch: Patch, restore: Restore) -> Patch | None:
    drawn = restore(patch)
    blocks = EDGE_PX // _BLOCK_PX
    # At the edges of a patch there is no face.
    inner = np.abs(_small(drawn, blocks) - _small(patch, blocks))[2:-2, 2:-2]
    return None if float(inner.max()) > _LARGEST_DIFFERENCE else drawn - patch


def _small(patch: Patch, edge: int) -> Floats:
    """The means of blocks."""
    block = EDGE_PX // edge
    # Line by line takes a fraction of the time of both at once.
    rows = patch.reshape(edge, block, -1).mean(1)
    means: Floats = rows.reshape(edge, edge, block, 3).mean(2)
    return means


def _averaged(drawn: _Drawn, track: list[tuple[int, _Drawn]]) -> Patch:
    """What the model changes of a face, averaged over the frames in which it looks alike."""
    total = np.zeros((EDGE_PX, EDGE_PX, 3), np.float32)
    weights = np.zeros((EDGE_PX, EDGE_PX, 1), np.float32)
    for weight, other in track:
        if other.difference is None:
            continue
        off = np.abs(other.looks - drawn.looks).mean(2)
        alike = Image.fromarray(np.exp(-np.square(off / np.float32(_ALIKE_LEVELS))) * np.float32(weight))
        share = np.asarray(alike.resize((EDGE_PX, EDGE_PX), Image.Resampling.BILINEAR))[..., None]
        total += share * other.difference
        weights += share
    return total / weights
