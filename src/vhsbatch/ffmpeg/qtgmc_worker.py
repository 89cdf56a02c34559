"""The QTGMC worker program: raw frames on stdin, raw frames on stdout, deinterlaced, degrained, or both.

    python -P qtgmc_worker.py --width W --height H --format yuv420p --frames N --keep M --bob qtgmc …
    python -P qtgmc_worker.py --trial

Positions that `--held` names hold the frame before once more: QTGMC does not see them, and its last frame
is held instead. It is run by its path, under an interpreter that has VapourSynth and need not have this
package: it imports the standard library, numpy and VapourSynth's packages alone. `--trial` deinterlaces a
small picture and prints the versions of all that decide what comes out, as JSON. The frames of the input
are counted: too few, too many or a torn one are errors, as is a frame that cannot be the picture of its
field.
"""

import argparse
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

PACKAGES = (
    "vapoursynth", "vsjetpack", "vapoursynth-mvutensils", "vapoursynth-zsmooth",
    "vapoursynth-resize2", "vapoursynth-bwdif", "vapoursynth-akarin", "vapoursynth-vszip",
)  # fmt: skip

# VapourSynth asks for frames about in order, some threads at a time, and for a few around each of them.
_WINDOW_FRAMES = 32
_CACHE_MB = 512

_BLOCK_PX = 16
# Of a frame that is right, blocks differ from those of its field and the two beside it by less than so
# many levels of 255 on average; where half of the blocks differ by more, it is another picture.
_LARGEST_DIFFERENCE = 48.0
_BAD_PART = 0.5
# A frame that is that of two fields before to the last bit, though a block of its field changed by this much.
_SOME_CHANGE = 2.0

# A cut is where more than so many percent of the blocks differ by more than this (SAD of 8x8 samples).
_CUT, _CUT_PART = 400, 51

Plane = NDArray[Any]
Means = NDArray[np.float64]


class WorkerError(Exception):
    """Ends the program with one line."""


class Format:
    """A planar YUV format by FFmpeg's name.

    Attributes:
        bits: of a sample.
        samples: their type in memory.
        shifts: how many luma samples share a chroma sample, across and down, as powers of two.
        full_range: whether black is 0.
    """

    def __init__(self, name: str) -> None:
        """Understand a name, such as ``yuv422p10le``.

        Raises:
            WorkerError: it is no planar YUV of 8 to 16 bits in the order of this machine's bytes.
        """
        match = re.fullmatch(r"yuv(j?)(4\d\d)p(?:(\d+)le)?", name)
        shifts = {"420": (1, 1), "422": (1, 0), "440": (0, 1), "444": (0, 0)}
        if match is None or match[2] not in shifts:
            raise WorkerError(f"the format {name} is not known")
        self.full_range = bool(match[1])
        self.bits = int(match[3] or 8)
        self.samples = np.dtype(np.uint8 if self.bits == 8 else "<u2")
        self.shifts = shifts[match[2]]

    def shapes(self, width: int, height: int) -> list[tuple[int, int]]:
        """Lines and columns of the three planes."""
        across, down = self.shifts
        chroma = -(-height >> down), -(-width >> across)
        return [(height, width), chroma, chroma]


def block_means(plane: Plane, lines: int) -> Means:
    """The mean of each block of 16 columns and `lines` lines; those at the edges may be smaller."""
    height, width = plane.shape
    rows, columns = np.arange(0, height, lines), np.arange(0, width, _BLOCK_PX)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0, dtype=np.uint64), columns, axis=1)
    sizes = np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)[None, :]
    means: Means = sums / sizes
    return means


