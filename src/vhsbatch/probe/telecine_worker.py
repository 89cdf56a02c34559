"""Child process that finds fields and frames that are repeated, and prints one JSON object.

    python -P -m vhsbatch.probe.telecine_worker WIDTH HEIGHT [weave]

Frames come on stdin, 8-bit grey. They may be narrow: what is added up along a line loses its noise,
while all lines have to be there. For each stretch of frames the answer holds which part of its
repeated fields is where a cadence has them, and in which part of the frames a field of the next one
fits better than their own, and worse, null where too little moves to tell; and how many frames are the
ones before them once more.

In 3:2 pulldown each parity records one field twice in every five frames, the other parity two or three
frames later. A field that was recorded twice differs from itself by the tape's noise alone.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from vhsbatch.probe.telecine_protocol import STRETCH_FRAMES, WEAVE

CYCLE = 5
_FEWEST_CYCLES = 8

# A repeated field differs by at most this part of what the others of its cycle differ by.
_CLEARLY_LESS = 0.8
# A cycle moves where its fields differ by this much more than the quietest of the tape.
_MOVES = 1.2

# A frame that is repeated by a machine differs from the one before by what a codec makes of it alone.
_NEARLY_NOTHING = 0.15
_MOVEMENT = 0.4
_NEIGHBOURS = 7

# Two ways to pair fields differ if one is combed more by this much.
_CLEARLY_COMBED = 1.15

Steps = npt.NDArray[np.float64]
Frame = npt.NDArray[np.int16]


def frames_of(stream: BinaryIO, width: int, height: int) -> Iterator[Frame]:
    """Frames of `height` lines and `width` columns."""
    whole = iter(lambda: stream.read(width * height), b"")
    return (np.frombuffer(data, np.uint8).reshape(height, width).astype(np.int16) for data in whole)


def field_steps(frames: Iterable[Frame], *, weave: bool = True) -> tuple[Steps, Steps]:
    """What fields have in common with those of the next frame.

    Args:
        frames: one after the other.
        weave: whether fields are put together with those of the next frame; else the second answer is empty.

    Returns:
        By how much those of one parity differ, (steps, parity), in steps of 8 bits; and how combed a frame
        is, as it came, with the next frame's top field, and with the next frame's bottom field, (steps, 3).
    """
    steps, combs = [], []
    for earlier, later in pairwise(frames):
        steps.append([np.abs(later[parity::2] - earlier[parity::2]).mean() for parity in (0, 1)])
        if not weave:
            continue
        woven = [earlier, earlier.copy(), earlier.copy()]
        for parity in (0, 1):
            woven[1 + parity][parity::2] = later[parity::2]
        combs.append([np.abs(np.diff(frame, n=2, axis=0)).mean() for frame in woven])
    return np.array(steps, np.float64).reshape(-1, 2), np.array(combs, np.float64).reshape(-1, 3)


def cadence(steps: Steps, floor: Steps) -> float | None:
    """Which part of the repeated fields is where the best-fitting cadence has them; chance is about 0.3.

    Args:
        steps: of one stretch, (steps, parity).
        floor: what fields differ by where nothing moves, (parity).

    Returns:
        None where too little moves to tell.
    """
    cycles = len(steps) // CYCLE
    shaped = steps[: cycles * CYCLE].reshape(cycles, CYCLE, 2)
    usual = np.median(shaped, axis=1)
    moving = usual > _MOVES * floor
    if moving.sum() < _FEWEST_CYCLES:
        return None
    least = np.where(moving & (shaped.min(axis=1) < _CLEARLY_LESS * usual), shaped.argmin(axis=1), -CYCLE)
    hits = [
        (least[:, 0] == phase).sum() + (least[:, 1] == (phase + lag) % CYCLE).sum()
        for phase in range(CYCLE)
        for lag in (2, 3)
    ]
    return float(max(hits) / moving.sum())


def cadences(steps: Steps) -> list[float | None]:
    """The `cadence` of each whole stretch of `steps`."""
    if len(steps) == 0:
        return []
    floor = np.percentile(steps, 5, axis=0)
    return [cadence(steps[part], floor) for part in _stretches(steps)]


def partners(steps: Steps, combs: Steps, floor: Steps) -> tuple[float, float] | None:
    """In which part of the frames that move a field of the next frame fits better than their own, and worse.

    Film of 25 pictures a second fits in all of them, or in none; of video both fields fit equally badly.

    Args:
        steps: of one stretch, (steps, parity).
        combs: of the same, (steps, 3).
        floor: what fields differ by where nothing moves, (parity).

    Returns:
        None where too few frames move to tell.
    """
    own, other = combs[:, 0], combs[:, 1:]
    next_one = other[:, int(np.argmin(other.sum(axis=0)))]
    better, worse = own > _CLEARLY_COMBED * next_one, next_one > _CLEARLY_COMBED * own
    moves = int((better | worse | (steps > _MOVES * floor).any(axis=1)).sum())
    return (int(better.sum()) / moves, int(worse.sum()) / moves) if moves >= _FEWEST_CYCLES else None


def all_partners(steps: Steps, combs: Steps) -> list[tuple[float, float] | None]:
    """The `partners` of each whole stretch; none where nothing was woven."""
    if len(combs) == 0:
        return []
    floor = np.percentile(steps, 5, axis=0)
    return [partners(steps[part], combs[part], floor) for part in _stretches(steps)]


def _stretches(steps: Steps) -> Iterator[slice]:
    """The step from one stretch into the next may be one from place to place, and is left out."""
    return (slice(first, first + STRETCH_FRAMES - 1) for first in range(0, len(steps), STRETCH_FRAMES))


def repeated_frames(steps: Steps) -> int:
    """How many frames are the ones before them once more, where others around them differ.

    Args:
        steps: (steps, parity).
    """
    largest = steps.max(axis=1, initial=0)
    around = [largest[max(0, n - _NEIGHBOURS) : n + _NEIGHBOURS + 1] for n in range(len(largest))]
    usual = np.array([np.median(nearby) for nearby in around])
    return int(((usual > _MOVEMENT) & (largest < _NEARLY_NOTHING * usual)).sum())


def main() -> None:
    """Measure what comes on stdin."""
    width, height = map(int, sys.argv[1:3])
    steps, combs = field_steps(frames_of(sys.stdin.buffer, width, height), weave=WEAVE in sys.argv[3:])
    result = {
        "cadences": cadences(steps),
        "partners": all_partners(steps, combs),
        "repeated": repeated_frames(steps),
        "frames": len(steps),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
