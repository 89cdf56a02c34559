"""The pictures that a terminal was sent, as far as tests look at them."""

import base64
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageStat

_KITTY = re.compile(rb"\x1b_G([^;]*\bf=100\b[^;]*);([^\x1b]*)")
_SIXELS = re.compile(rb'\x1bP[0-9;]*q"\d+;\d+;(\d+);(\d+)([^\x1b]*)')
_SIXEL_WORD = re.compile(rb"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture.

    Attributes:
        size: its width and height.
        mean: its mean colour: red, green and blue, to 255.
    """

    size: tuple[int, int]
    mean: tuple[float, ...]


def kitty_pictures(sequences: Iterable[bytes]) -> list[Shown]:
    """Those that were sent whole by kitty's protocol: as PNG, in parts."""
    shown, parts = [], b""
    for keys, payload in filter(None, (_parts_of(_KITTY, sequence) for sequence in sequences)):
        parts += payload
        if b"m=0" in keys:
            picture = Image.open(io.BytesIO(base64.b64decode(parts))).convert("RGB")
            shown.append(Shown(size=picture.size, mean=tuple(ImageStat.Stat(picture).mean)))
            parts = b""
    return shown


def sixel_pictures(sequences: Iterable[bytes]) -> list[Shown]:
    """Those that were sent as sixels."""
    found = filter(None, (_parts_of(_SIXELS, sequence) for sequence in sequences))
    return [
        Shown(size=(int(width), int(height)), mean=_mean_of_sixels(data)) for width, height, data in found
    ]


def _parts_of(pattern: re.Pattern[bytes], sequence: bytes) -> tuple[bytes, ...] | None:
    match = pattern.match(sequence)
    return None if match is None else match.groups()


def _mean_of_sixels(data: bytes) -> tuple[float, ...]:
    """The mean of the colours of all dots: each letter sets up to six of one colour, a number of times."""
    colours: dict[bytes, tuple[int, ...]] = {}
    dots: Counter[bytes] = Counter()
    colour = b""
    for number, red, green, blue, chosen, count, repeated, single in _SIXEL_WORD.findall(data):
        if number:
            colours[number] = (int(red), int(green), int(blue))
        elif chosen:
            colour = chosen
        else:
            dots[colour] += ((repeated or single)[0] - ord("?")).bit_count() * int(count or 1)
    return tuple(
        sum(colours[number][channel] * count for number, count in dots.items()) * 2.55 / dots.total()
        for channel in range(3)
    )
