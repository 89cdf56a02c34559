"""A title of a DVD: where it lies, where its clock starts again, and which titles repeat others."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

from vhsbatch.errors import InputError
from vhsbatch.model.source import DiscStream, DvdTitle, Piece, Span, slices
from vhsbatch.probe.dvd_disc import Disc, bytes_of, read_piece
from vhsbatch.probe.dvd_ifo import (
    SECTOR_BYTES,
    TICKS_PER_S,
    Cell,
    ListedTitle,
    Navigation,
    TitleTable,
    is_scrambled,
    navigation,
    title_table,
    titles_listed,
)

# The clock of one recording goes on to a tick; one that starts again jumps by seconds.
_CLOCK_TICKS = TICKS_PER_S // 100
# Spread over a title, so many cannot all miss an encryption, which concerns about half of its sectors.
_LOOKED_AT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A part of a title in which the clock goes on.

    Attributes:
        start: its first byte, counted in the title.
        stop: the one after its last.
        begins: when its first frame is shown, in ticks.
        ends: when its last frame ends, as the disc says, which may count in the sound that is behind it.
        last_unit: the first byte of its last unit, counted in the title.
    """

    start: int
    stop: int
    begins: int
    ends: int
    last_unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What the streams of a part of a title say of its time, on its own clock.

    Attributes:
        start_s: when the first of its streams begins.
        end_s: when its last frame ends.
    """

    start_s: Fraction
    end_s: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleLayout:
    """How a title lies on its disc.

    Attributes:
        number: its number.
        pieces: its bytes.
        clocks: its parts, which tile it.
        chapters: where its chapters begin: the number of a part, and the time there in ticks.
        languages: of its audio streams by their numbers, in their order; None where the disc does not say.
        subtitles: of its subtitles likewise.
        palette: the colours of its subtitles.
    """

    number: int
    pieces: tuple[Piece, ...]
    clocks: tuple[Clock, ...]
    chapters: tuple[tuple[int, int], ...]
    languages: dict[int, str | None]
    subtitles: dict[int, str | None]
    palette: tuple[int, ...]

    @property
    def as_json(self) -> str:
        """As `layout_of` takes it."""
        return json.dumps(
            {
                "number": self.number,
                "pieces": [(str(piece.path), piece.start, piece.stop) for piece in self.pieces],
                "clocks": [astuple(clock) for clock in self.clocks],
                "chapters": self.chapters,
                "languages": list(self.languages.items()),
                "subtitles": list(self.subtitles.items()),
                "palette": self.palette,
            }
        )


def layout_of(text: str) -> TitleLayout:
    """The layout that `TitleLayout.as_json` has written."""
    said: dict[str, Any] = json.loads(text)
    return TitleLayout(
        number=said["number"],
        pieces=tuple(Piece(path=Path(path), start=start, stop=stop) for path, start, stop in said["pieces"]),
        clocks=tuple(
            Clock(start=start, stop=stop, begins=begins, ends=ends, last_unit=last_unit)
            for start, stop, begins, ends, last_unit in said["clocks"]
        ),
        chapters=tuple((part, tick) for part, tick in said["chapters"]),
        languages=dict(said["languages"]),
        subtitles=dict(said["subtitles"]),
        palette=tuple(said["palette"]),
    )


@dataclass(frozen=True, kw_only=True)
class Title:
    """A title of a disc.

    Attributes:
        listed: what the disc says of it.
        table: what its title set says of it.
    """

    listed: ListedTitle
    table: TitleTable

    @property
    def number(self) -> int:
        """Its number on the disc."""
        return self.listed.number

    @cached_property
    def cells(self) -> frozenset[tuple[int, int, int]]:
        """What it is made of, so that it can be compared with other titles."""
        return frozenset((self.listed.title_set, *cell.id) for cell in self.table.cells)


def titles_of(disc: Disc) -> tuple[Title, ...]:
    """The titles of a disc, in their order.

    Raises:
        InputError: its tables are missing or damaged.
    """
    listed = titles_listed(disc.table(0))
    tables = {number: disc.table(number) for number in {title.title_set for title in listed}}
    return tuple(
        Title(listed=title, table=title_table(tables[title.title_set], title.number_in_set))
        for title in listed
    )


def repeated_by(titles: Sequence[Title]) -> dict[int, tuple[int, ...]]:
    """The titles of which everything is in others, too: a "play all" beside its episodes. Pure.

    Returns:
        By the number of each such title, those that hold all of it, and are in no such place themselves.
    """
    kept = {title.number: title for title in titles if title.cells}
    found: dict[int, tuple[int, ...]] = {}
    # The longest one first: what it holds, its episodes hold; they are what is wanted.
    for title in sorted(kept.values(), key=lambda one: (-len(one.cells), -one.number)):
        others = [other for other in kept.values() if other is not title and other.cells & title.cells]
        if title.cells <= frozenset().union(*(other.cells for other in others)):
            found[title.number] = tuple(other.number for other in others)
            del kept[title.number]
    return found


def layout(disc: Disc, title: Title) -> TitleLayout:
    """How a title lies on its disc.

    Raises:
        InputError: a part of it is missing, damaged or encrypted.
    """
    parts = disc.parts(title.listed.title_set)
    try:
        return _layout(parts, title)
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}", fix="check the disc, the disk or the share"
        ) from error


def _layout(parts: Sequence[Piece], title: Title) -> TitleLayout:
    pieces = bytes_of(parts, [sectors for cell in title.table.cells for sectors in cell.sectors])
    if not pieces:
        raise InputError("it is empty")
    _expect_clear(pieces)
    clocks: list[Clock] = []
    chapters: list[tuple[int, int]] = []
    start = 0
    for place, cell in enumerate(title.table.cells):
        stop = start + SECTOR_BYTES * sum(last + 1 - first for first, last in cell.sectors)
        begins, ends = _shown(parts, cell)
        last_unit = stop - SECTOR_BYTES * (cell.sectors[-1][1] + 1 - cell.last_unit)
        clock = Clock(start=start, stop=stop, begins=begins, ends=ends, last_unit=last_unit)
        if clocks and abs(clocks[-1].ends - begins) <= _CLOCK_TICKS:
            before = clocks.pop()
            clock = replace(clock, start=before.start, begins=before.begins)
        clocks.append(clock)
        if place in title.table.chapters:
            chapters.append((len(clocks) - 1, begins))
        start = stop
    return TitleLayout(
        number=title.number,
        pieces=pieces,
        clocks=tuple(clocks),
        chapters=tuple(chapters),
        languages=title.table.languages,
        subtitles=title.table.subtitles,
        palette=title.table.palette,
    )


def _shown(parts: Sequence[Piece], cell: Cell) -> tuple[int, int]:
    """When a cell's first frame is shown, and when its last one ends."""
    first, last = (_navigation(parts, sector) for sector in (cell.sectors[0][0], cell.last_unit))
    return first.begins, last.ends


