"""Both fields of a frame are aligned, and what is said of it."""

from pathlib import Path

import numpy as np

from vhsbatch.analysis.alignment import NONE
from vhsbatch.analysis.alignment_worker import align_fields, describe, read_fingerprints

CELLS = 96


def frames(count: int, *, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Fields that move, with the noise of one pass."""
    waves = np.random.default_rng(1)
    speeds, phases = waves.uniform(0.1, 0.5, CELLS), waves.uniform(0, 6, CELLS)
    moments = np.arange(2 * count)[:, None]
    fields = 110 + 50 * np.sin(moments * speeds / 2 + phases)
    noise = np.random.default_rng(seed).normal(0, 0.7, fields.shape)
    return np.rint(fields + noise).astype(np.uint8).reshape(count, 2, CELLS)


def test_a_capture_whose_frames_begin_with_the_other_field() -> None:
    """Its bottom fields are in the frame before."""
    one, other = frames(400, seed=1), frames(401, seed=2)
    woven = np.stack([other[1:, 0], other[:-1, 1]], axis=1)
    numbers = align_fields(one, woven)
    inside = slice(1, 399)
    assert (numbers[0, inside] == np.arange(400)[inside] - 1).mean() > 0.98
    assert (numbers[1, inside] == np.arange(400)[inside]).mean() > 0.98


def test_what_is_said_of_an_alignment() -> None:
    numbers = np.array([[NONE, 3, 4, 5, 7], [NONE, 3, 4, 5, 7]], np.int32)
    assert describe(numbers) == {"frames": 4, "first": 2, "last": 3, "changes": 1}
    assert describe(np.full((2, 3), NONE, np.int32))["first"] is None


def test_an_empty_file_has_no_fingerprints(tmp_path: Path) -> None:
    path = tmp_path / "fingerprints"
    path.write_bytes(b"")
    assert len(read_fingerprints(path, CELLS)) == 0
