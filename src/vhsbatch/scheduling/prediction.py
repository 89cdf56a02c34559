"""How long a batch will take and what it will need, from what work of the same kind took before. Pure."""

import hashlib
import heapq
import json
import statistics
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from vhsbatch.config.presets import Preset
from vhsbatch.events.events import BatchPredicted
from vhsbatch.model.plan import JobPlan

# The newest are kept: machines and tools change.
_KEPT = 60
# What joining a file costs before any of its kind has been joined.
_ASSEMBLY_S, _ASSEMBLY_FRAME_S = 1.5, 0.0005
# No prediction is surer than that, and one from few samples is less sure.
_LEAST_SPREAD, _SPREAD_OF_FEW, _FEW = 0.10, 0.20, 5
# A few frames say little of a whole tape: other scenes, and a processor that was not busy for long.
_SPREAD_OF_TRIAL = 0.40
# What a lane's programs keep busy, in threads, where the model runs elsewhere.
_THREADS_PER_LANE = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """A piece of work that was done: `lanes` were at work meanwhile."""

    frames: int
    wall_s: float
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRecord:
    """What was measured of one kind of work.

    Attributes:
        segments: segments that were made and verified.
        trial: a few frames that were made to see how long they take; they count while there is nothing else.
        assemblies: outputs that were joined and published.
        bytes_per_frame: of the results, None while there are none.
        lane_bytes: the most memory that a lane's programs held.
        gpu_bytes: the same of the GPU's memory, None where that cannot be read.
    """

    segments: tuple[Sample, ...] = ()
    trial: tuple[Sample, ...] = ()
    assemblies: tuple[Sample, ...] = ()
    bytes_per_frame: float | None = None
    lane_bytes: int | None = None
    gpu_bytes: int | None = None

    def with_segment(self, sample: Sample) -> "KindRecord":
        """With one more segment; the oldest is forgotten."""
        return replace(self, segments=(*self.segments, sample)[-_KEPT:])

    def with_assembly(self, sample: Sample, size_bytes: int) -> "KindRecord":
        """With one more output."""
        return replace(
            self,
            assemblies=(*self.assemblies, sample)[-_KEPT:],
            bytes_per_frame=size_bytes / max(1, sample.frames),
        )

    def with_need(self, lane_bytes: int, gpu_bytes: int | None) -> "KindRecord":
        """With what a lane was seen to hold."""
        seen = [value for value in (self.gpu_bytes, gpu_bytes) if value is not None]
        return replace(
            self, lane_bytes=max(self.lane_bytes or 0, lane_bytes), gpu_bytes=max(seen, default=None)
        )

    def as_json(self) -> dict[str, Any]:
        """The record for a file."""
        return {
            "segments": [[one.frames, one.wall_s, one.lanes] for one in self.segments],
            "trial": [[one.frames, one.wall_s, one.lanes] for one in self.trial],
            "assemblies": [[one.frames, one.wall_s, one.lanes] for one in self.assemblies],
            "bytes_per_frame": self.bytes_per_frame,
            "lane_bytes": self.lane_bytes,
            "gpu_bytes": self.gpu_bytes,
        }

    @classmethod
    def from_json(cls, value: Any) -> "KindRecord":
        """The record in a file; an empty one where that says nothing usable."""
        try:
            return cls(
                segments=tuple(Sample(*one) for one in value["segments"]),
                trial=tuple(Sample(*one) for one in value["trial"]),
                assemblies=tuple(Sample(*one) for one in value["assemblies"]),
                bytes_per_frame=value["bytes_per_frame"],
                lane_bytes=value["lane_bytes"],
                gpu_bytes=value["gpu_bytes"],
            )
        except (KeyError, TypeError):
            return cls()


