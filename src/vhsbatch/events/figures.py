"""The numbers that every interface shows of a batch, computed from its state. Pure."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat, takewhile

from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A batch in numbers.

    Attributes:
        done_frames: output frames that are finished, or nearly so in a running segment.
        total_frames: output frames of all videos; those not planned yet count like the others.
        frames_per_s: average of this run without its pauses; 0 until something was made.
        elapsed_s: since this run began.
        current_frames_per_s: what the lanes make together at the moment.
        left_s: estimated time to go; None until it can be estimated.
        left_range_s: the least and the most that it may be.
    """

    done_frames: int
    total_frames: int
    frames_per_s: float
    current_frames_per_s: float
    elapsed_s: float
    left_s: float | None
    left_range_s: tuple[float, float] | None

    @property
    def part(self) -> float:
        """How much of the work is done, from 0 to 1."""
        return min(1.0, self.done_frames / self.total_frames) if self.total_frames else 0.0


def figures(state: BatchState, progress: Mapping[int, Progress], now_s: float) -> Figures:
    """The numbers at `now_s` (seconds since the epoch).

    Only frames made in this run count for the speed: what an earlier run left cost nothing.
    """
    started_s = state.started_s if state.started_s is not None else now_s
    until_s = state.ended_s if state.ended_s is not None else now_s
    elapsed_s = max(0.0, until_s - started_s)
    # A pause makes nobody slower.
    worked_s = elapsed_s - state.idle_until(until_s)
    planned, unplanned = [], 0
    done = made = given_up = 0
    for job in state.jobs.values():
        made_here = sum(proof.frames for proof in job.finished.values() if proof.at_s >= started_s)
        made += made_here
        if job.phase in (Phase.FAILED, Phase.SKIPPED):
            # What was made of it was work, and took time: nothing jumps back.
            given_up += made_here
        elif job.plan is None:
            unplanned += 1
        else:
            planned.append(job.plan.frames)
            done += job.plan.frames if job.phase is Phase.DONE else job.finished_frames
    at_work = dict.fromkeys(report.job_id for report in progress.values())
    reports = [
        report
        for job_id in at_work
        if job_id in state.jobs
        for report in in_the_making(state.jobs[job_id], progress).values()
    ]
    running = sum(report.done_frames for report in reports)
    total = sum(planned) + (unplanned * sum(planned) // len(planned) if planned else 0)
    speed = (made + running) / worked_s if worked_s > 0 else 0.0
    current = sum(report.frames_per_s for report in reports)
    left = _left_by_lanes(state, progress) or (
        _left_at_speed(total - done - running, speed, current)
        if planned and speed > 0
        else _left_as_predicted(state, until_s)
    )
    left_s, left_range_s = left or (None, None)
    return Figures(
        done_frames=done + given_up + running,
        total_frames=total + given_up,
        frames_per_s=speed,
        current_frames_per_s=current,
        elapsed_s=elapsed_s,
        left_s=left_s,
        left_range_s=left_range_s,
    )


# Time to go: what is likely, and the least and the most that it may be.
_Left = tuple[float, tuple[float, float]]


def _left_by_lanes(state: BatchState, progress: Mapping[int, Progress]) -> _Left | None:
    """As the lanes say, where they are at work on all that is left."""
    if len(state.open) > state.count(Phase.RUNNING, Phase.ASSEMBLING):
        return None
    each = [lanes_left_s(job, progress) for job in state.open.values()]
    known = [left_s for left_s in each if left_s is not None]
    if not known or len(known) < len(each):
        return None
    return max(known), (max(known), max(known))


def _left_at_speed(frames: int, average: float, current: float) -> _Left:
    """At the average speed; the range reaches to the current one."""
    left_s = frames / average
    now_s = frames / current if current > 0 else left_s
    return left_s, (min(left_s, now_s), max(left_s, now_s))


def _left_as_predicted(state: BatchState, now_s: float) -> _Left | None:
    """Before anything is made: what was predicted, less what has passed since without the pauses."""
    what = state.prediction
    if what is None or state.ended_s is not None:
        return None
    passed_s = now_s - what.at_s - state.idle_after_prediction(now_s)
    likely_s, least_s, most_s = (
        max(0.0, end_s - passed_s) for end_s in (what.seconds_s, what.least_s, what.most_s)
    )
    return likely_s, (least_s, most_s)


def lanes_left_s(job: JobState, progress: Mapping[int, Progress]) -> float | None:
    """Seconds until lanes have made what is left of a video, where all of it is in the making."""
    if job.assembly_lane is not None:
        report = progress.get(job.assembly_lane)
        own = report is not None and report.job_id == job.job.id and report.segment is None
        return lane_left_s(report) if own and report is not None else None
    making = in_the_making(job, progress)
    if job.plan is None or not making or len(job.finished) + len(making) < len(job.plan.segments):
        return None
    each = [lane_left_s(report) for report in making.values()]
    known = [left_s for left_s in each if left_s is not None]
    return max(known) if len(known) == len(each) else None


def lane_left_s(report: Progress) -> float | None:
    """Seconds until a lane has done what it is at, at its current speed; None where it stands still."""
    if report.frames_per_s <= 0:
        return None
    return (report.total_frames - report.done_frames) / report.frames_per_s


def part_done(job: JobState, progress: Mapping[int, Progress]) -> float:
    """How much of a video's picture is made, from 0 to 1."""
    if job.plan is None:
        return 0.0
    return min(1.0, (job.finished_frames + _frames_in_the_making(job, progress)) / max(1, job.plan.frames))


def in_the_making(job: JobState, progress: Mapping[int, Progress]) -> dict[int, Progress]:
    """What lanes say of the segments of a video that they are making, by the segments' indexes.

    Args:
        job: the video.
        progress: the newest report of each lane, which can be of what it did before.
    """
    return {
        segment: report
        for segment, lane in job.running.items()
        if (report := progress.get(lane)) is not None
        and (report.job_id, report.stage, report.segment) == (job.job.id, "segment", segment)
    }


def _frames_in_the_making(job: JobState, progress: Mapping[int, Progress]) -> int:
    return sum(report.done_frames for report in in_the_making(job, progress).values())


def ready_in(
    turns: Sequence[JobState], progress: Mapping[int, Progress], numbers: Figures, *, lanes: int
) -> dict[str, float]:
    """Seconds until each video is ready, if as many as there are lanes are made at a time, in these turns.

    They share the batch's speed: where fewer videos are left than lanes, these help each other. Nothing is
    known about videos after one whose length is unknown. Where lanes are at work on all that is left of a
    video, it is ready when they say so.
    """
    by_lanes = {job.job.id: lanes_left_s(job, progress) for job in turns if job.started_s is not None}
    return _ready_at_average(turns, progress, numbers, lanes) | {
        job_id: left_s for job_id, left_s in by_lanes.items() if left_s is not None
    }


def _ready_at_average(
    turns: Sequence[JobState], progress: Mapping[int, Progress], numbers: Figures, lanes: int
) -> dict[str, float]:
    ready: dict[str, float] = {}
    if numbers.frames_per_s <= 0:
        return ready
    waiting = takewhile(lambda job: job.plan is not None, turns)
    # By how many frames each video will have been made when it is done, where each is made of them.
    running: list[tuple[float, int, str]] = []
    made = now_s = 0.0
    for number, job in enumerate(chain(waiting, repeat(None))):
        while running and (job is None or len(running) >= lanes):
            until, _, done_id = heapq.heappop(running)
            now_s += (until - made) * (len(running) + 1) / numbers.frames_per_s
            made = until
            ready[done_id] = now_s
        if job is None:
            return ready
        left = 0 if job.plan is None else job.plan.frames - job.finished_frames
        left -= _frames_in_the_making(job, progress)
        heapq.heappush(running, (made + left, number, job.job.id))
    return ready
