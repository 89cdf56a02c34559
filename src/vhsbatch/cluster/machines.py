"""Which machines help a run, as its head sees them."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field

from distributed.comm.core import CommClosedError

from vhsbatch import __version__
from vhsbatch.cluster.connection import Connection
from vhsbatch.cluster.protocol import Answer, Offer
from vhsbatch.cluster.rpc import join
from vhsbatch.events.telemetry import LogLine, Telemetry

ANSWER_S = 120.0

Tell = Callable[[Telemetry], None]


@dataclass(slots=True)
class _Known:
    """What is known of the machines.

    Attributes:
        scheduler_id: which scheduler it is; another one knows nothing of what was submitted.
        helping: the answer of each machine that helps, by its address.
        seen: every address that has been asked.
    """

    scheduler_id: str = ""
    helping: dict[str, Answer] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed.

    Attributes:
        text: in words, empty if nothing has.
        lost: why no attempt that was handed out will be made, empty if they are being made.
    """

    text: str = ""
    lost: str = ""


class Machines:
    """The machines of a cluster, and which of them help."""

    def __init__(self, connection: Connection, offer: Offer) -> None:
        """Know nobody yet.

        Args:
            connection: to the scheduler.
            offer: what is asked of machines.
        """
        self._connection = connection
        self._offer = offer
        self._known = _Known()

    @property
    def helping(self) -> int:
        """How many Dask workers help."""
        return len(self._known.helping)

    @property
    def slots(self) -> int:
        """How many segments they make at a time."""
        return sum(answer.slots for answer in self._known.helping.values())

    @property
    def slots_by_address(self) -> dict[str, int]:
        """How many segments each Dask worker makes at a time."""
        return {address: answer.slots for address, answer in self._known.helping.items()}

    async def look(self, tell: Tell) -> Change:
        """Find out who helps, and ask those who are new."""
        address = self._connection.address
        try:
            scheduler = await self._connection.identity()
        except OSError:  # TimeoutError and a closed connection among them
            return self._lose_all(f"the scheduler at {address} does not answer")
        changes, lost = [], ""
        if scheduler["id"] != self._known.scheduler_id:
            if self._known.scheduler_id:
                change = self._lose_all(f"the scheduler at {address} was restarted")
                changes, lost = [change.text], change.lost
            self._known.scheduler_id = scheduler["id"]
        there = set(scheduler["workers"])
        changes += self._forget(self._known.seen - there)
        if new := sorted(there - self._known.seen):
            changes += await self._ask(new, tell)
        if not self._known.helping:
            lost = lost or "no machine is left that could make it"
        return Change(", ".join(filter(None, changes)), lost)

    def _forget(self, addresses: set[str]) -> list[str]:
        """Strike out machines that are gone; which of them helped."""
        self._known.seen -= addresses
        gone = [self._known.helping.pop(address, None) for address in addresses]
        return [f"{answer.machine} is gone" for answer in gone if answer is not None]

    async def _ask(self, addresses: list[str], tell: Tell) -> list[str]:
        """Ask machines for help; who joined."""
        offer = pickle.dumps(self._offer)
        try:
            answers = await self._connection.ask_all(
                join, self._offer.version, offer, workers=addresses, within_s=ANSWER_S
            )
        except OSError:
            return []
        return [joined for address, said in answers.items() if (joined := self._note(address, said, tell))]

    def _note(self, address: str, said: object, tell: Tell) -> str:
        """Take an answer in; who joined, empty if it does not help."""
        if isinstance(said, CommClosedError):
            return ""  # it is asked again when it returns
        self._known.seen.add(address)
        if not isinstance(said, dict):
            tell(LogLine(level="warning", text=f"{address} does not help: {cause_of(said)}"))
            return ""
        answer = Answer(**said)
        if answer.refusal is not None:
            tell(LogLine(level="warning", text=f"{answer.machine} does not help: {answer.refusal}"))
            return ""
        if not answer.shares_folder:
            text = (
                f"{answer.machine} does not see {self._offer.folder}: sources and results are sent "
                "(--map-path FROM=TO if it has that folder under another path)"
            )
            tell(LogLine(level="info", text=text))
        self._known.helping[address] = answer
        return f"{answer.machine} helps with {answer.slots}"

    def _lose_all(self, why: str) -> Change:
        """Nobody helps any more."""
        had_any = bool(self._known.helping)
        self._known = _Known()
        return Change(why if had_any else "", why)


def cause_of(said: object) -> str:
    """Why a machine could not even answer, in one line."""
    if isinstance(said, ImportError | AttributeError) or "ModuleNotFoundError" in str(said):
        return (
            f"it has another vhsbatch, or none ({said}); install version {__version__} there, "
            "with its extra for clusters"
        )
    return f"{type(said).__name__}: {said}"
