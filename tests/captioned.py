"""Pictures that carry captions: line 21 drawn, A53 in MPEG-2, the auxiliary data of DV."""

import re
import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Pair = tuple[int, int]

NOTHING: Pair = (0, 0)
LOAD, CLEAR_HIDDEN, SHOW, CLEAR = (0x14, 0x20), (0x14, 0x2E), (0x14, 0x2F), (0x14, 0x2C)
LAST_ROW = (0x14, 0x70)
_SAMPLES_PER_S = 13.5e6
_BIT_S = 1 / (32 * 15_734.264)
_BLACK, _PEAK = 16.0, 219.0


def with_parity(value: int) -> int:
    """A byte with an odd number of bits."""
    return value if value.bit_count() % 2 else value | 0x80


def spoken(frames: int, captions: dict[str, tuple[int, int]]) -> list[Pair]:
    """The pairs of each frame; every caption is shown from one frame up to another, with room before it."""
    pairs = [NOTHING] * frames
    for text, (first, stop) in captions.items():
        even = text + " " * (len(text) % 2)
        letters = [(ord(one), ord(other)) for one, other in zip(even[::2], even[1::2], strict=True)]
        written = [LOAD, CLEAR_HIDDEN, LAST_ROW, *letters]
        pairs[first - len(written) : first + 1] = [*written, SHOW]
        if stop < frames:
            pairs[stop] = CLEAR
    return pairs


def line_21(pair: Pair, width: int = 720) -> npt.NDArray[np.uint8]:
    """The line as it is drawn: seven waves, a start bit, and sixteen bits, the lowest of a byte first."""
    bit = (np.arange(width) / _SAMPLES_PER_S - 1e-6) / _BIT_S
    level = np.full(width, _BLACK)
    waves = (bit >= 0) & (bit < 7)
    level[waves] += _PEAK / 4 * (1 - np.cos(2 * np.pi * bit[waves]))
    bits = [0, 0, 1, *(with_parity(value) >> place & 1 for value in pair for place in range(8))]
    for place, high in enumerate(bits, start=7):
        level[(bit >= place) & (bit < place + 1)] += _PEAK / 2 * high
    smooth = np.convolve(np.pad(level, 1, mode="edge"), np.ones(3) / 3, "valid")
    return np.rint(smooth).astype(np.uint8)


def mpeg2_with(stream: bytes, pairs: Sequence[Pair]) -> bytes:
    """An elementary stream of MPEG-2 of which each picture carries a pair, in the order of display."""
    made, group_start, in_group, at = bytearray(), 0, 0, 0
    place: int | None = None
    for found in re.finditer(rb"\x00\x00\x01(.)", stream, re.DOTALL):
        code, start = found[1][0], found.start()
        if code == 0xB8:
            group_start += in_group
            in_group = 0
        elif code == 0x00:
            place = group_start + (struct.unpack_from(">H", stream, start + 4)[0] >> 6)
            in_group += 1
        elif 0x01 <= code <= 0xAF and place is not None:  # its first slice
            data = bytes((0xFC, *map(with_parity, pairs[place])))
            made += stream[at:start] + b"\0\0\1\xb2GA94\3" + bytes((0x41, 0xFF)) + data + b"\xff"
            at, place = start, None
    return bytes(made + stream[at:])


def dv_with(stream: bytes, pairs: Sequence[Pair]) -> bytes:
    """Raw NTSC DV of which each frame carries a pair in every sequence."""
    made = bytearray(stream)
    for number, pair in enumerate(pairs):
        for sequence in range(10):
            at = number * 120_000 + sequence * 12_000 + 4 * 80 + 3 + 2 * 5
            made[at : at + 5] = bytes((0x65, *map(with_parity, pair), 0x80, 0x80))
    return bytes(made)
