"""Captures of one tape are aligned through what was dropped, repeated or never recorded."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.analysis.alignment import NONE, Fingerprints, align, repeats

Tape = NDArray[np.float64]
CELLS = 192


def tape(fields: int, *, seed: int = 1, speed: float = 1.0) -> Tape:
    """Cells that move: each is a wave of its own."""
    random = np.random.default_rng(seed)
    speeds = random.uniform(0.05, 0.3, CELLS) * speed
    phases = random.uniform(0, 2 * np.pi, CELLS)
    waves: Tape = 110 + 50 * np.sin(np.arange(fields)[:, None] * speeds + phases)
    return waves


def capture(frames: Tape, *, seed: int, gain: float = 1.0, offset: float = 0.0) -> Fingerprints:
    noise = np.random.default_rng(seed).normal(0, 0.7, frames.shape)
    return np.rint(gain * frames + offset + noise).clip(0, 255).astype(np.uint8)


def test_a_capture_is_aligned_with_itself() -> None:
    one = capture(tape(700), seed=1)
    assert align(one, one).tolist() == list(range(700))


@pytest.mark.parametrize("late", [-900, -37, 0, 5, 450])
def test_late_starts_are_found(late: int) -> None:
    """Also those that are further away than the offsets that are followed."""
    frames = tape(2600)
    reference = capture(frames[max(0, -late) :], seed=1)
    other = capture(frames[max(0, late) :], seed=2)
    found = align(reference, other)
    offset = max(0, -late) - max(0, late)
    expected = np.arange(len(reference)) + offset
    matched = found != NONE
    assert (found[matched] == expected[matched]).all()
    # Of what begins within a block, little is lost.
    assert matched.sum() >= min(len(reference), len(other)) - 70


def test_dropped_frames_are_stepped_over() -> None:
    frames = tape(1200)
    lost = [100, 101, 333, 700, 980]
    found = align(capture(frames, seed=1), capture(np.delete(frames, lost, axis=0), seed=2))
    expected = np.arange(1200) - np.searchsorted(lost, np.arange(1200))
    assert (found[lost] == NONE).all()
    kept = np.delete(np.arange(1200), lost)
    assert (found[kept] == expected[kept]).mean() > 0.99
    assert ((found[kept] == expected[kept]) | (found[kept] == NONE)).all()


def test_the_frames_that_a_reference_dropped_are_left_out() -> None:
    frames = tape(900)
    lost = [200, 201, 202, 600]
    found = align(capture(np.delete(frames, lost, axis=0), seed=1), capture(frames, seed=2))
    expected = np.delete(np.arange(900), lost)
    assert ((found == expected) | (found == NONE)).all()
    assert (found == expected).mean() > 0.98


def test_a_frame_held_in_place_of_a_lost_one_gets_the_number_of_the_lost_one() -> None:
    frames = tape(600)
    reference = capture(frames, seed=1)
    reference[300] = reference[299]
    assert repeats(reference).nonzero()[0].tolist() == [300]
    found = align(reference, capture(frames, seed=2))
    assert found.tolist() == list(range(600))


def test_a_frame_that_the_other_capture_held_is_not_used() -> None:
    frames = tape(600)
    other = capture(frames, seed=2)
    other[300] = other[299]
    found = align(capture(frames, seed=1), other)
    assert found[300] == NONE
    assert found[299] == 299
    assert found[301] == 301


def test_other_levels_do_not_matter() -> None:
    frames = tape(600)
    found = align(capture(frames, seed=1), capture(frames, seed=2, gain=0.85, offset=14))
    assert (found == np.arange(600)).mean() > 0.99


def test_another_tape_is_not_found() -> None:
    found = align(capture(tape(1000, seed=1), seed=1), capture(tape(1000, seed=2), seed=2))
    assert (found == NONE).all()


def test_what_another_programme_interrupts_is_found_again() -> None:
    frames, strange = tape(1800), tape(400, seed=9)
    other = np.concatenate((frames[:700], strange, frames[700:]))
    found = align(capture(frames, seed=1), capture(other, seed=2))
    expected = np.arange(1800) + 400 * (np.arange(1800) >= 700)
    assert ((found == expected) | (found == NONE)).all()
    assert (found == expected).mean() > 0.8


def test_slow_motion_is_never_paired_with_its_neighbour() -> None:
    frames = tape(1000, speed=0.1)
    lost = [250, 640]
    found = align(capture(frames, seed=1), capture(np.delete(frames, lost, axis=0), seed=2))
    expected = np.arange(1000) - np.searchsorted(lost, np.arange(1000))
    wrong = (found != expected) & (found != NONE)
    assert wrong.sum() <= 4


@pytest.mark.parametrize("fields", [0, 1, 3])
def test_short_captures_are_no_trouble(fields: int) -> None:
    one, long = capture(tape(fields), seed=1), capture(tape(500), seed=2)
    assert len(align(one, long)) == fields
    assert (align(long, one) == NONE).sum() >= 500 - fields


def test_a_clip_of_a_few_frames_is_aligned_with_its_copy() -> None:
    one = capture(tape(5), seed=1)
    assert align(one, one).tolist() == list(range(5))
