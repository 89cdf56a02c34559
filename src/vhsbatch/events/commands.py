"""What a user asks of a running batch, as values.

A command is not a fact: the scheduler grants it, which a fact records, or refuses it in words
(`vhsbatch.scheduling.command_effects`). Commands come from the terminal interface, and from another process
that watches the batch.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Start no new work; finish running segments."""

    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Start new work again."""

    kind: Literal["continue"] = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLanes:
    """Use more lanes, or fewer; a lane that goes finishes its segment.

    Attributes:
        by: how many more; negative for fewer.
    """

    by: int
    kind: Literal["change_lanes"] = "change_lanes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Leave a video out of this run; its finished segments are kept."""

    job_id: str
    kind: Literal["skip"] = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try a video again that failed or was skipped."""

    job_id: str
    kind: Literal["retry"] = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Start a waiting video earlier or later among those of its priority.

    Attributes:
        by: how many places later; negative for earlier.
    """

    job_id: str
    by: int
    kind: Literal["move"] = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prioritise:
    """Give a waiting video another priority.

    Attributes:
        by: how much higher; negative for lower.
    """

    job_id: str
    by: int
    kind: Literal["prioritise"] = "prioritise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the run; finished segments are kept.

    Attributes:
        drain: whether running segments finish first.
    """

    drain: bool = False
    kind: Literal["stop"] = "stop"


# What the scheduler grants; the session handles Stop.
Steering = Pause | Continue | ChangeLanes | Skip | Retry | Move | Prioritise
Command = Steering | Stop
