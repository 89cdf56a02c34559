"""Measures what work takes while it is done, and remembers it for the next prediction."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import anyio.to_thread

from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import (
    BatchPredicted,
    JobFailed,
    JobHeld,
    JobPlanned,
    JobPublished,
    JobSkipped,
    LanesChanged,
    SegmentFinished,
)
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, Progress
from vhsbatch.hardware.gauges import resident_bytes
from vhsbatch.model.plan import JobPlan
from vhsbatch.process.spawn import alive
from vhsbatch.scheduling.disk_space import result_bytes
from vhsbatch.scheduling.prediction import KindRecord, Remaining, Sample, kind_of, predict
from vhsbatch.scheduling.sizing import LaneNeed

_SPEED, _SPEED_OF_CLUSTER = "speed", "speed of a cluster"
# On a cluster lanes are not in each other's way, however many there are.
_ANY_THREADS = 2**30
# Less than this is not counted on, however little was seen.
_LEAST_LANE_BYTES = 2**28
_LANE_NEED = "lane need"
# After these the last plan, the last kind of work, or who does it may have become known.
_MAY_COMPLETE = JobPlanned | JobSkipped | JobFailed | JobHeld | SegmentFinished | LanesChanged


class LaneKind(NamedTuple):
    """What decides how much memory a lane takes, as far as that is known before anything is probed.

    Attributes:
        engine: ``ffmpeg`` or ``realesrgan``.
        model_on_cpu: whether the model works in this memory, and not in a GPU's.
        qtgmc: whether fields go through VapourSynth.
        encoder: FFmpeg's name.
        height: of the result.
    """

    engine: str
    model_on_cpu: bool
    qtgmc: bool
    encoder: str
    height: int

    @classmethod
    def of(cls, plan: JobPlan) -> Self:
        """The kind of the lanes that make a plan."""
        return cls(
            engine=plan.engine,
            model_on_cpu=plan.upscaling is not None and plan.upscaling.device == "cpu",
            qtgmc=plan.recipe.uses_vapoursynth,
            encoder=plan.encoder,
            height=plan.height,
        )

    @classmethod
    def of_batch(cls, preset: Preset, *, engine: str, device: str, encoder: str) -> Self:
        """The kind of the lanes of a batch whose videos need all that its preset has."""
        return cls(
            engine=engine,
            model_on_cpu=engine == "realesrgan" and device == "cpu",
            qtgmc=preset.deinterlace.method == "qtgmc" or preset.denoise.method == "degrain",
            encoder=encoder,
            height=preset.target_height,
        )


def cached_need(cache: Cache | None, kind: LaneKind) -> LaneNeed | None:
    """What a lane of earlier batches of this kind took; None if none is cached."""
    match None if cache is None else cache.recall(_LANE_NEED, *kind):
        case [int(lane_bytes), int() | None as gpu_bytes] if lane_bytes > 0:
            # The fullest moment may not have been seen.
            lane_bytes = max(lane_bytes * 5 // 4, _LEAST_LANE_BYTES)
            return LaneNeed(memory_bytes=lane_bytes, gpu_memory_bytes=gpu_bytes or None, measured=True)
        case _:
            return None


class Records:
    """What was measured of each kind of work, in this run and in earlier ones."""

    def __init__(self, cache: Cache | None, *, here: bool = True) -> None:
        """Use what is cached; nothing, if `cache` is None.

        Work of this machine (`here`) and of a cluster's says nothing of each other.
        """
        self._cache = cache
        self._speed = _SPEED if here else _SPEED_OF_CLUSTER
        self._by_kind: dict[str, KindRecord] = {}

    def of(self, plan: JobPlan) -> KindRecord:
        """The record of a plan's kind; an empty one if there is none."""
        return self._of_kind(kind_of(plan))

    def _of_kind(self, kind: str) -> KindRecord:
        if kind not in self._by_kind:
            cached = None if self._cache is None else self._cache.recall(self._speed, kind)
            self._by_kind[kind] = KindRecord.from_json(cached)
        return self._by_kind[kind]

    def of_all(self, plans: Iterable[JobPlan]) -> dict[str, KindRecord]:
        """The records of several plans, by kind."""
        return {kind: self._of_kind(kind) for kind in set(map(kind_of, plans))}

    def keep(self, plan: JobPlan, record: KindRecord) -> None:
        """Replace the record of a plan's kind."""
        kind = kind_of(plan)
        self._by_kind[kind] = record
        if self._cache is not None:
            self._cache.keep(record.as_json(), self._speed, kind)
            if record.lane_bytes:
                need = [record.lane_bytes, record.gpu_bytes]
                self._cache.keep(need, _LANE_NEED, *LaneKind.of(plan))


