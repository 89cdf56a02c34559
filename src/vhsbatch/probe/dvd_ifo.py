"""What the tables of a DVD say: its titles, and of each its cells, chapters, angles and languages. Pure.

A disc's own table (VIDEO_TS.IFO) lists its titles; that of a title set (VTS_01_0.IFO) says of each in which
order its cells are played, and where they lie among the sectors of the set.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from vhsbatch.errors import InputError
from vhsbatch.probe.dvd_languages import language_of_two_letters

SECTOR_BYTES = 2048
# No table of a DVD is larger.
LARGEST_TABLES_BYTES = 8 * 2**20
_DISC, _SET = b"DVDVIDEO-VMG", b"DVDVIDEO-VTS"
_RATES = {1: Fraction(25), 3: Fraction(30000, 1001)}
_MOST_AUDIO, _MOST_SUBTITLES = 8, 32
_FIRST_SUBTITLE = 0x20
# How the shape of a screen is coded.
_WIDE = 3
# By the number in the tables: where the numbers of a coding's streams begin.
_FIRST_STREAMS = {0: 0x80, 2: 0x1C0, 3: 0x1C0, 4: 0xA0, 6: 0x88}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTitle:
    """A title in the disc's list.

    Attributes:
        number: its number on the disc, from 1.
        angles: from how many cameras it can be seen.
        title_set: number of the title set that holds it.
        number_in_set: its number there.
    """

    number: int
    angles: int
    title_set: int
    number_in_set: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A part of a title that lies on the disc in one order.

    Attributes:
        id: numbers of its video object, and of itself in that.
        sectors: where it lies among the sectors of its title set: the first and the last of each piece.
        last_unit: the sector at which its last unit begins.
        length_s: how long it is, to a frame.
    """

    id: tuple[int, int]
    sectors: tuple[tuple[int, int], ...]
    last_unit: int
    length_s: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleTable:
    """What is played as a title.

    Attributes:
        cells: in their order; of several angles those of the first.
        chapters: the positions among `cells` at which chapters begin.
        languages: the ISO 639-2 codes of its audio streams by their numbers, in their order; None where it
            does not say.
        subtitles: the same of its subtitles.
        palette: the sixteen colours of its subtitles, as red, green and blue in one number.
    """

    cells: tuple[Cell, ...]
    chapters: tuple[int, ...]
    languages: dict[int, str | None]
    subtitles: dict[int, str | None] = field(default_factory=dict)
    palette: tuple[int, ...] = ()

    @property
    def length_s(self) -> Fraction:
        """How long it is, to a frame for each cell."""
        return sum((cell.length_s for cell in self.cells), Fraction(0))


def titles_listed(table: bytes) -> tuple[ListedTitle, ...]:
    """The titles of a disc.

    Raises:
        InputError: `table` is not that of a disc, or is damaged.
    """
    if not table.startswith(_DISC):
        raise _damaged("VIDEO_TS.IFO")
    try:
        begins = _sector(table, 0xC4)
        (count,) = struct.unpack_from(">H", table, begins)
        entries = [struct.unpack_from(">BBHHBBI", table, begins + 8 + 12 * place) for place in range(count)]
    except struct.error as error:
        raise _damaged("VIDEO_TS.IFO") from error
    return tuple(
        ListedTitle(number=number, angles=max(1, angles), title_set=title_set, number_in_set=number_in_set)
        for number, (_, angles, _, _, title_set, number_in_set, _) in enumerate(entries, start=1)
    )


def title_table(table: bytes, number_in_set: int) -> TitleTable:
    """A title of a title set.

    Args:
        table: that of the title set.
        number_in_set: the title's number in it.

    Raises:
        InputError: `table` is not that of a title set, or is damaged.
    """
    if not table.startswith(_SET):
        raise _damaged("the table of its title set")
    try:
        return _title(table, number_in_set)
    except (struct.error, IndexError, KeyError) as error:
        raise _damaged("the table of its title set") from error


