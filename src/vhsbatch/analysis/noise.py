"""How noisy a picture is: grain apart from motion, detail and flicker. Pure numpy.

Two fields of one parity show the same scene a moment apart. Each block of the later one is looked for in the
earlier one, and what is left between the two, after a small shift and a change of brightness are taken out,
is noise and what the search missed. What it missed grows with the detail of a block, so that the flattest
blocks tell the noise. Detail is the product of the gradients of both fields, in which their noise, which is
not the same, averages out. Where no block is flat the noise cannot be told, and nothing is made up.

On real clips with motion, with noise of a tape's spectrum added, of 1.5 to 8 levels, this reads 0.93 to
1.06 of it.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_BLOCK_LINES = 8
_BLOCK_SAMPLES = 16
_REACH_LINES = 4
_REACH_SAMPLES = 16
# Beyond this every second sample is tried: the rest of the shift is taken out by the fit.
_EVERY_SAMPLE = 6

_FEWEST_BLOCKS = 40
_FLATTEST = 12  # number of groups of blocks, by detail; only the first ones are used
_LOOKED_AT = 3
# Mean product of gradients, in squared levels, above which a block counts as detailed.
_FLAT = 12.0

# Levels at which a recorder clips, and noise with them.
_BLACK = 22
_WHITE = 230

# Of a larger picture the middle tells enough, in a fraction of the time.
_MIDDLE_LINES, _MIDDLE_SAMPLES = 576, 768
_WHOLE_BLOCKS = 32

Samples = npt.NDArray[np.floating]
Plane = npt.NDArray[np.uint8]
Frame = tuple[Plane, Plane, Plane]


def noise(frames: Sequence[Frame], *, fields: int) -> tuple[float | None, float | None]:
    """The standard deviation of the noise in luma and in the noisier chroma plane, in steps of 8 bits.

    Args:
        frames: consecutive ones; luma and the two chroma planes of each.
        fields: 2 where the lines of a frame belong to two fields, else 1.

    Returns:
        Each None where it cannot be told: in frozen, black and clipped pictures, and where all is detail.
    """
    found: list[list[tuple[Samples, Samples]]] = [[], [], []]
    for earlier, later in pairwise(map(_middle, frames)):
        for parity in range(fields):
            before, after = (
                [plane[parity::fields].astype(np.float32) for plane in frame] for frame in (earlier, later)
            )
            if np.array_equal(before[0], after[0]):
                continue  # one frame twice: it tells of no noise
            shifts = _shifts(before[0], after[0])
            for plane in range(3):
                found[plane].append(_residues(before[plane], after[plane], after[0], shifts))
    luma, *chroma = (_of_the_flattest(blocks) for blocks in found)
    told = [value for value in chroma if value is not None]
    return luma, max(told, default=None)


def _middle(frame: Frame) -> Frame:
    """The frame, or the middle of a large one, cut at places where each plane has a sample."""
    lines, samples = frame[0].shape
    top, left = (
        max(0, (size - most) // 2) // _WHOLE_BLOCKS * _WHOLE_BLOCKS
        for size, most in ((lines, _MIDDLE_LINES), (samples, _MIDDLE_SAMPLES))
    )

    def part(plane: Plane) -> Plane:
        down, across = lines // plane.shape[0], samples // plane.shape[1]
        return plane[
            top // down : (top + _MIDDLE_LINES) // down, left // across : (left + _MIDDLE_SAMPLES) // across
        ]

    luma, cb, cr = map(part, frame)
    return luma, cb, cr


def _of_the_flattest(parts: Sequence[tuple[Samples, Samples]]) -> float | None:
    """The noise, from the variance and the detail of each block."""
    if not parts:
        return None
    variance, detail = (np.concatenate(values) for values in zip(*parts, strict=True))
    if len(variance) < _FEWEST_BLOCKS:
        return None
    by_detail = np.argsort(detail)
    size = max(_FEWEST_BLOCKS // 2, len(variance) // _FLATTEST)
    groups = [by_detail[start : start + size] for start in range(0, _LOOKED_AT * size, size)]
    told = [
        float(np.median(variance[group]))
        for group in groups
        if len(group) == size and np.median(detail[group]) <= _FLAT
    ]
    return float(np.sqrt(min(told))) if told else None


def _shifts(before: Samples, after: Samples) -> npt.NDArray[np.int_]:
    """Where each block of `after` was before: lines and samples, as (rows, columns, 2)."""
    smooth_before, smooth_after = _smoothed(before), _smoothed(after)
    best: Samples | None = None
    shifts = np.zeros((*_blocks(after).shape[:2], 2), np.int_)
    for shift in _candidates():
        error = _blocks(np.abs(smooth_after - np.roll(smooth_before, shift, (0, 1)))).mean((2, 3))
        if best is None:
            best, shifts[:] = error, shift
            continue
        better = error < best
        best[better] = error[better]
        shifts[better] = shift
    return shifts


def _candidates() -> Iterator[tuple[int, int]]:
    for samples in range(-_REACH_SAMPLES, _REACH_SAMPLES + 1):
        if samples % 2 == 0 or abs(samples) <= _EVERY_SAMPLE:
            for lines in range(-_REACH_LINES, _REACH_LINES + 1):
                yield lines, samples


def _residues(
    before: Samples, after: Samples, luma: Samples, shifts: npt.NDArray[np.int_]
) -> tuple[Samples, Samples]:
    """The variance of the noise, and the detail, of each block that shows some.

    Args:
        before: a plane of the earlier field.
        after: the same plane of the later one.
        luma: the later field's luma, which says what is clipped.
        shifts: of the luma's blocks.
    """
    lines, samples = _BLOCK_LINES * len(after) // len(luma), _BLOCK_SAMPLES * after.shape[1] // luma.shape[1]
    down, across = _BLOCK_LINES // max(lines, 1), _BLOCK_SAMPLES // max(samples, 1)
    here = _blocks(after, lines, samples)
    rows, columns = here.shape[:2]
    shifts = shifts[:rows, :columns] // (down, across)
    there, smooth_there = np.empty_like(here), np.empty_like(here)
    smooth_before = _smoothed(before)
    for shift in np.unique(shifts.reshape(-1, 2), axis=0):
        moved = (shifts == shift).all(axis=2)
        there[moved] = _blocks(np.roll(before, shift, (0, 1)), lines, samples)[moved]
        smooth_there[moved] = _blocks(np.roll(smooth_before, shift, (0, 1)), lines, samples)[moved]
    smooth_here = _blocks(_smoothed(after), lines, samples)
    variance = _unexplained(here - there, (smooth_here + smooth_there) / 2) / 2
    detail = sum(
        (np.gradient(smooth_here, axis=axis) * np.gradient(smooth_there, axis=axis)).mean((2, 3))
        for axis in (2, 3)
    )
    level = _blocks(luma)[:rows, :columns].mean((2, 3))
    shows = (level > _BLACK) & (level < _WHITE)
    # What moved in from outside was not there before.
    shows[[0, -1]] = shows[:, [0, -1]] = False
    return variance[shows], np.asarray(detail, np.float32)[shows]


def _unexplained(difference: Samples, picture: Samples) -> Samples:
    """The variance of each block of `difference` that neither brightness nor a small shift explains."""
    terms = np.stack(
        [np.ones_like(picture), np.gradient(picture, axis=3), np.gradient(picture, axis=2)], axis=-1
    ).reshape(*picture.shape[:2], -1, 3)
    values = difference.reshape(*picture.shape[:2], -1, 1)
    turned = terms.swapaxes(-1, -2)
    # Flat blocks have no gradient to be fitted to.
    fitted = np.linalg.solve(turned @ terms + 1e-3 * np.eye(3, dtype=np.float32), turned @ values)
    left = (values - terms @ fitted)[..., 0]
    variance: Samples = (left**2).sum(-1) / (left.shape[-1] - 3)
    return variance


def _smoothed(plane: Samples) -> Samples:
    """Means of 5 samples of 3 lines: motion is searched in these, so that it is not noise that fits."""
    padded = np.pad(plane, ((1, 1), (2, 2)), mode="edge")
    lines = padded[:-2] + padded[1:-1] + padded[2:]
    width = plane.shape[1]
    total = np.sum([lines[:, start : start + width] for start in range(5)], axis=0)
    means: Samples = total / np.float32(15)
    return means


def _blocks(plane: Samples, lines: int = _BLOCK_LINES, samples: int = _BLOCK_SAMPLES) -> Samples:
    """`plane` as (rows, columns, lines of a block, samples of a block)."""
    rows, columns = plane.shape[0] // lines, plane.shape[1] // samples
    whole = plane[: rows * lines, : columns * samples]
    return whole.reshape(rows, lines, columns, samples).transpose(0, 2, 1, 3)