def kind_of(plan: JobPlan) -> str:
    """The kind of work that a plan is: within one, frames take about equally long.

    Decoding and the order of the fields hardly count, nor does how far a filter goes: what is measured of one
    tape holds for the next.
    """
    video, upscaling, recipe = plan.info.video, plan.upscaling, plan.recipe
    with_model = (
        "" if upscaling is None else f", {upscaling.model} on {upscaling.device} ({upscaling.runtime})"
    )
    if plan.faces is not None:
        with_model += f", {plan.faces.model} on {plan.faces.device}"
    film = ", film" if recipe.restores_film else ""
    source = f"{video.width}x{video.height} {recipe.deinterlacer}{film}"
    result = f"{plan.width}x{plan.height} {plan.encoder}{with_model}"
    return f"{plan.preset.name} {_digest(plan.preset)}: {source} to {result}"


@lru_cache(maxsize=64)
def _digest(preset: Preset) -> str:
    """What takes time of a preset, in short."""
    excluded = {"name", "description", "segment_s", "ai_segment_s", "crop", "denoise"}
    settings = preset.model_dump(mode="json", exclude=excluded)
    # A filter takes as long at any strength, and the strengths are fitted to each tape.
    settings["denoise"] = preset.denoise.method
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece takes: fixed seconds, and seconds for each frame; `spread` as a fraction of that."""

    piece_s: float
    frame_s: float
    spread: float

    def of(self, frames: int) -> float:
        """Seconds for a piece of `frames` frames."""
        return self.piece_s + self.frame_s * frames


@lru_cache(maxsize=64)
def segment_cost(record: KindRecord, *, lanes: int, threads: int) -> Cost | None:
    """What segments of a kind take while `lanes` are at work; None if none was ever made or tried.

    Samples with as many lanes are preferred; others are scaled by how crowded the processor was.
    """
    seen = record.segments or record.trial
    if not seen:
        return None
    distance = min(abs(sample.lanes - lanes) for sample in seen)
    alike = [sample for sample in seen if abs(sample.lanes - lanes) == distance]
    scaled = [
        (sample.frames, sample.wall_s * _crowd(lanes, threads) / _crowd(sample.lanes, threads))
        for sample in alike
    ]
    piece_s, frame_s = _line(scaled)
    cost = Cost(piece_s, frame_s, 0.0)
    errors = [wall_s / max(1e-9, cost.of(frames)) for frames, wall_s in scaled]
    spread = statistics.pstdev(errors)
    least = _SPREAD_OF_FEW if len(scaled) < _FEW else _LEAST_SPREAD
    if not record.segments:
        least = _SPREAD_OF_TRIAL
    return replace(cost, spread=max(least, spread))


def _crowd(lanes: int, threads: int) -> float:
    """How much slower a lane is because others compute too."""
    return max(1.0, lanes * _THREADS_PER_LANE / max(1, threads))


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Seconds for a piece and for a frame, as a line through points of frames and seconds."""
    all_frames, all_s = sum(frames for frames, _ in points), sum(wall_s for _, wall_s in points)
    through_zero = (0.0, all_s / max(1, all_frames))
    lengths = {frames for frames, _ in points}
    if max(lengths) < 1.5 * min(lengths):
        return through_zero  # pieces of one length tell nothing about others
    frame_s, piece_s = statistics.linear_regression(*zip(*points, strict=True))
    return (piece_s, frame_s) if frame_s > 0 and piece_s >= 0 else through_zero


