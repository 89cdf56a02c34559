"""Child process that merges captures of a tape: raw frames of all of them in, raw frames on stdout.

    python -P -m vhsbatch.analysis.stack_worker WIDTH HEIGHT FORMAT MINUTE NUMBERS REPORT

The captures come from the programs that feed it (`vhsbatch.process.feeds`), the reference first. `NUMBERS` is
the file of `vhsbatch.analysis.alignment_worker`, `MINUTE` how many frames one has. When all is written, the
file `REPORT` gets one JSON object: the digest of the frames; on how many frames of each minute one, two or
more captures agreed; how many fields of each were used; how many fields that the reference had lost came from
another one; and of each but the reference where it lay, and the gain and offset of its luma.

Frames wait a little before they are merged, so that something is known of a capture before it is used.
"""

import hashlib
import json
import os
import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vhsbatch.analysis.alignment import NONE, Numbers
from vhsbatch.analysis.alignment_worker import PARITIES
from vhsbatch.analysis.merging import Field, Merger, Plane
from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.process.feeds import open_feeds

_WAITING_FRAMES = 12
# So many frames are learned from at the beginning of a capture, later one of so many.
_LEARNED_FRAMES, _LEARNED_OF = 24, 8

Frame = list[Plane]


class EndError(Exception):
    """Ends the program with one line."""


@dataclass(frozen=True, slots=True)
class FrameLayout:
    """How the bytes of a frame are laid out.

    Attributes:
        samples: their type.
        bits: of a sample.
        shapes: lines and columns of the planes.
    """

    samples: np.dtype[Any]
    bits: int
    shapes: tuple[tuple[int, int], ...]

    @property
    def frame_bytes(self) -> int:
        """Of all planes."""
        return sum(lines * columns for lines, columns in self.shapes) * self.samples.itemsize


