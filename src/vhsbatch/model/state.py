"""The state of a batch: the fold of its facts, and nothing else.

Resume, the scheduler's policy, the terminal interface, the headless printer and the summary all
read this one state, so they cannot disagree.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from vhsbatch.model.events import (
    AssemblyStarted,
    BatchContinued,
    BatchFinished,
    BatchPaused,
    BatchPredicted,
    BatchStarted,
    Fact,
    GpuRetired,
    JobFailed,
    JobHeld,
    JobMoved,
    JobPlanned,
    JobPrioritised,
    JobPublished,
    JobRetried,
    JobSkipped,
    LanesChanged,
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
        network_failures: those of them for which the network's stage was to blame.
        assembly_lane: the lane that joins the segments, None while none does.
        reason: why the video failed, was skipped, or is left to another run.
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
    network_failures: dict[int, int] = field(default_factory=dict)
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


@dataclass(slots=True)
class BatchState:
    """A batch; `apply` is its only mutation.

    Attributes:
        jobs: its videos.
        paused: why no new work is begun, None while it is.
        prediction: what this run was expected to take.
        others: videos of earlier batches on the same output folder, with what is proven of them.
        open: those of its videos to which something will still happen.
        revision: how many facts were taken in: what was computed from the state holds until it changes.
    """

    run_id: str | None = None
    input: str = ""
    output: str = ""
    options: dict[str, str] = field(default_factory=dict)
    lanes: int = 1
    started_s: float | None = None
    ended_s: float | None = None
    outcome: str | None = None
    prediction: BatchPredicted | None = None
    paused: str | None = None
    jobs: dict[str, JobState] = field(default_factory=dict)
    others: dict[str, JobState] = field(default_factory=dict)
    open: dict[str, JobState] = field(default_factory=dict)
    revision: int = field(default=0, compare=False)
    # Kept, since it is asked for with every fact: of ten thousand videos counting takes a millisecond.
    _in_phase: Counter[Phase] = field(default_factory=Counter, compare=False, repr=False)

    @property
    def order(self) -> str:
        """In which order videos are begun, as `--order` names it."""
        return self.options.get("order") or "name"

    @property
    def known(self) -> dict[str, JobState]:
        """Every video of this and of earlier batches."""
        return {**self.others, **self.jobs}

    def count(self, *phases: Phase) -> int:
        """How many videos are in one of `phases`."""
        return sum(self._in_phase[phase] for phase in phases)

    @property
    def busy_lanes(self) -> int:
        """How many lanes are at work."""
        return sum(len(job.running) + (job.assembly_lane is not None) for job in self.open.values())

    @property
    def complete(self) -> bool:
        """Whether every video has ended."""
        return not self.open

    def apply(self, fact: Fact) -> None:
        """Take a fact in. Facts about videos that are not in the batch are of an older one: ignored."""
        self.revision += 1
        match fact:
            case BatchStarted():
                self._start(fact)
            case BatchFinished():
                self.ended_s, self.outcome = fact.at_s, fact.outcome
            case BatchPaused():
                self.paused = fact.reason
            case BatchContinued():
                self.paused = None
            case LanesChanged():
                self.lanes = fact.lanes
            case GpuRetired():
                pass
            case BatchPredicted():
                self.prediction = fact
            case JobMoved():
                self._move(fact)
            case _:
                if (job := self.jobs.get(fact.job_id)) is not None:
                    before = job.phase
                    _apply_to_job(job, fact)
                    self._note_phase(fact.job_id, job, before)

    def _note_phase(self, job_id: str, job: JobState, before: Phase) -> None:
        if job.phase is before:
            return
        self._in_phase[before] -= 1
        self._in_phase[job.phase] += 1
        if job.phase.ended:
            self.open.pop(job_id, None)
        elif before.ended:
            self._list_open()

    def _list_open(self) -> None:
        """In the order of the batch."""
        self.open = {id_: job for id_, job in self.jobs.items() if not job.phase.ended}

    def _start(self, fact: BatchStarted) -> None:
        """A new run: proofs are kept, what was in flight is not, failures are tried again."""
        self.run_id, self.input, self.output = fact.run_id, fact.input, fact.output
        self.options, self.lanes = fact.options, fact.lanes
        self.started_s, self.ended_s, self.outcome, self.paused = fact.at_s, None, None, None
        self.prediction = None
        before = self.known
        self.jobs = {}
        for job in fact.jobs:
            old = before.get(job.id)
            if old is not None and old.job.source == job.source:
                # A plan is made anew by every run; proofs count for the plan with their fingerprint.
                self.jobs[job.id] = JobState(
                    job=job, priority=job.priority, finished=old.finished, published=old.published
                )
            else:
                self.jobs[job.id] = JobState(job=job, priority=job.priority)
        self.others = {id_: job for id_, job in before.items() if id_ not in self.jobs}
        self._in_phase = Counter(job.phase for job in self.jobs.values())
        self._list_open()

    def _move(self, fact: JobMoved) -> None:
        moved = self.jobs.get(fact.job_id)
        if moved is None:
            return
        jobs: dict[str, JobState] = {}
        for id_, job in self.jobs.items():
            if id_ == fact.before:
                jobs[fact.job_id] = moved
            if job is not moved:
                jobs[id_] = job
        jobs.setdefault(fact.job_id, moved)
        self.jobs = jobs
        self._list_open()


_JobFact = (
    JobPlanned
    | SegmentStarted
    | SegmentFinished
    | SegmentDiscarded
    | SegmentFailed
    | AssemblyStarted
    | JobPublished
    | JobFailed
    | JobSkipped
    | JobRetried
    | JobPrioritised
    | JobHeld
)


def _apply_to_job(job: JobState, fact: _JobFact) -> None:  # noqa: PLR0912 - one case for each fact
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
            job.phase, job.reason = Phase.HELD, f"being restored by {fact.by}"
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
            if not fact.blameless:
                job.attempts[fact.segment] = job.attempts.get(fact.segment, 0) + 1
            if fact.by_network:
                job.network_failures[fact.segment] = job.network_failures.get(fact.segment, 0) + 1
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
            job.plan, job.attempts, job.network_failures, job.started_s = None, {}, {}, None
            job.running, job.assembly_lane = {}, None
        case JobPrioritised():
            job.priority = fact.priority
        case _:
            assert_never(fact)


def _end(job: JobState, at_s: float) -> None:
    job.running, job.assembly_lane, job.ended_s = {}, None, at_s


def fold(facts: Iterable[Fact]) -> BatchState:
    """The state after `facts`."""
    state = BatchState()
    for fact in facts:
        state.apply(fact)
    return state
