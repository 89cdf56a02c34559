"""What a source is: a file, or several that hold one recording; and what tells one from another."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """A file that holds a part of a recording.

    Attributes:
        path: absolute path.
        size_bytes: its size when it was probed.
        modified_ns: its modification time then.
        picture_s: when it begins on the clock of the whole, so that its picture follows the one before; None
            where the bytes of all files in a row are the recording.
        sound_s: likewise for its sound.
    """

    path: Path
    size_bytes: int
    modified_ns: int
    picture_s: Fraction | None = None
    sound_s: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A recording in several files.

    Attributes:
        parts: the files, in their order.
        end_s: when the last one ends on the clock of the whole; None where bytes follow in a row.
    """

    parts: tuple[PartFile, ...]
    end_s: Fraction | None = None

    @property
    def in_a_row(self) -> bool:
        """Whether the bytes of all files in a row are the recording."""
        return self.end_s is None


@dataclass(frozen=True, slots=True)
class Served:
    """A user's file that lies on another machine, and is handed out here as it is read.

    Attributes:
        url: where, by HTTP on the loopback address; any range of bytes can be read.
    """

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a stream that FFmpeg can follow.

    Attributes:
        start: its first byte.
        stop: the byte after its last one.
        length_s: when the next one begins, in seconds after the beginning of this one: what is lost between
            them lasts as long as it did.
    """

    start: int
    stop: int
    length_s: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class InSpans:
    """A stream that is read without the places at which FFmpeg would lose it."""

    whole: Path | Joined | Served
    spans: tuple[Span, ...]


# What FFmpeg opens as one input.
Source = Path | Joined | InSpans


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """A source as it was at one time.

    Attributes:
        path: where it was.
        size_bytes: its size.
        modified_ns: when it was last changed, in nanoseconds since the epoch; 0 where nobody kept that.
        sha256: its digest; empty where it has not been read.
        parts: all files of a recording in several, of which the first is `path`.
    """

    path: Path
    size_bytes: int
    modified_ns: int = 0
    sha256: str = ""
    parts: tuple[Path, ...] = ()


class Likeness(StrEnum):
    """How a source is related to the one that something was made of."""

    SAME = "same"
    CHANGED = "changed"
    ANOTHER = "another"
    UNREAD = "unread"


def likeness(made_of: SourceIdentity, now: SourceIdentity) -> Likeness:
    """Whether `now` is what something was made of. Pure.

    Size and time decide for a file that is where it was. Content decides for one that was moved, copied or
    only touched: `UNREAD` says that the digest of `now` is needed.
    """
    same_place = made_of.path == now.path
    differs = Likeness.CHANGED if same_place else Likeness.ANOTHER
    if made_of.size_bytes != now.size_bytes:
        return differs
    if same_place and made_of.modified_ns == now.modified_ns:
        return Likeness.SAME
    if not made_of.sha256:
        return differs
    if not now.sha256:
        return Likeness.UNREAD
    return Likeness.SAME if made_of.sha256 == now.sha256 else differs
