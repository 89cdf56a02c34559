"""Noise and torn lines in pictures in which both are known."""

import io

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.picture_worker import noise, read_frames, torn_lines

Plane = npt.NDArray[np.uint8]

LINES, SAMPLES, FRAMES = 240, 360, 6


def scene(frame: int, *, speed: int) -> npt.NDArray[np.float64]:
    """A slope with a bar that moves by `speed` samples a frame."""
    picture = np.tile(np.linspace(60, 180, SAMPLES), (LINES, 1))
    left = 20 + frame * speed
    picture[40:120, left : left + 60] = 200
    return picture


def tape(sigma: float, *, speed: int = 0, line_bandwidth: int = 1) -> list[Plane]:
    """Frames with noise of `sigma`; tape noise is soft along a line, never across lines."""
    random = np.random.default_rng(1)
    frames = []
    for number in range(FRAMES):
        grain = random.normal(0, 1, (LINES, SAMPLES + line_bandwidth - 1))
        soft = np.stack([np.convolve(row, np.ones(line_bandwidth), "valid") for row in grain])
        noisy = scene(number, speed=speed) + sigma * soft / line_bandwidth**0.5
        frames.append(np.clip(np.round(noisy), 16, 235).astype(np.uint8))
    return frames


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("line_bandwidth", [1, 3])
def test_noise_is_measured_where_nothing_moves(sigma: float, line_bandwidth: int) -> None:
    assert noise(tape(sigma, line_bandwidth=line_bandwidth)) == pytest.approx(sigma, rel=0.15)


def test_what_moves_is_not_taken_for_noise() -> None:
    assert noise(tape(3.0, speed=7)) == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize("level", [16, 235])
def test_clipped_pictures_do_not_tell(level: int) -> None:
    random = np.random.default_rng(1)
    frames = [
        np.clip(level + random.normal(0, 2, (LINES, SAMPLES)), 16, 235).astype(np.uint8) for _ in range(3)
    ]
    assert noise(frames) is None


def test_frozen_pictures_do_not_tell() -> None:
    assert noise(tape(3.0)[:1] * FRAMES) is None


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
