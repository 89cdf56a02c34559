"""Where an AVI file is overwritten: its reader goes on at the next chunk it finds, without a word.

Part of the child process that reads a file.
"""

from io import BufferedReader
from typing import Any

_HEADER_BYTES = 8
# Chunks that hold other ones, behind the name of their kind.
_LISTS = (b"RIFF", b"LIST")
_KIND_BYTES = 4


class AviChunks:
    """Compares where packets lie with the chunks between them.

    Attributes:
        holes: when the pictures are shown behind which something else than chunks lies, in ticks.
    """

    def __init__(self, file: BufferedReader) -> None:
        self.holes: list[int] = []
        self._file = file
        self._end = 0
        self._tick = 0

    def add(self, packet: Any, *, is_video: bool) -> None:
        """Take a packet in; the next one may lie anywhere behind it, or before it."""
        if packet.pos is None or packet.pos < 0:
            return
        if not self._leads_to(packet.pos - _HEADER_BYTES):
            self.holes.append(self._tick)
        self._end = packet.pos + packet.size + packet.size % 2
        if is_video and packet.dts is not None:
            self._tick = packet.dts

    def finish(self, size: int) -> None:
        """Take in that there are no more packets, of a file of `size` bytes."""
        if self._end and self._behind_chunks(size) < size:
            self.holes.append(self._tick)

    def _leads_to(self, to: int) -> bool:
        """Whether chunks alone lie between the packet before and the place `to`.

        Files that are read by their index are read in any order.
        """
        return self._end > to or self._behind_chunks(to) == to

    def _behind_chunks(self, to: int) -> int:
        """The place behind the last of the chunks that begin before `to`."""
        at = self._end
        while at < to:
            self._file.seek(at)
            header = self._file.read(_HEADER_BYTES)
            name, length = header[:4], int.from_bytes(header[4:], "little")
            if not name.isascii() or not name.strip().isalnum():
                return at
            at += _HEADER_BYTES + (_KIND_BYTES if name in _LISTS else length + length % 2)
        return at