def frame_layout(pixel_format: str, width: int, height: int) -> FrameLayout:
    """The layout of a planar YUV format by FFmpeg's name.

    >>> frame_layout("yuv411p", 720, 480).shapes
    ((480, 720), (480, 180), (480, 180))
    >>> frame_layout("yuv422p10le", 720, 576).frame_bytes
    1658880
    """
    depth = re.search(r"p(\d+)le$", pixel_format)
    bits = int(depth[1]) if depth else 8
    across, down = chroma_subsampling(pixel_format)
    chroma = (-(-height // down), -(-width // across))
    samples: np.dtype[Any] = np.dtype("<u2" if bits > 8 else "u1")
    return FrameLayout(samples, bits, ((height, width), chroma, chroma))


class Capture:
    """The frames of a capture in their order, of which the last ones can be asked for again."""

    def __init__(self, stream: BinaryIO, layout: FrameLayout) -> None:
        self._stream = stream
        self._layout = layout
        self._frames: deque[Frame] = deque(maxlen=4)
        self.read = 0

    def frame(self, number: int) -> Frame:
        """Frame `number`.

        Raises:
            EndError: there is none, or it was read long ago.
        """
        while self.read <= number:
            frame = self.following()
            if frame is None:
                raise EndError(f"a capture ended after {self.read} frames")
        back = self.read - number
        if back > len(self._frames):
            raise EndError(f"frame {number} was asked for after frame {self.read}")
        return self._frames[-back]

    def following(self) -> Frame | None:
        """The next frame; None behind the last one."""
        data = self._stream.read(self._layout.frame_bytes)
        if not data:
            return None
        if len(data) < self._layout.frame_bytes:
            raise EndError(f"a capture broke off in frame {self.read}")
        samples = np.frombuffer(data, self._layout.samples)
        frame: Frame = []
        for lines, columns in self._layout.shapes:
            frame.append(samples[: lines * columns].reshape(lines, columns))
            samples = samples[lines * columns :]
        self._frames.append(frame)
        self.read += 1
        return frame


@dataclass(frozen=True, slots=True)
class Waiting:
    """A frame of the reference with the fields that the others have of it, by parity and capture."""

    frame: Frame
    held: tuple[bool, ...]
    others: tuple[tuple[Field | None, ...], ...]


class Stack:
    """Merges captures frame by frame, and counts what was done."""

    def __init__(self, captures: list[Capture], numbers: Numbers, layout: FrameLayout, minute: int) -> None:
        self._captures = captures
        self._numbers = numbers
        self._minute = minute
        self._merger = Merger(len(captures), bits=layout.bits)
        self._learned = [0] * (len(captures) - 1)
        self.minutes: list[list[int]] = []
        self.used = [0] * len(captures)
        self.filled = 0

    def frames(self) -> Iterator[Frame]:
        """Every frame, merged."""
        waiting: deque[Waiting] = deque()
        before: Frame | None = None
        for number in range(self._numbers.shape[-1]):
            one = self._gathered(number, before)
            before = one.frame
            waiting.append(one)
            if len(waiting) > _WAITING_FRAMES:
                yield self._merged(waiting.popleft())
        while waiting:
            yield self._merged(waiting.popleft())

    def expect_end(self) -> None:
        """Read what is behind the last frame of the reference.

        Raises:
            EndError: the reference goes on.
        """
        reference, *others = self._captures
        if reference.following() is not None:
            raise EndError(f"the reference has more than {self._numbers.shape[-1]} frames")
        for other in others:
            while other.following() is not None:
                pass

    def report(self) -> dict[str, Any]:
        """What was done."""
        return {
            "minutes": self.minutes,
            "used": self.used,
            "filled": self.filled,
            "places": self._merger.places(),
        }

    def _gathered(self, number: int, before: Frame | None) -> Waiting:
        frame = self._captures[0].frame(number)
        others: list[tuple[Field | None, ...]] = []
        for parity in range(PARITIES):
            fields: list[Field | None] = []
            for index, capture in enumerate(self._captures[1:]):
                own = int(self._numbers[index, parity, number])
                fields.append(None if own == NONE else field_of(capture.frame(own), parity))
            others.append(tuple(fields))
        held = tuple(
            before is not None and all(map(np.array_equal, field_of(frame, parity), field_of(before, parity)))
            for parity in range(PARITIES)
        )
        for parity in range(PARITIES):
            if not held[parity]:
                self._learn(number, field_of(frame, parity), others[parity])
        return Waiting(frame, held, tuple(others))

    def _learn(self, number: int, reference: Field, others: tuple[Field | None, ...]) -> None:
        wanted: list[Field | None] = []
        for index, other in enumerate(others):
            due = self._learned[index] < PARITIES * _LEARNED_FRAMES or number % _LEARNED_OF == 0
            wanted.append(other if due else None)
            self._learned[index] += other is not None and due
        if any(other is not None for other in wanted):
            self._merger.learn(reference, wanted)

    def _merged(self, waiting: Waiting) -> Frame:
        made = [np.empty_like(plane) for plane in waiting.frame]
        agreed = []
        for parity in range(PARITIES):
            merged = self._merger.merge(
                field_of(waiting.frame, parity),
                waiting.others[parity],
                parity=parity,
                held=waiting.held[parity],
            )
            for plane, lines in zip(made, merged.planes, strict=True):
                plane[parity::2] = lines
            agreed.append(len(merged.agreed))
            self.filled += merged.agreed[0] != 0
            for number in merged.agreed:
                self.used[number] += 1
        self._count(min(agreed))
        return made

    def _count(self, agreed: int) -> None:
        if not self.minutes or sum(self.minutes[-1]) == self._minute:
            self.minutes.append([0] * len(self._captures))
        self.minutes[-1][agreed - 1] += 1


def field_of(frame: Frame, parity: int) -> list[Plane]:
    """Every second line."""
    return [plane[parity::2] for plane in frame]


def main() -> None:
    """Merge what comes in."""
    width, height, pixel_format, minute, numbers_file, report = sys.argv[1:7]
    layout = frame_layout(pixel_format, int(width), int(height))
    numbers: NDArray[np.int32] = np.load(numbers_file, mmap_mode="r")
    stack = Stack([Capture(feed, layout) for feed in open_feeds()], numbers, layout, int(minute))
    digest = hashlib.sha256()
    try:
        for frame in stack.frames():
            for plane in frame:
                view = memoryview(plane).cast("B")
                digest.update(view)
                while view:
                    view = view[os.write(1, view) :]
        stack.expect_end()
    except BrokenPipeError:
        sys.exit("Broken pipe: the reader of the frames is gone")
    except EndError as error:
        sys.exit(str(error))
    Path(report).write_text(json.dumps({"sha256": digest.hexdigest(), **stack.report()}), encoding="ascii")


if __name__ == "__main__":
    main()
