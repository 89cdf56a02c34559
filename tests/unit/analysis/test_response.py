"""How steep edges are, told in pictures whose edges are known."""

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.response import steepness

LINES, SAMPLES = 480, 720
Luma = npt.NDArray[np.uint8]


def steps(axis: int, *, spread: float = 1.0) -> Luma:
    """Edges one way, each of which takes `spread` samples or lines."""
    at = np.arange((LINES, SAMPLES)[axis], dtype=float)
    period = 60
    phase = at % period
    up = np.clip((phase - 15) / spread, 0, 1) - np.clip((phase - 45) / spread, 0, 1)
    line = 60 + 120 * up
    plane = np.broadcast_to(line[:, None] if axis == 0 else line[None, :], (LINES, SAMPLES))
    return np.rint(plane).astype(np.uint8)


def both(*, across: float, down: float) -> Luma:
    """Edges down in the left half, edges across in the right one."""
    picture = steps(1, spread=across)
    picture[:, : SAMPLES // 2] = steps(0, spread=down)[:, : SAMPLES // 2]
    return picture


@pytest.mark.parametrize(("across", "down"), [(2, 2), (4, 2), (3, 4)])
def test_an_edge_rises_by_its_step_over_its_length(across: float, down: float) -> None:
    found = steepness([both(across=across, down=2 * down)], fields=2)
    assert found is not None
    assert found == pytest.approx((1 / across, 1 / down), rel=0.1)


def test_lines_of_whole_frames_are_not_taken_apart() -> None:
    found = steepness([both(across=3, down=2)], fields=1)
    assert found is not None
    assert found == pytest.approx((1 / 3, 1 / 2), rel=0.1)


def test_noise_is_not_steep() -> None:
    random = np.random.default_rng(1)
    noisy = both(across=4, down=4) + random.normal(0, 4, (LINES, SAMPLES))
    found = steepness([np.rint(noisy).astype(np.uint8)], fields=2)
    assert found is not None
    assert found[0] == pytest.approx(1 / 4, rel=0.25)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((LINES, SAMPLES), 90, np.uint8),
        steps(1),  # nothing changes down the picture
        np.random.default_rng(2).integers(30, 220, (LINES, SAMPLES)).astype(np.uint8),
        np.full((20, 30), 90, np.uint8),
    ],
    ids=["plain", "one way", "noise alone", "tiny"],
)
def test_a_picture_without_edges_tells_nothing(picture: Luma) -> None:
    assert steepness([picture], fields=2) is None


def test_thin_lines_are_no_edges() -> None:
    picture = np.full((LINES, SAMPLES), 90, np.uint8)
    picture[:, 30::60] = 200
    picture[20::40] = 200
    assert steepness([picture], fields=1) is None
