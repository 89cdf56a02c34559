"""Where a picture ends, how bright it gets, and whether its colour lies where its brightness does.

Works on planes of one place of a tape, as `picture_worker` reads them.
"""

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_BLACK = 16
_WHITE = 235
# An edge is black up to this part of what is beside it, and never brighter than this.
_DARK_PART = 0.25
_DARKEST_PICTURE = 45
_BRIGHTEST_BORDER = 40

# A converter that clips piles up at its ends what would lie beyond them.
_CEILING, _FLOOR = 254, 1

_FARTHEST_COLUMNS = 16
_FARTHEST_LINES = 8
# Chroma of a tape has edges of some 20 samples: luma is made as soft, so that the two can be compared.
_SOFT_SAMPLES = 12
_SOFT_LINES = 3
_FEWEST_EDGES = 0.02


def borders(lumas: list[Plane]) -> dict[str, int] | None:
    """Black columns and lines at the edges; None where the picture is too dark to tell."""
    mean = np.mean(lumas, axis=0, dtype=np.float32)
    height, width = mean.shape
    if mean[height // 4 : -height // 4, width // 4 : -width // 4].mean() < _DARKEST_PICTURE:
        return None
    columns = mean[height // 8 : -height // 8].mean(axis=0)
    lines = mean[:, width // 8 : -width // 8].mean(axis=1)
    return {
        "left": _black_edge(columns),
        "right": _black_edge(columns[::-1]),
        "top": _black_edge(lines),
        "bottom": _black_edge(lines[::-1]),
    }


def _black_edge(profile: Floats) -> int:
    """How many values at the beginning of `profile` are black beside the ones that follow."""
    farthest = len(profile) // 5
    inner = float(np.median(profile[farthest // 2 : 2 * farthest]))
    darkest = min(_BRIGHTEST_BORDER, _BLACK + _DARK_PART * (inner - _BLACK))
    (bright,) = np.nonzero(profile[:farthest] > darkest)
    return int(bright[0]) if len(bright) else farthest


def is_blank(luma: Plane, chromas: tuple[Plane, Plane]) -> bool:
    """Whether a frame has a single colour, as decks show for blank tape."""
    inner = [_inner(plane).astype(np.float32) for plane in (luma, *chromas)]
    # Averages over blocks: noise is not what tells one picture from another.
    spreads = [_block_means(plane).std() for plane in inner]
    return all(spread < 2.5 for spread in spreads)


def _inner(plane: Plane) -> Plane:
    height, width = plane.shape
    return plane[height // 10 : -(height // 10) or None, width // 10 : -(width // 10) or None]


def _block_means(plane: Floats) -> Floats:
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    if rows == 0 or columns == 0:
        return plane
    blocks: Floats = plane[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).mean(axis=(1, 3))
    return blocks


def levels(lumas: list[Plane]) -> dict[str, float]:
    """Darkest and brightest levels, and which parts lie at the ends of the scale or above white."""
    inner = np.concatenate([_inner(luma).ravel() for luma in lumas])
    counts = np.bincount(inner, minlength=256) / max(1, inner.size)
    reached = np.cumsum(counts)
    return {
        "darkest": int(np.searchsorted(reached, 0.001)),
        "brightest": int(np.searchsorted(reached, 0.999)),
        "above_white": float(counts[_WHITE + 1 :].sum()),
        "at_ceiling": float(counts[_CEILING:].sum()),
        "at_floor": float(counts[: _FLOOR + 1].sum()),
    }


def chroma_shift(
    lumas: list[Plane], chromas: list[tuple[Plane, Plane]], *, fields: int
) -> dict[str, float] | None:
    """How far the colour lies to the right of and below the brightness, in samples and lines of luma.

    Edges of colour are mostly edges of brightness too: the shift at which the two agree best.

    Args:
        lumas: consecutive frames.
        chromas: their chroma planes.
        fields: 2 where lines of a frame belong to two fields in turns, else 1.

    Returns:
        ``x`` and ``y``, and the correlation at each best shift; None where there are too few edges.
    """
    horizontal = lumas[0].shape[1] / chromas[0][0].shape[1]
    # What moves is blurred alike in both, and noise is less by as many frames.
    mean = [np.mean(planes, axis=0, dtype=np.float32) for planes in (lumas, *zip(*chromas, strict=True))]
    across, down = [], []
    for parity in range(fields):
        y, *uv = (plane[parity::fields] for plane in mean)
        uv = [_to_size(plane, y.shape) for plane in uv]
        across.append(_edges(y, uv, axis=1, soft=_SOFT_SAMPLES))
        down.append(_edges(y, uv, axis=0, soft=_SOFT_LINES))
    x = _best_shift(across, axis=1, farthest=_FARTHEST_COLUMNS)
    y_shift = _best_shift(down, axis=0, farthest=_FARTHEST_LINES)
    if x is None or y_shift is None:
        return None
    # A chroma sample lies on the leftmost of the luma samples that share it, not in their middle.
    return {
        "x": round(x[0] - (horizontal - 1) / 2, 2),
        "x_fit": round(x[1], 3),
        "y": round(y_shift[0] * fields, 2),
        "y_fit": round(y_shift[1], 3),
    }


def _to_size(plane: Floats, shape: tuple[int, ...]) -> Floats:
    """`plane` with as many samples as the luma has."""
    rows, columns = -(-shape[0] // plane.shape[0]), -(-shape[1] // plane.shape[1])
    larger = np.repeat(np.repeat(plane, rows, axis=0), columns, axis=1)
    return larger[: shape[0], : shape[1]]


def _edges(luma: Floats, chromas: list[Floats], *, axis: int, soft: int) -> tuple[Floats, Floats]:
    """How much brightness and colour change along `axis`, both made equally soft."""
    luma_edges = np.abs(_soft_step(luma, axis, soft))
    chroma_edges = np.sqrt(sum(_soft_step(plane, axis, soft) ** 2 for plane in chromas))
    return luma_edges, chroma_edges


def _soft_step(plane: Floats, axis: int, soft: int) -> Floats:
    """The mean of `soft` samples less that of the ones before them."""
    summed = np.cumsum(plane, axis=axis, dtype=np.float64)
    ahead = np.take(summed, range(soft, plane.shape[axis]), axis)
    behind = np.take(summed, range(plane.shape[axis] - soft), axis)
    means = ((ahead - behind) / soft).astype(np.float32)
    later = np.take(means, range(soft, means.shape[axis]), axis)
    earlier = np.take(means, range(means.shape[axis] - soft), axis)
    return later - earlier


def _best_shift(
    edges: list[tuple[Floats, Floats]], *, axis: int, farthest: int
) -> tuple[float, float] | None:
    """Where the correlation of two sets of edges is highest, and how high it is."""
    luma = np.stack([pair[0] for pair in edges]).astype(np.float32)
    chroma = np.stack([pair[1] for pair in edges]).astype(np.float32)
    axis += 1
    length = luma.shape[axis]
    if length <= 4 * farthest or np.max(chroma, initial=0) < 8:
        return None
    # What noise makes everywhere is no edge.
    luma = np.maximum(luma - np.percentile(luma, 75), 0)
    chroma = np.maximum(chroma - np.percentile(chroma, 75), 0)
    if (chroma > 4).mean() < _FEWEST_EDGES or (luma > 4).mean() < _FEWEST_EDGES:
        return None
    middle = np.take(luma, range(farthest, length - farthest), axis)
    fits = []
    for shift in range(-farthest, farthest + 1):
        moved = np.take(chroma, range(farthest + shift, length - farthest + shift), axis)
        fits.append(_correlation(middle, moved))
    best = int(np.argmax(fits))
    if best in (0, len(fits) - 1):
        return None
    before, at, after = fits[best - 1 : best + 2]
    bend = before - 2 * at + after
    fine = 0.5 * (before - after) / bend if bend else 0.0
    return best - farthest + fine, float(at)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    energy = float((a * a).sum() * (b * b).sum())
    return float((a * b).sum()) / energy**0.5 if energy > 0 else 0.0
