"""What becomes of an original before anybody restores it: tapes, discs, a webcam, downloads."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.quality import video
from benchmarks.quality.deck import COPY, HI8, PEAKED, SOFT, THIRD, Deck, record_and_play
from benchmarks.quality.tape import CLEAN, SAMPLES, WORN, Condition, Order, Picture, play
from benchmarks.quality.video import SITED, Shape

Kind = Literal[
    "tape",
    "tape_clean",
    "tape_worn",
    "tape_drawn",
    "deck_soft",
    "deck_peaked",
    "deck_copy",
    "deck_third",
    "hi8",
    "disc",
    "disc_recorder",
    "disc_film",
    "broadcast",
    "webcam",
    "download",
    "download_old",
]

CONDITIONS: dict[str, Condition | Deck] = {
    "tape": Condition(),
    "tape_clean": CLEAN,
    "tape_worn": WORN,
    "tape_drawn": Condition(),
    "deck_soft": SOFT,
    "deck_peaked": PEAKED,
    "deck_copy": COPY,
    "deck_third": THIRD,
    "hi8": HI8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A file to restore.

    Attributes:
        file: the capture.
        every: of how many frames of the original one is to be compared: 2 where the capture was
            progressive and took every other moment.
    """

    file: Path
    every: int


def order_of(rate: Fraction) -> Order:
    """The field order in which a standard is captured here: NTSC as DV does, PAL as cards do."""
    return "bff" if rate.denominator == 1001 else "tff"


def capture(kind: Kind, original: Path, shape: Shape, folder: Path, *, seed: int) -> Capture:
    """Make a capture of an original of `shape`; it is looked at by the product as any other file is."""
    file = folder / f"{original.stem}-{kind}{_SUFFIX.get(kind, '.avi')}"
    if not file.exists():
        unfinished = file.with_stem(f"unfinished-{file.stem}")
        if kind in CONDITIONS:
            _record_tape(original, unfinished, shape.rate, CONDITIONS[kind], seed)
        elif kind == "disc_recorder":
            tape = folder / f"{original.stem}-for-recorder.avi"
            _record_tape(original, tape, shape.rate, CLEAN, seed)
            video.run("-i", tape, *_mpeg2("4M", interlaced=order_of(shape.rate)), unfinished)
            tape.unlink()
        else:
            _convert(kind, original, unfinished, shape.rate)
        # A file that has just been written would be waited for, as if it were being copied.
        an_hour_ago_s = time.time() - 3600
        os.utime(unfinished, (an_hour_ago_s, an_hour_ago_s))
        unfinished.rename(file)
    return Capture(file=file, every=1 if kind in _INTERLACED else 2)


_INTERLACED = (*CONDITIONS, "disc", "disc_recorder", "broadcast")
_SUFFIX = {
    "disc": ".mpg",
    "disc_recorder": ".mpg",
    "disc_film": ".mpg",
    "broadcast": ".ts",
    "download": ".mp4",
    "download_old": ".mp4",
}


def _record_tape(original: Path, file: Path, rate: Fraction, condition: Condition | Deck, seed: int) -> None:
    """Record the original on a tape, play it, and capture that without loss, as 4:2:2."""
    lines, order = _lines(rate), order_of(rate)
    if isinstance(condition, Deck):
        frames = record_and_play(_as_television(original, rate, 2 * lines), order, condition, seed=seed)
    else:
        frames = play(_as_television(original, rate, lines), order, condition, seed=seed)
    levels = (np.rint(frame).astype(np.uint8) for frame in frames)
    shape = Shape(width=SAMPLES, height=lines, rate=rate / 2)
    arguments = ("-c:v", "ffv1", "-g", "1", "-pix_fmt", "yuv422p")
    filters = f"setfield={order},scale=interl=1:flags=lanczos+accurate_rnd:{SITED},format=yuv422p"
    video.write(file, levels, shape, "yuv444p", *arguments, filters=filters)


def _as_television(original: Path, rate: Fraction, lines: int) -> Iterator[Picture]:
    """The original in the raster and the colours of its standard."""
    filters = f"scale=out_color_matrix=bt709,format=yuv444p12,{to_standard(rate)},format=yuv444p12"
    filters += f",scale={SAMPLES}:{lines}:flags=lanczos+accurate_rnd"
    for frame in video.read(original, filters, "yuv444p12le", (3, lines, SAMPLES)):
        yield frame.astype(np.float32) / 16


def _convert(kind: Kind, original: Path, file: Path, rate: Fraction) -> None:
    """The captures that FFmpeg makes alone."""
    order, lines = order_of(rate), _lines(rate)
    standard = f"scale=out_color_matrix=bt709,format=yuv444p,{to_standard(rate)},format=yuv444p"
    scaled = f"{standard},scale={SAMPLES}:{lines}:flags=lanczos"
    fields = f"interlace=scan={order}:lowpass=linear,scale={SITED},format=yuv420p,setdar=4/3"
    half = "select='not(mod(n,2))'"
    cfr = ("-r", str(rate / 2))
    match kind:
        case "disc":
            arguments = ("-vf", f"{scaled},{fields}", *_mpeg2("5M", interlaced=order))
        case "disc_film":
            arguments = ("-vf", f"{half},{scaled}:{SITED},format=yuv420p,setdar=4/3", *cfr, *_mpeg2("5M"))
        case "broadcast":
            big = f"scale=1440:1080:flags=lanczos:{SITED},interlace=scan={order}:lowpass=linear,setsar=1"
            arguments = ("-vf", big, *_mpeg2("14M", interlaced=order))
        case "webcam":
            seen = f"{half},{standard},scale=640:480:flags=bilinear,gblur=0.7"
            seen += ",noise=c0s=12:c0f=t:c1s=16:c1f=t:c2s=16:c2f=t:all_seed=5,format=yuvj420p"
            arguments = ("-vf", seen, *cfr, "-c:v", "mjpeg", "-q:v", "6")
        case "download":
            small = f"{half},{standard},scale=640:480:flags=bicubic:{SITED},format=yuv420p"
            arguments = ("-vf", small, *cfr, "-c:v", "libx264", "-crf", "24")
        case "download_old":
            small = f"{half},{standard},scale=320:240:flags=bicubic:{SITED},format=yuv420p"
            arguments = ("-vf", small, *cfr, "-c:v", "libx264", "-profile:v", "baseline", "-b:v", "250k")
        case _:
            raise ValueError(kind)
    video.run("-i", original, *arguments, file)


def _mpeg2(rate: str, *, interlaced: Order | None = None) -> tuple[str, ...]:
    codec = (
        "-c:v",
        "mpeg2video",
        "-b:v",
        rate,
        "-maxrate",
        rate,
        "-bufsize",
        "1835k",
        "-g",
        "15",
        "-bf",
        "2",
    )
    if interlaced is None:
        return codec
    return (*codec, "-flags", "+ildct+ilme", "-field_order", "tt" if interlaced == "tff" else "bb")


def _lines(rate: Fraction) -> int:
    return 480 if rate.denominator == 1001 else 576


def to_standard(rate: Fraction) -> str:
    """FFmpeg's filter from the colours of HD to those of a standard."""
    if rate.denominator == 1001:
        return "colorspace=iall=bt709:all=smpte170m"
    return "colorspace=iall=bt709:space=bt470bg:primaries=bt470bg:trc=smpte170m"
