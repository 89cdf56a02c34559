"""The worker program: raw rgb24 frames on stdin, larger raw rgb24 frames on stdout.

    python -m vhsbatch.engines.realesrgan_worker --width W --height H --scale S …

A separate process, since a runtime may hold the interpreter's lock for a whole frame, and
may die by a signal. Reading and writing run in threads beside the model, so that the pipes never
wait for each other. What it says is in `vhsbatch.engines.control`; it exits with 0 only if every
frame that came in went out.
"""

import argparse
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np

from vhsbatch.engines.colour_change import ColourChange
from vhsbatch.engines.control import ControlLine
from vhsbatch.engines.inflight import InFlight
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, open_runtime
from vhsbatch.engines.value_range import ValueRange

# Frames to read ahead and to queue for writing: enough to overlap, without using more memory.
_QUEUED_FRAMES = 2
_PROGRESS_INTERVAL_S = 0.25


class _StreamError(Exception):
    """Ends the program with one line."""


def main() -> None:
    """Run until stdin ends."""
    arguments = _parse()
    frames_out = _keep_stdout_clean()
    try:
        models = [_opened(arguments, model) for model in _models(arguments)]
        _say(ControlLine("ready"))
        written_frames = _run(models, (arguments.height, arguments.width, 3), frames_out)
    except (_StreamError, RuntimeFailureError, ImportError, MemoryError, OSError) as error:
        _fail(_one_line(error))
    _say(ControlLine("done", frames=written_frames, repeated_frames=models[0].duplicate_frames))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(","))) if text else ()


_OF_MODELS: dict[str, Callable[[str], object]] = {
    "scale": int,
    "param": Path,
    "weights": Path,
    "halo": int,
    "range": _numbers,
    "colours": _numbers,
}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("width", "height", "tile", "threads", "in-flight"):
        parser.add_argument(f"--{name}", type=int, required=True)
    # Each model has its own.
    for name, kind in _OF_MODELS.items():
        parser.add_argument(f"--{name}", type=kind, action="append", required=True)
    for name in ("runtime", "device"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--every-frame", action="store_true")
    return parser.parse_args()


class _Model(NamedTuple):
    """What is said of each model."""

    scale: int
    param: Path
    weights: Path
    halo: int
    range: tuple[float, ...]
    colours: tuple[float, ...]


def _models(arguments: argparse.Namespace) -> list[_Model]:
    said = (getattr(arguments, name) for name in _OF_MODELS)
    return [_Model(*values) for values in zip(*said, strict=True)]


def _opened(arguments: argparse.Namespace, model: _Model) -> InFlight:
    return InFlight(
        lambda: open_runtime(
            arguments.runtime,
            param=model.param,
            weights=model.weights,
            scale=model.scale,
            device=arguments.device,
            tile_px=arguments.tile,
            threads=arguments.threads,
            halo_px=model.halo,
            value_range=ValueRange(*model.range),
        ),
        scale=model.scale,
        threads=arguments.in_flight,
        skip_duplicates=not arguments.every_frame,
        strength=arguments.strength,
        colours=ColourChange(model.colours) if model.colours else None,
    )


def _keep_stdout_clean() -> int:
    """Move stdout to another descriptor, and whatever libraries print on it to stderr."""
    frames_out = os.dup(1)
    os.dup2(2, 1)
    return frames_out


def _run(models: Sequence[InFlight], shape: tuple[int, int, int], frames_out: int) -> int:
    """Upscale every frame of stdin; how many were written."""
    to_write: queue.Queue[Frame | None] = queue.Queue(_QUEUED_FRAMES)
    writer = _Writer(frames_out, to_write)
    writer.start()
    frames = _read_ahead(shape)
    for model in models:
        frames = model.upscaled(frames)
    for larger in frames:
        to_write.put(larger)
    to_write.put(None)
    writer.join()
    return writer.written_frames


def _read_ahead(shape: tuple[int, int, int]) -> Iterator[Frame]:
    """The frames of stdin, read in a thread.

    Raises:
        _StreamError: stdin ended within a frame.
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
            raise _StreamError(f"the last frame has {size} of {frame.nbytes} bytes")
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
            _fail("Broken pipe: the encoder is gone")
        except Exception as error:
            _fail(_one_line(error))

    def _write(self) -> None:
        last_s = 0.0
        while (frame := self._frames.get()) is not None:
            view = memoryview(frame).cast("B")
            while view:
                view = view[os.write(self._descriptor, view) :]
            self.written_frames += 1
            if time.monotonic() - last_s >= _PROGRESS_INTERVAL_S:
                last_s = time.monotonic()
                _say(ControlLine("progress", frames=self.written_frames))


_saying = threading.Lock()


def _say(line: ControlLine) -> None:
    with _saying:
        sys.stderr.write(line.dump() + "\n")
        sys.stderr.flush()


def _fail(reason: str) -> NoReturn:
    """End the process from any thread, at once: there may be threads inside a native library.

    The reason is the last thing that is said: the lock is kept.
    """
    _saying.acquire()
    sys.stderr.write(reason + "\n")
    sys.stderr.flush()
    os._exit(1)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    main()
