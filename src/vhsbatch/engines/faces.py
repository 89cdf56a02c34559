"""The stage of a chain that restores faces, and what it adds to a result."""

import sys
from fractions import Fraction
from importlib.metadata import version

from vhsbatch.config.preset_schema import Faces
from vhsbatch.engines.base import FACES
from vhsbatch.engines.face_models import DETECTOR_FILES, FaceModel
from vhsbatch.engines.models import digest
from vhsbatch.model.plan import FaceRestoration
from vhsbatch.process.chain import StageSpec

# For so many frames a face may be lost.
MOST_MISSED = 2
# A face's points are averaged, and what is drawn of it too, over so many frames on each side.
POINTS_RADIUS = 3
DRAWN_RADIUS = 5
# How many frames on each side decide about a frame: to fill, to place, to draw.
CONTEXT_FRAMES = (MOST_MISSED + 1) + POINTS_RADIUS + DRAWN_RADIUS + 1


def resolve_faces(keys: Faces, model: FaceModel, *, device: str) -> FaceRestoration:
    """How faces are restored.

    Args:
        keys: the keys of the preset.
        model: the model.
        device: ``cpu`` or the index of a Vulkan device.
    """
    return FaceRestoration(
        model=model.name,
        kind=model.kind,
        origin=model.origin,
        param=model.param,
        weights=model.weights,
        given=model.given,
        made=model.made,
        strength=keys.strength,
        least_percent=keys.least_percent,
        centre_only=keys.centre_only,
        device=device,
    )


def faces_identity(faces: FaceRestoration) -> dict[str, str]:
    """Digests and versions of all that restoring faces adds to a result."""
    converted = {"face_model": faces.origin} if faces.origin else {}
    return converted | {
        "face_param": digest(faces.param),
        "face_weights": digest(faces.weights),
        "face_detector": digest(DETECTOR_FILES[1]),
        "face_runtime": f"ncnn {version('ncnn')}",
        "pillow": version("pillow"),
    }


def faces_stage(
    faces: FaceRestoration,
    *,
    width: int,
    height: int,
    aspect: Fraction,
    device: str,
    threads: int,
    skip: int,
    frames: int,
) -> StageSpec:
    """The child process that takes rgb24 frames on stdin and gives as large ones on stdout.

    Args:
        faces: how faces are restored.
        width: frame width in pixels.
        height: frame height in pixels.
        aspect: how much wider than high a pixel is.
        device: what the model runs on.
        threads: CPU threads that the stage may keep busy.
        skip: how many frames come before the segment.
        frames: how many the segment has.
    """
    return StageSpec(
        name=FACES,
        argv=(
            *(sys.executable, "-m", "vhsbatch.engines.faces_worker"),
            *("--width", str(width), "--height", str(height), "--aspect", str(aspect)),
            *("--param", str(faces.param), "--weights", str(faces.weights)),
            *("--given", faces.given, "--made", faces.made, "--device", device),
            *("--strength", str(faces.strength), "--least-percent", str(faces.least_percent)),
            *(("--centre-only",) if faces.centre_only else ()),
            *("--threads", str(threads), "--skip", str(skip), "--frames", str(frames)),
        ),
    )
