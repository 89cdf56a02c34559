"""How the batches on one cluster share its slots: their heads tell each other what they can use.

The highest priority goes first. Batches of equal priority get equal parts of the machines; what one of them
cannot use goes to the others. Parts are rounded up, so that no slot is idle while a segment waits. Where two
batches want the same slot, Dask gives it to the segment that has waited longest.
"""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vhsbatch.cluster.connection import Connection
from vhsbatch.cluster.machines import Machines
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState

BATCHES = "vhsbatch-batches"
# Each head says twice a second what it can use. One that has been silent for this long is gone.
_SILENT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a batch would use if it had the cluster to itself.

    Attributes:
        machines: how many of its segments each of its workers makes at a time, by address.
        wanted: how many segments are waiting, by priority.
    """

    machines: Mapping[str, int]
    wanted: Mapping[int, int]

    @property
    def slots(self) -> int:
        """How many segments its machines make at once."""
        return sum(self.machines.values())


def wanted(state: BatchState, *, most: int, unplanned: int = 0) -> dict[int, int]:
    """How many segments of a batch could be made at once, by the priority of their videos.

    Args:
        state: the batch.
        most: the upper limit.
        unplanned: how many segments to count for a video that has no plan yet.
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
    """What a batch would take if offered: at its lowest priority it may soon have more segments.

    >>> hoped(BatchState(), most=3)
    {0: 3}
    """
    seen = wanted(state, most=most, unplanned=most)
    return seen | {min(seen, default=0): most}


def allotted(own: Claim, others: Sequence[Claim]) -> int:
    """How many slots a batch may use while others share its machines.

    >>> alone = Claim(machines={"attic": 3}, wanted={0: 20})
    >>> allotted(alone, []), allotted(alone, [Claim(machines={"attic": 3}, wanted={1: 2})])
    (3, 1)
    """
    busy = [other for other in others if any(other.wanted.values())]
    shared = sum(
        slots for address, slots in own.machines.items() if any(address in other.machines for other in busy)
    )
    return own.slots - shared + math.ceil(_part(own, busy) * shared)


def _part(own: Claim, others: Sequence[Claim]) -> Fraction:
    """The part of the machines that `own` gets. A fraction: each batch counts its machines differently."""
    claims = (own, *others)
    free, mine = Fraction(1), Fraction(0)
    for priority in sorted({level for claim in claims for level in claim.wanted}, reverse=True):
        asked = [Fraction(claim.wanted.get(priority, 0), max(1, claim.slots)) for claim in claims]
        given = _fill(free, asked)
        mine += given[0]
        free -= sum(given)
    return mine


def _fill(free: Fraction, asked: Sequence[Fraction]) -> list[Fraction]:
    """Share what is free evenly; nobody gets more than they asked for."""
    given = [Fraction(0)] * len(asked)
    for place, index in enumerate(sorted(range(len(asked)), key=asked.__getitem__)):
        given[index] = min(asked[index], free / (len(asked) - place))
        free -= given[index]
    return given


class FairShare:
    """What the other batches last asked for, and how many slots that leaves for this one."""

    def __init__(self, run_id: str) -> None:
        """Know no other batch yet; `run_id` is this one."""
        self._run_id = run_id
        self._heard: dict[str, tuple[float, Claim]] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """Take in a message of any batch, this one included."""
        if message["run_id"] != self._run_id:
            claim = Claim(machines=dict(message["machines"]), wanted=dict(message["wanted"]))
            self._heard[message["run_id"]] = time.monotonic(), claim

    async def share(self, connection: Connection, machines: Machines, state: BatchState, *, most: int) -> int:
        """Tell the others what this batch can use, and return how many slots it may use itself.

        Args:
            connection: to the scheduler, which passes the message on.
            machines: the workers that help this batch.
            state: this batch.
            most: its upper limit of slots.
        """
        helping = machines.slots_by_address
        slots = min(most, machines.slots)
        claim = {
            "run_id": self._run_id,
            "machines": list(helping.items()),
            "wanted": list(wanted(state, most=slots).items()),
        }
        await connection.say(BATCHES, claim)
        earliest_s = time.monotonic() - _SILENT_S
        self._heard = {run_id: heard for run_id, heard in self._heard.items() if heard[0] > earliest_s}
        if not self._heard:
            return slots
        own = Claim(machines=helping, wanted=hoped(state, most=slots))
        return min(slots, allotted(own, [claim for _, claim in self._heard.values()]))


def shared_words(lanes: int, slots: int) -> str:
    """Why a batch uses this number of lanes although its machines have that number of slots."""
    if lanes == slots:
        return "no other batch needs them"
    return "shared with another batch" if lanes else "a batch of higher priority goes first"
