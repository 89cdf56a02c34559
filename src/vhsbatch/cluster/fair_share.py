"""How the batches on one cluster share its slots out among them. Pure.

The higher priority has its turn first; among equals all get the same part of the machines, and what one of
them has no use for is for the others. Parts are rounded up: no slot is idle while a segment waits, and where
two batches meet at one slot, Dask gives it to that which waits longest.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a batch would have made if the cluster were its own.

    Attributes:
        machines: how many of its segments at a time each worker that helps it makes, by address.
        wanted: how many segments it has for them, by priority.
    """

    machines: Mapping[str, int]
    wanted: Mapping[int, int]

    @property
    def slots(self) -> int:
        """How many segments its machines make at a time."""
        return sum(self.machines.values())


def wanted(state: BatchState, *, most: int, unplanned: int = 0) -> dict[int, int]:
    """How many segments of a batch can be made at a time, by the priority of their videos.

    Args:
        state: the batch.
        most: there are never more.
        unplanned: how many a video counts for of which nothing is planned yet.
    """
    left: Counter[int] = Counter()
    if state.paused is None:
        for job in state.open.values():
            if job.phase is not Phase.HELD:
                segments = unplanned if job.plan is None else len(job.plan.segments) - len(job.finished)
                left[job.priority] += segments
    counted = {}
    for priority in sorted(left, reverse=True):
        counted[priority] = min(most, left[priority])
        most -= counted[priority]
    return counted


def hoped(state: BatchState, *, most: int) -> dict[int, int]:
    """What a batch would take if it were offered: of the lowest priority it may soon have more.

    >>> hoped(BatchState(), most=3)
    {0: 3}
    """
    seen = wanted(state, most=most, unplanned=most)
    return seen | {min(seen, default=0): most}


def allotted(own: Claim, others: Sequence[Claim]) -> int:
    """How many slots a batch uses beside others.

    >>> alone = Claim(machines={"attic": 3}, wanted={0: 20})
    >>> allotted(alone, []), allotted(alone, [Claim(machines={"attic": 3}, wanted={1: 2})])
    (3, 1)
    """
    rivals = [other for other in others if any(other.wanted.values())]
    shared = sum(
        slots for address, slots in own.machines.items() if any(address in rival.machines for rival in rivals)
    )
    return own.slots - shared + math.ceil(_part(own, rivals) * shared)


def _part(own: Claim, rivals: Sequence[Claim]) -> Fraction:
    """Which part of the machines is for `own`: batches count theirs differently, so it is no number."""
    claims = (own, *rivals)
    free, mine = Fraction(1), Fraction(0)
    for priority in sorted({level for claim in claims for level in claim.wanted}, reverse=True):
        asked = [Fraction(claim.wanted.get(priority, 0), max(1, claim.slots)) for claim in claims]
        given = _fill(free, asked)
        mine += given[0]
        free -= sum(given)
    return mine


def _fill(free: Fraction, asked: Sequence[Fraction]) -> list[Fraction]:
    """Share out what is free evenly, but nobody gets more than is asked for."""
    given = [Fraction(0)] * len(asked)
    for place, index in enumerate(sorted(range(len(asked)), key=asked.__getitem__)):
        given[index] = min(asked[index], free / (len(asked) - place))
        free -= given[index]
    return given
