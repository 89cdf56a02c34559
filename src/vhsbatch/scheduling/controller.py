"""How many lanes there should be: a pure function of readings, and of what it remembers of earlier ones.

Lanes are taken away where the machine is strained (memory, GPU memory, heat, disk), and added only while
that pays: an added lane is on trial until frames have been counted for a while, and goes where it has
brought too little. Readings are noisy: a strain has to last, a speed has to be certain, and after each
move back the next attempt waits twice as long. Work under way is never touched.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

# Readings come every five seconds; this many in a row count as strain.
_LASTING = 3
# After a move it takes a while until what is seen is its effect: programs start, memory fills.
_SETTLE_S = 20.0
# A speed is known when its standard error is small, or there are enough samples.
_FEWEST_SAMPLES, _MOST_SAMPLES, _CERTAIN = 6, 36, 0.02
# An extra lane must make the batch this much faster.
_WORTH = 1.05
_FIRST_PATIENCE_S, _LONGEST_PATIENCE_S = 300.0, 7200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What was seen of the machine and the batch; None for what cannot be read here.

    Attributes:
        at_s: when, on a clock that never goes back.
        frames_per_s: output frames that all lanes together made since the readings before.
        busy_lanes: lanes at work.
        more_work: whether there is work for one lane more.
        memory_used: part of the memory that is in use, from 0 to 1.
        memory_stall: percentage of the last ten seconds in which some process waited for memory.
        lane_memory: part of the memory that a lane's programs take.
        gpu_memory_used: the same of the fullest GPU.
        gpu_temperature_c: of the hottest GPU.
        disk_lack: why there is too little space for another lane's temporary files.
    """

    at_s: float
    frames_per_s: float
    busy_lanes: int
    more_work: bool = True
    memory_used: float | None = None
    memory_stall: float | None = None
    lane_memory: float | None = None
    gpu_memory_used: float | None = None
    gpu_temperature_c: float | None = None
    disk_lack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """What the machine may be strained to, and how few and many lanes there may be.

    Attributes:
        least: never fewer lanes.
        most: never more.
        memory: part of the memory.
        memory_stall: percentage of time in which some process waits for memory.
        gpu_memory: part of a GPU's memory.
        gpu_temperature_c: a GPU's temperature.
    """

    least: int
    most: int
    memory: float = 0.80
    memory_stall: float = 10.0
    gpu_memory: float = 0.90
    gpu_temperature_c: float = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringState:
    """What the controller remembers.

    Attributes:
        strained: readings in a row that were over a limit.
        samples: frames per second with the present number of lanes.
        before: lanes and speed before the lane that is on trial was added.
        moved_s: when the number of lanes was changed last.
        not_before_s: no lane is added before.
        patience_s: how long the next wait is.
    """

    strained: int = 0
    samples: tuple[float, ...] = ()
    before: float | None = None
    moved_s: float = -math.inf
    not_before_s: float = -math.inf
    patience_s: float = _FIRST_PATIENCE_S


@dataclass(frozen=True, slots=True)
class LaneChange:
    """Change the number of lanes, and why."""

    lanes: int
    reason: str


def steer(
    memory: SteeringState, seen: Readings, lanes: int, limits: LaneLimits
) -> tuple[SteeringState, LaneChange | None]:
    """What to do about the number of lanes.

    Args:
        memory: what was returned the time before; `SteeringState()` at first.
        seen: the newest readings.
        lanes: how many lanes there are.
        limits: what is allowed.
    """
    settled = seen.at_s - memory.moved_s >= _SETTLE_S
    strain = _strain(seen, limits)
    memory = replace(memory, strained=memory.strained + 1 if strain else 0)
    if strain is not None:
        if memory.strained < _LASTING or not settled or lanes <= limits.least:
            return memory, None
        return step_back(memory, seen.at_s), LaneChange(lanes - 1, strain)
    if settled and seen.busy_lanes == lanes:
        memory = replace(memory, samples=(*memory.samples, seen.frames_per_s)[-_MOST_SAMPLES:])
    if not _is_certain(memory.samples):
        return memory, None
    speed = statistics.fmean(memory.samples)
    if memory.before is not None:
        if speed < memory.before * _WORTH and lanes > limits.least:
            return step_back(memory, seen.at_s), LaneChange(
                lanes - 1, _not_worth(lanes, speed, memory.before)
            )
        memory = replace(memory, before=None)
    if lanes < limits.most and seen.at_s >= memory.not_before_s and _has_headroom(seen, limits):
        forward = replace(memory, samples=(), before=speed, moved_s=seen.at_s)
        return forward, LaneChange(
            lanes + 1, f"the machine has capacity to spare at {speed:.1f} frames per second"
        )
    return memory, None


def step_back(memory: SteeringState, at_s: float) -> SteeringState:
    """After a lane was taken away, the next one is added after a longer wait than before."""
    return SteeringState(
        moved_s=at_s,
        not_before_s=at_s + memory.patience_s,
        patience_s=min(memory.patience_s * 2, _LONGEST_PATIENCE_S),
    )


def _strain(seen: Readings, limits: LaneLimits) -> str | None:
    """The limit that is exceeded, in words."""
    if seen.memory_used is not None and seen.memory_used > limits.memory:
        return f"{seen.memory_used:.0%} of the memory is in use, more than {limits.memory:.0%}"
    if seen.memory_stall is not None and seen.memory_stall > limits.memory_stall:
        return f"programs waited for memory {seen.memory_stall:.0f} % of the time"
    if seen.gpu_memory_used is not None and seen.gpu_memory_used > limits.gpu_memory:
        return f"{seen.gpu_memory_used:.0%} of the GPU's memory is in use, more than {limits.gpu_memory:.0%}"
    if seen.gpu_temperature_c is not None and seen.gpu_temperature_c > limits.gpu_temperature_c:
        return f"the GPU is at {seen.gpu_temperature_c:.0f} °C, over {limits.gpu_temperature_c:.0f} °C"
    return seen.disk_lack


def _has_headroom(seen: Readings, limits: LaneLimits) -> bool:
    """Whether one more lane would stay within the limits, with a margin."""
    lane_memory = seen.lane_memory or 0.0
    return (
        seen.more_work
        and (seen.memory_used is None or seen.memory_used + lane_memory < limits.memory - 0.05)
        and (seen.memory_stall is None or seen.memory_stall < limits.memory_stall / 2)
        and (seen.gpu_memory_used is None or seen.gpu_memory_used < limits.gpu_memory - 0.10)
        and (seen.gpu_temperature_c is None or seen.gpu_temperature_c < limits.gpu_temperature_c - 5)
    )


def _is_certain(samples: Sequence[float]) -> bool:
    if len(samples) < _FEWEST_SAMPLES:
        return False
    if len(samples) >= _MOST_SAMPLES:
        return True
    mean = statistics.fmean(samples)
    return statistics.stdev(samples) / math.sqrt(len(samples)) <= _CERTAIN * mean


def _not_worth(lanes: int, speed: float, before: float) -> str:
    return f"worker {lanes} brought no gain: {speed:.1f} frames a second with it, {before:.1f} without"
