"""Frames are counted from what lanes tell, and lanes move while a batch runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

import make
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import Fact, LanesChanged, SegmentFailed
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.model.plan import JobPlan
from vhsbatch.scheduling import lane_control
from vhsbatch.scheduling.controller import LaneChange, LaneLimits, Readings, SteeringState
from vhsbatch.scheduling.disk_space import DiskSpace
from vhsbatch.scheduling.lane_control import FrameCount, LaneControl
from vhsbatch.scheduling.scheduler import MEMORY_RAN_OUT

pytestmark = pytest.mark.anyio


def progress(plan: JobPlan, segment: int, frames: int, lane: int = 1) -> Progress:
    return Progress(
        lane=lane,
        job_id=plan.job.id,
        stage="segment",
        segment=segment,
        done_frames=frames,
        total_frames=plan.segments[segment].frames,
        frames_per_s=1.0,
    )


def test_every_frame_is_counted_once() -> None:
    plan, count = make.plan(frames=60, segments=2), FrameCount()
    seen = []
    for event in (
        progress(plan, 0, 10),
        progress(plan, 1, 5, lane=2),
        progress(plan, 0, 25),
        progress(plan, 0, 25),
        make.finished(plan, 0),
        make.finished(plan, 1),
    ):
        count.feed(event)
        seen.append(count.frames)
    assert seen == [10, 15, 30, 30, 35, 60]


def test_what_an_attempt_made_in_vain_was_still_work() -> None:
    plan, count = make.plan(frames=60, segments=2), FrameCount()
    count.feed(progress(plan, 0, 20))
    count.feed(
        SegmentFailed(at_s=1, job_id=plan.job.id, segment=0, attempt=1, lane=1, reason="no", final=False)
    )
    count.feed(progress(plan, 0, 8))
    assert count.frames == 28


@dataclass
class Batch:
    """A batch in which nothing happens but what a test says, and its lanes."""

    facts: list[Fact] = field(default_factory=list)
    state: BatchState = field(default_factory=BatchState)

    def __post_init__(self) -> None:
        self.bus = Bus(self.state, self._append)

    async def _append(self, fact: Fact) -> None:
        self.facts.append(fact)

    async def use_lanes(self, lanes: int, reason: str) -> None:
        await self.bus.emit(LanesChanged(at_s=1.0, lanes=lanes, reason=reason))

    def control(self) -> LaneControl:
        disk_space = DiskSpace((Path("/"),), least_bytes=0)
        return LaneControl(
            state=self.state,
            disk_space=disk_space,
            limits=LaneLimits(least=1, most=4),
            use_lanes=self.use_lanes,
        )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lane_control, "_INTERVAL_S", 0.01)
    yield


def is_steering() -> bool:
    return any("LaneControl._steer" in (task.name or "") for task in anyio.get_running_tasks())


async def until(condition: object) -> None:
    assert callable(condition)
    with anyio.fail_after(300):
        while not condition():
            await anyio.sleep(0.005)


async def test_a_move_becomes_a_fact_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    moves, seen = [LaneChange(3, "it pays"), LaneChange(2, "it is hot")], []

    def steer(
        memory: SteeringState, readings: Readings, lanes: int, limits: LaneLimits
    ) -> tuple[SteeringState, LaneChange | None]:
        seen.append(readings)
        return memory, moves.pop(0) if moves else None

    monkeypatch.setattr(lane_control, "steer", steer)
    batch = Batch()
    plan = make.plan()
    await batch.bus.emit(make.batch_started(plan.job))
    await batch.bus.emit(make.planned(plan))
    await batch.bus.emit(make.started(plan))
    async with anyio.create_task_group() as group:
        group.start_soon(batch.control().run, batch.bus.subscribe())
        await until(lambda: len(seen) > 3)
        batch.bus.close()
    changed = [(fact.lanes, fact.reason) for fact in batch.facts if isinstance(fact, LanesChanged)]
    assert changed == [(3, "it pays"), (2, "it is hot")]
    assert seen[0].busy_lanes == 1
    assert seen[0].more_work


@pytest.mark.parametrize(("reason", "goes_on"), [(MEMORY_RAN_OUT, True), ("asked for", False)])
async def test_a_users_word_ends_the_control(
    monkeypatch: pytest.MonkeyPatch, reason: str, goes_on: bool
) -> None:
    asked = 0

    def steer(
        memory: SteeringState, readings: Readings, lanes: int, limits: LaneLimits
    ) -> tuple[SteeringState, LaneChange | None]:
        nonlocal asked
        asked += 1
        return memory, None

    monkeypatch.setattr(lane_control, "steer", steer)
    batch = Batch()
    await batch.bus.emit(make.batch_started(make.job(), lanes=3))
    async with anyio.create_task_group() as group:
        group.start_soon(batch.control().run, batch.bus.subscribe())
        await until(lambda: asked > 1)
        assert is_steering()
        await batch.use_lanes(1, reason)
        if goes_on:
            before = asked
            await until(lambda: asked > before + 2)
        else:
            await until(lambda: not is_steering())
        batch.bus.close()
