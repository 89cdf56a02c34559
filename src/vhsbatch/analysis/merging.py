"""One field out of the same field of several captures of a tape. Pure.

The first capture is the reference: its levels and its place in the picture stay. The others are brought to
it:

1. *Place*: a shift by samples and whole lines, the same for a whole capture.
2. *Levels*: a gain and an offset of each plane, bounded and slow.
3. *Votes*: what differs from the others along a stretch of a line, such as a dropout, is left out. Of two
   captures the one that continues the lines above and below, or the field before, is believed.
4. *Mean*: of what is left; a much noisier capture counts less.

What is the same in all captures comes out as it is, to the last bit. Each pass has a time base of its own; to
straighten single lines before the mean did not pay (-0.1 dB at the noise of an ordinary tape, +0.1 without).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
Field = Sequence[Plane]
_Values = NDArray[np.floating[Any]]

# Captures of other decks lie within this distance, in samples and in lines of a field.
_FARTHEST, _FARTHEST_LINES = 24, 2
_LEAST_GAIN, _MOST_GAIN, _MOST_OFFSET = 0.8, 1.25, 24.0
# What earlier fields count when a new one is learned from.
_MEMORY = 0.95

_BLOCK, _BLOCK_LINES = 16, 8
# Two fields are different pictures if more than so many of their blocks differ by more than so much.
_OTHER_BLOCK, _OTHER_PART = 10.0, 0.04

# A shift by a smaller part of a sample is not worth a filter.
_SMALLEST_SHIFT = 0.1
_LOBES = 3

# Along a line, so many samples are judged together.
_STRETCH = 9
_OUTLIER, _LEAST_OUTLIER = 4.5, 4.0
# So much better must a sample of the second of two captures fit to be believed.
_BELIEVED = 3.0

# A capture with so many times the noise of the best one begins to count less.
_NOISIER = 1.5


@dataclass(slots=True)
class _Levels:
    """The levels of a plane of a capture against the reference's: sums over blocks of recent fields."""

    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(5))

    def learn(self, reference: _Values, other: _Values) -> None:
        x, y = other.ravel().astype(np.float64), reference.ravel().astype(np.float64)
        near = np.abs(x - y) <= _MOST_OFFSET + np.abs(y - 128) * (_MOST_GAIN - 1)
        x, y = x[near], y[near]
        new = np.array((len(x), x.sum(), y.sum(), (x * x).sum(), (x * y).sum()))
        self.sums = _MEMORY * self.sums + new

    def match(self) -> tuple[float, float]:
        """Gain and offset."""
        count, x, y, xx, xy = self.sums
        if count < 1:
            return 1.0, 0.0
        spread = xx - x * x / count
        gain = (xy - x * y / count) / spread if spread > 4 * count else 1.0
        gain = float(np.clip(gain, _LEAST_GAIN, _MOST_GAIN))
        return gain, float(np.clip((y - gain * x) / count, -2 * _MOST_OFFSET, 2 * _MOST_OFFSET))


