"""How a worker program reads raw rgb24 frames on stdin, writes such frames, and says on stderr how it fares.

Reading and writing run in threads beside the model, so that the pipes never wait for each other.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import NoReturn

import numpy as np

from vhsbatch.engines.control import ControlLine
from vhsbatch.engines.runtimes import Frame

# Frames to read ahead and to queue for writing: enough to overlap, without using more memory.
_QUEUED_FRAMES = 2
_PROGRESS_INTERVAL_S = 0.25


class StreamError(Exception):
    """Ends the program with one line."""


def keep_stdout_clean() -> int:
    """Move stdout to another descriptor, and whatever libraries print on it to stderr."""
    frames_out = os.dup(1)
    os.dup2(2, 1)
    return frames_out


def write(frames: Iterable[Frame], descriptor: int) -> int:
    """Write every frame in a thread; how many there were."""
    to_write: queue.Queue[Frame | None] = queue.Queue(_QUEUED_FRAMES)
    writer = _Writer(descriptor, to_write)
    writer.start()
    for frame in frames:
        to_write.put(frame)
    to_write.put(None)
    writer.join()
    return writer.written_frames


def read_ahead(shape: tuple[int, int, int]) -> Iterator[Frame]:
    """The frames of stdin, read in a thread.

    Raises:
        StreamError: stdin ended within a frame.
    """
    read: queue.Queue[Frame | Exception | None] = queue.Queue(_QUEUED_FRAMES)

    def reader() -> None:
        try:
            for frame in _read_frames(shape):
                read.put(frame)
            read.put(None)
        except Exception as error:
            read.put(error)

    threading.Thread(target=reader, daemon=True).start()
    while (item := read.get()) is not None:
        if isinstance(item, Exception):
            raise item
        yield item


def _read_frames(shape: tuple[int, int, int]) -> Iterator[Frame]:
    while True:
        frame = np.empty(shape, np.uint8)
        size = _read_into(memoryview(frame).cast("B"))
        if size == 0:
            return
        if size < frame.nbytes:
            raise StreamError(f"the last frame has {size} of {frame.nbytes} bytes")
        yield frame


def _read_into(view: memoryview) -> int:
    """Fill `view` from stdin; the number of bytes there were before its end."""
    size = 0
    with open(0, "rb", buffering=0, closefd=False) as stdin:
        while size < len(view) and (received := stdin.readinto(view[size:])):
            size += received
    return size


class _Writer(threading.Thread):
    """Writes frames, and says how many there are."""

    def __init__(self, descriptor: int, frames: "queue.Queue[Frame | None]") -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self._frames = frames
        self.written_frames = 0

    def run(self) -> None:
        try:
            self._write()
        except BrokenPipeError:
            fail("Broken pipe: the encoder is gone")
        except Exception as error:
            fail(one_line(error))

    def _write(self) -> None:
        last_s = 0.0
        while (frame := self._frames.get()) is not None:
            view = memoryview(frame).cast("B")
            while view:
                view = view[os.write(self._descriptor, view) :]
            self.written_frames += 1
            if time.monotonic() - last_s >= _PROGRESS_INTERVAL_S:
                last_s = time.monotonic()
                say(ControlLine("progress", frames=self.written_frames))


_saying = threading.Lock()


def say(line: ControlLine) -> None:
    """Tell the batch, on stderr."""
    with _saying:
        sys.stderr.write(line.dump() + "\n")
        sys.stderr.flush()


def fail(reason: str) -> NoReturn:
    """End the process from any thread, at once: there may be threads inside a native library.

    The reason is the last thing that is said: the lock is kept.
    """
    _saying.acquire()
    sys.stderr.write(reason + "\n")
    sys.stderr.flush()
    os._exit(1)


def one_line(error: Exception) -> str:
    """What an error says."""
    return " ".join(str(error).split()) or type(error).__name__
