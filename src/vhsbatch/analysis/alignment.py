"""Which field of one capture of a tape is which field of another. Pure.

Captures of one tape begin at different places, drop frames and repeat frames. Each field is known by a
fingerprint: the means of a grid of cells of its luma. Two fingerprints are compared whatever the levels of
their decks are: by what is left of the one when it is explained by the other, scaled and shifted.

A capture has an *offset* to the reference, which changes where frames were dropped or repeated. The
offsets of all fields are found together (Viterbi): a change costs as much as some fields that fit badly, so
that it is placed where the fields fit best. Where nothing fits, the capture is searched from its last match
on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

# Fields x cells, in steps of 8 bits.
Fingerprints = NDArray[np.uint8]
Numbers = NDArray[np.int32]
_Values = NDArray[np.floating[Any]]

# In place of a field's number: none is the same.
NONE = -1

_BLOCK = 256
# How far from the offset at the end of a block those of the next one may be.
_REACH = 120
_SEARCHED, _LEAST_SEARCHED = 64, 8
_SEARCHED_AT_ONCE = 4096

# What is left of a field, root mean square in levels: more than this says nothing more.
_WORST = 8.0
# What a change of the offset costs, in the same levels.
_CHANGE = 6.0
# A block in which not even a quarter of the fields fit this well is lost.
_LOST = 4.0
# A window is found where it fits so much better than it does elsewhere.
_FOUND = 0.5
# A field that differs from the one before it by less shows nothing that could be searched.
_STILL = 0.5

# A field is the same where it fits about as well as others nearby do, and no worse than its neighbours do.
_NEARBY = 128
_AS_WELL, _AS_WELL_LEVELS = 1.6, 0.25
_NEIGHBOURS = (-2, -1, 1, 2)
_NEIGHBOUR_FITS = 1.04


@dataclass(slots=True)
class _Path:
    """The cheapest way to each offset so far, from `first` on.

    Attributes:
        first: the least offset.
        costs: of each offset.
    """

    first: int
    costs: _Values

    def moved(self, first: int) -> "_Path":
        """The same with other offsets; those that are new cost a change."""
        moved = np.full(len(self.costs), np.min(self.costs) + _CHANGE, np.float32)
        shift = first - self.first
        if abs(shift) < len(moved):
            old = self.costs[max(0, shift) : len(moved) + min(0, shift)]
            place = moved[max(0, -shift) : len(moved) - max(0, shift)]
            np.minimum(place, old, out=place)
        return _Path(first, moved)


@dataclass(frozen=True, slots=True)
class _Step:
    """A block of fields, and how each offset of each field was reached: a bit for each, as there are many.

    Attributes:
        first: the least offset, `_NO_OFFSET` where the block was lost.
        changed: whether the offset was another one before, eight offsets a byte.
        best: what it was then.
    """

    first: int
    changed: NDArray[np.uint8]
    best: Numbers


def align(reference: Fingerprints, other: Fingerprints) -> Numbers:
    """The number of the same field in `other` for each field of `reference`, `NONE` where that is uncertain.

    The numbers grow. Both are fields of one parity. A field of the reference that equals the one before it,
    as in a frame that was repeated because one was lost, gets the number of the field that it stands for.
    """
    if len(reference) == 0 or len(other) == 0:
        return np.full(len(reference), NONE, np.int32)
    offsets, left = _offsets(reference, other)
    numbers = np.arange(len(reference)) + offsets
    inside = (numbers >= 0) & (numbers < len(other)) & (offsets != _NO_OFFSET)
    held, other_held = repeats(reference), repeats(other)
    same = inside & _fits(left) & ~held & ~other_held[numbers.clip(0, len(other) - 1)]
    _stand_in(same, held & inside, offsets)
    return _growing(np.where(same, numbers, NONE).astype(np.int32))


def repeats(fingerprints: Fingerprints) -> NDArray[np.bool_]:
    """Which fields equal the one before them to the last bit, as no two fields of a tape do."""
    held = np.zeros(len(fingerprints), np.bool_)
    for first in range(1, len(fingerprints), _SEARCHED_AT_ONCE):
        part = fingerprints[first - 1 : first + _SEARCHED_AT_ONCE]
        held[first : first + _SEARCHED_AT_ONCE] = (part[1:] == part[:-1]).all(axis=1)
    return held


_NO_OFFSET = np.int32(2**30)


def _offsets(reference: Fingerprints, other: Fingerprints) -> tuple[Numbers, _Values]:
    """The offset of each field, and what is left of it there and with its neighbours' (fields, 5)."""
    steps: list[_Step] = []
    path: _Path | None = None
    held = repeats(reference)
    for first in range(0, len(reference), _BLOCK):
        block = _centred(reference[first : first + _BLOCK])
        step = None
        if path is not None:
            path = path.moved(path.first + int(np.argmin(path.costs)) - _REACH)
            path, step, lost = _follow(path, block, held[first : first + _BLOCK], other, first)
            if lost:
                path = None
        if path is None:
            after = _last_number(steps, first)
            offset = _search(block, other, first, after)
            if offset is not None:
                path = _Path(offset - _REACH, np.zeros(2 * _REACH + 1, np.float32))
                path, step, _ = _follow(path, block, held[first : first + _BLOCK], other, first)
        if path is None or step is None:
            step = _Step(int(_NO_OFFSET), np.empty(0, np.uint8), np.zeros(len(block), np.int32))
        steps.append(step)
    return _traced(steps, path, reference, other)


