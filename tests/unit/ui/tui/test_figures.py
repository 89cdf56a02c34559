"""What is drawn in the cells of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.ui.tui.figures import bar, sparkline

EIGHTHS = " ▏▎▍▌▋▊▉█"


@given(st.lists(st.floats(0, 1e6), max_size=30), st.integers(1, 20))
def test_a_sparkline_has_its_width(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == width


@pytest.mark.parametrize(
    ("part", "width", "drawn"),
    [
        (0.0, 4, "    "),
        (1.0, 4, "████"),
        (1 / 32, 4, "▏   "),
        (31 / 32, 4, "███▉"),
        (0.25, 4, "█   "),
        (-1.0, 2, "  "),
        (7.5, 2, "██"),
        (0.5, 0, ""),
        (0.5, 1, "▌"),
    ],
)
def test_bars(part: float, width: int, drawn: str) -> None:
    assert bar(part, width) == drawn


@given(part=st.floats(-1, 2), more=st.floats(0, 1), width=st.integers(0, 80))
def test_a_bar_has_its_width_and_never_shrinks(part: float, more: float, width: int) -> None:
    def eighths(drawn: str) -> int:
        return sum(EIGHTHS.index(character) for character in drawn)

    drawn = bar(part, width)
    assert len(drawn) == width
    assert eighths(drawn) <= eighths(bar(part + more, width))
    assert abs(eighths(drawn) - min(1, max(0, part)) * width * 8) <= 0.5
