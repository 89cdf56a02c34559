"""DVDs: tables made by hand for unit tests, and whole discs made by dvdauthor."""

import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

SECTOR = 2048


@dataclass(frozen=True)
class TableCell:
    """A cell of a title's table; `kind` is its first byte, which says of which block it is."""

    id: tuple[int, int]
    first: int
    last: int
    last_unit: int
    kind: int = 0


def disc_table(*titles: tuple[int, int, int]) -> bytes:
    """VIDEO_TS.IFO; of each title its angles, its title set and its number there."""
    table = bytearray(2 * SECTOR)
    table[:12] = b"DVDVIDEO-VMG"
    struct.pack_into(">I", table, 0xC4, 1)
    struct.pack_into(">HHI", table, SECTOR, len(titles), 0, 8 + 12 * len(titles) - 1)
    for place, (angles, title_set, number) in enumerate(titles):
        struct.pack_into(">BBHHBBI", table, SECTOR + 8 + 12 * place, 0, angles, 1, 0, title_set, number, 0)
    return bytes(table)


def set_table(
    *titles: Sequence[TableCell],
    chapters: Sequence[int] = (1,),
    languages: Sequence[bytes] = (b"en",),
    pieces: Sequence[tuple[int, int, int, int]] = (),
    subtitles: Sequence[bytes] = (),
    palette: Sequence[int] = (0,) * 16,
) -> bytes:
    """VTS_01_0.IFO; the cells of each title, each of which lasts 10 s.

    Args:
        titles: the cells of each.
        chapters: the first cell of each chapter, in every title.
        languages: of its AC-3 streams.
        pieces: further pieces of cells: video object, cell, first and last sector.
        subtitles: the languages of its subtitles.
        palette: the colours of these.
    """
    table = bytearray(16 * SECTOR)
    table[:12] = b"DVDVIDEO-VTS"
    for at, sector in ((0xC8, 1), (0xCC, 2), (0xE0, 12)):
        struct.pack_into(">I", table, at, sector)
    struct.pack_into(">H", table, 0x202, len(languages))
    for place, code in enumerate(languages):
        struct.pack_into(">BB2s", table, 0x204 + 8 * place, 4, 0, code)
    struct.pack_into(">H", table, 0x254, len(subtitles))
    for place, code in enumerate(subtitles):
        struct.pack_into(">BB2s", table, 0x256 + 6 * place, 1, 0, code)
    size = 4 * len(chapters)
    struct.pack_into(">HHI", table, SECTOR, len(titles), 0, 8 + (4 + size) * len(titles) - 1)
    struct.pack_into(">HHI", table, 2 * SECTOR, len(titles), 0, 10 * SECTOR - 1)
    for place, cells in enumerate(titles):
        offset = 8 + 4 * len(titles) + size * place
        struct.pack_into(">I", table, SECTOR + 8 + 4 * place, offset)
        for number in range(len(chapters)):
            struct.pack_into(">HH", table, SECTOR + offset + 4 * number, place + 1, number + 1)
        struct.pack_into(">II", table, 2 * SECTOR + 8 + 8 * place, 0, SECTOR * (place + 1))
        at = SECTOR * (place + 3)
        _chain(table, at, cells, chapters, len(languages))
        struct.pack_into(">16I", table, at + 0xA4, *palette)
        for number in range(len(subtitles)):
            struct.pack_into(">I", table, at + 0x1C + 4 * number, 1 << 31 | number << 24 | (number + 8) << 16)
    known = {(*cell.id, cell.first, cell.last) for cells in titles for cell in cells if not cell.kind & 4}
    entries = sorted({*known, *pieces})
    struct.pack_into(">HHI", table, 12 * SECTOR, 1, 0, 8 + 12 * len(entries) - 1)
    for place, (video_object, number, first, last) in enumerate(entries):
        struct.pack_into(">HBBII", table, 12 * SECTOR + 8 + 12 * place, video_object, number, 0, first, last)
    return bytes(table)


def _chain(
    table: bytearray, at: int, cells: Sequence[TableCell], chapters: Sequence[int], sounds: int
) -> None:
    table[at + 2 : at + 4] = bytes([len(chapters), len(cells)])
    for place in range(sounds):
        struct.pack_into(">H", table, at + 0x0C + 2 * place, 0x8000 | place << 8)
    played, positions = 0x100, 0x100 + 24 * len(cells)
    struct.pack_into(">HHH", table, at + 0xE6, 0xF0, played, positions)
    table[at + 0xF0 : at + 0xF0 + len(chapters)] = bytes(chapters)
    for place, cell in enumerate(cells):
        struct.pack_into(
            *(">BBBB4sIIII", table, at + played + 24 * place, cell.kind, 0, 0, 0),
            *(bytes([0, 0, 0x10, 0x40]), cell.first, 0, cell.last_unit, cell.last),
        )
        struct.pack_into(">HBB", table, at + positions + 4 * place, cell.id[0], 0, cell.id[1])


