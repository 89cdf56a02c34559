"""What a source is: a file, or several that hold one recording; and what tells one from another."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

# The file of a DVD that lists its titles, and what the name of a DVD's image ends in.
TABLE = "VIDEO_TS.IFO"
IMAGE_SUFFIX = ".iso"
_TITLE = re.compile(r".*_title_(\d\d)\.dvd", re.DOTALL)


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
class Piece:
    """Bytes of a file.

    Attributes:
        path: the file.
        start: the first of them.
        stop: the one after the last of them.
    """

    path: Path
    start: int
    stop: int

    @property
    def size_bytes(self) -> int:
        """How many they are."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscStream:
    """A stream of a DVD title, under the number that it has on the disc.

    Attributes:
        id: that number.
        language: ISO 639-2 code; None where the disc does not say.
        palette: of subtitles the colours, as FFmpeg's decoder of them reads these; empty for other streams.
    """

    id: int
    language: str | None = None
    palette: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DvdTitle:
    """A title of a DVD.

    Attributes:
        number: its number on the disc.
        pieces: where it lies: these bytes in a row are the title.
        streams: its streams, in the order in which FFmpeg is to count them.
        chapters_s: when its chapters begin, on the clock of the title; none where it has one alone.
    """

    number: int
    pieces: tuple[Piece, ...]
    streams: tuple[DiscStream, ...]
    chapters_s: tuple[Fraction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A recording in several files, or in parts of files.

    Attributes:
        parts: the files, in their order.
        end_s: when the last one ends on the clock of the whole; None where bytes follow in a row.
        title: where in the files the recording lies, if it is a title of a DVD.
    """

    parts: tuple[PartFile, ...]
    end_s: Fraction | None = None
    title: DvdTitle | None = None

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
    """A stream that is read without the places at which FFmpeg would lose it.

    Attributes:
        whole: the stream.
        spans: the parts that are read.
        title: the title of a DVD for which it is read: the spans are those of its pieces in a row.
    """

    whole: Path | Joined | Served
    spans: tuple[Span, ...]
    title: DvdTitle | None = None


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
    # The titles of a disc are in the same files.
    if title_number(made_of.path, made_of.parts) != title_number(now.path, now.parts):
        return differs
    if same_place and made_of.modified_ns == now.modified_ns:
        return Likeness.SAME
    if not made_of.sha256:
        return differs
    if not now.sha256:
        return Likeness.UNREAD
    return Likeness.SAME if made_of.sha256 == now.sha256 else differs


def title_path(folder: Path, disc: str, number: int) -> Path:
    """What stands for a title of a DVD as the path of a source, as several can be in one file.

    >>> title_path(Path("/tapes"), "wedding", 2)
    PosixPath('/tapes/wedding_title_02.dvd')
    """
    return folder / f"{disc}_title_{number:02}.dvd"


def title_number(path: Path, parts: Sequence[Path]) -> int | None:
    """Which title of a DVD a source is; None where it is none. Pure.

    Args:
        path: what stands for it, see `title_path`.
        parts: its files.
    """
    match = _TITLE.fullmatch(path.name)
    if match is None or not parts:
        return None
    is_disc = parts[0].suffix.lower() == IMAGE_SUFFIX or parts[0].name.upper() == TABLE
    return int(match[1]) if is_disc else None


def slices(parts: Sequence[Piece], start: int, stop: int) -> Iterator[Piece]:
    """The bytes from `start` to `stop` of pieces in a row."""
    at = 0
    for part in parts:
        first, last = max(start, at), min(stop, at + part.size_bytes)
        if first < last:
            yield Piece(path=part.path, start=part.start + first - at, stop=part.start + last - at)
        at += part.size_bytes
