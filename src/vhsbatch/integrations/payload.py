"""What hooks receive about a video and about a batch, as values that `json` can write. Pure."""

from pathlib import Path

from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.state import BatchState

_OUTCOMES = {Phase.DONE: "done", Phase.FAILED: "failed", Phase.SKIPPED: "skipped"}


def video_payload(job: JobState) -> dict[str, object]:
    """How one video ended.

    `outcome` is ``done``, ``failed``, ``skipped``, or ``left`` for one that has not ended.
    """
    published = job.published if job.phase is Phase.DONE else None
    return {
        "kind": "video",
        "outcome": _OUTCOMES.get(job.phase, "left"),
        "index": job.job.index,
        "source": str(job.job.source),
        "output": str(job.job.output),
        "preset": None if job.plan is None else job.plan.preset.name,
        "reason": job.reason,
        "detail": list(job.detail),
        "frames": None if published is None else published.frames,
        "size_bytes": None if published is None else published.size_bytes,
        "sha256": None if published is None else published.sha256,
        "record": None,
        "notes": [] if job.plan is None else list(job.plan.notes),
        "elapsed_s": elapsed_s(job.started_s, job.ended_s),
    }


def batch_payload(state: BatchState, folder: Path, *, exit_code: int) -> dict[str, object]:
    """How a batch ended, with every video."""
    left = sum(not job.phase.ended for job in state.jobs.values())
    return {
        "kind": "batch",
        "outcome": state.outcome or "interrupted",
        "exit_code": exit_code,
        "input": state.input,
        "output": str(folder),
        "done": state.count(Phase.DONE),
        "failed": state.count(Phase.FAILED),
        "skipped": state.count(Phase.SKIPPED),
        "left": left,
        "elapsed_s": elapsed_s(state.started_s, state.ended_s),
        "videos": [video_payload(job) for job in state.jobs.values()],
    }


def elapsed_s(started_s: float | None, ended_s: float | None) -> float | None:
    """How long something took, None where it is not over."""
    return None if started_s is None or ended_s is None else round(ended_s - started_s, 3)
