"""Edges, levels and the place of colour in pictures in which they are known."""

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.picture_edges import borders, chroma_shift, is_blank, levels

LINES, SAMPLES = 240, 360
Plane = npt.NDArray[np.uint8]


def noisy(picture: npt.NDArray[np.float64], sigma: float, seed: int = 1) -> Plane:
    grain = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.round(picture + grain), 1, 254).astype(np.uint8)


def framed(left: int, right: int, top: int, bottom: int, *, level: float = 110, sigma: float = 4) -> Plane:
    picture = np.full((LINES, SAMPLES), 16.0)
    picture[top : LINES - bottom, left : SAMPLES - right] = level
    return noisy(picture, sigma)


@pytest.mark.parametrize("edges", [(0, 0, 0, 0), (8, 6, 0, 0), (11, 0, 4, 2), (0, 0, 30, 30)])
def test_black_edges_are_counted(edges: tuple[int, int, int, int]) -> None:
    assert borders([framed(*edges)] * 2) == dict(zip(("left", "right", "top", "bottom"), edges, strict=True))


def test_a_dark_picture_does_not_tell() -> None:
    assert borders([framed(8, 8, 0, 0, level=30)]) is None


@pytest.mark.parametrize(("level", "blank"), [(16, True), (110, True)])
def test_one_colour_is_blank(level: float, blank: bool) -> None:
    plane = noisy(np.full((LINES, SAMPLES), float(level)), 4)
    assert is_blank(plane, (plane, plane)) is blank


def test_a_picture_is_not_blank() -> None:
    slope = noisy(np.tile(np.linspace(60, 160, SAMPLES), (LINES, 1)), 4)
    flat = np.full((LINES, SAMPLES), 128, np.uint8)
    assert not is_blank(slope, (flat, flat))
    assert not is_blank(flat, (flat, slope))


def test_levels_that_are_clipped_are_counted() -> None:
    picture = np.tile(np.linspace(60, 200, SAMPLES), (LINES, 1))
    picture[60:180, 90:180] = 255
    found = levels([picture.astype(np.uint8)])
    inner = (120 * 90) / ((LINES * 0.8) * (SAMPLES * 0.8))
    assert found["at_ceiling"] == pytest.approx(inner, rel=0.02)
    assert found["above_white"] == pytest.approx(inner, rel=0.02)
    assert (found["brightest"], found["at_floor"]) == (255, 0)


def patches(seed: int = 3) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Coloured fields of several sizes on grey: luma and chroma, with the same edges."""
    random = np.random.default_rng(seed)
    luma, chroma = np.full((LINES, SAMPLES), 90.0), np.full((LINES, SAMPLES), 128.0)
    for _ in range(25):
        y, x = random.integers(0, LINES - 50), random.integers(0, SAMPLES - 90)
        place = (slice(y, y + random.integers(20, 50)), slice(x, x + random.integers(30, 90)))
        luma[place], chroma[place] = random.uniform(60, 200), random.uniform(70, 190)
    return luma, chroma


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (4, 0), (-6, 2), (8, -4)])
def test_a_shift_of_colour_is_measured_under_noise(x: int, y: int, fields: int) -> None:
    luma, chroma = patches()
    soft = np.stack([np.convolve(row, np.ones(17) / 17, "same") for row in chroma])
    shifted = np.roll(soft, (y, x), axis=(0, 1))
    lumas = [noisy(luma, 6, seed) for seed in range(6)]
    pairs = [(noisy(shifted, 8, seed), noisy(256 - shifted, 8, seed + 50)) for seed in range(6)]
    found = chroma_shift(lumas, pairs, fields=fields)
    assert found is not None
    assert found["x"] == pytest.approx(x, abs=0.5)
    assert found["y"] == pytest.approx(y, abs=0.5)


def test_grey_tells_of_no_shift() -> None:
    luma, _ = patches()
    grey = np.full((LINES, SAMPLES), 128, np.uint8)
    assert chroma_shift([noisy(luma, 6)], [(grey, grey)], fields=1) is None
