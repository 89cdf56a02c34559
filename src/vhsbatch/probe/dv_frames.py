"""Where the frames of a raw DV stream begin, and where the stream loses its place.

A raw stream has no container: frames of one size follow each other. FFmpeg takes what comes next for a frame,
so that after missing or additional bytes it reads halves of two, or stops without a word. A PAL frame without
its beginning is taken for an NTSC frame, which is shorter, and a frame that begins with noise may be taken
for one of any kind. Where the next one is on the grid, whole frames are lost: FFmpeg is then given the spans
between them. Part of the child process that reads a file.
"""

from dataclasses import dataclass
from fractions import Fraction
from io import BufferedReader
from typing import NamedTuple

from vhsbatch.model.source import Span

# A sequence is 150 blocks of 80 bytes. The first block of each is a header with the number of the sequence.
_SEQUENCE_BYTES, _BLOCK_BYTES = 12_000, 80
_KINDS = (0, 1, 1, 2, 2, 2, *(3, *(4,) * 15) * 9)
_HEADER = b"\x1f\x07\x00"
_HEADER_BYTES = 480
_SEARCH_BYTES = 1 << 20
# In the header: whether it is a PAL frame. In the first video block of the sequence: which kind of DV it is.
_PAL, _KIND_AT = 0x80, 80 * 5 + 48 + 3
_SEQUENCES = {False: 10, True: 12}
_RATES = {False: Fraction(30000, 1001), True: Fraction(25)}
# The kinds that FFmpeg knows, PAL or not. A frame of any other it takes for one like that before.
_KNOWN_KINDS = frozenset({(pal, kind) for pal in (False, True) for kind in (0, 4, 0x14, 0x18)} | {(True, 1)})


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
        lost: where nothing can follow the stream; None where that is nowhere.
        misread: the numbers of the frames that FFmpeg would take for others, ascending.
    """

    frame_bytes: int
    pal: bool
    lead_bytes: int
    rest_bytes: int
    lost: LostPlace | None
    misread: tuple[int, ...] = ()

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return _RATES[self.pal]

    def spans(self, size: int) -> list[Span]:
        """The parts of a file of `size` bytes that FFmpeg can follow; empty where that is all of it."""
        if not self.misread:
            return []
        frames, gone = (size - self.lead_bytes) // self.frame_bytes, frozenset(self.misread)
        starts = [0, *(frame + 1 for frame in self.misread if frame + 1 not in gone and frame + 1 < frames)]
        stops = [self._byte(frame) for frame in self.misread if frame - 1 not in gone]
        return [
            Span(start=self._byte(frame), stop=stop, length_s=(following - frame) / self.rate)
            for frame, following, stop in zip(starts, [*starts[1:], frames], [*stops, size], strict=False)
        ]

    def _byte(self, frame: int) -> int:
        return self.lead_bytes + frame * self.frame_bytes

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
    lost, rest_bytes, misread = _walk(file, first, size, frame_bytes, pal=pal)
    return DvFrames(
        frame_bytes=frame_bytes, pal=pal, lead_bytes=first, rest_bytes=rest_bytes, lost=lost,
        misread=tuple((at - first) // frame_bytes for at in misread),
    )  # fmt: skip


def _walk(
    file: BufferedReader, first: int, size: int, frame_bytes: int, *, pal: bool
) -> tuple[LostPlace | None, int, list[int]]:
    """Go from frame to frame.

    Returns:
        Where nothing can follow, what is left behind the last whole frame, and where misread frames begin.
    """
    at, misread = first, list[int]()
    while at + frame_bytes <= size:
        if _begins(file, at, not pal):
            return None, 0, misread  # another recording, which FFmpeg follows
        stop = at + frame_bytes
        if not _begins(file, at, pal):
            before = max(first, at - frame_bytes)
            found = _find(file, before + 1, size, pal)
            if found is not None and (found - at) % frame_bytes:
                broken = at if found > at and _is_whole(file, before, frame_bytes) else before
                return LostPlace((broken - first) // frame_bytes, broken, found), 0, misread
            stop = at + (size - at) // frame_bytes * frame_bytes if found is None else found
        misread += [frame for frame in range(at, stop, frame_bytes) if _is_misread(file, frame, pal)]
        at = stop
    return None, size - at, misread


def _is_misread(file: BufferedReader, at: int, pal: bool) -> bool:
    """Whether FFmpeg takes the frame that begins at a byte for one of another kind."""
    header = _read(file, at, _HEADER_BYTES)
    taken_for = bool(header[3] & _PAL), header[_KIND_AT] & 0x1F
    return taken_for != (pal, 0) and taken_for in _KNOWN_KINDS


def _is_whole(file: BufferedReader, at: int, frame_bytes: int) -> bool:
    """Whether all blocks of a frame are of the kinds that belong there."""
    kinds = _read(file, at, frame_bytes)[::_BLOCK_BYTES]
    return all(kind >> 5 == _KINDS[number % len(_KINDS)] for number, kind in enumerate(kinds))


def _begins(file: BufferedReader, at: int, pal: bool | None) -> bool:
    """Whether a frame begins at a byte: its header is there, and that of the next sequence."""
    header = _read(file, at, 4)
    if header[:3] != _HEADER or (pal is not None and bool(header[3] & _PAL) != pal):
        return False
    following = _read(file, at + _SEQUENCE_BYTES, 3)
    return len(following) == 3 and following[:1] == _HEADER[:1] and following[1] >> 4 == 1


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
