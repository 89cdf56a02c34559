"""The part of a packet that decides what its picture is like."""

import pytest

from vhsbatch.probe.stream_headers import picture_header

SEQUENCE = bytes.fromhex("000001b32d024023ffffe1a0")
EXTENSION = bytes.fromhex("000001b5148a00010000")
COLOURS = bytes.fromhex("000001b52b0101010000000000")
GROUP = bytes.fromhex("000001b8000800400000010000")
SPS, OTHER_SPS = bytes.fromhex("67640028acb2"), bytes.fromhex("67640029acb2")
CODE = b"\0\0\0\1"


def dv(aspect: int, *, pack: int = 0x61) -> bytes:
    frame = bytearray(4096)
    frame[453], frame[455] = pack, aspect
    return bytes(frame)


@pytest.mark.parametrize(
    ("codec", "one", "other", "same"),
    [
        # Another bit rate is no other picture; another aspect is.
        (
            "mpeg2video",
            SEQUENCE + EXTENSION + GROUP,
            SEQUENCE.replace(b"\x23", b"\x33") + EXTENSION + GROUP,
            SEQUENCE.replace(b"\xe1\xa0", b"\x01\xa0") + EXTENSION + GROUP,
        ),
        (
            "mpeg2video",
            SEQUENCE + EXTENSION + COLOURS + GROUP,
            SEQUENCE + EXTENSION + COLOURS.replace(b"\x01\x01\x01", b"\x05\x05\x05") + GROUP,
            SEQUENCE + EXTENSION + COLOURS + GROUP + b"\0\0\1\xb5\x80",
        ),
        ("h264", CODE + SPS + CODE + b"\x65", CODE + OTHER_SPS + CODE + b"\x65", CODE + SPS + CODE + b"\x68"),
        ("h264", b"\0\0\0\6" + SPS, b"\0\0\0\6" + OTHER_SPS, b"\0\0\0\6" + SPS + b"\0\0\0\1\x65"),
        ("dvvideo", dv(0), dv(2), dv(0x80)),
        (
            "vp8",
            b"\0\0\0\x9d\1\x2a\x40\1\xf0\0",
            b"\0\0\0\x9d\1\x2a\x80\2\xf0\0",
            b"\1\2\3\x9d\1\x2a\x40\1\xf0\0",
        ),
    ],
)
def test_headers_tell_pictures_apart(codec: str, one: bytes, other: bytes, same: bytes) -> None:
    header = picture_header(codec, one)
    assert header is not None
    assert picture_header(codec, other) not in (header, None)
    assert picture_header(codec, same) == header


@pytest.mark.parametrize(
    ("codec", "start"),
    [
        ("mpeg2video", GROUP),
        ("mpeg2video", SEQUENCE[:7]),
        ("h264", CODE + b"\x41\x9a"),
        ("hevc", b""),
        ("dvvideo", dv(2, pack=0xFF)),
        ("mjpeg", b"\xff\xd8"),
        ("vp8", b"\1"),
        ("prores", b""),
        ("ffv1", bytes(64)),
    ],
)
def test_packets_without_a_header_say_nothing(codec: str, start: bytes) -> None:
    assert picture_header(codec, start) is None
