"""The numbers that the interface shows, computed from the state. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from vhsbatch.model.events import Progress
from vhsbatch.model.state import BatchState, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A batch in numbers.

    Attributes:
        done_frames: output frames that are finished, or nearly so in a running segment.
        total_frames: output frames of all videos; those not planned yet count like the others.
        frames_per_s: average of this run; 0 until something was made.
        elapsed_s: since this run began.
        left_s: estimated time to go; None until it can be estimated.
    """

    done_frames: int
    total_frames: int
    frames_per_s: float
    elapsed_s: float
    left_s: float | None

    @property
    def part(self) -> float:
        """How much of the work is done, from 0 to 1."""
        return min(1.0, self.done_frames / self.total_frames) if self.total_frames else 0.0


def figures(state: BatchState, progress: Mapping[int, Progress], now_s: float) -> Figures:
    """The numbers at `now_s` (seconds since the epoch).

    Only frames made in this run count for the speed: what an earlier run left behind cost nothing.
    """
    started_s = state.started_s if state.started_s is not None else now_s
    elapsed_s = max(0.0, (state.ended_s if state.ended_s is not None else now_s) - started_s)
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
    running = sum(
        report.done_frames
        for report in progress.values()
        if report.stage == "segment" and _is_running(state, report)
    )
    total = sum(planned) + (unplanned * sum(planned) // len(planned) if planned else 0)
    speed = (made + running) / elapsed_s if elapsed_s > 0 else 0.0
    left = total - done - running
    return Figures(
        done_frames=done + running,
        total_frames=total,
        frames_per_s=speed,
        elapsed_s=elapsed_s,
        left_s=left / speed if speed > 0 and planned else None,
    )


def _is_running(state: BatchState, report: Progress) -> bool:
    job = state.jobs.get(report.job_id)
    return job is not None and report.segment is not None and job.running.get(report.segment) == report.lane


def bar(part: float, width: int) -> str:
    """A bar of `width` characters, in eighths of a character.

    >>> bar(0.5, 4), bar(0.3, 4)
    ('██  ', '█▎  ')
    """
    eighths = round(max(0.0, min(1.0, part)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)