@dataclass(slots=True)
class _Place:
    """Where a capture lies against the reference.

    Attributes:
        likeness: minus half of what its lines differ by from the reference's, squared, at each distance.
        slopes: how its difference to the reference goes with the slope of the picture, and the slope's power.
        whole: the distance at which `slopes` were found.
    """

    likeness: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((2 * _FARTHEST_LINES + 1, 2 * _FARTHEST + 1))
    )
    slopes: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    whole: tuple[int, int] = (0, 0)

    def learn(self, reference: Plane, other: Plane) -> None:
        one, two = _softened(reference), _softened(other)
        lines, width = one.shape
        if lines <= 2 * _FARTHEST_LINES or width <= 4 * _FARTHEST:
            return
        a, b = _faded(one), _faded(two)
        spectra = np.fft.rfft(a), np.fft.rfft(b)
        powers = np.square(a).sum(axis=1), np.square(b).sum(axis=1)
        new = np.empty_like(self.likeness)
        for row, down in enumerate(range(-_FARTHEST_LINES, _FARTHEST_LINES + 1)):
            above, below = (
                slice(max(0, -down), lines - max(0, down)),
                slice(max(0, down), lines + min(0, down)),
            )
            correlation = np.fft.irfft((np.conj(spectra[0][above]) * spectra[1][below]).mean(axis=0), width)
            near = np.roll(correlation, _FARTHEST)[: 2 * _FARTHEST + 1]
            new[row] = near - 0.5 * (powers[0][above].mean() + powers[1][below].mean())
        self.likeness = _MEMORY * self.likeness + new
        row, column = map(int, np.unravel_index(np.argmax(self.likeness), self.likeness.shape))
        whole = (row - _FARTHEST_LINES, column - _FARTHEST)
        if whole != self.whole:
            self.whole, self.slopes = whole, np.zeros(2)
        two = _shifted(two, *whole)
        slope = 0.25 * (one[:, 2:] - one[:, :-2] + two[:, 2:] - two[:, :-2])
        along = np.array((-(slope * (two - one)[:, 1:-1]).sum(), np.square(slope).sum()))
        self.slopes = _MEMORY * self.slopes + along

    def match(self) -> tuple[int, float]:
        """How many lines lower and how many samples later the capture is."""
        down, late = self.whole
        part = float(self.slopes[0] / self.slopes[1]) if self.slopes[1] > 0 else 0.0
        return down, late + (part if _SMALLEST_SHIFT <= abs(part) <= 1 else 0.0)


def _faded(plane: _Values) -> _Values:
    """The same, grey at the ends of the lines, where the samples of the one capture are not in the other."""
    ends = np.sin(np.linspace(0, np.pi / 2, 2 * _FARTHEST, endpoint=False, dtype=np.float32)) ** 2
    faded: _Values = plane - plane.mean()
    faded[:, : len(ends)] *= ends
    faded[:, -len(ends) :] *= ends[::-1]
    return faded


def _softened(plane: Plane) -> _Values:
    soft = plane.astype(np.float32)
    soft[:, 1:-1] = 0.25 * soft[:, :-2] + 0.5 * soft[:, 1:-1] + 0.25 * soft[:, 2:]
    return soft


@dataclass(slots=True)
class _Capture:
    """What is known of a capture.

    Attributes:
        place: against the reference.
        levels: of each plane.
        noise: what is left of its luma between neighbours, a running mean; 0 before anything is learned.
        learned: from how many fields.
    """

    place: _Place = field(default_factory=_Place)
    levels: tuple[_Levels, _Levels, _Levels] = field(
        default_factory=lambda: (_Levels(), _Levels(), _Levels())
    )
    noise: float = 0.0
    learned: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """A field made of several.

    Attributes:
        planes: in the format of the reference.
        agreed: which captures it was made of.
    """

    planes: list[Plane]
    agreed: tuple[int, ...]


