"""Captions that a picture carries (EIA-608): where their bytes are found, and what they say.

They are in the side data of MPEG-2 and H.264 (A53, or as DVDs have them), in the auxiliary data of DV, or
drawn as a dotted line above the picture, where a capture of more than 480 lines shows line 21. Each frame
carries two bytes of the first field, which is that of the usual captions.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from math import ceil
from typing import Any

import av
import av.filter

from vhsbatch.probe.side_data import side_data

Pair = tuple[int, int]

A53, DV, LINE_21 = "in the stream", "in the DV data", "on line 21"

# The first field in triplets of CEA-708: valid, of type 0.
_FIRST_FIELD = 0xFC
# DV: a block of auxiliary data begins with 3 bytes, and then has packs of 5 bytes.
_DV_BLOCK, _DV_HEADER, _DV_PACK, _DV_AUXILIARY, _DV_CAPTIONS = 80, 3, 5, range(3, 6), 0x65
_DV_NTSC_BYTES = 120_000
# Only captures with lines above the 480 of a broadcast picture have line 21, and PAL has no such line.
_LINES = range(481, 526)
_SEARCHED_LINES = 32
# Noise in place of captions has the right parity in a quarter of all pairs.
_LEAST_WITH_PARITY = 0.9
_ON_ONE_LINE = 0.9
# More pairs at once are those of a group of pictures, as DVDs have them.
_MOST_OF_A_FRAME = 3
_CLEAR = (0x14, 0x2C)
# The codes of the first field that make captions: those of the second one begin with other bytes.
_CONTROLS = (0x14, 0x1C)
_TAGS = re.compile(r"\{[^}]*\}")


@dataclass(slots=True)
class CaptionBytes:
    """The bytes of captions, frame by frame.

    Attributes:
        dv: whether the stream is DV.
        lines: of the picture.
    """

    dv: bool
    lines: int
    _ticks: list[int] = field(default_factory=list)
    _found: dict[str, list[list[Pair]]] = field(default_factory=dict)
    _of_packets: dict[int, Pair] = field(default_factory=dict)
    _drawn: list[dict[int, Pair]] = field(default_factory=list)
    _graph: Any = None
    _finds_lines: bool = True

    def packet(self, tick: int | None, data: bytes) -> None:
        """Take in a packet, and when its frame is shown; decoders that run ahead give that later."""
        if self.dv and tick is not None and (pair := dv_pair(data)) is not None:
            self._of_packets[tick] = pair

    def frame(self, frame: Any) -> None:
        """Take in a frame; they come in the order in which they are shown."""
        if frame.pts is None:
            return
        self._ticks.append(frame.pts)
        if (side := side_data(frame, "A53_CC")) is not None:
            self._keep(A53, [*_of_triplets(bytes(side))])
        if (pair := self._of_packets.pop(frame.pts, None)) is not None:
            self._keep(DV, [pair])
        if self.lines in _LINES and not self.dv and self._finds_lines:
            self._drawn.append(self._drawn_on(frame))

    def _keep(self, place: str, pairs: list[Pair]) -> None:
        frames = self._found.setdefault(place, [])
        frames += [[] for _ in range(len(self._ticks) - 1 - len(frames))]
        frames.append(pairs)

    def _drawn_on(self, frame: Any) -> dict[int, Pair]:
        """The pairs that are drawn into a frame, by line."""
        try:
            if self._graph is None:
                self._graph = _line_reader(frame)
            self._graph.push(frame)
            said = self._graph.pull().metadata
        except (av.FFmpegError, ValueError):  # its format changes, or the filter is not there
            self._finds_lines = False
            return {}
        found = {}
        for number in range(_SEARCHED_LINES):
            if (code := said.get(f"lavfi.readeia608.{number}.cc")) is None:
                break
            value = int(code, 16)
            found[int(said[f"lavfi.readeia608.{number}.line"])] = (value >> 8, value & 0xFF)
        return found

    def cues(self) -> tuple[str, list[tuple[int, int | None, str]]] | None:
        """Where captions are, and what they say from which tick to which; None where there are none."""
        for place, frames in self._found.items():
            if cues := self._said(_spread(frames)):
                return place, cues
        if cues := self._said([[pair] for pair in _first_field(self._drawn)]):
            return LINE_21, cues
        return None

    def _said(self, frames: Sequence[Sequence[Pair]]) -> list[tuple[int, int | None, str]]:
        pairs = [pair for each in frames for pair in each if pair != (0, 0)]
        good = [pair for pair in pairs if all(map(_has_parity, pair))]
        if not good or len(good) < _LEAST_WITH_PARITY * len(pairs):
            return []
        ticks = self._ticks
        return [
            (ticks[first], ticks[stop] if stop < len(ticks) else None, text)
            for first, stop, text in read_captions(frames)
            if first < len(ticks)
        ]


def dv_pair(data: bytes) -> Pair | None:
    """The pair of the first field in a frame of NTSC DV; None where it has none.

    Each sequence of the frame repeats it; the first has it in one of the packs of its auxiliary blocks.
    """
    if len(data) < _DV_NTSC_BYTES:
        return None
    for block in _DV_AUXILIARY:
        start = block * _DV_BLOCK + _DV_HEADER
        for at in range(start, (block + 1) * _DV_BLOCK - _DV_PACK + 1, _DV_PACK):
            if data[at] == _DV_CAPTIONS:
                return data[at + 1], data[at + 2]
    return None


def read_captions(frames: Sequence[Sequence[Pair]]) -> list[tuple[int, int, str]]:
    """What captions say: the frame with which each begins, the one after its last, and its text.

    Args:
        frames: the pairs of each frame.
    """
    found: list[tuple[int, int, str]] = []
    for first, stop, text in _decoded(frames):
        if found and found[-1][1:] == (first, text):
            found[-1] = (found[-1][0], stop, text)
        else:
            found.append((first, stop, text))
    return found


def _decoded(frames: Sequence[Sequence[Pair]]) -> Iterator[tuple[int, int, str]]:
    # As a file of captions: a decoder alone is told no clock by every PyAV.
    with av.open(BytesIO(_scc(frames)), "r", format="scc") as file:
        decoder: Any = file.streams[0].codec_context
        for packet in file.demux():
            subtitle = decoder.decode2(packet)
            if subtitle is None:
                continue
            first = round(Fraction(subtitle.pts, 1_000_000))
            stop = first + round(Fraction(subtitle.end_display_time, 1000))
            text = "\n".join(filter(None, (_plain(line.ass.decode("utf-8", "replace")) for line in subtitle)))
            if text and stop > first:
                yield first, stop, text


def _scc(frames: Sequence[Sequence[Pair]]) -> bytes:
    """The pairs as a file of Scenarist's. Frames are counted as its seconds: times are then whole."""
    lines = ["Scenarist_SCC V1.0"]
    for number, pairs in enumerate([*frames, [_CLEAR, _CLEAR]]):
        if pairs:
            clock = f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}:00"
            words = " ".join(bytes(map(_with_parity, pair)).hex() for pair in pairs)
            lines.append(f"{clock}\t{words}")
    return ("\n\n".join(lines) + "\n\n").encode()