class FrameReader:
    """Frames that come one after the other, as something that can be asked for any of the last ones."""

    def __init__(
        self, stream: BinaryIO, shapes: list[tuple[int, int]], form: Format, held: list[int]
    ) -> None:
        """Create a reader; `held` says of each frame how often it comes once more."""
        self._stream = stream
        self._shapes = shapes
        self._form = form
        self._held = held
        self._frames = len(held) + sum(held)
        self._came = 0
        self._read = 0
        self._window: dict[int, list[Plane]] = {}
        self._lock = threading.Lock()
        self.failure: WorkerError | None = None

    def planes(self, number: int, *, keep: int) -> list[Plane]:
        """The planes of frame `number`; the last `keep` frames can be asked for again.

        Raises:
            WorkerError: the stream ended before it, or it is asked for too late.
        """
        with self._lock:
            try:
                return self._up_to(number, keep)
            except WorkerError as failure:
                # VapourSynth makes a text of many lines out of it.
                self.failure = failure
                raise

    def _up_to(self, number: int, keep: int) -> list[Plane]:
        while self._read <= number:
            self._window[self._read] = self._next()
            self._window.pop(self._read - keep, None)
            for _ in range(self._held[self._read]):
                self._next()
            self._read += 1
        if number not in self._window:
            raise WorkerError(f"VapourSynth asked for frame {number} after frame {self._read}")
        return self._window[number]

    def expect_end(self) -> None:
        """Read what VapourSynth did not ask for.

        Raises:
            WorkerError: there is more, or less, than there was to be.
        """
        with self._lock:
            while self._came < self._frames:
                self._next()
            if self._stream.read(1):
                raise WorkerError(f"more than {self._frames} frames came in")

    def _next(self) -> list[Plane]:
        planes = []
        for shape in self._shapes:
            data = self._stream.read(shape[0] * shape[1] * self._form.samples.itemsize)
            if len(data) < shape[0] * shape[1] * self._form.samples.itemsize:
                raise WorkerError(f"the input ended after {self._came} of {self._frames} frames")
            planes.append(np.frombuffer(data, self._form.samples).reshape(shape))
        self._came += 1
        return planes


