"""Which field of a frame comes first: measured in the picture, since what files state is often wrong.

FFmpeg's `idet` compares neighbouring fields. It is right on everything that moves and silent on
everything that does not, so that several places of a tape are looked at; what the file states, and
after that the convention of its kind, decide only where the picture does not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from vhsbatch.media.formats import input_arguments
from vhsbatch.model.media import FieldOrder, VideoTrack
from vhsbatch.proc.process import run

# Lines of the television standards that have fields, and of cards that cut some off.
INTERLACED_HEIGHTS = frozenset({480, 484, 486, 512, 576, 608, 1080, 1088})

_WINDOW_FRAMES = 60
_SHORT_FRAMES = 360
# Where to look, as parts of the length: tapes begin and end with noise, black and blue.
_WINDOWS = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4), Fraction(1, 10), Fraction(9, 10))

_MULTI_FRAME = re.compile(
    r"Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+) Undetermined: *(\d+)"
)
_IN_WORDS = {FieldOrder.TFF: "top field first", FieldOrder.BFF: "bottom field first"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What `idet` made of some frames.

    Attributes:
        tff: frames whose top field is older.
        bff: frames whose bottom field is older.
        progressive: frames without fields of different times.
        undetermined: frames that do not tell.
    """

    tff: int = 0
    bff: int = 0
    progressive: int = 0
    undetermined: int = 0

    @property
    def interlaced(self) -> int:
        """Frames with two fields of different times."""
        return self.tff + self.bff

    @property
    def total(self) -> int:
        """All frames that were looked at."""
        return self.tff + self.bff + self.progressive + self.undetermined

    def __add__(self, other: "Votes") -> "Votes":
        return Votes(
            tff=self.tff + other.tff,
            bff=self.bff + other.bff,
            progressive=self.progressive + other.progressive,
            undetermined=self.undetermined + other.undetermined,
        )

    def verdict(self) -> FieldOrder:
        """What the picture says, UNKNOWN where it is not clear.

        Still scenes of an interlaced tape pass for progressive ones, so that a tenth of the frames is
        enough to call it interlaced, and nearly none may be for calling it progressive.
        """
        if self.interlaced >= max(3, self.total / 10):
            if self.tff >= 4 * self.bff:
                return FieldOrder.TFF
            return FieldOrder.BFF if self.bff >= 4 * self.tff else FieldOrder.UNKNOWN
        if self.progressive >= max(3, 0.6 * self.total) and self.interlaced <= self.total / 50:
            return FieldOrder.PROGRESSIVE
        return FieldOrder.UNKNOWN


def can_be_interlaced(height: int, stated: FieldOrder) -> bool:
    """Whether a picture of `height` lines that states `stated` is worth measuring."""
    return height in INTERLACED_HEIGHTS or stated in _IN_WORDS


def decide(*, stated: FieldOrder, codec: str, height: int, votes: Votes | None) -> tuple[FieldOrder, str]:
    """Decide the field order of a source.

    Args:
        stated: what the file states.
        codec: FFmpeg's codec name.
        height: lines.
        votes: what was measured, None if nothing was.

    Returns:
        TFF, BFF or PROGRESSIVE, and the reason in a few words.
    """
    measured = FieldOrder.UNKNOWN if votes is None else votes.verdict()
    if votes is not None and measured is not FieldOrder.UNKNOWN:
        return measured, _measured_reason(measured, stated, votes)
    if not can_be_interlaced(height, stated):
        return FieldOrder.PROGRESSIVE, f"a picture of {height} lines has no fields"
    why = "not measured" if votes is None else _unclear_reason(votes)
    if stated is not FieldOrder.UNKNOWN:
        return stated, f"{why}; the file says {_in_words(stated)}"
    if votes is not None and votes.interlaced == 0 and votes.progressive > votes.total / 5:
        return FieldOrder.PROGRESSIVE, f"measured: no frame of {votes.total} has fields"
    return _conventional(codec, height, why)


