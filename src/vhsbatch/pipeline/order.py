"""In which order videos are restored: by name or by age, and first of all what the user needs first."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

_WHOLE_NUMBER = re.compile(r"-?\d+")

OrderName = Literal["name", "newest"]


@dataclass(frozen=True, slots=True)
class Priority:
    """How urgent some videos are.

    Attributes:
        pattern: a shell pattern that a file's name must match, in any case.
        level: videos of a higher level are begun first; 0 is that of all others.
    """

    pattern: str
    level: int


def priorities(typed: Sequence[str]) -> tuple[Priority, ...]:
    """Priorities as they are typed.

    >>> priorities(["wedding*=10", "a=b.avi=-1"])
    (Priority(pattern='wedding*', level=10), Priority(pattern='a=b.avi', level=-1))

    Raises:
        UsageError: one of them has no level.
    """
    return tuple(map(_priority, typed))


def _priority(typed: str) -> Priority:
    pattern, _, level = typed.rpartition("=")
    if not pattern or not _WHOLE_NUMBER.fullmatch(level):
        raise UsageError(
            f"--priority {typed}: must be a pattern and a whole number", fix="for example 'wedding*=10'"
        )
    return Priority(pattern, int(level))


def arrange(
    jobs: Sequence[Job], order: OrderName, by: Sequence[Priority], *, modified_s: Callable[[Path], float]
) -> tuple[Job, ...]:
    """The jobs in the order in which they are begun, numbered anew. Pure.

    Args:
        jobs: in the order of their names, which decides between equals.
        order: by which they are sorted.
        by: of several that match a video the last one counts.
        modified_s: when a file was modified.
    """

    def key(job: Job) -> tuple[int, float]:
        return -_level(job, by), -modified_s(job.source) if order == "newest" else 0.0

    return tuple(
        dataclasses.replace(job, index=index) for index, job in enumerate(sorted(jobs, key=key), start=1)
    )


def _level(job: Job, by: Sequence[Priority]) -> int:
    name = job.source.name.casefold()
    levels = [priority.level for priority in by if fnmatchcase(name, priority.pattern.casefold())]
    return levels[-1] if levels else 0
