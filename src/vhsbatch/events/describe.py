"""Plans and facts in words, for people. Pure."""

import time
from collections.abc import Iterator, Mapping
from fractions import Fraction

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.events import (
    BatchPaused,
    BatchPredicted,
    Fact,
    GpuRetired,
    JobHeld,
    JobMoved,
    JobPrioritised,
    LanesChanged,
)
from vhsbatch.events.figures import figures
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import counted, duration, plain, size, spread
from vhsbatch.model.media import FieldOrder
from vhsbatch.model.plan import Job, JobPlan


def describe_outcome(
    job: Job, of: int, outcome: JobPlan | str | VhsBatchError, *, estimate: str = "", remark: str = ""
) -> Iterator[str]:
    """What would be done to a video, line by line.

    Args:
        job: the video.
        of: how many videos there are.
        outcome: its plan, why it needs no work, or why it cannot be planned.
        estimate: what it takes, empty if that is not known.
        remark: what else the user should know, empty if nothing.
    """
    yield f"[{job.index}/{of}] {plain(job.source.name)} -> {plain(job.id)}"
    match outcome:
        case JobPlan() as plan:
            yield from (f"  {plain(line)}" for line in (*describe_plan(plan), estimate, remark) if line)
        case str() as reason:
            yield f"  kept: {plain(reason)}"
        case error:
            yield f"  would fail: {plain(str(error))}"


def describe_plan(plan: JobPlan) -> Iterator[str]:
    """One plan: source and result, then what was decided and why."""
    video, preset = plan.info.video, plan.preset
    yield (
        f"from {video.width}x{video.height} {video.codec}, {frame_rate(video.rate)}, "
        f"{duration(float(video.frames / video.rate))}, {counted(len(plan.info.audio), 'audio track')}"
    )
    yield (
        f"to {plan.width}x{plan.height} {plan.encoder} in {plan.container}, {frame_rate(plan.rate)}, "
        f"{counted(plan.frames, 'frame')} in {counted(len(plan.segments), 'segment')}, preset {preset.name}"
    )
    yield from plan.notes


def essential_notes(job: JobState) -> tuple[str, ...]:
    """What the user must know of a video that is done: what its plan says of it, and what came up later."""
    if job.plan is None or job.published is None or job.phase is not Phase.DONE:
        return ()
    later = tuple(note for note in job.published.notes if note not in job.plan.notes)
    return (*job.plan.essential_notes, *later)


def frame_rate(rate: Fraction) -> str:
    """Frames per second as people write them.

    >>> frame_rate(Fraction(60000, 1001))
    '59.94 fps'
    """
    return f"{float(rate):.5g} fps"


def field_order(order: FieldOrder) -> str:
    """A field order in words.

    >>> field_order(FieldOrder.TFF)
    'interlaced, top field first'
    """
    return _FIELD_ORDERS[order]


_FIELD_ORDERS = {
    FieldOrder.TFF: "interlaced, top field first",
    FieldOrder.BFF: "interlaced, bottom field first",
    FieldOrder.PROGRESSIVE: "progressive",
    FieldOrder.MIXED: "interlaced, in both orders",
    FieldOrder.UNKNOWN: "field order unknown",
}


def predicted(what: BatchPredicted) -> str:
    """A prediction in words."""
    needs = [f"{size(what.output_bytes)} of results", f"{size(what.temporary_bytes)} for unfinished work"]
    if what.lane_bytes:
        needs.append(f"{size(what.lane_bytes)} of memory a worker")
    if what.gpu_bytes:
        needs.append(f"{size(what.gpu_bytes)} of GPU memory a worker")
    end = time.strftime("%H:%M on %d %B", time.localtime(what.at_s + what.seconds_s))
    return (
        f"about {duration(what.seconds_s)} ({duration(what.least_s)} to {duration(what.most_s)}), "
        f"until {end}; {', '.join(needs)}"
    )


# A prediction made in the last third of a run, because a kind was new, says nothing about the run.
_TIMELY = 3


def compared_with_prediction(state: BatchState) -> str | None:
    """How long the whole run was to take, and took, pauses included.

    None if that was not predicted in time, or if the run was cut short.
    """
    what = state.prediction
    if what is None or state.ended_s is None or state.started_s is None or state.outcome != "complete":
        return None
    took_s, before_s = state.ended_s - state.started_s, what.at_s - state.started_s
    before_s += state.idle_after_prediction(state.ended_s)
    if state.ended_s - what.at_s < took_s / _TIMELY:
        return None
    predicted_s = before_s + what.seconds_s
    difference = took_s / max(1e-9, predicted_s) - 1
    more = f"{abs(difference):.0%} {'more' if difference > 0 else 'less'}"
    between = f"{duration(before_s + what.least_s)} to {duration(before_s + what.most_s)}"
    return f"{duration(predicted_s)} ({between}), took {duration(took_s)}, {more}"


def progress_line(state: BatchState, progress: Mapping[int, Progress], now_s: float) -> str:
    """A batch's progress in a line: frames, videos, time left.

    Args:
        state: the batch.
        progress: the newest report of each lane.
        now_s: seconds since the epoch.
    """
    numbers = figures(state, progress, now_s)
    failed = state.count(Phase.FAILED)
    ended = state.count(Phase.DONE, Phase.FAILED, Phase.SKIPPED)
    parts = [f"{numbers.part:.0%}", f"{ended} of {counted(len(state.jobs), 'video')}"]
    if failed:
        parts.append(f"{failed} failed")
    parts.append(f"{duration(numbers.elapsed_s)} elapsed")
    if numbers.left_s is not None and state.ended_s is None:
        parts += [
            f"{spread(numbers.left_range_s, numbers.left_s)} left",
            f"{numbers.frames_per_s:.1f} frames per second",
        ]
    if state.paused is not None:
        parts.append(f"paused: {state.paused}")
    return ", ".join(parts)


def fact_line(fact: Fact) -> str:  # noqa: PLR0911 - one for each fact with its own wording
    """A fact in words, for a log."""
    match fact:
        case JobHeld(reason=str(why)):
            return f"waiting: {fact.job_id} ({why})"
        case JobHeld():
            return f"left to another run: {fact.job_id} (being restored by {fact.by})"
        case BatchPaused():
            return f"paused: {fact.reason}"
        case JobMoved():
            return (
                f"moved: {fact.job_id} ({'to the end' if fact.before is None else f'before {fact.before}'})"
            )
        case JobPrioritised():
            return f"priority {fact.priority}: {fact.job_id}"
        case LanesChanged():
            return f"{counted(fact.lanes, 'worker')} from now on: {fact.reason}"
        case BatchPredicted():
            return predicted(fact)
        case GpuRetired():
            return f"GPU {fact.device} gets no more work: {fact.reason}"
        case _:
            words = fact.kind.replace("_", " ")
    video = getattr(fact, "job_id", None)
    segment = getattr(fact, "segment", None)
    reason = getattr(fact, "reason", None)
    place = f" {segment + 1}" if isinstance(segment, int) else ""
    return f"{words}{place}" + (f": {video}" if video else "") + (f" ({reason})" if reason else "")
