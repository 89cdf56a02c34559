"""Reads the machine from time to time and moves the number of lanes: the controller's eyes and hand."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import Event, LanesChanged, SegmentFailed, SegmentFinished
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.hardware.gauges import GpuGauge, gpu_gauges, memory_gauge, memory_stall, resident_bytes
from vhsbatch.model.plan import JobPlan
from vhsbatch.process.spawn import alive
from vhsbatch.scheduling.controller import LaneLimits, Readings, SteeringState, steer, step_back
from vhsbatch.scheduling.disk_space import DiskSpace
from vhsbatch.scheduling.scheduler import MEMORY_RAN_OUT

_INTERVAL_S = 5.0


@dataclass(slots=True)
class FrameCount:
    """Counts output frames as they are made, from what the lanes tell.

    Attributes:
        frames: how many there were so far.
    """

    frames: int = 0
    _under_way: dict[tuple[str, int], int] = field(default_factory=dict)

    def feed(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case Progress(job_id=job_id, segment=int(segment)):
                self._count(job_id, segment, event.done_frames)
            case SegmentFinished():
                self._count(event.job_id, event.segment, event.frames)
                del self._under_way[event.job_id, event.segment]
            case SegmentFailed():
                self._under_way.pop((event.job_id, event.segment), None)
            case _:
                pass

    def _count(self, job_id: str, segment: int, done_frames: int) -> None:
        before = self._under_way.get((job_id, segment), 0)
        self.frames += max(0, done_frames - before)
        self._under_way[job_id, segment] = max(done_frames, before)


@dataclass(slots=True, kw_only=True)
class LaneControl:
    """Moves the number of lanes of a batch.

    Attributes:
        state: the batch; only read.
        disk_space: watches the disks.
        limits: what is allowed.
        use_lanes: changes the number of lanes, given the reason.
    """

    state: BatchState
    disk_space: DiskSpace
    limits: LaneLimits
    use_lanes: Callable[[int, str], Awaitable[None]]
    _count: FrameCount = field(default_factory=FrameCount)
    _memory: SteeringState = field(default_factory=SteeringState)
    _lanes: int = 0
    _given_up: bool = False

    async def run(self, mailbox: Mailbox) -> None:
        """Return when the batch is over, or when somebody else decides on the number of lanes."""
        self._lanes = self.state.lanes
        async with anyio.create_task_group() as group:
            group.start_soon(self._steer)
            async for event in mailbox:
                self._count.feed(event)
                if isinstance(event, LanesChanged) and event.lanes != self._lanes:
                    self._lanes = event.lanes
                    self._memory = step_back(self._memory, time.monotonic())
                    # The user's choice is kept.
                    self._given_up = self._given_up or event.reason != MEMORY_RAN_OUT
            group.cancel_scope.cancel()

    async def _steer(self) -> None:
        last_s, last_frames = time.monotonic(), self._count.frames
        while not self._given_up:
            await anyio.sleep(_INTERVAL_S)
            now_s, frames = time.monotonic(), self._count.frames
            seen = await self._read(now_s, (frames - last_frames) / (now_s - last_s))
            last_s, last_frames = now_s, frames
            self._memory, move = steer(self._memory, seen, self.state.lanes, self.limits)
            if move is not None and not self._given_up:
                self._lanes = move.lanes
                await self.use_lanes(move.lanes, move.reason)

    async def _read(self, now_s: float, frames_per_s: float) -> Readings:
        jobs = self.state.open.values()
        busy = self.state.busy_lanes
        plans = [job.plan for job in jobs if job.running and job.plan is not None]
        memory = await anyio.to_thread.run_sync(memory_gauge)
        held = await anyio.to_thread.run_sync(resident_bytes, alive())
        gpus = await gpu_gauges()
        return Readings(
            at_s=now_s,
            frames_per_s=frames_per_s,
            busy_lanes=busy,
            more_work=_has_more_work(self.state),
            memory_used=memory.used,
            memory_stall=memory_stall(),
            lane_memory=None if busy == 0 else held / busy / memory.total_bytes,
            gpu_memory_used=_fullest(gpus),
            gpu_temperature_c=_hottest(gpus),
            disk_lack=await anyio.to_thread.run_sync(self._disk_lack, plans),
        )

    def _disk_lack(self, plans: Iterable[JobPlan]) -> str | None:
        return self.disk_space.lack_for(self.state.lanes, plans)


def _has_more_work(state: BatchState) -> bool:
    """Whether one lane more would find a segment."""
    return any(
        job.phase is Phase.WAITING
        or (job.plan is not None and len(job.finished) + len(job.running) < len(job.plan.segments))
        for job in state.open.values()
        if job.phase is not Phase.HELD
    )


def _fullest(gpus: Iterable[GpuGauge]) -> float | None:
    return max(
        (gpu.used_bytes / gpu.total_bytes for gpu in gpus if gpu.total_bytes and gpu.used_bytes is not None),
        default=None,
    )


def _hottest(gpus: Iterable[GpuGauge]) -> float | None:
    return max((gpu.temperature_c for gpu in gpus if gpu.temperature_c is not None), default=None)