class OutputCheck:
    """Holds every frame that is made against the fields that it was made of, by their luma."""

    def __init__(self, *, bits: int) -> None:
        """Create a check; `bits` are those of a sample."""
        self._level = 2.0 ** (bits - 8)
        self._fields: dict[int, Means] = {}
        self._made: dict[int, Plane] = {}
        self._lock = threading.Lock()

    def take_in(self, number: int, luma: Plane, order: str) -> None:
        """Remember the fields of frame `number` of the input, which has them in this order."""
        first_line = 0 if order == "tff" else 1
        for second in (0, 1):
            lines = luma[(first_line + second) % 2 :: 2]
            means = block_means(lines, _BLOCK_PX // 2)
            with self._lock:
                self._fields[2 * number + second] = means

    def flaw(self, field: int, luma: Plane) -> str | None:
        """What is wrong with the frame that was made of a field; None if nothing is.

        Frames are to come in their order.
        """
        around = [means for near in (-1, 0, 1) if (means := self._fields.get(field + near)) is not None]
        made = block_means(luma, _BLOCK_PX)
        # The fields of an odd number of lines do not have the same blocks at the bottom.
        rows = min(len(means) for means in (made, *around))
        fields = np.stack([means[:rows] for means in around])
        off = np.maximum(fields.min(axis=0) - made[:rows], made[:rows] - fields.max(axis=0))
        bad = float((off > _LARGEST_DIFFERENCE * self._level).mean())
        if bad > _BAD_PART:
            return f"{100 * bad:.0f} % of it is not what went in"
        frozen = self._frozen(field, luma)
        self._made[field] = luma
        self._made.pop(field - 2, None)
        with self._lock:
            for old in [number for number in self._fields if number < field - 3]:
                del self._fields[old]
        return frozen

    def _frozen(self, field: int, luma: Plane) -> str | None:
        before, then = self._made.get(field - 2), self._fields.get(field - 2)
        if before is None or then is None:
            return None
        changed = float(np.abs(self._fields[field] - then).max()) > _SOME_CHANGE * self._level
        return "it is the one before once more" if changed and np.array_equal(before, luma) else None


def main() -> None:
    """Deinterlace stdin to stdout, or try whether that can be done."""
    arguments = _parse()
    # Whatever a library may print must not land among the frames.
    frames_out = os.dup(1)
    os.dup2(2, 1)
    reader: FrameReader | None = None
    try:
        if arguments.trial:
            os.write(frames_out, json.dumps(trial()).encode())
            return
        form = Format(arguments.format)
        shapes = form.shapes(arguments.width, arguments.height)
        held = held_frames(arguments.frames, arguments.held)
        reader = FrameReader(sys.stdin.buffer, shapes, form, held)
        run(reader, held, form, arguments, frames_out)
        reader.expect_end()
    except BrokenPipeError:
        _fail("Broken pipe: the reader of the frames is gone")
    except Exception as error:
        reason = reader.failure if reader is not None and reader.failure is not None else error
        _fail(" ".join(str(reason).split()) or type(reason).__name__)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trial", action="store_true")
    for name in ("width", "height", "frames", "keep"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held", default="")
    parser.add_argument("--format")
    parser.add_argument("--bob", choices=("qtgmc", "bwdif"))
    # The thresholds of luma and chroma, and how many frames on either side; left out, nothing is degrained.
    parser.add_argument("--degrain", type=lambda text: [int(number) for number in text.split(",")])
    parser.add_argument("--order", choices=("tff", "bff"), default="tff")
    # The frames with which the order changes.
    parser.add_argument("--flips", type=lambda text: [int(number) for number in text.split(",")], default=[])
    parser.add_argument("--rate", choices=("field", "frame"), default="frame")
    return parser.parse_args()


def held_frames(positions: int, held: str) -> list[int]:
    """How often each frame comes once more, of so many positions of which those in `held` hold one.

    >>> held_frames(8, "2-4,7-8")
    [0, 2, 0, 0, 1]
    """
    counts = [0] * positions
    frames: list[int] = []
    for start, stop in (map(int, part.split("-")) for part in held.split(",") if part):
        counts[start:stop] = [1] * (stop - start)
    for is_held in counts:
        if is_held:
            frames[-1] += 1
        else:
            frames.append(0)
    return frames


def run(
    reader: FrameReader, held: list[int], form: Format, arguments: argparse.Namespace, frames_out: int
) -> None:
    """Write the first `--keep` of the frames that are made of what `reader` gives."""
    check = OutputCheck(bits=form.bits)
    source = _source(reader, len(held), check, form, arguments)
    fields_per_frame = 1 if arguments.rate == "field" else 2
    times = times_shown(held, 2 // fields_per_frame, arguments.keep)
    if sum(times) != arguments.keep:
        raise WorkerError(f"{arguments.keep} frames cannot be made of {arguments.frames}")
    made = source
    if arguments.bob:
        made = in_orders(source, arguments.bob, arguments.order, arguments.flips)
    if arguments.degrain:
        made = degrained(made, *arguments.degrain)
    if arguments.bob:
        made = made[::fields_per_frame]
    made = made[: len(times)]
    count = 0
    for count, (planes, shown) in enumerate(zip(_planes(made, arguments.threads), times, strict=False), 1):
        problem = check.flaw((count - 1) * fields_per_frame, planes[0])
        if problem is not None:
            raise WorkerError(f"frame {count} came out wrong: {problem}")
        for plane in planes * shown:
            view = memoryview(plane).cast("B")
            while view:
                view = view[os.write(frames_out, view) :]
    if count != len(times):
        raise WorkerError(f"{count} frames of {len(times)} came out")


def times_shown(held: list[int], frames_of_each: int, keep: int) -> list[int]:
    """How often each frame that is made is written, to give `keep` of them; the last of a frame's is held.

    >>> times_shown([0, 2, 0], 2, 7)
    [1, 1, 1, 4]
    """
    times: list[int] = []
    for more in held:
        for shown in (*(1 for _ in range(frames_of_each - 1)), 1 + more * frames_of_each):
            if keep > 0:
                times.append(min(shown, keep))
            keep -= shown
    return times


def _source(
    reader: FrameReader, frames: int, check: OutputCheck, form: Format, arguments: argparse.Namespace
) -> Any:
    """What `reader` gives as a clip; `check` sees each frame once."""
    vs = _vapoursynth(arguments.threads)
    blank = vs.core.std.BlankClip(
        width=arguments.width,
        height=arguments.height,
        format=vs.core.query_video_format(vs.YUV, vs.INTEGER, form.bits, *form.shifts).id,
        length=frames,
        keep=True,
    )
    window = _WINDOW_FRAMES + 2 * arguments.threads

    def fill(n: int, f: Any) -> Any:
        planes = reader.planes(n, keep=window)
        check.take_in(n, planes[0], order_of(n, arguments.order, arguments.flips))
        frame = f.copy()
        for number, plane in enumerate(planes):
            np.copyto(np.asarray(frame[number]), plane)
        frame.props["_Range"] = vs.RANGE_FULL if form.full_range else vs.RANGE_LIMITED
        return frame

    return vs.core.std.ModifyFrame(blank, blank, fill)


def _planes(clip: Any, threads: int) -> Iterator[list[Plane]]:
    """The planes of each frame, in order; no more of them are made ahead than there are threads."""
    for frame in clip.frames(prefetch=threads, close=True):
        yield [np.ascontiguousarray(np.asarray(frame[number])) for number in range(3)]


def _vapoursynth(threads: int) -> Any:
    import vapoursynth as vs

    vs.core.num_threads = threads
    vs.core.max_cache_size = _CACHE_MB
    return vs


def order_of(frame: int, first: str, flips: list[int]) -> str:
    """The field order of a frame: `first`, and the other one from each of the frames `flips` on.

    >>> [order_of(frame, "tff", [2, 3]) for frame in range(4)]
    ['tff', 'tff', 'bff', 'tff']
    """
    changes = sum(flip <= frame for flip in flips)
    return first if changes % 2 == 0 else {"tff": "bff", "bff": "tff"}[first]


def in_orders(clip: Any, method: str, first: str, flips: list[int]) -> Any:
    """A clip with a frame for each field, of which each frame is deinterlaced in its own order."""
    bounds = [0, *flips, len(clip)]
    orders = {order_of(at, first, flips) for at in bounds[:-1]}
    made = {order: deinterlaced(clip, method, order) for order in orders}
    parts = [made[order_of(start, first, flips)][2 * start : 2 * stop] for start, stop in pairwise(bounds)]
    joined = parts[0]
    for part in parts[1:]:
        joined += part
    return joined


def deinterlaced(clip: Any, method: str, order: str) -> Any:
    """A clip with a frame for each field.

    Of QTGMC's stages the fast settings: averaging over more frames costs three times as much.
    """
    from vsaa import BWDIF
    from vsdeinterlace import QTempGaussMC

    # What frames say of themselves goes before what is asked for.
    top_first = order == "tff"
    fields = clip.std.SetFieldBased(2 if top_first else 1)
    if method == "bwdif":
        return BWDIF().bob(fields, tff=top_first)
    fast = QTempGaussMC(
        analyze_refine=0,
        # With its own threshold it takes the noise of a tape for a cut at every frame, and does nothing.
        analyze_thscd=(_CUT, _CUT_PART),
        basic_tr=1,
        final_tr=1,
        prefilter_tr=1,
        basic_bobber=BWDIF(),
    )
    return fast.bob(fields, tff=top_first)


def degrained(clip: Any, luma: int, chroma: int, frames: int) -> Any:
    """A clip of whole frames with each averaged, along the motion, with some before and some after it.

    Args:
        clip: what to degrain.
        luma: by how much blocks of luma may differ to be averaged (SAD of 8x8 samples); 0 leaves it alone.
        chroma: the same of chroma.
        frames: how many on either side.
    """
    from vsdenoise import mc_degrain

    planes = [plane for plane, threshold in enumerate((luma, chroma, chroma)) if threshold]
    return mc_degrain(
        clip.std.SetFieldBased(0),
        tr=frames,
        thsad=(max(luma, 1), max(chroma, 1)),
        # The noise of a tape is no cut.
        thscd=(max(_CUT, 2 * luma), _CUT_PART),
        planes=planes,
    )


def trial() -> dict[str, str]:
    """Deinterlace and degrain a still picture, and say with which versions.

    Raises:
        WorkerError: what came out is not the picture.
    """
    vs = _vapoursynth(1)
    level, length = 90, 6
    grey = vs.core.std.BlankClip(
        width=64, height=64, format=vs.YUV420P8, length=length, color=[level, 128, 128]
    )
    frames = list(_planes(degrained(deinterlaced(grey, "qtgmc", "tff"), 400, 1500, 3), 1))
    if len(frames) != 2 * length:
        raise WorkerError(f"{len(frames)} frames were made of {length}")
    if any(int(np.abs(planes[0].astype(int) - level).max()) > 1 for planes in frames):
        raise WorkerError("a plain grey picture came out changed")
    return {name: version(name) for name in PACKAGES}


def _fail(reason: str) -> NoReturn:
    """End the process at once: there may be threads inside a native library."""
    sys.stderr.write(reason + "\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
