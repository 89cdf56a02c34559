"""Frames come out in the order in which they went in, however many are under way."""

import threading

import numpy as np
import pytest

from vhsbatch.engines.inflight import InFlight
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, Upscaler

SCALE = 2


def frame(level: int) -> Frame:
    return np.full((4, 6, 3), level, np.uint8)


def larger(frame: Frame) -> Frame:
    return frame.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


class Together:
    """A model that gives nothing until so many frames are with it, or it is told that no more will come."""

    def __init__(self, frames: int) -> None:
        self._barrier = threading.Barrier(frames)
        self.calls = 0

    def __call__(self, frame: Frame) -> Frame:
        self.calls += 1
        self._barrier.wait(timeout=300)
        return larger(frame)


def levels(frames: list[Frame]) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in frames]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_so_many_are_with_the_model_at_a_time(threads: int) -> None:
    # With fewer the barrier would break.
    model = InFlight(lambda: Together(threads), scale=SCALE, threads=threads, skip_duplicates=True)
    out = list(model.upscaled(frame(level) for level in range(10, 70, 10)))
    assert levels(out) == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize("threads", [1, 2])
def test_still_frames_go_through_once(threads: int) -> None:
    calls: list[int] = []

    def upscale(frame: Frame) -> Frame:
        calls.append(int(frame[0, 0, 0]))
        return larger(frame)

    model = InFlight(lambda: upscale, scale=SCALE, threads=threads, skip_duplicates=True)
    out = list(model.upscaled(map(frame, [7, 7, 7, 9, 7, 7])))
    assert levels(out) == [7, 7, 7, 9, 7, 7]
    assert sorted(calls) == [7, 7, 9]
    assert model.duplicate_frames == 3


def test_every_frame_goes_through_where_that_is_asked_for() -> None:
    together = Together(1)
    model = InFlight(lambda: together, scale=SCALE, threads=1, skip_duplicates=False)
    assert len(list(model.upscaled(map(frame, [7, 7, 7])))) == 3
    assert (together.calls, model.duplicate_frames) == (3, 0)


def test_a_bad_frame_ends_it_and_those_before_it_get_out() -> None:
    def upscale(frame: Frame) -> Frame:
        if frame[0, 0, 0] == 30:
            raise RuntimeFailureError("the device is lost")
        return larger(frame)

    model = InFlight(lambda: upscale, scale=SCALE, threads=2, skip_duplicates=True)
    out = model.upscaled(map(frame, [10, 20, 30, 40]))
    assert levels([next(out), next(out)]) == [10, 20]
    with pytest.raises(RuntimeFailureError, match="the device is lost"):
        next(out)


def test_what_comes_out_is_checked_in_turn() -> None:
    def upscale(frame: Frame) -> Frame:
        return larger(frame)[:-2] if frame[0, 0, 0] == 20 else larger(frame)

    model = InFlight(lambda: upscale, scale=SCALE, threads=3, skip_duplicates=True)
    with pytest.raises(RuntimeFailureError, match="frame 2 came out wrong: it has the shape"):
        list(model.upscaled(map(frame, [10, 20, 30])))


def test_the_thread_that_opens_the_model_uses_it() -> None:
    threads: list[str] = []

    def upscale(frame: Frame) -> Frame:
        threads.append(threading.current_thread().name)
        return larger(frame)

    def opened() -> Upscaler:
        threads.append(threading.current_thread().name)
        return upscale

    model = InFlight(opened, scale=SCALE, threads=1, skip_duplicates=True)
    list(model.upscaled(map(frame, [10, 20])))
    assert len(threads) == 3
    assert set(threads) == {threads[0]} != {threading.current_thread().name}


def test_a_model_that_cannot_be_loaded_says_so() -> None:
    def opened() -> Upscaler:
        raise RuntimeFailureError("there is no Vulkan device 7")

    with pytest.raises(RuntimeFailureError, match="no Vulkan device 7"):
        InFlight(opened, scale=SCALE, threads=2, skip_duplicates=True)


def test_the_picture_is_mixed_with_the_frame_and_still_frames_get_the_same_mixture() -> None:
    def brighter(frame: Frame) -> Frame:
        return larger(frame) + 20

    model = InFlight(lambda: brighter, scale=SCALE, threads=2, skip_duplicates=True, strength=0.5)
    assert levels(list(model.upscaled(map(frame, [30, 30, 60])))) == [40, 40, 70]


def test_a_wrong_picture_is_refused_however_little_of_it_is_used() -> None:
    def black(frame: Frame) -> Frame:
        return larger(frame) * 0

    model = InFlight(lambda: black, scale=SCALE, threads=1, skip_duplicates=True, strength=0.1)
    with pytest.raises(RuntimeFailureError):
        list(model.upscaled(map(frame, [200, 200])))
