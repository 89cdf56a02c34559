"""The second model of a tape does what it says: each figure is measured in what comes out."""

import dataclasses

import numpy as np
import pytest

from benchmarks.quality.deck import Deck, peaked, record_and_play, through_composite
from benchmarks.quality.tape import SAMPLE_RATE_MHZ, SAMPLES, Picture

PERFECT = Deck(
    luma_mhz=6.0,
    luma_noise=0,
    chroma_noise=0,
    camera_db=0,
    separation="none",
    chroma_late_samples=0,
    wobble_samples=0,
    dropouts_per_field=0,
    switch_lines=0,
    blanking_samples=0,
)
LINES = 480
MIDDLE = slice(100, 620)


def grey(level: float = 128) -> Picture:
    scene = np.full((3, 2 * LINES, SAMPLES), 128, np.float32)
    scene[0] = level
    return scene


def wave(mhz: float, plane: int = 0) -> Picture:
    scene = grey()
    scene[plane] += 40 * np.sin(2 * np.pi * mhz / SAMPLE_RATE_MHZ * np.arange(SAMPLES))
    return scene


def played(scene: Picture, deck: Deck, frames: int = 1) -> Picture:
    return np.concatenate(list(record_and_play([scene] * 2 * frames, "tff", deck, seed=1)))


def gain_db(mhz: float, deck: Deck, plane: int = 0) -> float:
    made = played(wave(mhz, plane), deck)[plane][LINES // 4 : LINES // 2, MIDDLE]
    return float(20 * np.log10(np.std(made) / np.std(wave(mhz, plane)[plane][:, MIDDLE])))


@pytest.mark.parametrize(("changes", "mhz", "decibels"), [
    ({"peaking_db": 4.0}, 2.0, 4.0),
    ({"camera_db": 2.0}, 2.0, 2.0),
    ({"luma_mhz": 2.2}, 2.2, -3.0),
    ({"luma_mhz": 2.2, "generations": 2}, 2.2, -6.0),
    ({}, 1.0, 0.0),
])  # fmt: skip
def test_detail_is_raised_and_limited(changes: dict[str, float], mhz: float, decibels: float) -> None:
    assert gain_db(mhz, dataclasses.replace(PERFECT, **changes)) == pytest.approx(decibels, abs=0.4)  # type: ignore[arg-type]


def test_an_edge_gets_an_outline() -> None:
    step = np.full((4, SAMPLES), 60.0)
    step[:, SAMPLES // 2 :] = 160
    made = peaked(step, 4.0)
    assert float(np.max(made)) > 160 + 10
    assert float(np.min(made)) < 60 - 10


@pytest.mark.parametrize(("plane", "deck"), [
    (0, dataclasses.replace(PERFECT, luma_noise=5)), (1, dataclasses.replace(PERFECT, chroma_noise=7)),
])  # fmt: skip
def test_noise_is_as_strong_as_it_says(plane: int, deck: Deck) -> None:
    deviation = (deck.luma_noise, deck.chroma_noise)[plane]
    assert np.std(played(grey(), deck, frames=2)[plane::3]) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("lines", [480, 576])
@pytest.mark.parametrize("separation", ["notch", "comb"])
def test_a_plain_colour_survives_composite(lines: int, separation: str) -> None:
    field = np.stack([np.full((lines // 2, SAMPLES), level) for level in (120.0, 150.0, 100.0)])
    made = through_composite(field, 3, lines, separation)[:, 8:-8, MIDDLE]
    assert made.mean(axis=(1, 2)) == pytest.approx([120, 150, 100], abs=0.5)
    assert float(np.max(np.std(made, axis=(1, 2)))) < 1


def test_a_notch_leaves_dots_where_colour_ends() -> None:
    """What a decoder does not take for colour stays in the luma."""
    field = np.stack([np.full((240, SAMPLES), level) for level in (120.0, 128.0, 128.0)])
    field[1, :, SAMPLES // 2 :] = 180
    made = through_composite(field, 0, 480, "notch")
    assert float(np.max(np.abs(made[0][:, SAMPLES // 2 - 4 : SAMPLES // 2 + 4] - 120))) > 10


def test_the_first_moment_is_in_the_first_field() -> None:
    (frame,) = record_and_play([grey(60), grey(180)], "tff", PERFECT, seed=1)
    assert frame[0][0::2].mean() == pytest.approx(60, abs=0.5)
    assert frame[0][1::2].mean() == pytest.approx(180, abs=0.5)


def test_lines_lie_where_they_were() -> None:
    """What is even down the scene has no place; a ramp has, to a fraction of a line."""
    scene = grey()
    scene[0] = np.linspace(40, 200, 2 * LINES)[:, None]
    made = played(scene, PERFECT)[0].mean(axis=1)
    expected = np.linspace(40, 200, 2 * LINES).reshape(LINES, 2).mean(axis=1)
    assert made[4:-4] == pytest.approx(expected[4:-4], abs=0.05)


def test_a_recording_is_the_same_again() -> None:
    noisy = dataclasses.replace(PERFECT, luma_noise=4)
    assert np.array_equal(played(grey(), noisy), played(grey(), noisy))