@dataclass(slots=True, kw_only=True)
class Measuring:
    """Measures a batch, and predicts its end as soon as all of its kinds are known.

    Attributes:
        state: the batch; only read.
        records: what was measured so far.
        threads: CPU threads that the lanes share.
        emit: takes the prediction.
        here: whether the lanes are this machine's, so that what their programs hold can be seen.
    """

    state: BatchState
    records: Records
    threads: int
    emit: Callable[[BatchPredicted], Awaitable[None]]
    here: bool = True
    _idle_gpu_bytes: int | None = None
    _progress: dict[int, Progress] = field(default_factory=dict)

    async def run(self, mailbox: Mailbox) -> None:
        """Return when the batch is over."""
        async for event in mailbox:
            if self.here and isinstance(event, DeviceReadings):
                await self._weigh(event)
            if isinstance(event, Progress):
                self._progress[event.lane] = event
            if isinstance(event, SegmentFinished | JobPublished):
                await anyio.to_thread.run_sync(self._learn, event)
            if self.state.prediction is None and isinstance(event, _MAY_COMPLETE):
                await self._predict()

    def _learn(self, event: SegmentFinished | JobPublished) -> None:
        """Take a piece of work that was done into its kind's record."""
        job = self.state.jobs.get(event.job_id)
        if job is None or job.plan is None:
            return
        lanes = min(self.state.lanes, self.state.busy_lanes + 1)
        match event:
            case SegmentFinished(fallback=0):
                sample = Sample(event.frames, event.wall_s, lanes)
                self.records.keep(job.plan, self.records.of(job.plan).with_segment(sample))
            case JobPublished():
                sample = Sample(event.frames, event.wall_s, lanes)
                self.records.keep(job.plan, self.records.of(job.plan).with_assembly(sample, event.size_bytes))
            case _:
                pass

    async def _predict(self) -> None:
        """Say when everything will be done, once everything is planned and every kind was measured."""
        if self.state.count(Phase.WAITING) or not any(map(_is_open, self.state.jobs.values())):
            return
        videos = [
            Remaining(job.plan, open_segments(job, self._progress))
            for job in self.state.jobs.values()
            if _is_open(job) and job.plan is not None
        ]
        records = await anyio.to_thread.run_sync(self.records.of_all, [left.plan for left in videos])
        predicted = predict(
            videos,
            records,
            lanes=self.state.lanes,
            threads=self.threads if self.here else _ANY_THREADS,
            usual_bytes={left.plan.job.id: result_bytes(left.plan) for left in videos},
            at_s=time.time(),
        )
        if predicted is not None:
            await self.emit(predicted)

    async def _weigh(self, readings: DeviceReadings) -> None:
        """See how much memory a lane's programs hold."""
        gpus = [gpu.used_bytes for gpu in readings.gpus if gpu.used_bytes is not None]
        if self._idle_gpu_bytes is None:
            self._idle_gpu_bytes = sum(gpus)
            return
        running = [job for job in self.state.turns.under_way if job.running and job.plan is not None]
        lanes = sum(len(job.running) for job in running)
        if not lanes:
            return
        held = await anyio.to_thread.run_sync(resident_bytes, alive())
        on_gpu = max(0, sum(gpus) - self._idle_gpu_bytes) // lanes if gpus else None
        for job in running:
            if job.plan is not None:
                await anyio.to_thread.run_sync(self._note_need, job.plan, held // lanes, on_gpu)

    def _note_need(self, plan: JobPlan, lane_bytes: int, gpu_bytes: int | None) -> None:
        self.records.keep(plan, self.records.of(plan).with_need(lane_bytes, gpu_bytes))


def open_segments(job: JobState, progress: Mapping[int, Progress]) -> tuple[int, ...]:
    """The frames that are left of each segment which is not made.

    Args:
        job: a video.
        progress: how far each lane was when it last said so.
    """
    segments = () if job.plan is None else job.plan.segments
    return tuple(
        segment.frames - _done_frames(job, segment.index, progress)
        for segment in segments
        if segment.index not in job.finished
    )


def _done_frames(job: JobState, segment: int, progress: Mapping[int, Progress]) -> int:
    """The frames of a segment in the making that are made."""
    told = progress.get(job.running.get(segment, 0))
    if told is None or (told.job_id, told.segment) != (job.job.id, segment):
        return 0
    return told.done_frames


def _is_open(job: JobState) -> bool:
    return not job.phase.ended and job.phase is not Phase.HELD