def unit(begins: int, ends: int, *, scrambled: bool = False) -> bytes:
    """A sector that begins a unit of a title: its clock, in ticks."""
    sector = bytearray(SECTOR)
    sector[:4] = b"\0\0\1\xba"
    sector[0x14] = 0x10 if scrambled else 0
    sector[0x26:0x2D] = b"\0\0\1\xbf\x03\xd4\0"
    struct.pack_into(">II", sector, 0x39, begins, ends)
    return bytes(sector)


def image(files: dict[str, bytes], *, folder: bytes = b"VIDEO_TS") -> bytes:
    """An ISO 9660 image with a folder that holds files."""
    sectors = [bytes(SECTOR)] * 16
    root, inner = 18, 19
    descriptor = bytearray(SECTOR)
    descriptor[:6] = b"\1CD001"
    descriptor[156:190] = _entry(b"\0", root, SECTOR)
    sectors += [bytes(descriptor), b"\xffCD001".ljust(SECTOR, b"\0")]
    sectors.append((_entry(b"\0", root, SECTOR) + _entry(folder, inner, SECTOR)).ljust(SECTOR, b"\0"))
    at, listing, contents = 20, _entry(b"\0", inner, SECTOR), b""
    for name, content in files.items():
        listing += _entry(f"{name};1".encode(), at, len(content))
        padded = content.ljust(-(-len(content) // SECTOR) * SECTOR, b"\0")
        contents += padded
        at += len(padded) // SECTOR
    struct.pack_into("<I", descriptor, 80, at)
    sectors[16] = bytes(descriptor)
    return b"".join(sectors) + listing.ljust(SECTOR, b"\0") + contents


def _entry(name: bytes, sector: int, size_bytes: int) -> bytes:
    length = 33 + len(name) + (len(name) + 1) % 2
    entry = bytearray(length)
    struct.pack_into("<B", entry, 0, length)
    struct.pack_into("<I", entry, 2, sector)
    struct.pack_into("<I", entry, 10, size_bytes)
    entry[32] = len(name)
    entry[33 : 33 + len(name)] = name
    return bytes(entry)


def small_disc(*, scrambled: bool = False) -> dict[str, bytes]:
    """The files of a disc with one title: a second in a unit, then one on a clock that starts again."""
    cells = (
        TableCell((1, 1), first=0, last=1, last_unit=0),
        TableCell((2, 1), first=2, last=3, last_unit=2),
    )
    units = unit(1000, 91_000) + bytes(SECTOR) + unit(1000, 91_000, scrambled=scrambled) + bytes(SECTOR)
    return {
        "VIDEO_TS.IFO": disc_table((1, 1, 1)),
        "VTS_01_0.IFO": set_table(cells, chapters=(1, 2)),
        "VTS_01_1.VOB": units,
    }


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    """The folder VIDEO_TS of a disc, below `folder`."""
    inner = folder / "VIDEO_TS"
    inner.mkdir(parents=True)
    for name, content in files.items():
        (inner / name).write_bytes(content)
    return inner


def author(xml: str, folder: Path) -> Path:
    """A disc that dvdauthor makes of a description, in whose folder the videos are; its folder VIDEO_TS."""
    if shutil.which("dvdauthor") is None:
        pytest.skip("dvdauthor, which makes test discs, is not installed")
    description = folder.with_suffix(".xml")
    description.write_text(f"<dvdauthor>{xml}</dvdauthor>")
    subprocess.run(
        ["dvdauthor", "-o", folder, "-x", description],
        env={"VIDEO_FORMAT": "PAL", "PATH": "/usr/bin:/bin:/usr/local/bin"},
        cwd=folder.parent,
        check=True,
        capture_output=True,
    )
    return folder / "VIDEO_TS"


def burn(folder: Path, disc: Path) -> Path:
    """The image of a disc that is in a folder."""
    if shutil.which("genisoimage") is None:
        pytest.skip("genisoimage, which makes images of test discs, is not installed")
    subprocess.run(
        ["genisoimage", "-quiet", "-dvd-video", "-o", disc, folder], check=True, capture_output=True
    )
    return disc
