"""Where the frames of a raw DV stream begin, and where the stream loses its place.

A raw stream has no container: frames of one size follow each other. FFmpeg takes what comes next for a frame,
so that after missing or additional bytes it reads halves of two, or stops without a word. A PAL frame without
its beginning is taken for an NTSC frame, which is shorter. Part of the child process that reads a file.
"""

from dataclasses import dataclass
from io import BufferedReader
from typing import NamedTuple

# A sequence is 150 blocks of 80 bytes. The first block of each is a header with the number of the sequence.
_SEQUENCE_BYTES, _BLOCK_BYTES = 12_000, 80
_KINDS = (0, 1, 1, 2, 2, 2, *(3, *(4,) * 15) * 9)
_HEADER = b"\x1f\x07\x00"
_HEADER_BYTES = 480
_SEARCH_BYTES = 1 << 20
# In the header: whether it is a PAL frame. In the first video block of the sequence: which kind of DV it is.
_PAL, _KIND_AT = 0x80, 80 * 5 + 48 + 3
_SEQUENCES = {False: 10, True: 12}


class LostPlace(NamedTuple):
    """Where a stream loses its place.

    Attributes:
        frame: the number of the frame in which it does.
        at: the byte at which that frame begins.
        next_at: the byte at which the next whole frame begins; None where none does.
    """

    frame: int
    at: int
    next_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DvFrames:
    """How the frames of a stream lie in its file.

    Attributes:
        frame_bytes: the size of each.
        pal: whether they are PAL frames.
        lead_bytes: what is before the first one.
        rest_bytes: what is behind the last whole one.
        lost: where FFmpeg cannot follow the stream; None where it can.
    """

    frame_bytes: int
    pal: bool
    lead_bytes: int
    rest_bytes: int
    lost: LostPlace | None

    @property
    def lost_at_head(self) -> int:
        """About how many frames are missing at the beginning."""
        return -(-self.lead_bytes // self.frame_bytes)


def dv_frames(file: BufferedReader, size: int) -> DvFrames | None:
    """How the frames of a raw DV file of `size` bytes lie in it; None for other DV than a tape's."""
    first = _find(file, 0, size, None)
    if first is None:
        return None
    header = _read(file, first, _HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[_KIND_AT] & 0x1F:
        return None
    pal = bool(header[3] & _PAL)
    frame_bytes = _SEQUENCES[pal] * _SEQUENCE_BYTES
    lost, rest_bytes = _walk(file, first, size, frame_bytes, pal=pal)
    return DvFrames(frame_bytes=frame_bytes, pal=pal, lead_bytes=first, rest_bytes=rest_bytes, lost=lost)


def _walk(
    file: BufferedReader, first: int, size: int, frame_bytes: int, *, pal: bool
) -> tuple[LostPlace | None, int]:
    """Go from frame to frame: where FFmpeg cannot follow, and what is left behind the last whole frame."""
    at = first
    while at + frame_bytes <= size:
        if _begins(file, at, pal):
            at += frame_bytes
            continue
        if _begins(file, at, not pal):
            return None, 0  # another recording, which FFmpeg follows
        before = max(first, at - frame_bytes)
        found = _find(file, before + 1, size, pal)
        if found is not None and (found - at) % frame_bytes:
            broken = at if found > at and _is_whole(file, before, frame_bytes) else before
            return LostPlace((broken - first) // frame_bytes, broken, found), 0
        stop = at + (size - at) // frame_bytes * frame_bytes if found is None else found
        # The very last frame cannot make FFmpeg lose its place.
        last = stop - frame_bytes if found is None else stop
        for overwritten in range(at, last, frame_bytes) if pal else ():
            if not _looks_pal(file, overwritten):
                return LostPlace((overwritten - first) // frame_bytes, overwritten, found), 0
        at = stop
    return None, size - at


def _looks_pal(file: BufferedReader, at: int) -> bool:
    """Whether FFmpeg takes what is at a byte for a frame of a PAL tape."""
    header = _read(file, at, _HEADER_BYTES)
    return bool(header[3] & _PAL) and not header[_KIND_AT] & 0x1F


def _is_whole(file: BufferedReader, at: int, frame_bytes: int) -> bool:
    """Whether all blocks of a frame are of the kinds that belong there."""
    kinds = _read(file, at, frame_bytes)[::_BLOCK_BYTES]
    return all(kind >> 5 == _KINDS[number % len(_KINDS)] for number, kind in enumerate(kinds))


def _begins(file: BufferedReader, at: int, pal: bool | None) -> bool:
    """Whether a frame begins at a byte: its header is there, and that of the next sequence."""
    header, following = _read(file, at, 4), _read(file, at + _SEQUENCE_BYTES, 3)
    return (
        header[:3] == _HEADER
        and (pal is None or bool(header[3] & _PAL) == pal)
        and len(following) == 3
        and following[:1] == _HEADER[:1]
        and following[1] >> 4 == 1
    )


def _find(file: BufferedReader, begin: int, size: int, pal: bool | None) -> int | None:
    """The first byte from `begin` on at which a frame begins."""
    at = begin
    while at < size:
        data = _read(file, at, _SEARCH_BYTES)
        place = data.find(_HEADER)
        while place >= 0:
            if place + 3 < len(data) and _begins(file, at + place, pal):
                return at + place
            place = data.find(_HEADER, place + 1)
        if len(data) < _SEARCH_BYTES:
            return None
        at += _SEARCH_BYTES - len(_HEADER)
    return None


def _read(file: BufferedReader, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
