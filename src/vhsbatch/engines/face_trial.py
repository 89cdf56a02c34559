"""Child process that tries a user's face model on a drawn face; prints how many seconds it took.

    python -m vhsbatch.engines.face_trial PARAM WEIGHTS GIVEN MADE

A damaged or hostile model may crash ncnn, or ask it for any amount of memory: that ends this process alone.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from vhsbatch.engines.face_patch import EDGE_PX, Patch, restored
from vhsbatch.engines.model_trial import limit_memory
from vhsbatch.engines.runtimes import LoadedModel, RuntimeFailureError

_LEAST_CONTRAST = 2.0
_LARGEST_SHIFT = 100.0


def drawn_face() -> Patch:
    """A face of few colours, where models expect its parts."""
    y, x = np.mgrid[0:EDGE_PX, 0:EDGE_PX].astype(np.float32)
    picture = np.empty((EDGE_PX, EDGE_PX, 3), np.float32)
    picture[:] = (70, 80, 95)
    shade = (200 - 0.1 * x)[..., None] * np.array((1, 0.78, 0.66), np.float32)
    parts = [
        ((256, 270, 150, 210), shade),
        *(((middle, 240, 30, 14), (60, 45, 40)) for middle in (192, 320)),
        *(((middle, 205, 36, 8), (80, 55, 40)) for middle in (192, 320)),
        ((256, 315, 20, 12), (150, 105, 90)),
        ((256, 372, 55, 16), (150, 70, 70)),
    ]
    for (centre_x, centre_y, half_width, half_height), colour in parts:
        inside = ((x - centre_x) / half_width) ** 2 + ((y - centre_y) / half_height) ** 2 < 1
        picture[inside] = np.broadcast_to(np.asarray(colour, np.float32), picture.shape)[inside]
    return picture


def main() -> None:
    """Try what the command line names."""
    param, weights, given, made = sys.argv[1:5]
    limit_memory()
    face = drawn_face()
    try:
        model = LoadedModel(Path(param), Path(weights), threads=os.cpu_count() or 1)
        started_s = time.monotonic()
        result = restored(model, face, given=given, made=made)
    except (RuntimeFailureError, MemoryError) as error:
        sys.exit(str(error) or "it needs too much memory")
    took_s = time.monotonic() - started_s
    if result.std() < _LEAST_CONTRAST or abs(float(result.mean() - face.mean())) > _LARGEST_SHIFT:
        sys.exit("it makes nonsense of a face")
    sys.stdout.write(json.dumps(took_s) + "\n")


if __name__ == "__main__":
    main()
