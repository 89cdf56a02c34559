"""Whether a file ends where its container says that it does, whatever length its header states."""

import os
from pathlib import Path
from typing import BinaryIO

_RIFF_HEADER_BYTES = 8
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_MATROSKA_START_BYTES = 4096


def fills_container(path: Path, container: str) -> bool | None:
    """Whether nothing of the file is missing at its end; None where its container does not tell.

    Args:
        path: the file.
        container: FFmpeg's demuxer name.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if container == "avi":
            return _riff_fits(file, size)
        if container == "matroska,webm":
            return _segment_fits(file.read(_MATROSKA_START_BYTES), size)
    return None


def _riff_fits(file: BinaryIO, size: int) -> bool:
    """Large AVIs are several RIFF chunks, one after the other."""
    at = 0
    while True:
        file.seek(at, os.SEEK_SET)
        header = file.read(_RIFF_HEADER_BYTES)
        if at > 0 and not header.startswith(b"RIFF"):
            return at <= size
        length = int.from_bytes(header[4:], "little")
        if length == 0:  # what a program leaves that was stopped while it recorded
            return True
        at += _RIFF_HEADER_BYTES + length + length % 2
        if at > size + 1:
            return False


def _segment_fits(start: bytes, size: int) -> bool | None:
    """A Matroska file is a header and one segment; of a live recording, the segment has no size."""
    if not start.startswith(_EBML):
        return None
    length, at = _number(start, len(_EBML))
    if length is None:
        return None
    at += length
    if start[at : at + len(_SEGMENT)] != _SEGMENT:
        return None
    length, at = _number(start, at + len(_SEGMENT))
    return None if length is None else at + length <= size


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """A length in EBML's notation, None where it is unknown, and the position after it."""
    if at >= len(data) or data[at] == 0:
        return None, at
    count = 9 - data[at].bit_length()
    bits = 7 * count
    value = int.from_bytes(data[at : at + count], "big") & ((1 << bits) - 1)
    return (None if value == (1 << bits) - 1 else value), at + count
