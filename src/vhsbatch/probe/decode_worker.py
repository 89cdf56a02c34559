"""Child process that decodes the whole video of a source and prints what it saw as one JSON object.

    python -P -m vhsbatch.probe.decode_worker STREAM [fields] -- FFMPEG_INPUT_ARGUMENTS

The answer holds when each frame is shown (``ticks``), which of these are damaged, which of those hold hardly
anything that was recorded (``overwritten``), and which packets gave no frame at all (``lost``), in ticks of
the stream. With ``fields`` it says of each frame and the next one which fields of them were recorded next to
each other (``steps``, a letter for each pair; see `step`). Where the picture carries captions, it says where
they are and what they say.

A decoder that works in several threads does not say of which frame it complains. So the file is decoded with
as many as there are, and once more with one where something is wrong with it.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import av
import av.logging
import numpy as np
import numpy.typing as npt

from vhsbatch.probe.captions import CaptionBytes
from vhsbatch.probe.order_protocol import BFF, PROGRESSIVE, STILL, TFF, UNCLEAR

# Columns are averaged to this number: what is added up along a line loses its noise, while all lines stay.
_WIDTH = 96
# Levels of 255 by which a place has to change from frame to frame to be seen as moving, and how many
# places have to.
_MOVES = 6
_FEWEST_PLACES = 20
# Two ways to put fields together differ where one is combed more: by this number of levels, by this
# part, and by this multiple of what chance gives for as many places (neighbours are not independent).
_LEAST_LEVELS, _LEAST_PART, _LEAST_ERRORS = 0.5, 0.03, 4.0
_DEPENDENT_PLACES = 4

_COMPLAINT = re.compile(
    r"damaged|error while decoding|conceal|CRC mismatch|overread|invalid|corrupt|truncated", re.IGNORECASE
)
# What a damaged place costs at most of an MPEG transport stream before its reader asks to be called again.
_RESYNC_BYTES = 65_536

# DV: a frame is a row of blocks of 80 bytes, 150 in a sequence, each of which begins with its kind.
_DV_BLOCK, _DV_SEQUENCE = 80, 150
_DV_KINDS = np.array([0, 1, 1, 2, 2, 2, *([3, *[4] * 15] * 9)], np.uint8)
# On real footage, the frame before is nearer to what was recorded than a frame of which more than 2 % of the
# blocks are noise, or 5 % zeros.
_TOO_MANY_BLOCKS = 0.02

# What stores samples as they are. Zeros are a black frame there, unless the samples are luma and colour.
_PLAIN_CODECS = frozenset({"rawvideo", "r210", "r10k", "avrp"})

Frame = npt.NDArray[np.int16]


def main(argv: list[str]) -> int:
    """Decode stream `argv[1]` of the source that FFmpeg's arguments name and print what was seen."""
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    av.logging.set_level(av.logging.ERROR)
    place = argv.index("--")
    stream, fields, opens = int(argv[1]), "fields" in argv[2:place], argv[place + 1 :]
    seen = decode(opens, stream, fields=fields, threads=0)
    if seen.complains:
        seen = decode(opens, stream, fields=fields, threads=1)
    with answer:
        json.dump(seen.summary(), answer)
    return 0


class Seen:
    """What decoding a stream shows."""

    def __init__(self, *, fields: bool, captions: CaptionBytes) -> None:
        self.complains = False
        self.captions = captions
        self._fields = fields
        self._ticks: list[int | None] = []
        self._damaged: list[int | None] = []
        self._overwritten: list[int | None] = []
        self._lost: list[int | None] = []
        self._steps: list[str] = []
        self._before: Frame | None = None

    def frame(self, frame: Any, *, damaged: bool, overwritten: bool) -> None:
        """Take a frame in."""
        self._ticks.append(frame.pts)
        self.captions.frame(frame)
        if damaged or frame.is_corrupt:
            self.complains = True
            self._damaged.append(frame.pts)
        if overwritten:
            self._overwritten.append(frame.pts)
        if self._fields:
            self._compare(None if overwritten else _narrow(frame))

    def _compare(self, now: Frame | None) -> None:
        """Compare a frame with the one before; None for one that does not count, across which others are."""
        if len(self._ticks) > 1:
            if now is None or self._before is None:
                self._steps.append(STILL)
            else:
                self._steps.append(step(self._before, now) if self._before.shape == now.shape else UNCLEAR)
        self._before = self._before if now is None else now

    def lost(self, tick: int | None) -> None:
        """Take in that a packet gave no frame."""
        self.complains = True
        self._lost.append(tick)

    def summary(self) -> dict[str, Any]:
        """What is printed."""
        return {
            "ticks": self._ticks,
            "damaged": self._damaged,
            "overwritten": self._overwritten,
            "lost": self._lost,
            "steps": "".join(self._steps),
            "captions": self.captions.cues(),
        }