def _title(table: bytes, number_in_set: int) -> TitleTable:
    entries = _entries(table, number_in_set)
    pieces = _pieces(table)
    cells: list[Cell] = []
    chapters: list[int] = []
    languages: dict[int, str | None] = {}
    subtitles: dict[int, str | None] = {}
    palette: tuple[int, ...] = ()
    for chain in dict.fromkeys(chain for chain, _ in entries if chain):
        at = _chain(table, chain)
        first_cells = _programmes(table, at)
        kept = list(_cells(table, at, pieces))
        # The cells of other angles are left out, and do not count.
        places = {number: len(cells) + place for place, (number, _) in enumerate(kept)}
        begin = [first_cells[programme - 1] for of, programme in entries if of == chain and first_cells]
        chapters += [places[number] for number in begin if number in places]
        cells += [cell for _, cell in kept]
        languages |= _languages(table, at)
        subtitles |= _subtitles(table, at)
        palette = palette or tuple(map(_colour, struct.unpack_from(">16I", table, at + 0xA4)))
    return TitleTable(
        cells=tuple(cells),
        chapters=tuple(sorted(set(chapters))),
        languages=languages,
        subtitles=subtitles,
        palette=palette,
    )


def _entries(table: bytes, number_in_set: int) -> list[tuple[int, int]]:
    """The programme chain and the programme at which each chapter of a title begins."""
    begins = _sector(table, 0xC8)
    count, _, last = struct.unpack_from(">HHI", table, begins)
    offsets = [*struct.unpack_from(f">{count}I", table, begins + 8), last + 1]
    first, stop = list(pairwise(offsets))[number_in_set - 1]
    return [struct.unpack_from(">HH", table, begins + place) for place in range(first, stop - 3, 4)]


def _chain(table: bytes, number: int) -> int:
    """Where a programme chain lies in its table."""
    begins = _sector(table, 0xCC)
    _, offset = struct.unpack_from(">II", table, begins + 8 * number)
    return begins + int(offset)


def _programmes(table: bytes, at: int) -> Sequence[int]:
    """The first cell of each programme of a chain, counted from 1."""
    (offset,) = struct.unpack_from(">H", table, at + 0xE6)
    return struct.unpack_from(f"{table[at + 2]}B", table, at + offset)


def _cells(
    table: bytes, at: int, pieces: dict[tuple[int, int], list[tuple[int, int]]]
) -> Iterator[tuple[int, Cell]]:
    """The cells of a chain, each with its number in it; of several angles those of the first."""
    played, positions = struct.unpack_from(">HH", table, at + 0xE8)
    for place in range(table[at + 3]):
        kind, _, _, _, length, first, _, last_unit, last = struct.unpack_from(
            ">BBBB4sIIII", table, at + played + 24 * place
        )
        video_object, _, number = struct.unpack_from(">HBB", table, at + positions + 4 * place)
        block, is_angle, is_interleaved = kind >> 6, (kind >> 4) & 3 == 1, kind & 4
        if is_angle and block > 1:
            continue
        id_ = int(video_object), int(number)
        # Those of angles lie in pieces between each other; all others in one.
        sectors = tuple(pieces[id_]) if is_interleaved else ((int(first), int(last)),)
        yield place + 1, Cell(id=id_, sectors=sectors, last_unit=int(last_unit), length_s=_length_s(length))


def _pieces(table: bytes) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """The sectors of each cell of a title set, by its number."""
    begins = _sector(table, 0xE0)
    _, _, last = struct.unpack_from(">HHI", table, begins)
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place in range(begins + 8, begins + last + 1 - 11, 12):
        video_object, number, _, first, stop = struct.unpack_from(">HBBII", table, place)
        found.setdefault((video_object, number), []).append((first, stop))
    return found


