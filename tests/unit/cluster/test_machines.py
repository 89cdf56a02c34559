"""Which machines help, as they come, go, refuse and answer nonsense."""

from pathlib import Path
from typing import Any

import pytest

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.machines import Machines
from vhsbatch.cluster.protocol import Answer, Offer, Tools, as_values, fitting
from vhsbatch.events.telemetry import LogLine, Telemetry

pytestmark = pytest.mark.anyio

OFFER = Offer(
    run_id="run",
    version="1",
    tools=Tools(ffmpeg="9", runtime="", processor="x86_64"),
    engine="ffmpeg",
    runtime="",
    on_cpu=True,
    encoder="libx264",
    lane_bytes=2**30,
    folder=Path("/work"),
    token=Path("/work/token"),
    map_path=(),
)


class Scheduler:
    """A scheduler with workers that answer what they are told to; `None` for one that is not there."""

    def __init__(self, **workers: object) -> None:
        self.id: str | None = "first"
        self.workers = workers
        self.address = Address("tcp", "tapes", 1)
        self.asked: list[str] = []

    async def identity(self) -> dict[str, Any]:
        if self.id is None:
            raise OSError("no route")
        return {"id": self.id, "workers": dict.fromkeys(self.workers)}

    async def ask_all(self, *_: object, workers: list[str], **__: object) -> dict[str, object]:
        self.asked += workers
        return {address: self.workers[address] for address in workers}


def helps(name: str, slots: int = 1) -> dict[str, Any]:
    return as_values(Answer(machine=name, slots=slots))


def looking(scheduler: Scheduler) -> tuple[Machines, list[str]]:
    lines: list[str] = []
    machines = Machines(scheduler, OFFER)  # type: ignore[arg-type]
    return machines, lines


def noting(lines: list[str]) -> Any:
    def tell(event: Telemetry) -> None:
        assert isinstance(event, LogLine)
        lines.append(event.text)

    return tell


async def test_machines_come_and_go() -> None:
    scheduler = Scheduler(a=helps("attic", 2))
    machines, lines = looking(scheduler)
    assert (await machines.look(noting(lines))).text == "attic helps with 2"
    scheduler.workers["b"] = helps("cellar", 3)
    assert (await machines.look(noting(lines))).text == "cellar helps with 3"
    assert (machines.helping, machines.slots) == (2, 5)
    del scheduler.workers["a"]
    change = await machines.look(noting(lines))
    assert (change.text, change.lost, machines.slots) == ("attic is gone", "", 3)
    del scheduler.workers["b"]
    assert "no machine is left" in (await machines.look(noting(lines))).lost
    assert scheduler.asked == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            as_values(Answer(machine="attic", slots=0, refusal="it has FFmpeg 5")),
            "attic does not help: it has F",
        ),
        (ModuleNotFoundError("No module named 'vhsbatch'"), "install version "),
        (Exception("ModuleNotFoundError(\"No module named 'vhsbatch'\")"), "install version "),
        (AttributeError("no such function"), "another vhsbatch"),
        (RuntimeError("broken"), "RuntimeError: broken"),
    ],
)
async def test_who_does_not_help_is_asked_once_and_said_with_the_reason(said: object, words: str) -> None:
    scheduler = Scheduler(a=said)
    machines, lines = looking(scheduler)
    for _ in range(2):
        change = await machines.look(noting(lines))
        assert (change.text, machines.slots) == ("", 0)
    (line,) = lines
    assert words in line
    assert "\n" not in line
    assert scheduler.asked == ["a"]


async def test_another_scheduler_knows_nothing_of_what_was_handed_out() -> None:
    scheduler = Scheduler(a=helps("attic"))
    machines, lines = looking(scheduler)
    await machines.look(noting(lines))
    scheduler.id = None
    change = await machines.look(noting(lines))
    assert "does not answer" in change.text
    assert change.lost == change.text
    assert machines.slots == 0
    scheduler.id = "second"
    assert (await machines.look(noting(lines))).text == "attic helps with 1"
    scheduler.id = "third"
    change = await machines.look(noting(lines))
    assert "restarted" in change.lost
    assert machines.slots == 1


def test_a_machine_is_given_no_more_than_a_person_has_said_it_has() -> None:
    assert OFFER.needs == {"MEMORY": 2**30}
    assert fitting(8, {}, OFFER.needs) == 8
    assert fitting(8, {"MEMORY": 3.5 * 2**30, "licences": 1.0}, OFFER.needs) == 3
    assert fitting(8, {"MEMORY": 2**29}, OFFER.needs) == 0
