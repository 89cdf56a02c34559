"""The first or the last frames of a source as FFmpeg's `showinfo` filter sees them.

They come from the very program that will decode the source, so that what is learned here (when the
first frame is shown, which fields it claims to have, its shape and colours) holds later.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from vhsbatch.errors import InputError, ToolError
from vhsbatch.ffmpeg.formats import input_arguments
from vhsbatch.model.media import INVALID_MATRIX, Colour, FieldOrder
from vhsbatch.model.source import Source
from vhsbatch.probe.field_order import Sight
from vhsbatch.probe.idet import IDET, parse_sights
from vhsbatch.probe.programmes import Programme, parse_programmes
from vhsbatch.probe.teletext import parse_teletext
from vhsbatch.process.spawn import describe_exit, run

_TIME_BASE = re.compile(r"config in time_base: (\d+)/(\d+)")
_FRAME = re.compile(
    r"Parsed_showinfo.* n: *\d+ pts: *(?P<tick>-?\d+|NOPTS) .*?fmt:(?P<format>\S+) .*?"
    r"sar:(?P<sar>\d+/\d+) s:(?P<width>\d+)x(?P<height>\d+) i:(?P<fields>[PTB]) "
)
_COLOUR = re.compile(
    r"color_range:(?P<range>\S+) color_space:(?P<matrix>\S+) "
    r"color_primaries:(?P<primaries>\S+) color_trc:(?P<transfer>\S+)"
)
_ROTATION = re.compile(r"displaymatrix: rotation of (-?[\d.]+) degrees")
_ERROR = re.compile(r"^\[(?P<origin>[^@\]]*?)(?:#\S+)? @ 0x[0-9a-f]+\] (?P<text>.*)")

_FIELDS = {"P": FieldOrder.PROGRESSIVE, "T": FieldOrder.TFF, "B": FieldOrder.BFF}
# The exit code with which a shell, and our guard, say that there is no such program.
_NOT_STARTED = 127
# Transfers have two sets of names; these are the ones that options and filters take.
_TRANSFERS = {"bt470m": "gamma22", "bt470bg": "gamma28"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFrame:
    """One decoded frame.

    Attributes:
        tick: when it is shown, in the stream's time base, None if unknown.
        fields: what its flags say; PROGRESSIVE is also what decoders say that know of no fields.
        width: in pixels.
        height: in pixels.
        pixel_format: FFmpeg's name.
        sar: sample aspect ratio, None when not stated.
    """

    tick: int | None
    fields: FieldOrder
    width: int
    height: int
    pixel_format: str
    sar: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """Some frames in the order in which they are shown.

    Attributes:
        time_base: seconds per tick, None when nothing was decoded.
        frames: the frames.
        colour: the colour tags of the first of them.
        rotation_degrees: clockwise rotation for display: 0, 90, 180 or 270.
        complaint: the last thing that FFmpeg said about the file, None if it was content.
        sights: what `idet` said of them, on the container's clock; None where it was not asked.
        programmes: of a broadcast.
        teletext: its teletext streams, and whether FFmpeg can read them.
    """

    time_base: Fraction | None
    frames: tuple[ShownFrame, ...]
    colour: Colour
    rotation_degrees: int
    complaint: str | None
    sights: tuple[Sight, ...] | None = None
    programmes: tuple[Programme, ...] = ()
    teletext: dict[int, bool] = field(default_factory=dict)

    @property
    def ticks(self) -> list[int]:
        """When the frames are shown."""
        return [frame.tick for frame in self.frames if frame.tick is not None]


async def look(
    source: Source,
    *,
    ffmpeg: str,
    stream: int,
    frames: int | None = None,
    from_s: Fraction | None = None,
    fields: bool = False,
    mend_matrix: bool = False,
    timeout_s: float | None = None,
) -> Glimpse:
    """Decode some frames of a source.

    Args:
        source: the source.
        ffmpeg: the program.
        stream: index of the video stream.
        frames: how many, None for all.
        from_s: where to begin on the container's clock, None for the beginning.
        fields: whether `idet` looks at them too.
        mend_matrix: whether MPEG-2 states a colour matrix that does not exist.
        timeout_s: seconds after which to give up.

    Raises:
        InputError: the source makes FFmpeg crash.
        TimeoutError: it took longer than `timeout_s`.
        ToolError: FFmpeg cannot be started.
    """
    limit = () if frames is None else ("-frames:v", str(frames))
    # idet changes the flags that are shown.
    filters = "showinfo=checksum=0" + (f",{IDET}" if fields else "")
    finished = await run(
        (
            ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info", "-copyts",
            *input_arguments(source, from_s=from_s, mend_matrix=mend_matrix, keeps_clock=True),
            "-map", f"0:{stream}", "-vf", filters,
            "-fps_mode", "passthrough", *limit, "-f", "null", "-",
        ),
        timeout_s=timeout_s,
        tail_lines=100_000,
    )  # fmt: skip
    if finished.exit_code == _NOT_STARTED:
        raise ToolError(
            f"cannot start FFmpeg: {finished.stderr_tail[-1]}", fix="vhs-upscale doctor says more"
        )
    if finished.exit_code < 0:
        raise InputError(
            f"FFmpeg {describe_exit(finished.exit_code)} on it: the file is damaged",
            fix="copy it again from the original",
        )
    said_first = finished.stderr_tail
    glimpse = replace(
        parse(said_first), programmes=parse_programmes(said_first), teletext=parse_teletext(said_first)
    )
    if mend_matrix:
        glimpse = replace(glimpse, colour=replace(glimpse.colour, matrix=INVALID_MATRIX))
    if not fields:
        return glimpse
    said = finished.stdout.decode("ascii", "replace").splitlines()
    return replace(glimpse, sights=tuple(parse_sights(said)))


def parse(lines: Iterable[str]) -> Glimpse:
    """What FFmpeg printed, as values."""
    time_base: Fraction | None = None
    frames: list[ShownFrame] = []
    colour: Colour | None = None
    rotation = 0
    complaint: str | None = None
    for line in lines:
        if match := _FRAME.search(line):
            frames.append(_frame(match))
        elif match := _TIME_BASE.search(line):
            time_base = Fraction(int(match[1]), int(match[2]))
        elif colour is None and (match := _COLOUR.search(line)):
            colour = _colour(match)
        elif match := _ROTATION.search(line):
            # FFmpeg counts anticlockwise.
            rotation = round(-float(match[1]) / 90) * 90 % 360
        elif (match := _ERROR.match(line)) and not match["origin"].startswith(("Parsed_", "out")):
            complaint = match["text"]
    return Glimpse(
        time_base=time_base,
        frames=tuple(frames),
        colour=colour or Colour(),
        rotation_degrees=rotation,
        complaint=complaint,
    )


def _frame(match: re.Match[str]) -> ShownFrame:
    numerator, denominator = map(int, match["sar"].split("/"))
    return ShownFrame(
        tick=None if match["tick"] == "NOPTS" else int(match["tick"]),
        fields=_FIELDS[match["fields"]],
        width=int(match["width"]),
        height=int(match["height"]),
        pixel_format=match["format"],
        sar=Fraction(numerator, denominator) if numerator and denominator else None,
    )


def _colour(match: re.Match[str]) -> Colour:
    transfer = _known(match["transfer"])
    return Colour(
        matrix=_known(match["matrix"]),
        primaries=_known(match["primaries"]),
        transfer=_TRANSFERS.get(transfer, transfer) if transfer else None,
        range=_known(match["range"]),
    )


def _known(name: str) -> str | None:
    return None if name in ("unknown", "unspecified") else name
