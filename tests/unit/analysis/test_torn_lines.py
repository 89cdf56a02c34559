"""Torn lines in pictures in which they are known, and edges of the picture that are no tear."""

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.torn_lines import torn_lines

Plane = npt.NDArray[np.uint8]
Scene = npt.NDArray[np.float64]

LINES, SAMPLES, FRAMES = 240, 360, 6


def scene() -> Scene:
    """A slope with a bar."""
    picture = np.tile(np.linspace(60, 180, SAMPLES), (LINES, 1))
    picture[40:120, 20:80] = 200
    return picture


def detailed() -> Scene:
    """Vertical structures that waver from line to line, as trees and people do."""
    along, down = np.arange(SAMPLES), np.arange(LINES)[:, None]
    waves = (np.sin((along + 3 * np.sin(down / 30)) / period) for period in (5, 11, 23))
    return 120 + sum(waves, np.zeros((LINES, SAMPLES))) * 20


def frames_of(picture: Scene, sigma: float) -> list[Plane]:
    """Frames with noise of `sigma`."""
    random = np.random.default_rng(1)
    noisy = [picture + random.normal(0, sigma, picture.shape) for _ in range(FRAMES)]
    return [np.clip(np.round(frame), 16, 235).astype(np.uint8) for frame in noisy]


@pytest.mark.parametrize("lines", [4, 6, 10])
@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_displaced_lines_at_the_bottom_are_counted(lines: int, sigma: float) -> None:
    frames = frames_of(scene(), sigma)
    for frame in frames:
        frame[-lines:] = np.roll(frame[-lines:], SAMPLES // 3, axis=1)
    assert torn_lines(frames) == lines


@pytest.mark.parametrize("lines", [4, 6, 10])
@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_lines_that_are_torn_differently_in_each_frame_are_counted(lines: int, sigma: float) -> None:
    random = np.random.default_rng(2)
    frames = frames_of(detailed(), sigma)
    for frame in frames:
        for line in range(LINES - lines, LINES):
            moved = np.roll(frame[line], random.integers(20, 50)) + random.normal(0, 4 * sigma, SAMPLES)
            frame[line] = np.clip(moved, 16, 235)
    assert torn_lines(frames) == lines


@pytest.mark.parametrize("picture", [scene(), detailed()], ids=["plain", "detailed"])
@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
def test_a_picture_that_is_whole_has_no_torn_lines(picture: Scene, sigma: float) -> None:
    assert torn_lines(frames_of(picture, sigma)) == 0


@pytest.mark.parametrize("lines", [2, 4, 8, 12])
@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
@pytest.mark.parametrize("level", [16.0, 230.0])
def test_a_border_is_no_tear(lines: int, sigma: float, level: float) -> None:
    picture = detailed()
    picture[-lines:] = level
    assert torn_lines(frames_of(picture, sigma)) == 0


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
@pytest.mark.parametrize("speed", [0, 3], ids=["still", "moving"])
def test_text_at_the_bottom_is_no_tear(sigma: float, speed: int) -> None:
    random = np.random.default_rng(4)
    text = (random.random((4, SAMPLES)) > 0.5).repeat(3, axis=0).repeat(4, axis=1) * 200.0 + 20
    frames = frames_of(detailed(), sigma)
    for number, frame in enumerate(frames):
        from_sample = speed * number
        shown = text[:, from_sample : from_sample + SAMPLES] + random.normal(0, sigma, (12, SAMPLES))
        frame[-12:] = np.clip(shown, 16, 235)
    assert torn_lines(frames) == 0


def test_a_drawn_pattern_is_no_tear() -> None:
    picture = np.tile(np.linspace(20, 230, SAMPLES), (LINES, 1))
    picture[-14:] = np.where(np.arange(SAMPLES) // 40 % 2, 200.0, 40.0)
    assert torn_lines(frames_of(picture, 0.0)) == 0


def test_a_thumbnail_has_no_torn_lines() -> None:
    frames = [np.zeros((48, 64), np.uint8) for _ in range(2)]
    frames[0][-10:] = frames[1][-10:] = 200
    assert torn_lines(frames) == 0
