"""A DVD as files: a folder VIDEO_TS, or an image (ISO 9660) that holds one. Both are only read."""

import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import can_be_joined
from vhsbatch.formatting import size
from vhsbatch.fs import open_regular
from vhsbatch.model.source import IMAGE_SUFFIX, TABLE, Piece, slices
from vhsbatch.probe.dvd_ifo import LARGEST_TABLES_BYTES, SECTOR_BYTES

COPY_FOLDER = "mount it, and give its folder VIDEO_TS"
_COPY_AGAIN = "copy the disc again"
_FOLDER = b"VIDEO_TS"
# What programs that burn discs add at the end, and others leave out.
_PADDING_BYTES = 150 * SECTOR_BYTES
# The first sector that says what an image is, and how many there can be.
_DESCRIPTORS = range(16, 32)
_PRIMARY, _LAST = 1, 255
_ITSELF_AND_ABOVE = (b"\0", b"\1")
# No folder of a disc is larger.
_MOST_LISTED_BYTES = 2**20
_TITLE_PART = re.compile(r"VTS_(\d\d)_([1-9])\.VOB")
_MENU = re.compile(r"VIDEO_TS\.VOB|VTS_\d\d_0\.VOB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """A DVD.

    Attributes:
        path: the image, or the folder VIDEO_TS.
        files: what its folder VIDEO_TS holds, by names in capitals.
        lacks: how much of an image is not there, in words; empty if all is.
    """

    path: Path
    files: dict[str, Piece] = field(repr=False)
    lacks: str = ""

    @property
    def name(self) -> str:
        """What its titles are called after."""
        return self.path.stem if self.is_image else self.path.resolve().parent.name

    @property
    def shown_name(self) -> str:
        """What it is called where it lies."""
        return self.path.name if self.is_image else self.name

    @property
    def is_image(self) -> bool:
        """Whether it is an image."""
        return self.path.suffix.lower() == IMAGE_SUFFIX

    @property
    def has_menus(self) -> bool:
        """Whether it has menus."""
        return any(_MENU.fullmatch(name) and file.size_bytes for name, file in self.files.items())

    def table(self, title_set: int) -> bytes:
        """The table of a title set, or that of the disc (0); its copy if it cannot be read.

        Raises:
            InputError: neither is there.
        """
        stem = f"VTS_{title_set:02}_0" if title_set else "VIDEO_TS"
        for name in (f"{stem}.IFO", f"{stem}.BUP"):
            file = self.files.get(name)
            if file is None:
                continue
            content = read_piece(file, LARGEST_TABLES_BYTES)
            if content.startswith(b"DVDVIDEO-"):
                return content
        raise InputError(self.lacks or f"{stem}.IFO is missing or damaged", fix=_COPY_AGAIN)

    def identity(self, title_set: int) -> tuple[Path, ...]:
        """The files in which a title of a title set is, of which the first tells what they are."""
        if self.is_image:
            return (self.path,)
        tables = (TABLE, f"VTS_{title_set:02}_0.IFO")
        return (
            *(self.files[name].path for name in tables if name in self.files),
            *(piece.path for piece in self.parts(title_set)),
        )

    def parts(self, title_set: int) -> tuple[Piece, ...]:
        """The titles of a title set in a row."""
        found = {
            int(match[2]): file
            for name, file in self.files.items()
            if (match := _TITLE_PART.fullmatch(name)) and int(match[1]) == title_set
        }
        return tuple(found[number] for number in sorted(found) if set(range(1, number)) <= set(found))


def open_disc(path: Path) -> Disc:
    """The DVD in an image, or in a folder VIDEO_TS.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    if not can_be_joined(path):
        raise InputError("its name has a line break or a bar in it", fix="rename it")
    try:
        files, lacks = _in_image(path) if path.suffix.lower() == IMAGE_SUFFIX else (_in_folder(path), "")
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", fix="check the disk or the share") from error
    if TABLE not in files and TABLE.replace(".IFO", ".BUP") not in files:
        raise InputError("it is no DVD-Video: VIDEO_TS.IFO is not in it", fix=_COPY_AGAIN)
    return Disc(path=path, files=files, lacks=lacks)


def read_piece(piece: Piece, most_bytes: int | None = None) -> bytes:
    """The bytes of a piece, or the first of them."""
    with open_regular(piece.path) as file:
        file.seek(piece.start)
        return file.read(piece.size_bytes if most_bytes is None else min(piece.size_bytes, most_bytes))


def bytes_of(parts: Sequence[Piece], sectors: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    """Where sectors of a title set lie.

    Args:
        parts: the title set in a row.
        sectors: the first and the last of each range.

    Raises:
        InputError: some are not there.
    """
    found: list[Piece] = []
    for first, last in sectors:
        for piece in slices(parts, first * SECTOR_BYTES, (last + 1) * SECTOR_BYTES):
            if found and found[-1].path == piece.path and found[-1].stop == piece.start:
                found[-1] = replace(found[-1], stop=piece.stop)
            else:
                found.append(piece)
    named = sum(last + 1 - first for first, last in sectors)
    if sum(piece.size_bytes for piece in found) < SECTOR_BYTES * named:
        raise InputError("it is not complete: its tables name more than is there", fix=_COPY_AGAIN)
    return tuple(found)


def _in_folder(path: Path) -> dict[str, Piece]:
    return {
        file.name.upper(): Piece(path=file, start=0, stop=file.stat().st_size)
        for file in sorted(path.absolute().iterdir())
        if file.is_file()
    }


def _in_image(path: Path) -> tuple[dict[str, Piece], str]:
    """The files in the folder VIDEO_TS of an image, as far as they are there, and how much is not."""
    with open_regular(path) as file:
        there_bytes = os.fstat(file.fileno()).st_size

        def piece(sector: int, size_bytes: int) -> Piece:
            start = min(sector * SECTOR_BYTES, there_bytes)
            return Piece(path=path.absolute(), start=start, stop=min(start + size_bytes, there_bytes))

        def read(sector: int, size_bytes: int) -> bytes:
            file.seek(sector * SECTOR_BYTES)
            return file.read(min(size_bytes, _MOST_LISTED_BYTES))

        for sector in _DESCRIPTORS:
            content = read(sector, SECTOR_BYTES)
            if len(content) < SECTOR_BYTES or content[1:6] not in (b"CD001", b"BEA01", b"NSR02", b"TEA01"):
                break
            if content[1:6] == b"CD001" and content[0] == _PRIMARY:
                lacks = _lacks(content, there_bytes)
                ((_, top),) = _listed(content[156:190])
                folder = dict(_listed(read(*top))).get(_FOLDER)
                if folder is None:
                    if lacks:
                        raise InputError(lacks, fix=_COPY_AGAIN)
                    break
                found = {
                    name.decode("ascii", "replace").upper(): piece(at, size_bytes)
                    for name, (at, size_bytes) in _listed(read(*folder))
                    if name not in _ITSELF_AND_ABOVE
                }
                return found, lacks
    raise InputError("it is no DVD-Video", fix=f"give a video; or, if a player plays it, {COPY_FOLDER}")


def _lacks(descriptor: bytes, there_bytes: int) -> str:
    """How much of an image is not there, in words; empty if nothing counts that is missing."""
    (sectors,) = struct.unpack_from("<I", descriptor, 80)
    whole_bytes = sectors * SECTOR_BYTES
    if there_bytes >= whole_bytes - _PADDING_BYTES:
        return ""
    return f"it is not complete: {size(there_bytes)} of {size(whole_bytes)} are there"


def _listed(content: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The names in a folder of an image, each with the sector at which it begins and its size in bytes."""
    at = 0
    while at + 33 < len(content):
        length = content[at]
        if length < 34:  # nothing more is in this sector
            at = (at // SECTOR_BYTES + 1) * SECTOR_BYTES
            continue
        sector, _, size_bytes = struct.unpack_from("<I4sI", content, at + 2)
        name = content[at + 33 : at + 33 + content[at + 32]]
        yield name.partition(b";")[0].rstrip(b"."), (sector, size_bytes)
        at += length
