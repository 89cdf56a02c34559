"""What the worker program says, told from what libraries print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.engines.control import ControlLine, parse_control_line

LINES = st.builds(
    ControlLine,
    event=st.sampled_from(["ready", "progress", "done"]),
    frames=st.none() | st.integers(min_value=0),
    repeated_frames=st.none() | st.integers(min_value=0),
)


@given(LINES)
def test_a_line_comes_back_as_it_was(line: ControlLine) -> None:
    assert parse_control_line(line.dump()) == line


def test_the_lines_are_what_another_program_would_expect() -> None:
    assert ControlLine("ready").dump() == '{"vhsbatch": "ready"}'
    assert ControlLine("progress", frames=7).dump() == '{"vhsbatch": "progress", "frames": 7}'
    assert (
        ControlLine("done", frames=7, repeated_frames=0).dump()
        == '{"vhsbatch": "done", "frames": 7, "repeated_frames": 0}'
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "50.00%",
        "[0 llvmpipe (LLVM 15.0.6, 256 bits)]  queueC=0[1]  queueT=0[1]",
        "vkAllocateMemory failed -2",
        '{"event": "progress", "frames": 7}',
        '["vhsbatch"]',
        '{"vhsbatch": "progress", "frames": 7',
        '{"vhsbatch": "progress"} 50.00%',
        '{"vhsbatch"}',
    ],
)
def test_any_other_line_is_a_librarys(line: str) -> None:
    assert parse_control_line(line) is None


@given(line=LINES, cut=st.integers(min_value=1))
def test_a_torn_line_says_nothing(line: ControlLine, cut: int) -> None:
    text = line.dump()
    assert parse_control_line(text[: -1 - cut % len(text)]) is None