def _centred(fingerprints: Fingerprints) -> _Values:
    values = fingerprints.astype(np.float32)
    centred: _Values = values - values.mean(axis=1, keepdims=True)
    return centred


def _left(block: _Values, others: _Values) -> _Values:
    """What is left of each field when each of `others` explains it, (fields, others)."""
    powers, other_powers = np.square(block).sum(axis=1), np.square(others).sum(axis=1)
    products = np.maximum(block @ others.T, 0)
    explained = np.square(products) / np.maximum(other_powers, 1e-3)
    left: _Values = np.sqrt(np.maximum(powers[:, None] - explained, 0) / block.shape[1])
    return np.minimum(left, _WORST)


def _near(block: _Values, other: Fingerprints, first: int, offset: int, reach: int) -> _Values:
    """What is left of each field with each offset from `offset` on, (fields, 2 * reach + 1)."""
    count, width = len(block), 2 * reach + 1
    start = first + offset
    stop = start + count + width - 1
    inside = slice(min(max(start, 0), len(other)), min(max(stop, 0), len(other)))
    all_left = np.full((count, count + width - 1), _WORST, np.float32)
    if inside.stop > inside.start:
        all_left[:, inside.start - start : inside.stop - start] = _left(block, _centred(other[inside]))
    row, column = all_left.strides
    return as_strided(all_left, (count, width), (row + column, column), writeable=False)


def _follow(
    path: _Path, block: _Values, held: NDArray[np.bool_], other: Fingerprints, first: int
) -> tuple[_Path, _Step, bool]:
    """Go on through a block; the last answer is whether nothing fits any more."""
    left = _near(block, other, first, path.first, _REACH)
    changed = np.empty((len(block), len(path.costs)), np.bool_)
    best = np.empty(len(block), np.int32)
    costs = path.costs.copy()
    for number, own in enumerate(left):
        cheapest = int(np.argmin(costs))
        best[number] = path.first + cheapest
        changing = costs[cheapest] + _CHANGE
        changed[number] = costs > changing
        np.minimum(costs, changing, out=costs)
        if not held[number]:
            costs += own
    costs -= np.min(costs)
    lost = float(np.percentile(left[:, int(np.argmin(costs))], 25)) > _LOST
    return _Path(path.first, costs), _Step(path.first, np.packbits(changed, axis=1), best), lost


def _last_number(steps: list[_Step], first: int) -> int:
    """From which field on `other` is to be searched for field `first`."""
    for back, step in enumerate(reversed(steps), start=1):
        if step.first != _NO_OFFSET:
            return first - (back - 1) * _BLOCK + int(step.best[-1])
    return 0


