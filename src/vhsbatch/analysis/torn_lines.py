"""Lines at the bottom that a deck's head switch tore from the picture. Pure.

Below the head switch a line is displaced and noisy. An edge that belongs to the picture, such as a border, a
caption or a drawn bar, is neither: no displacement makes it match the lines above, and its lines match each
other.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vhsbatch.analysis.noise import Plane

_Rows = NDArray[np.float32]

# Decks switch heads in the last lines of each field.
_SEARCHED_LINES = 8
# Where a line differs by so many steps of 8 bits, and by so many times more than lines usually do.
_SMALLEST_JUMP, _JUMP = 6.0, 2.5
# Of the lines above the jump: how many are averaged to be compared, and how many tell what is usual.
_COMPARED, _USUAL = 3, 12

# Displaced: a line matches those above so well elsewhere, and so much better than where it is.
_EDGES_MATCH, _LEVELS_MATCH, _BETTER = 0.6, 0.9, 0.25
_LEAST_DISPLACED = 4  # samples
# Noisy: edges match neither those above nor those of the next torn line ...
_UNLIKE_ABOVE, _UNLIKE_NEXT = 0.35, 0.6
# ... and lines change more from frame to frame, and along themselves, than those above.
_UNSTEADY, _ROUGH = 1.2, 1.3


def torn_lines(planes: list[Plane]) -> int:
    """How many lines at the bottom of the frame do not belong to the picture above them.

    Args:
        planes: the luma of consecutive frames, at least two.
    """
    return max(2 * _torn_field_lines([plane[parity::2] for plane in planes]) for parity in (0, 1))


def _torn_field_lines(fields: list[Plane]) -> int:
    if len(fields[0]) < 2 * (_SEARCHED_LINES + _USUAL):
        return 0
    rows = [field[len(field) // 2 :].astype(np.float32) for field in fields]
    lines = _below_a_jump(rows)
    if lines == 0:
        return 0
    is_torn = _displaced(rows, lines) | _noisy(rows, lines)
    return lines if 2 * np.count_nonzero(is_torn) > lines else 0


def _below_a_jump(rows: list[_Rows]) -> int:
    """How many lines there are from the first that differs from its neighbour as none does further up."""
    steps = np.mean([np.abs(np.diff(field, axis=0)).mean(axis=1) for field in rows], axis=0)
    usual = float(np.percentile(steps[:-_SEARCHED_LINES], 90))
    (jumps,) = np.nonzero(steps[-_SEARCHED_LINES:] > max(_SMALLEST_JUMP, _JUMP * usual))
    return 0 if len(jumps) == 0 else _SEARCHED_LINES - int(jumps[0])


def _displaced(rows: list[_Rows], lines: int) -> NDArray[np.bool_]:
    """Which of the last `lines` match those above once they are moved along."""
    by_edges = _match_elsewhere([_edges(field, smooth=7) for field in rows], lines, _EDGES_MATCH)
    by_levels = _match_elsewhere(
        [field - field.mean(axis=1, keepdims=True) for field in rows], lines, _LEVELS_MATCH
    )
    return by_edges | by_levels


def _match_elsewhere(rows: list[_Rows], lines: int, least: float) -> NDArray[np.bool_]:
    found = []
    for field in rows:
        above, below = field[-lines - _COMPARED : -lines].mean(axis=0, keepdims=True), field[-lines:]
        spectra = np.fft.rfft(below) * np.conj(np.fft.rfft(above))
        matches = np.fft.irfft(spectra, below.shape[1]) / _scale(below, above)[:, None]
        best = matches.argmax(axis=1)
        distance = np.minimum(best, below.shape[1] - best)
        found.append(np.stack([matches.max(axis=1), matches[:, 0], distance]))
    best_match, match_in_place, distance = np.median(found, axis=0)
    elsewhere: NDArray[np.bool_] = (
        (best_match > least) & (best_match - match_in_place > _BETTER) & (distance >= _LEAST_DISPLACED)
    )
    return elsewhere


def _noisy(rows: list[_Rows], lines: int) -> NDArray[np.bool_]:
    """Which of the last `lines` are unlike their neighbours, unsteady and rough."""
    last, above = slice(-lines, None), slice(-lines - _USUAL, -lines)
    edges = [_edges(field, smooth=3) for field in rows]
    likeness = np.median(
        [(grid[1:] * grid[:-1]).sum(axis=1) / _scale(grid[1:], grid[:-1]) for grid in edges], axis=0
    )[last]
    changes = np.mean([np.abs(after - before).mean(axis=1) for before, after in pairwise(rows)], axis=0)
    roughness = np.mean([np.abs(grid).mean(axis=1) for grid in edges], axis=0)
    if (likeness[1:] >= _UNLIKE_NEXT).any():
        return np.zeros(lines, np.bool_)
    noisy: NDArray[np.bool_] = (
        (likeness < _UNLIKE_ABOVE)
        & (changes[last] > _UNSTEADY * (np.percentile(changes[above], 90) + 0.5))
        & (roughness[last] > _ROUGH * (np.median(roughness[above]) + 0.5))
    )
    return noisy


def _edges(rows: _Rows, *, smooth: int) -> _Rows:
    """The steps along each line, of means over `smooth` samples."""
    sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, smooth:] - sums[:, :-smooth]) / smooth
    return np.diff(means, axis=1)


def _scale(these: _Rows, those: _Rows) -> _Rows:
    """What a correlation of lines is divided by, so that equal ones give 1."""
    return np.sqrt((these**2).sum(axis=1) * (those**2).sum(axis=1)) + np.float32(1e-3)
