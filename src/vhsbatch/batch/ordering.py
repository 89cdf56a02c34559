"""In which order videos are restored: by name, age, length or folder, and first what the user needs first."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

_WHOLE_NUMBER = re.compile(r"-?\d+")

# fair: folders take turns.
OrderName = Literal["name", "shortest", "longest", "newest", "fair"]


@dataclass(frozen=True, slots=True)
class Priority:
    """How urgent some videos are.

    Attributes:
        pattern: a shell pattern that a file's name must match, in any case.
        level: videos of a higher level start first; the default is 0.
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


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a folder's listing tells of a file before it is probed.

    Attributes:
        modified_s: when it was modified, seconds since the epoch.
        size_bytes: its size, used as an estimate of its length.
    """

    modified_s: float
    size_bytes: int


def arrange(
    jobs: Sequence[Job], order: OrderName, by: Sequence[Priority], *, look: Callable[..., FileFacts]
) -> tuple[Job, ...]:
    """The jobs in the order in which they are planned and started, renumbered. Pure.

    A video's length is known only after planning. Until then its size is used instead, so that
    the first ones planned are about the first ones in order.

    Args:
        jobs: in the order of their names, which decides between equals.
        order: by which they are sorted.
        by: of several that match a video the last one counts.
        look: tells of the files of a source.
    """
    with_level = [dataclasses.replace(job, priority=_level(job, by)) for job in jobs]
    turns = _turns(with_level)

    def key(job: Job) -> tuple[float, ...]:
        facts = look(*job.files) if order in ("newest", "shortest", "longest") else FileFacts(0.0, 0)
        match order:
            case "newest":
                return -job.priority, -facts.modified_s, -facts.size_bytes
            case "shortest":
                return -job.priority, facts.size_bytes
            case "longest":
                return -job.priority, -facts.size_bytes
            case "fair":
                return -job.priority, turns[job.id]
            case "name":
                return (-job.priority,)

    return tuple(
        dataclasses.replace(job, index=index)
        for index, job in enumerate(sorted(with_level, key=key), start=1)
    )


def _turns(jobs: Sequence[Job]) -> dict[str, int]:
    """How many videos of its folder and priority go before each one."""
    begun: Counter[tuple[Path, int]] = Counter()
    turns = {}
    for job in jobs:
        queue = job.source.parent, job.priority
        turns[job.id] = begun[queue]
        begun[queue] += 1
    return turns


def _level(job: Job, by: Sequence[Priority]) -> int:
    name = job.source.name.casefold()
    levels = [priority.level for priority in by if fnmatchcase(name, priority.pattern.casefold())]
    return levels[-1] if levels else 0
