"""Child process that measures the picture in a few places of a tape, and prints a JSON list of them.

    python -P -m vhsbatch.analysis.picture_worker WIDTH HEIGHT CHROMA_WIDTH CHROMA_HEIGHT FRAMES FIELDS

Frames come on stdin, 8-bit planar YUV, `FRAMES` consecutive ones of each place. `FIELDS` is 2 where the
lines of a frame belong to two fields.

Noise (`vhsbatch.analysis.noise`) is given in steps of 8 bits, null where it cannot be told.
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

import numpy as np

from vhsbatch.analysis.noise import Frame, noise
from vhsbatch.analysis.picture_edges import borders, chroma_shift, is_blank, levels
from vhsbatch.analysis.response import steepness
from vhsbatch.analysis.torn_lines import torn_lines

# No tape has more columns; of what has more, neither the shift of colour nor the response is measured.
_WIDEST_TAPE = 1024

# Searching motion costs time, and two pairs of frames tell of noise what five do.
_FRAMES_FOR_NOISE = 3
# One frame has thousands of edges; the next ones show the same.
_FRAMES_FOR_EDGES = 2


def read_frames(
    stream: BinaryIO, width: int, height: int, chroma_width: int, chroma_height: int
) -> Iterator[Frame]:
    """All whole frames of `stream`: luma and the two chroma planes."""
    luma, chroma = width * height, chroma_width * chroma_height
    while len(data := stream.read(luma + 2 * chroma)) == luma + 2 * chroma:
        samples = np.frombuffer(data, np.uint8)
        yield (
            samples[:luma].reshape(height, width),
            samples[luma : luma + chroma].reshape(chroma_height, chroma_width),
            samples[luma + chroma :].reshape(chroma_height, chroma_width),
        )


def measure(frames: list[Frame], fields: int) -> dict[str, Any]:
    """What the picture is like in one place.

    Args:
        frames: consecutive ones, at least two.
        fields: 2 where the lines of a frame belong to two fields, else 1.
    """
    lumas = [luma for luma, _, _ in frames]
    pairs = [(cb, cr) for _, cb, cr in frames]
    luma_noise, chroma_noise = noise(frames[:_FRAMES_FOR_NOISE], fields=fields)
    narrow = lumas[0].shape[1] <= _WIDEST_TAPE
    return {
        "luma_noise": luma_noise,
        "chroma_noise": chroma_noise,
        "torn_lines": torn_lines(lumas),
        "borders": borders(lumas),
        "levels": levels(lumas),
        "steepness": steepness(lumas[:_FRAMES_FOR_EDGES], fields=fields) if narrow else None,
        "chroma_shift": chroma_shift(lumas, pairs, fields=fields) if narrow else None,
        "blank": is_blank(lumas[0], pairs[0]),
    }


def main() -> None:
    """Measure what comes on stdin."""
    *size, count, fields = map(int, sys.argv[1:7])
    frames = read_frames(sys.stdin.buffer, *size)
    places = []
    while len(place := list(islice(frames, count))) >= 2:
        places.append(measure(place, fields))
    sys.stdout.write(json.dumps(places) + "\n")


if __name__ == "__main__":
    main()
