"""Cadences in fields that are made here."""

import io

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.probe.telecine_protocol import STRETCH_FRAMES
from vhsbatch.probe.telecine_worker import all_partners, cadences, field_steps, frames_of

WIDTH, HEIGHT = 32, 48
Frames = npt.NDArray[np.uint8]


def moving(pictures: int) -> npt.NDArray[np.float64]:
    """A soft texture that moves on from picture to picture."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.array([128 + 60 * np.sin((x + 2 * n) / 3) * np.cos(y / 7) for n in range(pictures)])


def woven(pictures: npt.NDArray[np.float64], tops: list[int], bottoms: list[int], noise: float) -> Frames:
    frames = np.empty((len(tops), HEIGHT, WIDTH))
    frames[:, 0::2], frames[:, 1::2] = pictures[tops][:, 0::2], pictures[bottoms][:, 1::2]
    frames += np.random.default_rng(1).normal(0, noise, frames.shape)
    return frames.clip(0, 255).astype(np.uint8)


def film(frames: int, *, noise: float, bottom_first: bool = False) -> Frames:
    fields = [n for n in range(frames) for _ in range(3 if n % 2 else 2)][: 2 * frames]
    first, second = fields[0::2], fields[1::2]
    return woven(moving(frames), *((second, first) if bottom_first else (first, second)), noise)


def fits(frames: Frames) -> list[float | None]:
    steps, _ = field_steps(frames_of(io.BytesIO(frames.tobytes()), WIDTH, HEIGHT))
    return cadences(steps)


def partners(frames: Frames) -> list[tuple[float, float] | None]:
    return all_partners(*field_steps(frames_of(io.BytesIO(frames.tobytes()), WIDTH, HEIGHT)))


@pytest.mark.parametrize("bottom_first", [False, True])
@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_film_has_a_cadence_in_every_stretch(noise: float, bottom_first: bool) -> None:
    assert fits(film(2 * STRETCH_FRAMES, noise=noise, bottom_first=bottom_first)) == [1.0, 1.0]


def test_video_has_none() -> None:
    fields = range(2 * STRETCH_FRAMES)
    (fit,) = fits(woven(moving(2 * STRETCH_FRAMES), list(fields[0::2]), list(fields[1::2]), 3.0))
    assert fit is None or fit < 0.4


def test_whole_frames_that_are_repeated_are_no_cadence() -> None:
    shown = [n * 4 // 5 for n in range(STRETCH_FRAMES)]
    (fit,) = fits(woven(moving(STRETCH_FRAMES), shown, shown, 1.0))
    assert fit is not None
    assert fit <= 0.5


def test_a_picture_that_stands_still_does_not_tell() -> None:
    still = [0] * STRETCH_FRAMES
    assert fits(woven(moving(1), still, still, 4.0)) == [None]


def test_nothing_gives_nothing() -> None:
    assert fits(np.empty((0, HEIGHT, WIDTH), np.uint8)) == []


@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_film_of_25_pictures_is_out_of_step_in_every_frame_or_in_none(noise: float) -> None:
    pictures, shown = moving(STRETCH_FRAMES + 1), list(range(STRETCH_FRAMES))
    later = [n + 1 for n in shown]
    assert partners(woven(pictures, shown, later, noise)) == [(1.0, 0.0)]
    assert partners(woven(pictures, later, shown, noise)) == [(1.0, 0.0)]
    assert partners(woven(pictures, shown, shown, noise)) == [(0.0, 1.0)]


def test_video_is_not_out_of_step() -> None:
    fields = range(2 * STRETCH_FRAMES)
    video = woven(moving(2 * STRETCH_FRAMES), list(fields[0::2]), list(fields[1::2]), 3.0)
    (found,) = partners(video)
    assert found is None or max(found) < 0.2
