"""The worker program's control lines: one line of JSON for each event, on stderr.

The native libraries print there too, so a control line is known by its first key.
"""

import json
from dataclasses import dataclass

_KEY = "vhsbatch"
_COUNTS = ("frames", "repeated_frames", "faces", "face_tracks", "face_frames", "faces_rejected")


@dataclass(frozen=True, slots=True)
class ControlLine:
    """Something that the worker program says.

    Attributes:
        event: ``ready``, ``progress`` or ``done``; an error is told in plain words, like any program's.
        frames: frames written so far, in ``progress`` and ``done``.
        repeated_frames: frames that were the same as the one before and cost no work, in ``done``.
        faces: faces that were restored, in all frames, in ``done``.
        face_tracks: how many faces were followed, each counted once, in ``done``.
        face_frames: frames with a restored face, in ``done``.
        faces_rejected: faces of which the model drew something else, in ``done``.
    """

    event: str
    frames: int | None = None
    repeated_frames: int | None = None
    faces: int | None = None
    face_tracks: int | None = None
    face_frames: int | None = None
    faces_rejected: int | None = None

    def dump(self) -> str:
        """The line."""
        values = {name: getattr(self, name) for name in _COUNTS}
        return json.dumps(
            {_KEY: self.event} | {key: value for key, value in values.items() if value is not None}
        )


def parse_control_line(line: str) -> ControlLine | None:
    """The event in a line of the worker's stderr; None for a line of a library.

    >>> parse_control_line('{"vhsbatch": "progress", "frames": 7}').frames
    7
    >>> parse_control_line("50.00%")
    """
    if not line.startswith('{"' + _KEY + '"'):
        return None
    try:
        values = json.loads(line)
        return ControlLine(event=str(values[_KEY]), **{name: values.get(name) for name in _COUNTS})
    except ValueError:
        return None


@dataclass(slots=True)
class FaceCounts:
    """What was done to faces.

    Attributes:
        faces: faces that were restored, in all frames.
        tracks: faces that were followed, each once.
        frames: frames with a restored face.
        rejected: faces of which the model drew something else.
    """

    faces: int = 0
    tracks: int = 0
    frames: int = 0
    rejected: int = 0
