"""Looking at the fields of a source in several places of it, by FFmpeg's `idet`."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import FieldOrder, VideoTrack
from vhsbatch.model.source import Source
from vhsbatch.probe.field_order import Sight
from vhsbatch.process.spawn import run

_WINDOW_FRAMES = 60
SHORT_FRAMES = 360
# Where to look, as parts of the length: tapes begin and end with noise, black and blue.
_WINDOWS = (Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(9, 10))

_TIME = re.compile(r"pts_time:(-?[\d.]+)")
_ALONE, _AMONG_OTHERS = "lavfi.idet.single.current_frame=", "lavfi.idet.multiple.current_frame="
# Looks at every frame, and prints what it saw on stdout.
IDET = "idet,metadata=mode=print:file=-"
_ORDERS = {order.value: order for order in (FieldOrder.TFF, FieldOrder.BFF, FieldOrder.PROGRESSIVE)}


async def look_at_fields(
    source: Source, video: VideoTrack, *, ffmpeg: str, seekable: bool, timeout_s: float | None = None
) -> tuple[Sight, ...]:
    """What `idet` says of the frames in several places of a source, in their order.

    All places are looked at, however clear the first ones are: the order may change in mid-tape.

    Args:
        source: the source.
        video: its video stream.
        ffmpeg: the program.
        seekable: whether FFmpeg can start in the middle; otherwise only the beginning is seen.
        timeout_s: seconds after which to give up on one place.

    Raises:
        TimeoutError: one place took longer than `timeout_s`.
        ToolError: FFmpeg cannot be started.
    """
    sights: list[Sight] = []
    for from_s, count in windows(video, seekable=seekable):
        finished = await run(
            (
                ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error",
                *input_arguments(source, from_s=from_s, mend_matrix=video.mends_matrix),
                "-map", f"0:{video.index}", "-vf", IDET,
                "-fps_mode", "passthrough", "-frames:v", str(count), "-f", "null", "-",
            ),
            timeout_s=timeout_s,
        )  # fmt: skip
        from_start_s = Fraction(0) if from_s is None else from_s - video.start_s
        sights += parse_sights(finished.stdout.decode("ascii", "replace").splitlines(), from_start_s)
    return tuple(sights)


def windows(video: VideoTrack, *, seekable: bool) -> Iterator[tuple[Fraction | None, int]]:
    """Where to look, in seconds on the container's clock (None: at the beginning), and at how many frames."""
    if not seekable or video.frames <= SHORT_FRAMES:
        yield None, SHORT_FRAMES
        return
    for part in _WINDOWS:
        first = int((video.frames - _WINDOW_FRAMES) * part)
        yield video.start_s + first / video.rate, _WINDOW_FRAMES


def parse_sights(lines: Iterable[str], from_s: Fraction = Fraction(0)) -> Iterator[Sight]:
    """What FFmpeg's `metadata` filter prints of each frame that went through `idet`.

    Args:
        lines: a line with the frame's time, and those with what was found, in turns.
        from_s: added to the times.
    """
    at_s, alone = from_s, FieldOrder.UNKNOWN
    for line in lines:
        if line.startswith(_ALONE):
            alone = _order(line)
        elif line.startswith(_AMONG_OTHERS):
            yield Sight(at_s=at_s, order=_order(line), alone=alone)
        elif (time := _TIME.search(line)) is not None:
            at_s = from_s + Fraction(time[1])


def _order(line: str) -> FieldOrder:
    return _ORDERS.get(line.rpartition("=")[2], FieldOrder.UNKNOWN)