def _navigation(parts: Sequence[Piece], sector: int) -> Navigation:
    (piece,) = slices(parts, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)
    found = navigation(read_piece(piece))
    if found is None:
        raise InputError(
            f"it is damaged: sector {sector} of its title set says nothing of its clock",
            fix="copy the disc again",
        )
    return found


def _expect_clear(pieces: Sequence[Piece]) -> None:
    """Refuse an encrypted title.

    Raises:
        InputError: it is one.
    """
    sectors = sum(piece.size_bytes for piece in pieces) // SECTOR_BYTES
    for number in sorted({sectors * place // _LOOKED_AT for place in range(_LOOKED_AT)}):
        for piece in slices(pieces, number * SECTOR_BYTES, (number + 1) * SECTOR_BYTES):
            if is_scrambled(read_piece(piece)):
                raise InputError(
                    "the disc is encrypted (CSS), which this program does not undo",
                    fix="give a copy without it",
                )


def in_spans(laid: TitleLayout, times: Sequence[Times]) -> Iterator[Span]:
    """The parts of a title as FFmpeg reads them, one after the other. Pure.

    The picture of each begins where that of the one before ends.

    Args:
        laid: how it lies on its disc.
        times: what the streams of each part say.
    """
    heads_s = [
        Fraction(clock.begins, TICKS_PER_S) - time.start_s
        for clock, time in zip(laid.clocks, times, strict=True)
    ]
    for clock, time, next_head_s in zip(laid.clocks, times, [*heads_s[1:], Fraction(0)], strict=True):
        yield Span(start=clock.start, stop=clock.stop, length_s=time.end_s - time.start_s - next_head_s)


def as_read(laid: TitleLayout, picture: int, sounds: Collection[int], times: Sequence[Times]) -> DvdTitle:
    """A title as FFmpeg reads it. Pure.

    Args:
        laid: how it lies on its disc.
        picture: the number of its picture's stream.
        sounds: those of its audio streams.
        times: what the streams of each part say.
    """
    listed = [id_ for id_ in laid.languages if id_ in sounds]
    unlisted = sorted(id_ for id_ in sounds if id_ not in laid.languages)
    palette = "palette: " + ", ".join(f"{colour:06x}" for colour in laid.palette)
    begins_s = list(accumulate((span.length_s for span in in_spans(laid, times)), initial=Fraction(0)))
    chapters_s = tuple(
        begins_s[part] + Fraction(tick, TICKS_PER_S) - times[part].start_s for part, tick in laid.chapters
    )
    return DvdTitle(
        number=laid.number,
        pieces=laid.pieces,
        streams=(
            DiscStream(id=picture),
            *(DiscStream(id=id_, language=laid.languages.get(id_)) for id_ in (*listed, *unlisted)),
            *(
                DiscStream(id=id_, language=language, palette=palette)
                for id_, language in laid.subtitles.items()
            ),
        ),
        chapters_s=chapters_s if len(chapters_s) > 1 else (),
    )
