"""What a restoration did to a picture, told without knowing what the picture really was. Pure numpy.

The source shows the same scene a few frames later, with noise of its own. Both the result and the source
are held against that *witness*, block by block, along the motion: noise that is gone brings the result
nearer to it, detail that is gone, smeared or greyed takes it away. Two frames of a source are as far apart
as the noise of both; a result that is farther from the witness than the source itself does harm there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Plane = npt.NDArray[np.uint8]
Frame = tuple[Plane, Plane, Plane]
Shifts = npt.NDArray[np.int_]

_BLOCK = 16
# In steps of two lines and two samples, then refined by one.
_REACH_LINES, _REACH_SAMPLES = 4, 8

# Parts of all blocks by their detail, flattest first: up to the first they are flat, from the others on
# detailed. Few are, where thin lines are all the detail there is.
_FLAT, _DETAILED = 0.5, (0.9, 0.98)
# Rounding to whole levels is as much.
_LEAST_NOISE = 1.0
_LOST = 3.0
_FEWEST_BLOCKS = 40
# Blocks with thin lines are few, and noise that looks like them in both frames is rare.
_SURELY_FINE, _FEWEST_FINE_BLOCKS = 2.0, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """Of each block of one plane.

    Attributes:
        source: mean square of its difference from the witness.
        result: the same of the result.
        detail: how much of the source's fine detail the witness confirms; noise counts for nothing in it.
        kept: the same of the result's.
        shown: the same of all that differs from the block's mean.
    """

    source: Samples
    result: Samples
    detail: Samples
    kept: Samples
    shown: Samples


def harm(places: Sequence[tuple[Sequence[Frame], Sequence[Frame]]]) -> dict[str, float | None]:
    """How much farther the result is from the picture than the source, in parts of the source's noise.

    -1 is a perfect restoration, 0 one that is as good as the source, and 1 one that is as bad again. Given
    is the worse of what is flat and what is detailed, for the luma and for the worse chroma plane, and how
    much thin structures keep of their colour; None where it cannot be told.

    Args:
        places: the source's and the result's frames of each place. The first of each is looked at, and the
            last one of the source is its witness: out of reach of filters that average over time.
    """
    planes = list(zip(*(blocks for place in places for blocks in _compared(*place)), strict=True))
    (luma, _), *chroma = [_of_plane(found) for found in planes] or [(None, None)]
    harms, colours = zip(*chroma, strict=True) if chroma else ((), ())
    return {
        "luma": luma,
        "chroma": max((value for value in harms if value is not None), default=None),
        "colour": min((value for value in colours if value is not None), default=None),
    }


def _of_plane(found: Sequence[_Blocks]) -> tuple[float | None, float | None]:
    """The harm in the worst of the classes of blocks of one plane, and how much of fine detail is kept."""
    source, result, detail, kept, shown = (
        np.concatenate([getattr(blocks, name) for blocks in found])
        for name in ("source", "result", "detail", "kept", "shown")
    )
    # What is as far from its witness was not found there.
    known = source < np.maximum(_LOST * np.median(source), np.abs(shown) / 2)
    flat = known & (detail <= np.quantile(detail, _FLAT))
    if np.count_nonzero(flat) < _FEWEST_BLOCKS:
        return None, None
    # Two noises lie between the source and its witness.
    noise = max(_LEAST_NOISE, float(np.median(source[flat])) / 2)
    classes = [flat]
    for part in _DETAILED:
        detailed = known & (detail >= max(float(np.quantile(detail, part)), noise))
        if np.count_nonzero(detailed) >= _FEWEST_BLOCKS:
            classes.append(detailed)
    harmed = max(float((result - source)[blocks].mean()) / noise for blocks in classes)
    fine = known & (detail >= _SURELY_FINE * noise)
    if np.count_nonzero(fine) < _FEWEST_FINE_BLOCKS:
        return harmed, None
    return harmed, float(kept[fine].sum() / detail[fine].sum())


def _compared(source: Sequence[Frame], result: Sequence[Frame]) -> Iterator[tuple[_Blocks, _Blocks, _Blocks]]:
    """The three planes of a place; nothing where one frame is shown all the time, with one noise."""
    if not source or not result or np.array_equal(source[0][0], source[-1][0]):
        return
    shifts = _shifts(source[0][0].astype(np.float32), source[-1][0].astype(np.float32))
    luma, cb, cr = (_plane(*planes, shifts) for planes in zip(source[0], result[0], source[-1], strict=True))
    yield luma, cb, cr


def _plane(source: Plane, result: Plane, witness: Plane, shifts: Shifts) -> _Blocks:
    """One plane of the source and of the result, held against the witness."""
    rows, columns = shifts.shape[:2]
    # Chroma has fewer samples.
    sizes = zip((rows, columns), source.shape, strict=True)
    down, across = (max(1, round(_BLOCK * count / size)) for count, size in sizes)
    lines, samples = _BLOCK // down, _BLOCK // across

    def here(plane: Samples) -> Samples:
        return _blocks(plane, lines, samples)[:rows, :columns]

    def there(plane: Samples) -> Samples:
        return _moved(plane, shifts // (down, across), lines, samples)

    def mean(values: Samples) -> Samples:
        # What comes in from outside was not there before.
        inner: Samples = values.mean((2, 3))[1:-1, 1:-1].ravel()
        return inner

    before, made, seen = (plane.astype(np.float32) for plane in (source, result, witness))
    shown, confirmed, fine = here(before), there(seen), there(_fine(seen))
    return _Blocks(
        source=mean((shown - confirmed) ** 2),
        result=mean((here(made) - confirmed) ** 2),
        detail=mean(here(_fine(before)) * fine),
        kept=mean(here(_fine(made)) * fine),
        shown=mean(
            (shown - shown.mean((2, 3), keepdims=True)) * (confirmed - confirmed.mean((2, 3), keepdims=True))
        ),
    )


def _fine(plane: Samples) -> Samples:
    """What differs from the mean of 5x5 around it."""
    return plane - _mean(plane, 2)


def _mean(plane: Samples, reach: int) -> Samples:
    width = 2 * reach + 1
    padded = np.pad(plane, reach + 1, mode="edge")[:-1, :-1].astype(np.float64).cumsum(0).cumsum(1)
    total = (
        padded[width:, width:] - padded[:-width, width:] - padded[width:, :-width] + padded[:-width, :-width]
    )
    return (total / width**2).astype(np.float32)


def _shifts(here: Samples, there: Samples) -> Shifts:
    """Where each block of `here` is in `there`: lines and samples, as (rows, columns, 2)."""
    smooth_here, smooth_there = _mean(here, 1), _mean(there, 1)
    small = _best(
        smooth_here[::2, ::2],
        smooth_there[::2, ::2],
        _BLOCK // 2,
        _candidates(_REACH_LINES, _REACH_SAMPLES),
    )
    rows, columns = here.shape[0] // _BLOCK, here.shape[1] // _BLOCK
    coarse = 2 * small[:rows, :columns]
    best = np.full((rows, columns), np.inf, np.float32)
    shifts = coarse.copy()
    blocks = _blocks(smooth_here, _BLOCK, _BLOCK)
    for step in _candidates(1, 1):
        error = np.abs(blocks - _moved(smooth_there, coarse + step, _BLOCK, _BLOCK)).mean((2, 3))
        better = error < best
        best[better], shifts[better] = error[better], (coarse + step)[better]
    return shifts


def _best(here: Samples, there: Samples, edge: int, candidates: Iterator[tuple[int, int]]) -> Shifts:
    blocks = _blocks(here, edge, edge)
    best = np.full(blocks.shape[:2], np.inf, np.float32)
    shifts = np.zeros((*best.shape, 2), np.int_)
    for lines, samples in candidates:
        moved = _blocks(np.roll(there, (-lines, -samples), (0, 1)), edge, edge)
        error = np.abs(blocks - moved).mean((2, 3))
        better = error < best
        best[better], shifts[better] = error[better], (lines, samples)
    return shifts


def _candidates(lines: int, samples: int) -> Iterator[tuple[int, int]]:
    """The shifts to try, small ones first: of equal ones the smallest is taken."""
    every = ((x, y) for x in range(-lines, lines + 1) for y in range(-samples, samples + 1))
    yield from sorted(every, key=lambda shift: shift[0] ** 2 + shift[1] ** 2)


def _moved(there: Samples, shifts: Shifts, lines: int, samples: int) -> Samples:
    """The block of `there` that each block was found at."""
    rows, columns = shifts.shape[:2]
    at_lines = np.arange(rows)[:, None] * lines + shifts[..., 0]
    at_samples = np.arange(columns)[None, :] * samples + shifts[..., 1]
    at_lines = at_lines.clip(0, there.shape[0] - lines)
    at_samples = at_samples.clip(0, there.shape[1] - samples)
    windows = np.lib.stride_tricks.sliding_window_view(there, (lines, samples))
    found: Samples = windows[at_lines, at_samples]
    return found


def _blocks(plane: Samples, lines: int, samples: int) -> Samples:
    """`plane` as (rows, columns, lines of a block, samples of a block)."""
    rows, columns = plane.shape[0] // lines, plane.shape[1] // samples
    whole = plane[: rows * lines, : columns * samples]
    return whole.reshape(rows, lines, columns, samples).transpose(0, 2, 1, 3)
