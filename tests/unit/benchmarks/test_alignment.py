"""Nothing is scored that is a frame or a pixel off."""

import re

import numpy as np
import pytest

from benchmarks.quality.alignment import Luma, MisalignedError, check, shift_in_space, shift_in_time


@pytest.fixture(scope="module")
def scene() -> Luma:
    """A soft blob that moves over soft ground, 40 frames with room around them."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[0:120, 0:160].astype(np.float32)
    ground = 60 + 20 * np.sin(x / 7) * np.cos(y / 9)
    frames = [
        ground
        + 100 * np.exp(-((x - 20 - 3 * t) ** 2 + (y - 60 - 20 * np.sin(t / 6)) ** 2) / 80)
        + random.normal(0, 4, x.shape)
        for t in range(40)
    ]
    clip: Luma = np.clip(frames, 0, 255).astype(np.uint8)
    return clip


def worse(scene: Luma) -> Luma:
    """As a restoration is: softer, noisy, of another contrast."""
    soft = (scene + np.roll(scene, 1, 2).astype(np.float32) + np.roll(scene, -1, 2)) / 3
    noise = np.random.default_rng(6).normal(0, 6, scene.shape)
    result: Luma = np.clip(0.9 * soft + 8 + noise, 0, 255).astype(np.uint8)
    return result


def test_a_poor_restoration_is_aligned(scene: Luma) -> None:
    check(scene, worse(scene))


@pytest.mark.parametrize("late", [-3, -1, 1, 2])
def test_frames_that_are_late_are_found(scene: Luma, late: int) -> None:
    result = np.roll(worse(scene), late, axis=0)
    assert shift_in_time(scene, result) == late
    with pytest.raises(MisalignedError, match=re.escape(f"{late:+d} frames late")):
        check(scene, result)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -1), (-2, 2)])
def test_a_moved_picture_is_found(scene: Luma, down: int, right: int) -> None:
    result = np.roll(worse(scene), (down, right), axis=(1, 2))
    assert shift_in_space(scene, result) == (down, right)
    with pytest.raises(MisalignedError, match=re.escape(f"{down:+d} pixels lower and {right:+d} to")):
        check(scene, result)


def test_another_number_of_frames_is_no_result(scene: Luma) -> None:
    with pytest.raises(MisalignedError, match="39"):
        check(scene, scene[:-1])


def test_too_few_frames_to_tell_are_refused(scene: Luma) -> None:
    with pytest.raises(ValueError, match="too few"):
        shift_in_time(scene[:6], scene[:6])