def _plain(event: str) -> str:
    """The text of an event of ASS."""
    text = event.split(",", 8)[-1].replace(r"\N", "\n").replace(r"\h", " ")
    return "\n".join(line.strip() for line in _TAGS.sub("", text).splitlines() if line.strip())


def _of_triplets(data: bytes) -> Iterator[Pair]:
    """The pairs of the first field."""
    for at in range(0, len(data) - 2, 3):
        if data[at] & 0x07 == _FIRST_FIELD & 0x07:
            yield data[at + 1], data[at + 2]


def _spread(frames: Sequence[list[Pair]]) -> list[list[Pair]]:
    """The pairs of a whole group of pictures, which come with its first frame, one after the other."""
    spread = [list(pairs) for pairs in frames]
    full = [number for number, pairs in enumerate(frames) if len(pairs) > _MOST_OF_A_FRAME]
    for number, following in pairwise([*full, len(frames)]):
        pairs, count = frames[number], following - number
        if any(frames[number + 1 : following]):
            continue
        each = ceil(len(pairs) / count)
        for place in range(count):
            spread[number + place] = pairs[each * place : each * (place + 1)]
    return spread


def _first_field(drawn: Sequence[dict[int, Pair]]) -> list[Pair]:
    """The pairs of the line that has the first field's captions, frame by frame; none where no line has."""
    counts: dict[int, tuple[int, int]] = {}
    for found in drawn:
        for line, (one, _) in found.items():
            controls, seen = counts.get(line, (0, 0))
            counts[line] = controls + (one & 0x7F in _CONTROLS), seen + 1
    if not counts:
        return []
    line = max(counts, key=lambda number: counts[number])
    if counts[line][1] < _ON_ONE_LINE * max(seen for _, seen in counts.values()):
        return []
    return [found.get(line, (0x80, 0x80)) for found in drawn]


def _line_reader(frame: Any) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    crop = graph.add("crop", f"iw:{_SEARCHED_LINES}:0:0")
    reader, sink = graph.add("readeia608"), graph.add("buffersink")
    for one, other in pairwise((source, crop, reader, sink)):
        one.link_to(other)
    graph.configure()
    return graph


def _has_parity(value: int) -> bool:
    return value.bit_count() % 2 == 1


def _with_parity(value: int) -> int:
    return value if _has_parity(value) else value ^ 0x80
