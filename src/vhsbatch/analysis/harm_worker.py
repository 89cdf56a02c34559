"""Child process that measures what a restoration did to a picture, and prints it as JSON.

    python -P -m vhsbatch.analysis.harm_worker WIDTH HEIGHT SOURCE RESULT [SOURCE RESULT ...]

All files hold bare yuv420p frames, two files for each place. It prints the harm in luma and chroma,
and how much of their colour thin structures keep (`vhsbatch.analysis.harm`); null where it cannot be told.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vhsbatch.analysis.harm import Frame, harm
from vhsbatch.analysis.picture_worker import read_frames


def main(words: Sequence[str]) -> None:
    """Measure the files that the command line names."""
    width, height, *files = words
    places = [_frames(Path(file), int(width), int(height)) for file in files]
    sys.stdout.write(json.dumps(harm(list(zip(places[::2], places[1::2], strict=True)))) + "\n")


def _frames(file: Path, width: int, height: int) -> list[Frame]:
    with file.open("rb") as stream:
        return list(read_frames(stream, width, height, width // 2, height // 2))


if __name__ == "__main__":
    main(sys.argv[1:])
