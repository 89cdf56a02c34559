from dataclasses import replace

import anyio
import pytest

import make
from vhsbatch.events.bus import Bus, Mailbox
from vhsbatch.events.events import (
    BatchFinished,
    Event,
    Fact,
    JobFailed,
    JobSkipped,
    LanesChanged,
    SegmentFailed,
)
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


def ends(work: str) -> Fact:
    plan = make.plan(make.job(1))
    job_id = plan.job.id
    facts: dict[str, Fact] = {
        "segment_finished": make.finished(plan, 0, 1),
        "segment_failed": SegmentFailed(
            at_s=1, job_id=job_id, segment=0, attempt=1, lane=1, reason="no", final=False
        ),
        "job_published": make.published(plan),
        "job_failed": JobFailed(at_s=1, job_id=job_id, reason="no"),
        "job_skipped": JobSkipped(at_s=1, job_id=job_id, reason="no"),
        "batch_finished": BatchFinished(at_s=1, run_id="r", outcome="interrupted", exit_code=130),
    }
    return facts[work]


@pytest.mark.parametrize(
    "work",
    ["segment_finished", "segment_failed", "job_published", "job_failed", "job_skipped", "batch_finished"],
)
async def test_progress_of_work_that_has_ended_is_not_read_after_its_end(work: str) -> None:
    mailbox = Mailbox()
    mine = replace(progress(1, 5), job_id=make.plan(make.job(1)).job.id)
    mailbox.put(mine)
    mailbox.put(progress(2, 7))
    mailbox.put(ends(work))
    kept = [] if work == "batch_finished" else [progress(2, 7)]
    assert await mailbox.receive() == [ends(work), *kept]


async def test_the_end_of_a_batch_is_its_last_fact() -> None:
    kept: list[Fact] = []

    async def append(fact: Fact) -> None:
        await anyio.lowlevel.checkpoint()
        kept.append(fact)

    bus = Bus(BatchState(), append)
    mailbox = bus.subscribe()
    facts = (
        make.batch_started(make.job()),
        BatchFinished(at_s=2, run_id="r", outcome="complete", exit_code=0),
        LanesChanged(at_s=3, lanes=3, reason="it pays"),
    )
    async with anyio.create_task_group() as group:
        for fact in facts:
            group.start_soon(bus.emit, fact)
    assert kept == await mailbox.receive() == list(facts[:2])


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
