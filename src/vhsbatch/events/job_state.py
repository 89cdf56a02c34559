"""The state of one video: the fold of the facts about it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from vhsbatch.events.events import (
    AssemblyStarted,
    JobFact,
    JobFailed,
    JobHeld,
    JobPlanned,
    JobPrioritised,
    JobPublished,
    JobRetried,
    JobSkipped,
    SegmentDiscarded,
    SegmentFailed,
    SegmentFinished,
    SegmentStarted,
)
from vhsbatch.model.plan import Job, JobPlan


class Phase(StrEnum):
    """Where a video is on its way."""

    WAITING = "waiting"
    PLANNED = "planned"
    RUNNING = "running"
    ASSEMBLING = "assembling"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the video in this run."""
        return self in (Phase.DONE, Phase.FAILED, Phase.SKIPPED)


@dataclass(slots=True)
class JobState:
    """One video.

    Attributes:
        priority: videos of a higher one are begun first.
        running: the lane at work on each segment that is being made.
        finished: the proof of each finished segment.
        attempts: attempts that failed, for each segment.
        model_failures: those of them for which the model's stage was to blame.
        assembly_lane: the lane that joins the segments, None while none does.
        reason: why the video failed, was skipped, waits, or is left to another run.
        detail: more lines about a failure.
        published: the proof of the published output.
        started_s: when its first segment began in this run, seconds since the epoch.
        ended_s: when it was published, failed or skipped.
    """

    job: Job
    priority: int = 0
    phase: Phase = Phase.WAITING
    plan: JobPlan | None = None
    running: dict[int, int] = field(default_factory=dict)
    finished: dict[int, SegmentFinished] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    model_failures: dict[int, int] = field(default_factory=dict)
    assembly_lane: int | None = None
    reason: str | None = None
    detail: tuple[str, ...] = ()
    published: JobPublished | None = None
    started_s: float | None = None
    ended_s: float | None = None

    @property
    def finished_frames(self) -> int:
        """Output frames that are on disk and verified."""
        return sum(fact.frames for fact in self.finished.values())

    @property
    def waits(self) -> bool:
        """Whether nothing of the video has been begun in this run, and it is this run's to make."""
        return self.phase in (Phase.WAITING, Phase.PLANNED) and self.started_s is None


def apply_to_job(job: JobState, fact: JobFact) -> None:  # noqa: PLR0912 - one case for each fact
    """Take a fact about a video in."""
    if job.phase.ended and isinstance(fact, JobPlanned | JobHeld | SegmentStarted | AssemblyStarted):
        return  # what was under way when the video ended: only `JobRetried` begins it again
    match fact:
        case JobPlanned():
            job.plan, job.phase = fact.plan, Phase.PLANNED
            job.reason, job.assembly_lane = None, None
            job.finished = {
                index: proof
                for index, proof in job.finished.items()
                if proof.fingerprint == fact.plan.fingerprint
            }
        case JobHeld():
            job.phase, job.reason = Phase.HELD, fact.reason or f"being restored by {fact.by}"
        case SegmentStarted():
            job.phase = Phase.RUNNING
            job.running[fact.segment] = fact.lane
            job.started_s = fact.at_s if job.started_s is None else job.started_s
        case SegmentFinished():
            job.running.pop(fact.segment, None)
            job.finished[fact.segment] = fact
        case SegmentDiscarded():
            job.finished.pop(fact.segment, None)
        case SegmentFailed():
            job.running.pop(fact.segment, None)
            if fact.counts_as_attempt:
                job.attempts[fact.segment] = job.attempts.get(fact.segment, 0) + 1
            if fact.by_model:
                job.model_failures[fact.segment] = job.model_failures.get(fact.segment, 0) + 1
        case AssemblyStarted():
            job.phase, job.assembly_lane = Phase.ASSEMBLING, fact.lane
            job.started_s = fact.at_s if job.started_s is None else job.started_s
        case JobPublished():
            job.phase, job.published = Phase.DONE, fact
            _end(job, fact.at_s)
        case JobFailed():
            job.phase, job.reason, job.detail = Phase.FAILED, fact.reason, fact.detail
            _end(job, fact.at_s)
        case JobSkipped():
            job.phase, job.reason = Phase.SKIPPED, fact.reason
            _end(job, fact.at_s)
        case JobRetried():
            job.phase, job.reason, job.detail, job.ended_s = Phase.WAITING, None, (), None
            job.plan, job.attempts, job.model_failures, job.started_s = None, {}, {}, None
            job.running, job.assembly_lane = {}, None
        case JobPrioritised():
            job.priority = fact.priority
        case _:
            assert_never(fact)


def _end(job: JobState, at_s: float) -> None:
    job.running, job.assembly_lane, job.ended_s = {}, None, at_s