def decode(opens: Sequence[str], index: int, *, fields: bool, threads: int) -> Seen:
    """Decode a stream of a source from its beginning to its end.

    Args:
        opens: FFmpeg's arguments that open it, pairs of an option and its value.
        index: of the stream.
        fields: whether to look at the fields of the frames.
        threads: of the decoder, 0 for as many as there are cores.
    """
    options = {name.removeprefix("-"): value for name, value in zip(opens[::2], opens[1::2], strict=True)}
    with (
        av.open(options.pop("i"), format=options.pop("f", None), options=options) as container,
        av.logging.Capture(local=False) as said,
    ):
        stream: Any = container.streams[index]
        codec = stream.codec_context
        codec.thread_type, codec.thread_count = "AUTO", threads
        captions = CaptionBytes(dv=codec.name == "dvvideo", lines=codec.height)
        seen = Seen(fields=fields, captions=captions)
        is_dv, zeros_count = codec.name == "dvvideo", not zeros_are_black(codec.name, codec.pix_fmt)
        again = max(container.size or 0, 0) // _RESYNC_BYTES + 1
        for packet in _packets(container, stream, again):
            seen.complains |= _heard(said)  # of another thread, or of the demuxer
            data = bytes(packet) if packet.size else b""
            wrong = wrong_blocks(data) if is_dv else float(zeros_count and bool(data) and not any(data))
            overwritten = is_dv and wrong > _TOO_MANY_BLOCKS
            captions.packet(packet.pts, data)
            try:
                for frame in codec.decode(packet):
                    seen.frame(frame, damaged=_heard(said) or wrong > 0, overwritten=overwritten)
            except av.FFmpegError:
                if packet.size:
                    seen.lost(packet.pts if packet.pts is not None else packet.dts)
        seen.complains |= _heard(said)
    return seen


def _heard(said: list[tuple[int, str, str]]) -> bool:
    """Whether FFmpeg complained of what it decoded, since this was asked before."""
    complained = False
    while said:  # other threads may add to it meanwhile
        complained |= _COMPLAINT.search(said.pop(0)[2]) is not None
    return complained


def _packets(container: Any, stream: Any, again: int) -> Iterator[Any]:
    """The packets of a stream, also those after damage, and the one that flushes the decoder."""
    for _ in range(again):
        try:
            yield from container.demux(stream)
        except BlockingIOError:  # MPEG-TS: nothing within the bytes it searches
            continue
        except av.FFmpegError:
            return
        else:
            return


def zeros_are_black(codec: str, pixel_format: str | None) -> bool:
    """Whether a packet of zeros is a frame that may have been recorded, and not a place without data.

    >>> [zeros_are_black("rawvideo", name) for name in ("bgr24", "gray", "pal8", "yuv420p", "uyvy422")]
    [True, True, True, False, False]
    """
    if codec not in _PLAIN_CODECS or pixel_format is None:
        return False
    known = av.VideoFormat(pixel_format)
    return bool(known.is_rgb or len(known.components) == 1)


def wrong_blocks(data: bytes) -> float:
    """The share of the blocks of a DV frame that are not of the kind that belongs there: overwritten ones.

    The decoder shows them as grey or as noise, and hardly ever complains.
    """
    blocks = np.frombuffer(data, np.uint8)[: len(data) // _DV_BLOCK * _DV_BLOCK : _DV_BLOCK] >> 5
    return float(np.mean(blocks != np.resize(_DV_KINDS, len(blocks)))) if len(blocks) else 0.0


def _narrow(frame: Any) -> Frame:
    narrow = frame.reformat(_WIDTH, frame.height, "gray", interpolation="AREA").to_ndarray()
    return narrow[: len(narrow) // 2 * 2].astype(np.int16)  # type: ignore[no-any-return]


def step(one: Frame, other: Frame) -> str:
    """Which fields of a frame and the next one were recorded next to each other, by what moves in them.

    Where the top field comes first, the bottom field of a frame is next to the top field of the next one
    it, and both woven together are hardly more combed than a frame itself, while the other two are three
    fields apart. Where a frame has one moment, it is less combed than either.

    Args:
        one: luma, an even number of lines.
        other: that of the next frame.

    Returns:
        TFF or BFF; PROGRESSIVE; STILL where hardly anything moves; UNCLEAR where it does not tell.
    """
    change = np.abs(other - one)
    moving = np.maximum(np.maximum(change[:-2], change[2:]), change[1:-1]) > _MOVES
    places = int(moving.sum())
    if places < _FEWEST_PLACES:
        return STILL
    top_next, bottom_next = one.copy(), one.copy()
    top_next[0::2] = other[0::2]
    bottom_next[1::2] = other[1::2]
    own = (_combed(one)[moving] + _combed(other)[moving]) / 2
    of_tff, of_bff = _combed(top_next)[moving], _combed(bottom_next)[moving]
    apart = of_bff.mean() - of_tff.mean()
    less = of_tff if apart > 0 else of_bff
    whole = less.mean() - own.mean()
    least = max(_LEAST_LEVELS, _LEAST_PART * own.mean())
    chance = _LEAST_ERRORS * (_DEPENDENT_PLACES / places) ** 0.5
    if whole > abs(apart) and whole > max(least, chance * (less - own).std()):
        return PROGRESSIVE
    if abs(apart) > 2 * whole and abs(apart) > max(least, chance * (of_bff - of_tff).std()):
        return TFF if apart > 0 else BFF
    return UNCLEAR


def _combed(frame: Frame) -> Frame:
    """By how much each line differs from the mean of those above and below it, twice."""
    combed: Frame = np.abs(2 * frame[1:-1] - frame[:-2] - frame[2:])
    return combed


if __name__ == "__main__":
    sys.exit(main(sys.argv))
