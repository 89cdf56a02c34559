"""The part of a packet that says what its picture is like: size, shape of samples, layout, colours.

Only as many bytes are looked at as decide that. Packets with equal headers hold equal pictures; where a
header differs from the one before, the packet has to be decoded to know what changed.
"""

from collections.abc import Callable

# Headers are at or near the beginning of a packet.
_SEARCHED_BYTES = 4096

_START = b"\x00\x00\x01"
_DV_HEADER_BYTES = 480


def searched_bytes(codec: str) -> int:
    """How many bytes of a packet's beginning have to be looked at; 0 where no header is known."""
    if codec not in _READERS:
        return 0
    return {"dvvideo": _DV_HEADER_BYTES, "prores": 32, "vp8": 16}.get(codec, _SEARCHED_BYTES)


def picture_header(codec: str, start: bytes) -> bytes | None:
    """The header in a packet; None where it has none, or none that is known here.

    Args:
        codec: FFmpeg's codec name.
        start: the packet's first bytes, see `searched_bytes`.

    >>> picture_header("mpeg2video", bytes.fromhex("000001b32d024033ffffe1a0000001b800080040")).hex()
    '2d024030'
    """
    read = _READERS.get(codec)
    return None if read is None else read(start) or None


def _mpeg(start: bytes) -> bytes:
    """Width, height and aspect; of MPEG-2 also its extensions for layout and colours."""
    at = start.find(b"\x00\x00\x01\xb3")
    if at < 0 or len(start) < at + 8:
        return b""
    parts = start[at + 4 : at + 7] + bytes([start[at + 7] & 0xF0])
    while (at := start.find(b"\x00\x00\x01\xb5", at + 4)) >= 0 and len(start) >= at + 12:
        kind = start[at + 4] >> 4
        if kind == 1:
            parts += start[at + 5 : at + 7]
        elif kind == 2:
            parts += start[at + 4 : at + 8] if start[at + 4] & 1 else start[at + 4 : at + 5]
        else:
            break
    return parts


def _units(wanted: Callable[[int], bool]) -> Callable[[bytes], bytes]:
    """A reader of the units that `wanted` knows by their first byte, with start codes or with lengths."""

    def read(start: bytes) -> bytes:
        found, at = b"", 0
        if start.startswith((_START, b"\x00" + _START)):
            while (at := start.find(_START, at)) >= 0 and at + 3 < len(start):
                at += 3
                if wanted(start[at]):
                    end = start.find(_START, at)
                    found += start[at : end if end >= 0 else len(start)].rstrip(b"\0")
            return found
        while at + 4 < len(start):
            length = int.from_bytes(start[at : at + 4], "big")
            if wanted(start[at + 4]):
                found += start[at + 4 : at + 4 + length]
            at += 4 + length
        return found

    return read


def _between_start_codes(first: int, last: int) -> Callable[[bytes], bytes]:
    return _units(lambda code: first <= code <= last)


def _dv(start: bytes) -> bytes:
    """The television standard, and the aspect in the auxiliary data."""
    source = start[_DV_HEADER_BYTES - 27 : _DV_HEADER_BYTES - 22]  # 80 * 5 + 48 + 5
    if len(source) < 3 or source[0] != 0x61:
        return b""
    return bytes([start[3] & 0x80, start[4] & 7, source[2] & 7])


def _jpeg(start: bytes) -> bytes:
    at = 2
    while at + 9 < len(start) and start[at] == 0xFF:
        marker, length = start[at + 1], int.from_bytes(start[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xC3:
            return start[at + 4 : at + 2 + length]
        at += 2 + length
    return b""


def _vp8(start: bytes) -> bytes:
    return start[6:10] if start[3:6] == b"\x9d\x01\x2a" else b""


def _prores(start: bytes) -> bytes:
    return start[16:23] if start[4:8] == b"icpf" else b""


_READERS: dict[str, Callable[[bytes], bytes]] = {
    "mpeg1video": _mpeg,
    "mpeg2video": _mpeg,
    "h264": _units(lambda first: first & 0x1F == 7),
    "hevc": _units(lambda first: first >> 1 & 0x3F == 33),
    "mpeg4": _between_start_codes(0x20, 0x2F),
    "vc1": _between_start_codes(0x0F, 0x0F),
    "dvvideo": _dv,
    "mjpeg": _jpeg,
    "vp8": _vp8,
    "prores": _prores,
}
