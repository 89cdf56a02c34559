"""The other batches on a cluster: their heads tell each other what they have use for."""

import time
from typing import Any

from vhsbatch.cluster.connection import Connection
from vhsbatch.cluster.fair_share import Claim, allotted, hoped, wanted
from vhsbatch.cluster.machines import Machines
from vhsbatch.events.state import BatchState

BATCHES = "vhsbatch-batches"
# The head of a batch says it twice a second; who has said nothing for so long is gone.
_SILENT_S = 5.0


class Rivals:
    """What the other batches have said last, and what is left for this one."""

    def __init__(self, run_id: str) -> None:
        """Know of none yet; `run_id` is this batch."""
        self._run_id = run_id
        self._heard: dict[str, tuple[float, Claim]] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """Take in what a batch says, this one among them."""
        if message["run_id"] != self._run_id:
            claim = Claim(machines=dict(message["machines"]), wanted=dict(message["wanted"]))
            self._heard[message["run_id"]] = time.monotonic(), claim

    async def share(self, connection: Connection, machines: Machines, state: BatchState, *, most: int) -> int:
        """Say what this batch has use for, and find out how many slots are left for it.

        Args:
            connection: to the scheduler, which passes it on.
            machines: who helps this batch.
            state: this batch.
            most: the most slots that it may use.
        """
        helping = machines.slots_by_address
        slots = min(most, machines.slots)
        claim = {
            "run_id": self._run_id,
            "machines": list(helping.items()),
            "wanted": list(wanted(state, most=slots).items()),
        }
        await connection.say(BATCHES, claim)
        begun_s = time.monotonic() - _SILENT_S
        self._heard = {run_id: heard for run_id, heard in self._heard.items() if heard[0] > begun_s}
        if not self._heard:
            return slots
        own = Claim(machines=helping, wanted=hoped(state, most=slots))
        return min(slots, allotted(own, [claim for _, claim in self._heard.values()]))


def shared_words(lanes: int, slots: int) -> str:
    """Why a batch has so many lanes, where its machines have so many slots."""
    if lanes == slots:
        return "no other batch has use for them"
    return "shared with another batch" if lanes else "a batch of higher priority goes first"
