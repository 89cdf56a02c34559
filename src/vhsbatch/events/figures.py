"""The numbers that every interface shows of a batch, computed from its state. Pure."""

import heapq
from collections.abc import Iterable, Mapping
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
    """

    done_frames: int
    total_frames: int
    frames_per_s: float
    current_frames_per_s: float
    elapsed_s: float
    left_s: float | None

    @property
    def part(self) -> float:
        """How much of the work is done, from 0 to 1."""
        return min(1.0, self.done_frames / self.total_frames) if self.total_frames else 0.0

    @property
    def left_range_s(self) -> tuple[float, float] | None:
        """Time to go at the faster and at the slower of the average and the current speed."""
        if self.left_s is None:
            return None
        if self.current_frames_per_s <= 0:
            return self.left_s, self.left_s
        now_s = self.left_s * self.frames_per_s / self.current_frames_per_s
        return min(self.left_s, now_s), max(self.left_s, now_s)


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
    done = made = 0
    for job in state.jobs.values():
        if job.phase in (Phase.FAILED, Phase.SKIPPED):
            continue
        if job.plan is None:
            unplanned += 1
            continue
        planned.append(job.plan.frames)
        done += job.plan.frames if job.phase is Phase.DONE else job.finished_frames
        made += sum(proof.frames for proof in job.finished.values() if proof.at_s >= started_s)
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
    left = total - done - running
    return Figures(
        done_frames=done + running,
        total_frames=total,
        frames_per_s=speed,
        current_frames_per_s=sum(report.frames_per_s for report in reports),
        elapsed_s=elapsed_s,
        left_s=left / speed if speed > 0 and planned else None,
    )


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
    turns: Iterable[JobState], progress: Mapping[int, Progress], numbers: Figures, *, lanes: int
) -> dict[str, float]:
    """Seconds until each video is ready, if as many as there are lanes are made at a time, in these turns.

    They share the batch's speed: where fewer videos are left than lanes, these help each other. Nothing is
    known about videos after one whose length is unknown.
    """
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
