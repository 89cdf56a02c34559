"""The worker program's control lines: one line of JSON for each event, on stderr.

The native libraries print there too, so a control line is known by its first key.
"""

import json
from dataclasses import dataclass

_KEY = "vhsbatch"


@dataclass(frozen=True, slots=True)
class ControlLine:
    """Something that the worker program says.

    Attributes:
        event: ``ready``, ``progress`` or ``done``; an error is told in plain words, like any program's.
        frames: frames written so far, in ``progress`` and ``done``.
        repeated_frames: frames that were the same as the one before and cost no work, in ``done``.
    """

    event: str
    frames: int | None = None
    repeated_frames: int | None = None

    def dump(self) -> str:
        """The line."""
        values = {"frames": self.frames, "repeated_frames": self.repeated_frames}
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
        return ControlLine(
            event=str(values[_KEY]),
            frames=values.get("frames"),
            repeated_frames=values.get("repeated_frames"),
        )
    except ValueError:
        return None
