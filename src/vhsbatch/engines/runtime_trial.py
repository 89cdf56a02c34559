"""Child process that tries a runtime out on a device; exits with 0 if the picture is right.

    python -m vhsbatch.engines.runtime_trial RUNTIME DEVICE

A driver can be there and yet crash, give black frames, or turn black into white; so a small picture
goes through the model, and is compared with what the CPU makes of it.
"""

import sys

import numpy as np

from vhsbatch.engines.models import choose_model
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError, open_runtime
from vhsbatch.errors import VhsBatchError

_SIZE = 24
# A device computes with 16 bits: 8 was the most that was seen where all was well.
_LARGEST_DIFFERENCE = 24


def test_picture() -> Frame:
    """Black, white and slopes between them, no two channels alike."""
    slope = np.linspace(0, 255, _SIZE, dtype=np.uint8)
    picture = np.zeros((_SIZE, _SIZE, 3), np.uint8)
    picture[..., 0], picture[..., 1] = slope, slope[::-1, None]
    picture[: _SIZE // 3, : _SIZE // 3] = 0
    return picture


def compare(made: Frame, right: Frame) -> str | None:
    """What is wrong with a frame; None if nothing is."""
    largest = int(np.abs(made.astype(int) - right).max())
    if largest > _LARGEST_DIFFERENCE:
        return f"gives wrong pictures on this device (off by {largest} of 255)"
    return None


def main() -> None:
    """Try out what the command line names."""
    runtime, device = sys.argv[1:3]
    try:
        model = choose_model("animevideov3", source_height=_SIZE, target_height=2 * _SIZE)
    except VhsBatchError as error:  # the models have not been fetched yet
        sys.exit(error.cause)

    def upscaled(runtime: str, device: str) -> Frame:
        upscale = open_runtime(
            runtime,
            param=model.param,
            weights=model.weights,
            scale=model.scale,
            device=device,
            tile_px=0,
            threads=1,
        )
        return upscale(test_picture())

    try:
        problem = compare(upscaled(runtime, device), upscaled("ncnn", "cpu"))
    except RuntimeFailureError as error:
        problem = str(error)
    if problem is not None:
        sys.exit(problem)


if __name__ == "__main__":
    main()