def _search(block: _Values, other: Fingerprints, first: int, after: int) -> int | None:
    """The offset at which a part of a block is found in `other` from field `after` on; None if it is not."""
    size = min(_SEARCHED, len(block), max(_LEAST_SEARCHED, len(other) // 2))
    for start in range(0, len(block) - size + 1, max(1, size // 2)):
        at = _found(block[start : start + size], other, max(0, after))
        if at is not None:
            return at - first - start
    return None


def _found(window: _Values, other: Fingerprints, after: int) -> int | None:
    """Where fields in a row are found in `other`; None if they are nowhere, or all over the place."""
    size = len(window)
    if size < 2 or np.sqrt(np.square(np.diff(window, axis=0)).mean()) < _STILL:
        return None
    scores = []
    for start in range(after, len(other) - size + 1, _SEARCHED_AT_ONCE):
        left = _left(window, _centred(other[start : start + _SEARCHED_AT_ONCE + size - 1]))
        row, column = left.strides
        count = left.shape[1] - size + 1
        scores.append(as_strided(left, (size, count), (row + column, column)).mean(axis=0))
    if not scores:
        return None
    score = np.concatenate(scores)
    at = int(np.argmin(score))
    # In few places there is nothing to compare with.
    elsewhere = float(np.median(score)) if len(score) > size else _LOST
    return after + at if score[at] < _FOUND * min(2 * _LOST, elsewhere) else None


def _traced(
    steps: list[_Step], path: _Path | None, reference: Fingerprints, other: Fingerprints
) -> tuple[Numbers, _Values]:
    """The cheapest way backwards through all blocks, and what is left along it and beside it."""
    offsets, lefts = [], []
    at: int | None = None
    # The end of the last block that was followed has no costs any more, once the capture was lost behind it.
    end = path.first + int(np.argmin(path.costs)) if path is not None else None
    for start, step in zip(range((len(steps) - 1) * _BLOCK, -1, -_BLOCK), reversed(steps), strict=True):
        count = len(step.best)
        along = np.full(count, _NO_OFFSET, np.int32)
        beside = np.full((count, 1 + len(_NEIGHBOURS)), _WORST, np.float32)
        if step.first == _NO_OFFSET:
            at = None
        else:
            if at is None:
                at = int(step.best[-1]) if end is None else end
            left = _near(_centred(reference[start : start + count]), other, start, step.first, _REACH)
            changed = np.unpackbits(step.changed, axis=1, count=left.shape[1])
            for number in range(count - 1, -1, -1):
                along[number] = at
                place = at - step.first
                for column, near in enumerate((0, *_NEIGHBOURS)):
                    if 0 <= place + near < left.shape[1]:
                        beside[number, column] = left[number, place + near]
                if not 0 <= place < left.shape[1] or changed[number, place]:
                    at = int(step.best[number])
        end = None
        offsets.append(along)
        lefts.append(beside)
    if not offsets:
        return np.zeros(0, np.int32), np.zeros((0, 1 + len(_NEIGHBOURS)), np.float32)
    return np.concatenate(offsets[::-1]), np.concatenate(lefts[::-1])


def _fits(left: _Values) -> NDArray[np.bool_]:
    """Which fields are the same: what is left of them at their offset, and at those beside it."""
    own, beside = left[:, 0], left[:, 1:]
    usual = np.empty(len(own), np.float32)
    for first in range(0, len(own), _NEARBY):
        part = own[first : first + _NEARBY]
        usual[first : first + _NEARBY] = np.percentile(part, 30)
    fits: NDArray[np.bool_] = (
        (own < _LOST)
        & (own <= _AS_WELL * usual + _AS_WELL_LEVELS)
        & (own <= _NEIGHBOUR_FITS * beside.min(axis=1))
    )
    return fits


def _stand_in(same: NDArray[np.bool_], held: NDArray[np.bool_], offsets: Numbers) -> None:
    """Let what is held have a number where the fields before and behind it agree on the offset."""
    for number in map(int, np.flatnonzero(held)):
        behind = number + 1
        while behind < len(held) and held[behind]:
            behind += 1
        if (
            number > 0
            and behind < len(same)
            and same[number - 1]
            and same[behind]
            and offsets[number - 1] == offsets[number] == offsets[behind]
        ):
            same[number] = True


def _growing(numbers: Numbers) -> Numbers:
    """Without those that are not greater than one before them."""
    before = np.maximum.accumulate(np.concatenate(([NONE], numbers[:-1]))) if len(numbers) else numbers
    return np.where(numbers > before, numbers, NONE).astype(np.int32)