def _languages(table: bytes, at: int) -> dict[int, str | None]:
    """The languages of a chain's audio, by the numbers of the streams."""
    found: dict[int, str | None] = {}
    (count,) = struct.unpack_from(">H", table, 0x202)
    for place in range(min(count, _MOST_AUDIO)):
        coding, _, code = struct.unpack_from(">BB2s", table, 0x204 + 8 * place)
        (control,) = struct.unpack_from(">H", table, at + 0x0C + 2 * place)
        first = _FIRST_STREAMS.get(coding >> 5)
        if control & 0x8000 and first is not None:
            found[first + (control >> 8 & 7)] = _language(code) if coding >> 2 & 3 == 1 else None
    return found


def _subtitles(table: bytes, at: int) -> dict[int, str | None]:
    """The languages of a chain's subtitles, by the numbers of the streams."""
    found: dict[int, str | None] = {}
    (count,) = struct.unpack_from(">H", table, 0x254)
    # Of one subtitle there may be a stream for each shape of screen.
    shift = 16 if table[0x200] >> 2 & 3 == _WIDE else 24
    for place in range(min(count, _MOST_SUBTITLES)):
        kind, _, code = struct.unpack_from(">BB2s", table, 0x256 + 6 * place)
        (control,) = struct.unpack_from(">I", table, at + 0x1C + 4 * place)
        if control >> 31:
            found[_FIRST_SUBTITLE + (control >> shift & 31)] = _language(code) if kind & 3 == 1 else None
    return found


def _language(code: bytes) -> str | None:
    return language_of_two_letters(code.decode("ascii", "replace").lower())


def _colour(coded: int) -> int:
    """A colour in red, green and blue, of one in luma and two differences from it.

    >>> f"{_colour(0x00108080):06x}", f"{_colour(0x00EB8080):06x}", f"{_colour(0x0051F05A):06x}"
    ('000000', 'ffffff', 'fe0000')
    """
    luma = 255 * ((coded >> 16 & 255) - 16) / 219
    red, blue = (255 * ((coded >> shift & 255) - 128) / 224 for shift in (8, 0))
    channels = (luma + 1.402 * red, luma - 0.714136 * red - 0.344136 * blue, luma + 1.772 * blue)
    levels = [min(255, max(0, round(channel))) for channel in channels]
    return levels[0] << 16 | levels[1] << 8 | levels[2]


def _length_s(coded: bytes) -> Fraction:
    """A time in binary-coded decimals: hours, minutes, seconds, and frames at a rate in the upper bits.

    >>> _length_s(bytes([0x01, 0x02, 0x03, 0x40 | 0x12]))
    Fraction(93087, 25)
    """
    hours, minutes, seconds = (10 * (byte >> 4) + (byte & 15) for byte in coded[:3])
    rate, frames = _RATES.get(coded[3] >> 6), 10 * (coded[3] >> 4 & 3) + (coded[3] & 15)
    return Fraction(3600 * hours + 60 * minutes + seconds) + (frames / rate if rate else 0)


def _sector(table: bytes, at: int) -> int:
    """The place in a table to which the number of a sector points."""
    (sector,) = struct.unpack_from(">I", table, at)
    return int(sector) * SECTOR_BYTES


def _damaged(what: str) -> InputError:
    return InputError(f"{what} is damaged", fix="copy the disc again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """What a sector of navigation says of the unit that it begins.

    Attributes:
        begins: when its first frame is shown, in ticks.
        ends: when its last frame ends, likewise.
    """

    begins: int
    ends: int


TICKS_PER_S = 90_000
_NAVIGATION = b"\0\0\1\xbf\x03\xd4\0"
_NAVIGATION_AT = 0x26


def navigation(sector: bytes) -> Navigation | None:
    """What a sector says if it is one of navigation; None otherwise."""
    if not sector.startswith(_NAVIGATION, _NAVIGATION_AT) or len(sector) < SECTOR_BYTES:
        return None
    begins, ends = struct.unpack_from(">II", sector, _NAVIGATION_AT + 0x13)
    return Navigation(begins=begins, ends=ends)


def is_scrambled(sector: bytes) -> bool:
    """Whether the content of a sector is encrypted (CSS)."""
    return sector.startswith(b"\0\0\1\xba") and len(sector) > 0x14 and bool(sector[0x14] & 0x30)
