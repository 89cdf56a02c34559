"""Torn lines in pictures in which they are known, and what frames are read from."""

import io

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.picture_worker import read_frames, torn_lines

Plane = npt.NDArray[np.uint8]

LINES, SAMPLES, FRAMES = 240, 360, 6


def scene() -> npt.NDArray[np.float64]:
    """A slope with a bar."""
    picture = np.tile(np.linspace(60, 180, SAMPLES), (LINES, 1))
    picture[40:120, 20:80] = 200
    return picture


def tape(sigma: float) -> list[Plane]:
    """Frames with noise of `sigma`."""
    random = np.random.default_rng(1)
    noisy = [scene() + random.normal(0, sigma, (LINES, SAMPLES)) for _ in range(FRAMES)]
    return [np.clip(np.round(frame), 16, 235).astype(np.uint8) for frame in noisy]


@pytest.mark.parametrize("lines", [4, 6, 10])
def test_displaced_lines_at_the_bottom_are_counted(lines: int) -> None:
    frames = tape(3.0)
    for frame in frames:
        frame[-lines:] = np.roll(frame[-lines:], SAMPLES // 3, axis=1)
    assert torn_lines(frames) == lines


def test_a_picture_that_is_whole_has_no_torn_lines() -> None:
    assert torn_lines(tape(6.0)) == 0


def test_a_frame_that_breaks_off_is_left_out() -> None:
    size = 16 * 8 + 2 * 8 * 8
    frames = list(read_frames(io.BytesIO(bytes(size * 2 + 5)), 16, 8, 8, 8))
    assert [plane.shape for plane in frames[0]] == [(8, 16), (8, 8), (8, 8)]
    assert len(frames) == 2