def assembly_cost(record: KindRecord) -> Cost:
    """What joining takes."""
    if not record.assemblies:
        return Cost(_ASSEMBLY_S, _ASSEMBLY_FRAME_S, _SPREAD_OF_FEW)
    piece_s, frame_s = _line([(sample.frames, sample.wall_s) for sample in record.assemblies])
    return Cost(piece_s, frame_s, _LEAST_SPREAD)


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do of a video: the frames of each segment that is not made."""

    plan: JobPlan
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VideoEstimate:
    """One video: seconds of a single worker, the size of its result, and how sure the seconds are."""

    seconds_s: float
    size_bytes: int
    spread: float


def estimate(
    left: Remaining, record: KindRecord, *, lanes: int, threads: int, usual_bytes: int
) -> VideoEstimate | None:
    """What one video takes; None where nothing of its kind was ever made.

    Args:
        left: the video.
        record: what was measured of its kind.
        lanes: how many are at work.
        threads: CPU threads that they share.
        usual_bytes: the size of the result where none of the kind has been seen.
    """
    cost = segment_cost(record, lanes=lanes, threads=threads)
    if cost is None:
        return None
    frames = left.plan.frames
    seconds_s = sum(map(cost.of, left.segments)) + assembly_cost(record).of(frames)
    size = usual_bytes if record.bytes_per_frame is None else int(record.bytes_per_frame * frames)
    return VideoEstimate(seconds_s, size, cost.spread)


def predict(
    videos: Sequence[Remaining],
    records: Mapping[str, KindRecord],
    *,
    lanes: int,
    threads: int,
    usual_bytes: Mapping[str, int],
    at_s: float,
) -> BatchPredicted | None:
    """When everything will be done and what that needs; None while a kind is unknown, or nobody works.

    Args:
        videos: what is left, in order.
        records: what was measured, by kind.
        lanes: how many will be at work.
        threads: CPU threads that they share.
        usual_bytes: by job, the size of a result of a kind that has not been seen.
        at_s: now.
    """
    if not lanes:
        return None
    at_work = lanes_at_work(videos, lanes)
    spreads, sizes = [0.0], []
    needs: dict[str, KindRecord] = {}
    tasks: list[_Task] = []
    for left in videos:
        kind = kind_of(left.plan)
        record = needs[kind] = records.get(kind, KindRecord())
        cost = segment_cost(record, lanes=at_work, threads=threads)
        usual = usual_bytes[left.plan.job.id]
        one = estimate(left, record, lanes=at_work, threads=threads, usual_bytes=usual)
        if cost is None or one is None:
            return None
        joining_s = assembly_cost(record).of(left.plan.frames)
        tasks.append(_Task(tuple(map(cost.of, left.segments)), joining_s))
        spreads.append(one.spread)
        sizes.append(one.size_bytes)
    seconds_s = _makespan_s(tasks, at_work, threads=threads)
    spread = max(spreads)
    return BatchPredicted(
        at_s=at_s,
        seconds_s=seconds_s,
        least_s=seconds_s * (1 - spread),
        most_s=seconds_s * (1 + spread),
        output_bytes=sum(sizes),
        # Each lane's video exists twice for a moment: as segments, and joined.
        temporary_bytes=2 * sum(sorted(sizes)[-lanes:]),
        lane_bytes=_most(record.lane_bytes for record in needs.values()),
        gpu_bytes=_most(record.gpu_bytes for record in needs.values()),
    )


def lanes_at_work(videos: Iterable[Remaining], lanes: int) -> int:
    """How many of `lanes` have something to do at first: no more than there are pieces."""
    return max(1, min(lanes, sum(max(1, len(left.segments)) for left in videos)))


@dataclass(frozen=True, slots=True)
class _Task:
    """A video: seconds for each of its segments, and for joining them, while as many work as at first."""

    segments_s: tuple[float, ...]
    joining_s: float


def _makespan_s(tasks: Sequence[_Task], lanes: int, *, threads: int) -> float:
    """When the last of `tasks` is done, if each of `lanes` takes the next piece when it is free.

    Towards the end fewer are at work, and are less in each other's way: the clock of the pieces, which runs
    at the speed of the beginning, then runs faster.
    """
    waiting = deque(
        (number, seconds_s)
        for number, task in enumerate(tasks)
        for seconds_s in (task.segments_s or (task.joining_s,))
    )
    unmade = [len(task.segments_s) for task in tasks]
    running: list[tuple[float, int]] = []
    clock_s = now_s = 0.0
    while waiting or running:
        while waiting and len(running) < lanes:
            number, seconds_s = waiting.popleft()
            heapq.heappush(running, (clock_s + seconds_s, number))
        end_s, number = running[0]
        now_s += (end_s - clock_s) * _crowd(len(running), threads) / _crowd(lanes, threads)
        clock_s = end_s
        unmade[number] -= 1
        if unmade[number] == 0:
            # The lane that makes the last segment joins them: to let another one wait for it would idle that.
            heapq.heapreplace(running, (clock_s + tasks[number].joining_s, number))
        else:
            heapq.heappop(running)
    return now_s


def _most(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
