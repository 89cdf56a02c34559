"""A transport stream with teletext: pages of subtitles in lines of 42 bytes (EN 300 706, EN 300 472)."""

import struct
import zlib
from collections.abc import Sequence

PAGE = 0x888
_PID, _PMT_PID, _VIDEO_PID = 0x1F0, 0x1000, 0x100
_PACKET = 188
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def with_teletext(stream: bytes, shown: Sequence[tuple[int, str]], first_tick: int) -> bytes:
    """A stream as FFmpeg writes it, with teletext that shows texts; an empty one hides the page.

    Args:
        stream: MPEG-2 video in a transport stream.
        shown: when, in 90 kHz ticks after the first frame, and what.
        first_tick: when the first frame is shown.
    """
    made, waiting, counter = bytearray(), list(shown), 0
    for at in range(0, len(stream), _PACKET):
        packet = stream[at : at + _PACKET]
        pid, begins = (packet[1] & 0x1F) << 8 | packet[2], packet[1] & 0x40
        if pid == _PMT_PID and begins:
            packet = packet[:5] + _listed(packet[5:])
            packet += b"\xff" * (_PACKET - len(packet))
        made += packet
        if pid != _VIDEO_PID or not begins:
            continue
        tick = _tick(packet[5 + packet[4] if packet[3] & 0x20 else 4 :])
        while waiting and tick >= first_tick + waiting[0][0]:
            after, text = waiting.pop(0)
            packets, counter = _packets(_page(first_tick + after, text), counter)
            made += packets
    return bytes(made)


def _tick(pes: bytes) -> int:
    stamp = pes[9:14]
    high, middle, low = stamp[0] >> 1 & 7, stamp[1] << 7 | stamp[2] >> 1, stamp[3] << 7 | stamp[4] >> 1
    return high << 30 | middle << 15 | low


def _listed(section: bytes) -> bytes:
    """A programme's table with teletext in it."""
    length = (section[1] & 0x0F) << 8 | section[2]
    described = b"\x56\x05eng" + bytes([2 << 3 | PAGE >> 8 & 7, PAGE & 0xFF])
    entry = bytes([6, 0xE0 | _PID >> 8, _PID & 0xFF, 0xF0, len(described)]) + described
    table = bytearray(section[: length - 1] + entry)
    table[1:3] = struct.pack(">H", (section[1] & 0xF0) << 8 | length + len(entry))
    return bytes(table) + _checked(bytes(table))


def _checked(data: bytes) -> bytes:
    """The checksum of MPEG, which is that of zip files with the bits of everything reversed."""
    plain = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return struct.pack("<I", plain).translate(_REVERSED)


def _page(tick: int, text: str) -> bytes:
    lines = [_header(PAGE, subtitle=True), *([_row(text)] if text else []), _header(0x8FF, subtitle=False)]
    units = [b"\x03\x2c\xe7\xe4" + line.translate(_REVERSED) for line in lines]
    units += [b"\xff\x2c" + b"\xff" * 44] * (3 - len(units))
    body = b"\x10" + b"".join(units)
    stamp = [0x21 | tick >> 29 & 0x0E, tick >> 22 & 0xFF, tick >> 14 & 0xFE | 1, tick >> 7 & 0xFF]
    head = bytes([0x84, 0x80, 36, *stamp, tick << 1 & 0xFE | 1]) + b"\xff" * 31
    return b"\0\0\1\xbd" + struct.pack(">H", len(head) + len(body)) + head + body


def _header(page: int, *, subtitle: bool) -> bytes:
    # A subtitle erases the page before, is marked as one, and suppresses the header.
    controls = (0, 8, 0, 8, 1, 1) if subtitle else (0, 0, 0, 0, 0, 1)
    numbers = (page & 0x0F, page >> 4 & 0x0F, *controls)
    return _line(page, 0, bytes(map(_hamming, numbers)) + b"\x20" * 32)


def _row(text: str) -> bytes:
    boxed = f"\x0b\x0b{text}\x0a\x0a".ljust(40)
    return _line(PAGE, 22, bytes(_odd(ord(letter)) for letter in boxed))


def _line(page: int, row: int, data: bytes) -> bytes:
    return bytes([_hamming(page >> 8 & 7 | (row & 1) << 3), _hamming(row >> 1)]) + data


def _odd(value: int) -> int:
    return value if value.bit_count() % 2 else value | 0x80


def _hamming(value: int) -> int:
    """Four bits as eight, of which four protect the others."""
    one, two, three, four = (value >> place & 1 for place in range(4))
    first, second, third = 1 ^ one ^ three ^ four, 1 ^ one ^ two ^ four, 1 ^ one ^ two ^ three
    bits = [first, one, second, two, third, three]
    bits += [1 ^ (sum(bits) + four) % 2, four]
    return sum(bit << place for place, bit in enumerate(bits))


def _packets(data: bytes, counter: int) -> tuple[bytes, int]:
    made = bytearray()
    for at in range(0, len(data), 184):
        piece = data[at : at + 184]
        begins = 0x40 if at == 0 else 0
        fills = 184 - len(piece)
        field = bytes([fills - 1]) + (b"\0" + b"\xff" * (fills - 2) if fills > 1 else b"") if fills else b""
        made += bytes([0x47, begins | _PID >> 8, _PID & 0xFF, (0x30 if fills else 0x10) | counter])
        made += field + piece
        counter = (counter + 1) & 0x0F
    return bytes(made), counter