class Merger:
    """Merges the fields of captures, and learns what these are like meanwhile."""

    def __init__(self, captures: int, *, bits: int = 8) -> None:
        """Create one for so many captures, with the reference; `bits` are those of a sample."""
        self._level = 2.0 ** (bits - 8)
        self._most = 2**bits - 1
        self._captures = [_Capture() for _ in range(captures)]
        self._before: dict[int, list[_Values]] = {}

    def learn(self, reference: Field, others: Sequence[Field | None]) -> None:
        """Learn from the same field of the captures, before it is merged; None where one has none."""
        self._learn_noise(0, reference[0])
        for number, other in enumerate(others, start=1):
            if other is None:
                continue
            capture = self._captures[number]
            self._learn_noise(number, other[0])
            capture.place.learn(reference[0], other[0])
            placed = self._placed(capture, other)
            for levels, own, its in zip(capture.levels, reference, placed, strict=True):
                levels.learn(_means(own) / self._level, _means(its) / self._level)
            capture.learned += 1

    def merge(
        self, reference: Field, others: Sequence[Field | None], *, parity: int, held: bool = False
    ) -> Merged:
        """Merge the same field of the captures.

        Args:
            reference: that of the first one.
            others: those of the others, None where one has none.
            parity: 0 for the lines that begin with the first one.
            held: whether the reference shows the field before once more, and any other capture is better.
        """
        numbers, planes = [0], [[plane.astype(np.float32) for plane in reference]]
        for number, other in enumerate(others, start=1):
            if other is None:
                continue
            matched = self._matched(self._captures[number], other)
            if held or not self._is_other(planes[0][0], matched[0]):
                numbers.append(number)
                planes.append(matched)
        if held and len(numbers) > 1:
            numbers, planes = numbers[1:], planes[1:]
        if len(numbers) == 1 and numbers[0] == 0:
            self._before[parity] = planes[0]
            return Merged(list(reference), (0,))
        weights = self._weights(numbers)
        before = self._before.get(parity)
        merged = [
            self._mean(list(own), weights, None if before is None else before[index])
            for index, own in enumerate(zip(*planes, strict=True))
        ]
        self._before[parity] = merged
        kind = reference[0].dtype
        return Merged([np.rint(plane).clip(0, self._most).astype(kind) for plane in merged], tuple(numbers))

    def places(self) -> list[tuple[int, float, float, float]]:
        """Of each capture but the reference: lines lower, samples later, gain and offset of its luma."""
        return [(*one.place.match(), *one.levels[0].match()) for one in self._captures[1:]]

    def _learn_noise(self, number: int, luma: Plane) -> None:
        noise = _noise(luma) / self._level
        known = self._captures[number]
        known.noise = noise if known.noise == 0 else _MEMORY * known.noise + (1 - _MEMORY) * noise

    def _weights(self, numbers: Sequence[int]) -> list[float]:
        noises = [max(self._captures[number].noise, 0.1) for number in numbers]
        return [min(1.0, (_NOISIER * min(noises) / noise) ** 2) for noise in noises]

    @staticmethod
    def _placed(capture: _Capture, planes: Field) -> list[Plane]:
        down, late = capture.place.match()
        lines, width = planes[0].shape
        return [
            _shifted(plane, down * plane.shape[0] // lines, late * plane.shape[1] / width) for plane in planes
        ]

    def _matched(self, capture: _Capture, planes: Field) -> list[_Values]:
        matched: list[_Values] = []
        for plane, levels in zip(self._placed(capture, planes), capture.levels, strict=True):
            gain, offset = levels.match()
            matched.append(plane.astype(np.float32) * np.float32(gain) + np.float32(offset * self._level))
        return matched

    def _is_other(self, reference: _Values, other: _Values) -> bool:
        differences = np.abs(_means(reference) - _means(other))
        return float((differences > _OTHER_BLOCK * self._level).mean()) > _OTHER_PART

    def _mean(self, values: list[_Values], weights: Sequence[float], before: _Values | None) -> _Values:
        if len(values) == 1:
            return values[0]
        total = sum(weights)
        mean = values[0] * np.float32(weights[0] / total)
        for value, weight in zip(values[1:], weights[1:], strict=True):
            mean += value * np.float32(weight / total)
        off = [np.abs(_along(value - mean)) for value in values]
        usual = 1.48 * float(np.mean([np.median(one[::4]) for one in off]))
        most = max(_OUTLIER * usual, _LEAST_OUTLIER * self._level)
        lines = np.flatnonzero(np.max([one.max(axis=1) for one in off], axis=0) > most)
        if len(lines) and len(values) > 2:
            mean[lines] = _voted([value[lines] for value in values], weights, most)
        elif len(lines):
            around = [_around(mean, lines)] if before is None else [_around(mean, lines), before[lines]]
            chosen = _believed(values[0][lines], values[1][lines], around, _BELIEVED * self._level)
            differs = np.abs(_along(values[0][lines] - values[1][lines])) > 2 * most
            mean[lines] = np.where(differs, chosen, mean[lines])
        return mean


def _voted(values: list[_Values], weights: Sequence[float], most: float) -> _Values:
    """The mean of three or more, without what is further from their middle than `most`."""
    stack = np.stack(values)
    middle = np.median(stack, axis=0)
    believed = np.abs(np.stack([_along(value - middle) for value in values])) <= most
    weighted = believed * np.array(weights, np.float32)[:, None, None]
    known = weighted.sum(axis=0)
    return np.where(known > 0, (weighted * stack).sum(axis=0) / np.maximum(known, 1e-6), middle)


def _believed(one: _Values, two: _Values, around: list[_Values], better: float) -> _Values:
    """Of two the first one, unless the second is nearer by `better` to something around it."""
    unlike_one, unlike_two = (
        np.min([np.abs(_along(value - near)) for near in around], axis=0) for value in (one, two)
    )
    return np.where(unlike_two + better < unlike_one, two, one)


def _means(plane: Plane) -> _Values:
    """The mean of each whole block."""
    rows, columns = max(1, plane.shape[0] // _BLOCK_LINES), max(1, plane.shape[1] // _BLOCK)
    height, width = min(_BLOCK_LINES, plane.shape[0]), min(_BLOCK, plane.shape[1])
    whole = plane[: rows * height, : columns * width].reshape(rows, height, columns, width)
    means: _Values = whole.mean(axis=(1, 3), dtype=np.float32)
    return means


def _noise(luma: Plane) -> float:
    """What a sample differs by from its neighbours on both sides and on both lines, where little else is."""
    values = luma.astype(np.float32)
    if min(values.shape) < 5:
        return 0.0
    across = values[:, 1:-1] - 0.5 * (values[:, :-2] + values[:, 2:])
    both = np.abs(across[1:-1] - 0.5 * (across[:-2] + across[2:]))
    return float(np.percentile(_means(both), 20))


def _along(plane: _Values) -> _Values:
    """The mean of `_STRETCH` samples in a row, around each of them."""
    half = _STRETCH // 2
    wide = np.pad(plane, ((0, 0), (half, half)), mode="edge")
    threes = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    sums = threes[:, :-6] + threes[:, 3:-3] + threes[:, 6:]
    means: _Values = sums * np.float32(1 / _STRETCH)
    return means


def _around(plane: _Values, lines: NDArray[np.intp]) -> _Values:
    """What the nearest lines above and below say that are none of `lines` themselves."""
    sure = np.setdiff1d(np.arange(len(plane)), lines)
    if len(sure) == 0:
        return plane[lines]
    place = np.searchsorted(sure, lines)
    above, below = sure[np.maximum(place - 1, 0)], sure[np.minimum(place, len(sure) - 1)]
    around: _Values = 0.5 * (plane[above] + plane[below])
    return around


def _shifted(plane: Plane, down: int, late: float) -> Plane:
    """A plane that is so many lines lower and samples later, moved back."""
    whole = round(late)
    part = late - whole
    if down or whole:
        rows = np.clip(np.arange(plane.shape[0]) + down, 0, plane.shape[0] - 1)
        columns = np.clip(np.arange(plane.shape[1]) + whole, 0, plane.shape[1] - 1)
        plane = plane[rows][:, columns]
    if abs(part) < _SMALLEST_SHIFT / 2:
        return plane
    distances = np.arange(-_LOBES, _LOBES + 1) - part
    kernel = np.where(np.abs(distances) < _LOBES, np.sinc(distances) * np.sinc(distances / _LOBES), 0)
    kernel /= kernel.sum()
    wide = np.pad(plane.astype(np.float32), ((0, 0), (_LOBES, _LOBES)), mode="edge")
    width = plane.shape[1]
    moved = np.zeros(plane.shape, np.float32)
    for column, weight in enumerate(kernel):
        moved += np.float32(weight) * wide[:, column : column + width]
    return moved