def _conventional(codec: str, height: int, why: str) -> tuple[FieldOrder, str]:
    """The order that such a source has unless it says otherwise."""
    if codec == "dvvideo":
        return FieldOrder.BFF, f"{why}; DV is bottom field first"
    if height == 486:
        return FieldOrder.BFF, f"{why}; 486 lines are bottom field first by convention"
    return FieldOrder.TFF, f"{why}; {height} lines are top field first by convention"


def decided(video: VideoTrack, votes: Votes | None) -> VideoTrack:
    """`video` with the field order that was decided on."""
    order, reason = decide(stated=video.flagged_order, codec=video.codec, height=video.height, votes=votes)
    return replace(video, field_order=order, field_order_reason=reason)


def stated_order(flags: FieldOrder, container_flag: FieldOrder) -> FieldOrder:
    """What a file states: its frames when they know of fields, else its container.

    Args:
        flags: what its frames state; PROGRESSIVE is no statement, as decoders say it by default.
        container_flag: what its container or its codec's headers state.
    """
    return flags if flags in _IN_WORDS else container_flag


def parse_votes(lines: Iterable[str]) -> Votes:
    """The report of `idet`; it can print several, of which all but one are of nothing."""
    reports = (
        Votes(tff=int(tff), bff=int(bff), progressive=int(progressive), undetermined=int(undetermined))
        for line in lines
        for tff, bff, progressive, undetermined in _MULTI_FRAME.findall(line)
    )
    return max(reports, key=lambda votes: votes.total, default=Votes())


async def measure(
    path: Path, video: VideoTrack, *, ffmpeg: str, seekable: bool, timeout_s: float | None = None
) -> Votes:
    """Look at the picture in several places, until it is clear.

    Args:
        path: the source.
        video: its video stream.
        ffmpeg: the program.
        seekable: whether FFmpeg can start in the middle; otherwise only the beginning is seen.
        timeout_s: seconds after which to give up on one place.

    Raises:
        TimeoutError: one place took longer than `timeout_s`.
        ToolError: FFmpeg cannot be started.
    """
    total = Votes()
    for from_s, count in _windows(video, seekable=seekable):
        finished = await run(
            (
                ffmpeg, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "info",
                *input_arguments(path, from_s=from_s),
                "-map", f"0:{video.index}", "-vf", "idet",
                "-fps_mode", "passthrough", "-frames:v", str(count), "-f", "null", "-",
            ),
            timeout_s=timeout_s,
        )  # fmt: skip
        total += parse_votes(finished.stderr_tail)
        if _is_settled(total):
            break
    return total


def _windows(video: VideoTrack, *, seekable: bool) -> Iterator[tuple[Fraction | None, int]]:
    """Where to look, and at how many frames."""
    if not seekable or video.frames <= _SHORT_FRAMES:
        yield None, _SHORT_FRAMES
        return
    for part in _WINDOWS:
        first = int((video.frames - _WINDOW_FRAMES) * part)
        yield video.start_s + first / video.rate, _WINDOW_FRAMES


def _is_settled(votes: Votes) -> bool:
    """Whether two windows full of fields agree; only the whole tape can be progressive."""
    return votes.verdict() in _IN_WORDS and votes.interlaced >= 1.5 * _WINDOW_FRAMES


def _measured_reason(measured: FieldOrder, stated: FieldOrder, votes: Votes) -> str:
    count = {
        FieldOrder.TFF: votes.tff,
        FieldOrder.BFF: votes.bff,
        FieldOrder.PROGRESSIVE: votes.progressive,
    }[measured]
    reason = f"measured: {count} of {votes.total} frames are {_in_words(measured)}"
    if stated in (measured, FieldOrder.UNKNOWN):
        return reason
    return f"{reason}, though the file says {_in_words(stated)}"


def _unclear_reason(votes: Votes) -> str:
    if votes.interlaced >= max(3, votes.total / 10):
        return f"measured both orders ({votes.tff} and {votes.bff} frames)"
    return "too little movement to measure"


def _in_words(order: FieldOrder) -> str:
    return _IN_WORDS.get(order, order.value)
