"""Harm is told without the truth, in pictures of which the truth is known."""

import numpy as np
import numpy.typing as npt
import pytest

from vhsbatch.analysis.harm import Frame, harm

LINES, SAMPLES = 240, 320
NOISE = 4.0
Planes = npt.NDArray[np.float64]


def scene(shift: int = 0) -> Planes:
    """Flat to the left, fine texture to the right, and thin coloured lines; all planes of one size."""
    random = np.random.default_rng(1)
    texture = random.normal(0, 25, (LINES, SAMPLES))
    texture[:, : SAMPLES // 2] = 0
    luma = np.roll(110 + texture, shift, axis=1)
    cb, cr = np.full((2, LINES // 2, SAMPLES // 2), 128.0)
    cb[:, 100:140:8] -= 40
    return np.stack([luma, *(np.kron(np.roll(plane, shift // 2, 1), np.ones((2, 2))) for plane in (cb, cr))])


def frame(planes: Planes, noise: float = NOISE, seed: int = 0) -> Frame:
    random = np.random.default_rng(seed)
    luma, cb, cr = (
        np.rint(plane + random.normal(0, noise, plane.shape)).clip(0, 255).astype(np.uint8)
        for plane in (planes[0], planes[1][::2, ::2], planes[2][::2, ::2])
    )
    return luma, cb, cr


def blurred(planes: Planes, plane: int) -> Planes:
    result = planes.copy()
    result[plane] = np.mean([np.roll(planes[plane], 2 * by, axis=1) for by in (-2, -1, 0, 1, 2)], axis=0)
    return result


def judged(result: Frame, shift: int = 0) -> dict[str, float | None]:
    source, witness = frame(scene(), seed=1), frame(scene(shift), seed=2)
    return harm([([source, witness], [result, witness])] * 2)


@pytest.mark.parametrize("shift", [0, 6])
def test_noise_that_is_gone_is_a_gain(shift: int) -> None:
    found = judged(frame(scene(), noise=1.0, seed=3), shift)
    assert found["luma"] == pytest.approx(-0.94, abs=0.15)
    assert found["chroma"] == pytest.approx(-0.94, abs=0.15)


def test_the_source_itself_is_neither() -> None:
    found = judged(frame(scene(), seed=1))
    assert found == {"luma": 0.0, "chroma": 0.0, "colour": 1.0}


@pytest.mark.parametrize(("plane", "where"), [(0, "luma"), (1, "chroma")])
def test_detail_that_is_gone_is_harm_although_noise_is_gone_too(plane: int, where: str) -> None:
    found = judged(frame(blurred(scene(), plane), noise=1.0, seed=3))
    (other,) = {"luma", "chroma"} - {where}
    assert (found[where] or 0) > 1
    assert (found[other] or 0) < -0.7


def test_motion_that_is_smeared_is_harm() -> None:
    smeared = (scene(-4) + scene() + scene(4)) / 3
    assert (judged(frame(smeared, noise=1.0, seed=3), shift=8)["luma"] or 0) > 1


def test_a_still_picture_without_noise_of_its_own_tells_nothing() -> None:
    source = frame(scene())
    assert harm([([source, source], [source, source])]) == {"luma": None, "chroma": None, "colour": None}


@pytest.mark.parametrize("kept", [1.0, 0.8, 0.5])
def test_it_is_told_how_much_thin_structures_keep_of_their_colour(kept: float) -> None:
    paler = scene()
    paler[1] = 128 + kept * (paler[1] - 128)
    assert judged(frame(paler, noise=1.0, seed=3))["colour"] == pytest.approx(kept, abs=0.05)


def test_noise_is_no_colour_of_thin_structures() -> None:
    plain = scene()
    plain[1:] = 128
    source, witness = frame(plain, seed=1), frame(plain, seed=2)
    assert harm([([source, witness], [source, witness])])["colour"] is None
