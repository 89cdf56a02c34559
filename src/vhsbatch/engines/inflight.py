"""Frames on their way through the model: several at a time, and out in the order in which they came in.

A device idles while a frame is turned into numbers and back, or is checked. So the next one is given to
the model before the last one is looked at, and where the runtime allows it several are under way.
Which frames come out does not depend on how many there are.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from vhsbatch.engines.blend import blended
from vhsbatch.engines.colour_change import ColourChange
from vhsbatch.engines.framecheck import FrameCheck, TimedFrame
from vhsbatch.engines.runtimes import Frame, Upscaler


class _UnderWay(NamedTuple):
    """A frame, what will come of it, and whether that is the result of the one before."""

    frame: Frame
    future: Future[TimedFrame]
    is_duplicate: bool = False


class InFlight:
    """The model with its threads.

    Attributes:
        duplicate_frames: how many frames equalled the one before, and took its result.
    """

    def __init__(
        self,
        open_model: Callable[[], Upscaler],
        *,
        scale: int,
        threads: int,
        skip_duplicates: bool,
        strength: float = 1.0,
        colours: ColourChange | None = None,
    ) -> None:
        """Create it, and open the model.

        Args:
            open_model: gives the model; what it gives is called by as many threads at a time.
            scale: its scale.
            threads: how many frames it works on at a time.
            skip_duplicates: whether a still picture, black leader or a blue screen goes through it once only.
            strength: how much of its picture is used, 0 to 1.
            colours: what it does to colours, None if it keeps them.

        Raises:
            RuntimeFailureError: the model cannot be loaded.
        """
        self._scale = scale
        self._threads = threads
        self._skip_duplicates = skip_duplicates
        self._strength = strength
        self._colours = colours
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        # By a thread that will use it: OpenMP keeps workers for each thread that ever called a model,
        # and lets all of them sleep between two layers once there are more of them than cores.
        self._upscale = self._pool.submit(open_model).result()
        self.duplicate_frames = 0

    def upscaled(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Larger frames, checked, one for each that comes in.

        Raises:
            RuntimeFailureError: the device or the model failed, or what came out cannot be right.
        """
        check = FrameCheck(scale=self._scale, colours=self._colours)
        under_way: deque[_UnderWay] = deque()

        last: Frame | None = None

        def oldest() -> Frame:
            nonlocal last
            frame, future, is_duplicate = under_way.popleft()
            made = future.result()
            if last is None or not is_duplicate:
                # What is checked is the model's own picture: mixed with the frame, a wrong one looks better.
                check.expect_right(frame, made, again=lambda: self._submit(frame).result())
                last = made.larger if self._strength == 1 else blended(frame, made.larger, self._strength)
            return last

        newest: _UnderWay | None = None
        for frame in frames:
            if self._skip_duplicates and newest is not None and np.array_equal(frame, newest.frame):
                self.duplicate_frames += 1
                newest = newest._replace(is_duplicate=True)
            else:
                newest = _UnderWay(frame, self._submit(frame))
            under_way.append(newest)
            # One more than there are threads, so that none waits while a frame is checked.
            if len(under_way) > self._threads:
                yield oldest()
        while under_way:
            yield oldest()

    def _submit(self, frame: Frame) -> Future[TimedFrame]:
        return self._pool.submit(self._make, frame)

    def _make(self, frame: Frame) -> TimedFrame:
        started_s = time.monotonic()
        larger = np.ascontiguousarray(self._upscale(frame))
        return TimedFrame(larger, time.monotonic() - started_s)
