"""The model of a tape does what it says: each figure is measured in what comes out."""

import dataclasses

import numpy as np
import pytest

from benchmarks.quality.tape import (
    CLEAN,
    SAMPLE_RATE_MHZ,
    SAMPLES,
    WORN,
    Condition,
    Order,
    Picture,
    play,
)

PERFECT = Condition(
    luma_noise=0,
    chroma_noise=0,
    chroma_late_samples=0,
    jitter_samples=0,
    dropouts_per_field=0,
    switch_lines=0,
)
LINES = 48
MIDDLE = slice(100, 620)


def grey(level: float = 128) -> Picture:
    frame = np.full((3, LINES, SAMPLES), 128, np.float32)
    frame[0] = level
    return frame


def wave(mhz: float, plane: int = 0) -> Picture:
    frame = grey()
    frame[plane] += 60 * np.sin(2 * np.pi * mhz / SAMPLE_RATE_MHZ * np.arange(SAMPLES))
    return frame


def played(
    *frames: Picture, condition: Condition = PERFECT, order: Order = "tff", seed: int = 1
) -> list[Picture]:
    return list(play(frames, order, condition, seed=seed))


def loss_db(mhz: float, plane: int) -> float:
    (frame,) = played(wave(mhz, plane), wave(mhz, plane))
    return float(20 * np.log10(np.std(frame[plane][:, MIDDLE]) / np.std(wave(mhz, plane)[plane][:, MIDDLE])))


@pytest.mark.parametrize(("plane", "limit_mhz"), [(0, 3.0), (1, 0.4), (2, 0.4)])
def test_each_plane_has_its_band(plane: int, limit_mhz: float) -> None:
    assert loss_db(limit_mhz / 2, plane) == pytest.approx(0, abs=0.3)
    assert loss_db(limit_mhz, plane) == pytest.approx(-6, abs=0.7)
    assert loss_db(limit_mhz * 1.5, plane) < -30


@pytest.mark.parametrize(("plane", "deviation"), [(0, 5.0), (1, 9.0), (2, 9.0)])
def test_noise_is_as_strong_as_it_says(plane: int, deviation: float) -> None:
    noisy = dataclasses.replace(PERFECT, luma_noise=5, chroma_noise=9)
    frames = played(*[grey()] * 8, condition=noisy)
    assert np.std([frame[plane] for frame in frames]) == pytest.approx(deviation, rel=0.06)


def test_luma_noise_is_fine_and_chroma_noise_streaks() -> None:
    """How far noise is like that of its neighbour on the line says how long its grains are."""
    noisy = dataclasses.replace(PERFECT, luma_noise=5, chroma_noise=9)
    luma, chroma, _ = played(*[grey()] * 2, condition=noisy)[0] - 128

    def likeness(plane: Picture, samples: int) -> float:
        return float(np.corrcoef(plane[:, samples:].ravel(), plane[:, :-samples].ravel())[0, 1])

    assert likeness(luma, 4) < 0.1
    assert likeness(chroma, 4) > 0.8


def test_each_field_has_noise_of_its_own() -> None:
    noisy = dataclasses.replace(PERFECT, luma_noise=5)
    first, second = played(*[grey()] * 4, condition=noisy)
    fields = [frame[0][parity::2].ravel() for frame in (first, second) for parity in (0, 1)]
    assert np.abs(np.corrcoef(fields) - np.eye(4)).max() < 0.06


@pytest.mark.parametrize(("order", "top"), [("tff", 60.0), ("bff", 180.0)])
def test_the_first_moment_is_in_the_first_field(order: Order, top: float) -> None:
    (frame,) = played(grey(60), grey(180), order=order)
    assert frame[0][0::2].mean() == pytest.approx(top, abs=0.5)
    assert frame[0][1::2].mean() == pytest.approx(240 - top, abs=0.5)


def test_a_moment_without_a_partner_is_left_out() -> None:
    assert len(played(*[grey()] * 5)) == 2


def edge_at(plane: Picture) -> float:
    """Where a step from dark to bright lies, in samples, to a fraction of one."""
    line = plane.mean(axis=0)
    low, high = line[:200].mean(), line[-200:].mean()
    return float(SAMPLES - ((line - low) / (high - low)).sum())


def test_chroma_is_late() -> None:
    step = grey()
    step[:, :, SAMPLES // 2 :] += 40
    (frame,) = played(step, step, condition=dataclasses.replace(PERFECT, chroma_late_samples=3))
    assert edge_at(frame[1]) - edge_at(frame[0]) == pytest.approx(3, abs=0.1)


def test_lines_begin_early_and_late_and_drift() -> None:
    step = grey()
    step[0, :, SAMPLES // 2 :] += 80
    frames = played(*[step] * 20, condition=dataclasses.replace(PERFECT, jitter_samples=0.5))
    edges = np.array(
        [[edge_at(frame[0][line : line + 1]) for line in range(0, LINES, 2)] for frame in frames]
    )
    assert np.std(edges) == pytest.approx(0.5, rel=0.3)
    steps = np.diff(edges, axis=1)
    assert np.std(steps) < 0.5 * np.std(edges)


def test_the_head_switch_tears_the_last_lines_alone() -> None:
    step = grey()
    step[0, :, SAMPLES // 2 :] += 80
    (frame,) = played(step, step, condition=dataclasses.replace(PERFECT, switch_lines=3))
    torn = np.abs(frame[0] - played(step, step)[0][0]).max(axis=1)
    assert (torn[-6:] > 40).all()
    assert (torn[:-6] < 0.01).all()


def test_dropouts_are_bright_or_dark_and_have_no_colour() -> None:
    frames = [wave(0.1, plane=1)] * 40
    clean = played(*frames)
    marred = played(*frames, condition=dataclasses.replace(PERFECT, dropouts_per_field=1))
    changed = np.abs(np.array(marred)[:, 0] - np.array(clean)[:, 0]) > 20
    lines = changed.any(axis=2).sum()
    assert 20 <= lines <= 60  # one a field is the mean of 40
    hit = changed & (np.abs(np.array(clean)[:, 1] - 128) > 30)
    assert np.abs(np.array(marred)[:, 1] - 128)[hit].mean() < np.abs(np.array(clean)[:, 1] - 128)[hit].mean()


@pytest.mark.parametrize("condition", [Condition(), CLEAN, WORN])
def test_a_seed_makes_a_recording_and_another_seed_another(condition: Condition) -> None:
    frames = [wave(1.0)] * 2
    (one,) = played(*frames, condition=condition, seed=3)
    (same,) = played(*frames, condition=condition, seed=3)
    (other,) = played(*frames, condition=condition, seed=4)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.min(one) >= 1
    assert np.max(one) <= 254
