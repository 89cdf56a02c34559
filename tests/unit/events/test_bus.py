import anyio
import pytest

import make
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import Event, Fact
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, DiskReading, LogLine, Progress

pytestmark = pytest.mark.anyio


def progress(lane: int, frames: int) -> Progress:
    return Progress(
        lane=lane,
        job_id="a",
        stage="segment",
        segment=0,
        done_frames=frames,
        total_frames=9,
        frames_per_s=1.0,
    )


async def test_a_fact_is_safe_before_anybody_sees_it() -> None:
    state = BatchState()
    order: list[str] = []

    async def append(_fact: Fact) -> None:
        await anyio.lowlevel.checkpoint()
        order.append("journal" if not state.jobs else "too late")

    bus = Bus(state, append)
    mailbox = bus.subscribe()
    await bus.emit(make.batch_started(make.job()))
    order.append("seen" if await mailbox.receive() else "nothing")
    assert order == ["journal", "seen"]
    assert list(state.jobs) == [make.job().id]


async def test_a_failing_journal_tells_nobody() -> None:
    async def append(_fact: Fact) -> None:
        raise OSError("disk is full")

    state = BatchState()
    bus = Bus(state, append)
    bus.subscribe()
    with pytest.raises(OSError, match="disk is full"):
        await bus.emit(make.batch_started(make.job()))
    assert state.jobs == {}


async def nothing(_fact: Fact) -> None:
    pass


async def test_every_subscriber_gets_every_fact_and_the_newest_progress_of_each_lane() -> None:
    bus = Bus(BatchState(), nothing)
    quick, slow = bus.subscribe(), bus.subscribe()
    fact = make.batch_started(make.job())
    await bus.emit(fact)
    for frames in range(1000):
        bus.tell(progress(1, frames))
        bus.tell(progress(2, frames * 2))
    expected: list[Event] = [fact, progress(1, 999), progress(2, 1998)]
    assert await quick.receive() == expected
    assert await slow.receive() == expected


async def test_the_log_of_a_subscriber_that_sleeps_is_bounded() -> None:
    bus = Bus(BatchState(), nothing)
    mailbox = bus.subscribe()
    for number in range(10_000):
        bus.tell(LogLine(level="info", text=str(number)))
    received = await mailbox.receive()
    assert len(received) == 500
    assert isinstance(received[-1], LogLine)
    assert received[-1].text == "9999"


async def test_the_end_comes_after_the_last_event() -> None:
    bus = Bus(BatchState(), nothing)
    mailbox = bus.subscribe()
    bus.tell(LogLine(level="info", text="last"))
    bus.close()
    assert len(await mailbox.receive()) == 1
    with pytest.raises(anyio.EndOfStream):
        await mailbox.receive()


async def test_a_fact_is_told_whole_even_when_the_teller_is_cancelled() -> None:
    state = BatchState()

    async def slow(_fact: Fact) -> None:
        await anyio.sleep(0.05)

    bus = Bus(state, slow)
    with anyio.move_on_after(0.01):
        await bus.emit(make.batch_started(make.job()))
    assert state.jobs


async def test_only_the_newest_readings_are_kept() -> None:
    bus = Bus(BatchState(), nothing)
    mailbox = bus.subscribe()
    old, new = (DeviceReadings(devices=(), disks=(DiskReading(folder="/", free_bytes=n),)) for n in (2, 1))
    bus.tell(old)
    bus.tell(new)
    assert await mailbox.receive() == [new]
    bus.tell(old)
    assert await mailbox.receive() == [old]
