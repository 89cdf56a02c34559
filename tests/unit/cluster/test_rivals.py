"""What heads of batches tell each other, over a scheduler that passes everything on."""

from types import SimpleNamespace
from typing import Any

import pytest

import make
from vhsbatch.cluster import rivals
from vhsbatch.cluster.rivals import BATCHES, Rivals
from vhsbatch.events.state import BatchState, fold

pytestmark = pytest.mark.anyio

MACHINES: Any = SimpleNamespace(slots_by_address={"attic": 2, "cellar": 2}, slots=4)


class Connection:
    """Passes on what is said to all that listen."""

    def __init__(self, *listening: Rivals) -> None:
        self.listening = listening

    async def say(self, topic: str, message: dict[str, Any]) -> None:
        assert topic == BATCHES
        for rival in self.listening:
            rival.hear(message)


def planned(segments: int) -> BatchState:
    plan = make.plan(segments=segments)
    return fold([make.batch_started(plan.job), make.planned(plan)])


async def test_each_hears_of_the_other_and_forgets_who_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = 100.0
    monkeypatch.setattr(rivals, "time", SimpleNamespace(monotonic=lambda: clock_s))
    first, second = Rivals("first"), Rivals("second")
    connection: Any = Connection(first, second)
    assert await first.share(connection, MACHINES, planned(9), most=100) == 4
    assert await second.share(connection, MACHINES, planned(9), most=100) == 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 2
    assert await second.share(connection, MACHINES, planned(1), most=100) == 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 3
    assert await first.share(connection, MACHINES, planned(9), most=1) == 1
    clock_s += 4
    assert await first.share(connection, MACHINES, planned(9), most=100) == 3
    clock_s += 2
    assert await first.share(connection, MACHINES, planned(9), most=100) == 4
