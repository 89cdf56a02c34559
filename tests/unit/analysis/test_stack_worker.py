"""Captures are merged frame by frame, by the numbers that they were aligned to."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from vhsbatch.analysis.alignment import NONE
from vhsbatch.analysis.stack_worker import Capture, EndError, Stack, frame_layout

WIDTH, HEIGHT = 160, 48
FORM = frame_layout("yuv420p", WIDTH, HEIGHT)


def frames(count: int) -> list[NDArray[np.uint8]]:
    """Frames that differ, as bytes of their planes."""
    x = np.arange(WIDTH)[None, :]
    y = np.arange(HEIGHT)[:, None]
    made = []
    for number in range(count):
        luma = 120 + 60 * np.sin((x + 17 * number) / 11) * np.cos(y / 9 + number)
        chroma = np.full(WIDTH * HEIGHT // 2, 128)
        made.append(np.concatenate((luma.ravel(), chroma)).round().astype(np.uint8))
    return made


def capture(pictures: list[NDArray[np.uint8]]) -> Capture:
    return Capture(io.BytesIO(b"".join(one.tobytes() for one in pictures)), FORM)


def numbers(own: list[int]) -> NDArray[np.int32]:
    return np.array([[own, own]], np.int32)


def stacked(stack: Stack) -> list[NDArray[np.uint8]]:
    made = [np.concatenate([plane.ravel() for plane in frame]) for frame in stack.frames()]
    stack.expect_end()
    return made


def test_a_capture_that_lost_and_repeated_frames_changes_nothing() -> None:
    tape = frames(40)
    other = [*tape[2:20], tape[19], *tape[20:30], *tape[31:]]
    own = [NONE, NONE, *range(18), *range(19, 29), NONE, *range(29, 38)]
    stack = Stack([capture(tape), capture(other)], numbers(own), FORM, minute=30)
    assert all(map(np.array_equal, stacked(stack), tape))
    report = stack.report()
    assert report["minutes"] == [[2, 28], [1, 9]]
    assert report["used"] == [80, 74]


def test_a_frame_that_the_reference_lost_comes_from_another_capture() -> None:
    tape = frames(30)
    reference = [*tape[:12], tape[11], *tape[13:]]
    stack = Stack([capture(reference), capture(tape)], numbers(list(range(30))), FORM, minute=30)
    assert all(map(np.array_equal, stacked(stack), tape))
    assert stack.report()["filled"] == 2


def test_a_capture_that_is_too_short_is_an_error() -> None:
    tape = frames(10)
    stack = Stack([capture(tape), capture(tape[:5])], numbers(list(range(10))), FORM, minute=30)
    with pytest.raises(EndError, match="ended after 5 frames"):
        stacked(stack)


def test_a_reference_that_is_too_long_is_an_error() -> None:
    tape = frames(10)
    stack = Stack([capture(tape), capture(tape)], numbers(list(range(8))), FORM, minute=30)
    with pytest.raises(EndError, match="more than 8"):
        stacked(stack)


def test_a_torn_frame_is_an_error() -> None:
    torn = Capture(io.BytesIO(frames(1)[0].tobytes() + b"x"), FORM)
    with pytest.raises(EndError, match="broke off"):
        torn.frame(1)
