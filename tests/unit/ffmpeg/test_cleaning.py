"""What the filter that undoes sharpening does to each frequency along a line."""

import re

import numpy as np
import pytest

from vhsbatch.ffmpeg.cleaning import undo_sharpening
from vhsbatch.ffmpeg.graph import compiled, read

SAMPLES_A_US = {720: 13.5, 640: 12.0, 352: 6.6}


def taps(amount: float, width: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    graph = compiled(undo_sharpening(read("source", "0"), amount, width))
    match = re.search(r"0m=([-0-9 ]+)", graph)
    assert match is not None, graph
    assert "0mode=row" in graph
    return np.array([int(number) for number in match[1].split()]) / 1000


@pytest.mark.parametrize("width", SAMPLES_A_US)
@pytest.mark.parametrize("amount", [0.05, 0.2])
def test_detail_of_two_megahertz_is_taken_back(width: int, amount: float) -> None:
    found = taps(amount, width)
    at = np.arange(len(found)) - len(found) // 2
    assert len(found) % 2 == 1
    assert found == pytest.approx(found[::-1])
    assert found.sum() == pytest.approx(1)
    gain = (found * np.cos(2 * np.pi * 2.0 / SAMPLES_A_US[width] * at)).sum()
    # Between two samples the delay is not quite what it is to be.
    assert gain == pytest.approx(1 - 2 * amount, abs=0.1 * amount + 0.08 * (width < 640))


def test_nothing_is_done_where_nothing_was_sharpened() -> None:
    source = read("source", "0")
    assert undo_sharpening(source, 0.0, 720) is source
