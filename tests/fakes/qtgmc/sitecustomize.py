"""A VapourSynth for the QTGMC worker program that needs no packages, and can fail; Python runs this file at
its start, as it is on PYTHONPATH.

Its QTGMC draws each line of a field twice. What fails, at the sixth frame:

    FAKE_QTGMC_FAULT   crash | hang | deaf | frozen | short
    FAKE_QTGMC_ONCE    a file: the fault happens until it exists, that is once

No other program is touched.
"""

import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

_AT_FRAME = 6


class Frame:
    """Planes, and what is said of them."""

    def __init__(self, planes: list[Any]) -> None:
        self.planes = planes
        self.props: dict[str, int] = {}

    def __getitem__(self, number: int) -> Any:
        return self.planes[number]

    def copy(self) -> "Frame":
        return Frame([plane.copy() for plane in self.planes])


class Clip:
    """Frames that are made when they are asked for."""

    def __init__(self, numbers: range, make: Callable[[int], Frame]) -> None:
        self.numbers, self.make = numbers, make

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, part: slice) -> Self:
        return type(self)(self.numbers[part], self.make)

    def __add__(self, other: "Clip") -> "Clip":
        parts = [(clip, number) for clip in (self, other) for number in clip.numbers]
        return Clip(range(len(parts)), lambda number: parts[number][0].make(parts[number][1]))

    @property
    def std(self) -> types.SimpleNamespace:
        """The functions that take a clip as their first argument."""
        return types.SimpleNamespace(SetFieldBased=lambda _: self)

    def frames(self, **_: object) -> Iterator[Frame]:
        """The frames in order, one of them spoiled."""
        fault, once = os.environ.get("FAKE_QTGMC_FAULT"), Path(os.environ.get("FAKE_QTGMC_ONCE", "/"))
        before: list[Frame] = []
        for count, number in enumerate(self.numbers, start=1):
            frame = self.make(number)
            if fault and count == _AT_FRAME and "--trial" not in sys.orig_argv and not once.exists():
                once.touch()
                if fault == "short":
                    return
                frame = _spoiled(fault, frame, before)
            before = [*before[-1:], frame]
            yield frame


def _spoiled(fault: str, frame: Frame, before: list[Frame]) -> Frame:
    match fault:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(3600)
        case "deaf":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "frozen":
            return before[0]
    return frame


def _blank_clip(*, width: int, height: int, format: Any, length: int, **options: Any) -> Clip:  # noqa: A002
    import numpy as np

    bits, across, down = format
    levels = options.get("color", [0, 0, 0])
    shapes = [(height, width), *[(height >> down, width >> across)] * 2]
    samples = np.uint8 if bits == 8 else np.uint16

    def make(_: int) -> Frame:
        return Frame([np.full(shape, level, samples) for shape, level in zip(shapes, levels, strict=True)])

    return Clip(range(length), make)


def _modify_frame(clip: Clip, _: Clip, fill: Callable[[int, Frame], Frame]) -> Clip:
    return Clip(clip.numbers, lambda number: fill(number, clip.make(number)))


class Qtgmc:
    """A frame for each field."""

    def __init__(self, **_: object) -> None:
        pass

    def bob(self, clip: Clip, *, tff: bool) -> Clip:
        def make(number: int) -> Frame:
            line = (0 if tff else 1) ^ (number % 2)
            return Frame([plane[line::2].repeat(2, axis=0) for plane in clip.make(number // 2).planes])

        return Clip(range(2 * len(clip)), make)


def _install() -> None:
    import importlib.metadata

    core = types.SimpleNamespace(
        std=types.SimpleNamespace(BlankClip=_blank_clip, ModifyFrame=_modify_frame),
        query_video_format=lambda _family, _type, *numbers: types.SimpleNamespace(id=numbers),
    )
    constants = {"YUV": 3, "INTEGER": 0, "YUV420P8": (8, 1, 1)}
    constants |= {"FIELD_BOTTOM": 1, "FIELD_TOP": 2, "RANGE_LIMITED": 0, "RANGE_FULL": 1}
    modules: dict[str, dict[str, Any]] = {
        "vapoursynth": {"core": core, **constants},
        "vsaa": {"BWDIF": object},
        "vsdeinterlace": {"QTempGaussMC": Qtgmc},
        "vsdenoise": {"mc_degrain": lambda clip, **_: clip},
    }
    for name, content in modules.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        sys.modules[name] = module
    importlib.metadata.version = lambda distribution_name: f"fake {distribution_name}"


if any(word.endswith("qtgmc_worker.py") for word in sys.orig_argv):
    _install()
