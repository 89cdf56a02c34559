"""Fields of several captures become one: noise falls, dropouts are voted out, equal ones stay."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.analysis.merging import Merger

LINES, WIDTH = 120, 360
Scene = NDArray[Any]
Planes = list[NDArray[np.uint8]]


def scene(*, late: float = 0.0, down: int = 0) -> Scene:
    x = np.arange(WIDTH)[None, :] - late
    y = np.arange(LINES)[:, None] - down
    soft = 30 * np.sin(x / 9 + y / 15) + 25 * np.sin(x / 31 - y / 7) + 20 * np.tanh((x - 150) / 3)
    return np.asarray(120 + soft)


def planes(luma: Scene, *, noise: float = 0.0, seed: int = 0) -> Planes:
    random = np.random.default_rng(seed)
    chroma = 128 + 0.2 * (luma[:, ::2] - 120)
    return [
        np.rint(plane + random.normal(0, noise, plane.shape)).clip(0, 255).astype(np.uint8)
        for plane in (luma, chroma, 256 - chroma)
    ]


def merged(captures: list[Planes], *, learned: int = 4) -> tuple[Planes, tuple[int, ...]]:
    merger = Merger(len(captures))
    for _ in range(learned):
        merger.learn(captures[0], captures[1:])
    found = merger.merge(captures[0], captures[1:], parity=0)
    return found.planes, found.agreed


def error(made: NDArray[np.uint8], truth: Scene) -> float:
    return float(np.sqrt(np.square(made - truth).mean()))


@pytest.mark.parametrize("captures", [2, 3, 5])
def test_identical_captures_give_back_the_identical_picture(captures: int) -> None:
    one = planes(scene(), noise=6)
    made, agreed = merged([one] * captures)
    assert agreed == tuple(range(captures))
    assert all(np.array_equal(a, b) for a, b in zip(made, one, strict=True))


@pytest.mark.parametrize(("captures", "part"), [(2, 0.75), (3, 0.63), (5, 0.52)])
def test_noise_falls(captures: int, part: float) -> None:
    truth = scene()
    noisy = [planes(truth, noise=6, seed=seed) for seed in range(captures)]
    made, _ = merged(noisy)
    assert error(made[0], truth) < part * error(noisy[0][0], truth)
    assert error(made[1], planes(truth)[1]) < part * error(noisy[0][1], planes(truth)[1])


@pytest.mark.parametrize("captures", [2, 3])
@pytest.mark.parametrize("where", [0, 1])
def test_a_dropout_of_one_capture_is_not_seen(captures: int, where: int) -> None:
    truth = scene()
    all_of_them = [planes(truth, noise=3, seed=seed) for seed in range(captures)]
    all_of_them[where][0][40, 100:190] = 235
    all_of_them[where][1][40, 50:95] = 128
    made, _ = merged(all_of_them)
    streak = (slice(40, 41), slice(100, 190))
    assert error(made[0][streak], truth[streak]) < 6


def test_levels_and_place_of_another_deck_are_matched() -> None:
    truth = scene()
    other = planes(0.9 * scene(late=3, down=1) + 8, noise=2, seed=2)
    one = planes(truth, noise=2, seed=1)
    made, agreed = merged([one, other])
    assert agreed == (0, 1)
    inside = (slice(4, -4), slice(8, -8))
    assert error(made[0][inside], truth[inside]) < 0.85 * error(one[0][inside], truth[inside])


def test_another_deck_half_a_sample_off_does_not_blur() -> None:
    one, other = planes(scene()), planes(scene(late=2.5))
    merger = Merger(2)
    for _ in range(4):
        merger.learn(one, [other])
    ((down, late, _, _),) = merger.places()
    assert down == 0
    assert late == pytest.approx(2.5, abs=0.15)


def test_another_picture_is_not_blended() -> None:
    one = planes(scene(), noise=2, seed=1)
    other = planes(scene()[::-1], noise=2, seed=2)
    made, agreed = merged([one, other], learned=0)
    assert agreed == (0,)
    assert all(np.array_equal(a, b) for a, b in zip(made, one, strict=True))


def test_a_much_noisier_capture_counts_less() -> None:
    truth = scene()
    good, bad = planes(truth, noise=3, seed=1), planes(truth, noise=18, seed=2)
    made, _ = merged([good, bad])
    assert error(made[0], truth) < 1.05 * error(good[0], truth)


def test_a_held_frame_of_the_reference_makes_room_for_another_capture() -> None:
    truth = planes(scene(late=20))
    merger = Merger(2)
    found = merger.merge(planes(scene()), [truth], parity=0, held=True)
    assert found.agreed == (1,)
    assert np.array_equal(found.planes[0], truth[0])


def test_deep_samples_keep_their_depth() -> None:
    deep = [(plane.astype(np.uint16) * 4 + 1) for plane in planes(scene(), noise=4)]
    merger = Merger(2, bits=10)
    merger.learn(deep, [deep])
    found = merger.merge(deep, [deep], parity=1)
    assert all(np.array_equal(a, b) for a, b in zip(found.planes, deep, strict=True))
    assert found.planes[0].dtype == np.uint16
