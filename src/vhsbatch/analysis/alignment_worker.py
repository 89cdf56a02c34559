"""Child process that aligns captures of a tape by their fingerprints, and prints one JSON object.

    python -P -m vhsbatch.analysis.alignment_worker CELLS NUMBERS REFERENCE OTHER ...

Each file holds fingerprints, `CELLS` bytes for the top field of a frame and as many for the bottom field. To
the file `NUMBERS` goes an array of numpy's, (captures but the first, parities, frames of the first): the
frame in which a capture has the same field, -1 where it has none. The answer holds for each of these captures
how many fields were found, the distance of the first and of the last one, and how often it changes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from vhsbatch.analysis.alignment import NONE, Fingerprints, Numbers, align

PARITIES = 2


def read_fingerprints(path: Path, cells: int) -> Fingerprints:
    """What a file holds, (frames, parities, cells); it is read where it is used."""
    if path.stat().st_size == 0:
        return np.empty((0, PARITIES, cells), np.uint8)
    return np.memmap(path, np.uint8, "r").reshape(-1, PARITIES, cells)


def align_fields(reference: Fingerprints, other: Fingerprints) -> Numbers:
    """The frames of `other` that have the fields of `reference`, (parities, frames).

    The two fields of a frame may be in two frames that follow one another, never further apart.
    """
    numbers = np.stack([align(reference[:, parity], other[:, parity]) for parity in range(PARITIES)])
    apart = (np.abs(numbers[0] - numbers[1]) > 1) & (numbers != NONE).all(axis=0)
    numbers[:, apart] = NONE
    return numbers


def describe(numbers: Numbers) -> dict[str, Any]:
    """What the record says of an alignment."""
    frames = np.flatnonzero((numbers != NONE).all(axis=0))
    offsets = numbers[0, frames] - frames
    return {
        "frames": len(frames),
        "first": int(offsets[0]) if len(frames) else None,
        "last": int(offsets[-1]) if len(frames) else None,
        "changes": int((np.diff(offsets) != 0).sum()),
    }


def main() -> None:
    """Align the files that are named."""
    cells, target = int(sys.argv[1]), Path(sys.argv[2])
    reference, *others = (read_fingerprints(Path(name), cells) for name in sys.argv[3:])
    numbers = np.stack([align_fields(reference, other) for other in others])
    with target.open("wb") as file:
        np.save(file, numbers)
    sys.stdout.write(json.dumps([describe(own) for own in numbers]) + "\n")


if __name__ == "__main__":
    main()
