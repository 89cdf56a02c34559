"""The worker program that restores faces: raw rgb24 frames on stdin, as large ones on stdout.

    python -m vhsbatch.engines.faces_worker --width W --height H --param FILE --weights FILE …

It gets some frames before the segment and after it, and leaves those out. What it says is in
`vhsbatch.engines.control`; it exits with 0 only if every frame of the segment went out.
"""

import argparse
import functools
from fractions import Fraction
from pathlib import Path

from vhsbatch.engines.control import ControlLine, FaceCounts
from vhsbatch.engines.face_patch import Patch, restored
from vhsbatch.engines.face_stage import FaceChoice, restored_frames
from vhsbatch.engines.faces_found import Detector
from vhsbatch.engines.frame_pipes import (
    StreamError,
    fail,
    keep_stdout_clean,
    one_line,
    read_ahead,
    say,
    write,
)
from vhsbatch.engines.runtimes import LoadedModel, RuntimeFailureError


def main() -> None:
    """Run until stdin ends."""
    arguments = _parse()
    frames_out = keep_stdout_clean()
    counts = FaceCounts()
    try:
        written_frames = _run(arguments, counts, frames_out)
    except (StreamError, RuntimeFailureError, ImportError, MemoryError, OSError) as error:
        fail(one_line(error))
    if written_frames != arguments.frames:
        fail(f"{written_frames} frames came instead of {arguments.frames}")
    say(
        ControlLine(
            "done",
            frames=written_frames,
            faces=counts.faces,
            face_tracks=counts.tracks,
            face_frames=counts.frames,
            faces_rejected=counts.rejected,
        )
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("width", "height", "least-percent", "threads", "skip", "frames"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("param", "weights"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("given", "made", "device"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--strength", type=float, required=True)
    parser.add_argument("--aspect", type=Fraction, required=True)
    parser.add_argument("--centre-only", action="store_true")
    return parser.parse_args()


def _run(arguments: argparse.Namespace, counts: FaceCounts, frames_out: int) -> int:
    model = LoadedModel(
        arguments.param, arguments.weights, device=arguments.device, threads=arguments.threads
    )
    choice = FaceChoice(
        strength=arguments.strength,
        least_percent=arguments.least_percent,
        centre_only=arguments.centre_only,
        aspect=float(arguments.aspect),
    )
    say(ControlLine("ready"))
    made = restored_frames(
        read_ahead((arguments.height, arguments.width, 3)),
        detect=functools.partial(Detector(threads=arguments.threads), aspect=choice.aspect),
        restore=functools.partial(_restored, model, arguments),
        choice=choice,
        counts=counts,
        counted=range(arguments.skip, arguments.skip + arguments.frames),
    )
    last = arguments.skip + arguments.frames
    # What comes before is read to its end all the same: it would take an end of the pipe for a failure.
    wanted = (frame for number, frame in enumerate(made) if arguments.skip <= number < last)
    return write(wanted, frames_out)


def _restored(model: LoadedModel, arguments: argparse.Namespace, face: Patch) -> Patch:
    # It may take longer than the batch waits for a frame, where there are many faces.
    say(ControlLine("working"))
    return restored(model, face, given=arguments.given, made=arguments.made)


if __name__ == "__main__":
    main()
