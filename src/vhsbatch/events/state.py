"""The state of a batch: the fold of its facts, and nothing else.

Resume, the scheduler's policy, the terminal interface, the headless printer and the summary all
read this one state, so they cannot disagree.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from vhsbatch.events.events import (
    BatchContinued,
    BatchFinished,
    BatchPaused,
    BatchPredicted,
    BatchStarted,
    Fact,
    GpuRetired,
    JobMoved,
    LanesChanged,
)
from vhsbatch.events.job_state import JobState, Phase, apply_to_job
from vhsbatch.events.turns import Turns


@dataclass(slots=True)
class BatchState:
    """A batch; `apply` is its only mutation.

    Attributes:
        jobs: its videos.
        paused: why no new work is begun, None while it is.
        idle_s: how long this run was paused with no lane at work.
        idle_since_s: since when it is so now.
        prediction: what this run was expected to take.
        idle_before_prediction_s: `idle_s` when that was predicted.
        others: videos of earlier batches on the same output folder, with what is proven of them.
        open: those of its videos to which something will still happen.
        turns: these in the order in which they are to be begun.
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
    idle_before_prediction_s: float = 0.0
    paused: str | None = None
    idle_s: float = 0.0
    idle_since_s: float | None = None
    jobs: dict[str, JobState] = field(default_factory=dict)
    others: dict[str, JobState] = field(default_factory=dict)
    open: dict[str, JobState] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns, compare=False, repr=False)
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
        return sum(len(job.running) + (job.assembly_lane is not None) for job in self.turns.under_way)

    @property
    def complete(self) -> bool:
        """Whether every video has ended."""
        return not self.open

    def apply(self, fact: Fact) -> None:
        """Take a fact in. Facts about videos outside the batch come from an older one and are ignored."""
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
                self.prediction, self.idle_before_prediction_s = fact, self.idle_until(fact.at_s)
            case JobMoved():
                self._move(fact)
            case _:
                if (job := self.jobs.get(fact.job_id)) is not None:
                    before = job.phase
                    apply_to_job(job, fact)
                    self._note_phase(fact.job_id, job, before)
                    self.turns.note(job, fact)
        self._note_idleness(fact.at_s)

    def idle_until(self, now_s: float) -> float:
        """How long this run has been paused with no lane at work, in seconds."""
        return self.idle_s + (0.0 if self.idle_since_s is None else max(0.0, now_s - self.idle_since_s))

    def idle_after_prediction(self, until_s: float) -> float:
        """How long the run has been idle since the prediction, in seconds."""
        return self.idle_until(until_s) - self.idle_before_prediction_s

    def _note_idleness(self, at_s: float) -> None:
        idle = self.paused is not None and not self.busy_lanes
        if idle and self.idle_since_s is None:
            self.idle_since_s = at_s
        elif not idle and self.idle_since_s is not None:
            self.idle_s, self.idle_since_s = self.idle_until(at_s), None

    def halt(self) -> None:
        """Record that the run is gone: unfinished work waits for the next run, after what is proven."""
        for job in self.turns.under_way:
            before = job.phase
            job.running, job.assembly_lane = {}, None
            if before in {Phase.RUNNING, Phase.ASSEMBLING}:
                job.phase = Phase.PLANNED
                self.revision += 1
            self._note_phase(job.job.id, job, before)

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
        """In the order of the batch, in which one may have come back."""
        self.open = {id_: job for id_, job in self.jobs.items() if not job.phase.ended}
        self.turns = Turns(self.open.values(), self.order)

    def _start(self, fact: BatchStarted) -> None:
        """A new run: proofs are kept, what was in flight is not, failures are tried again."""
        self.run_id, self.input, self.output = fact.run_id, fact.input, fact.output
        self.options, self.lanes = fact.options, fact.lanes
        self.started_s, self.ended_s, self.outcome, self.paused = fact.at_s, None, None, None
        self.prediction, self.idle_s, self.idle_since_s = None, 0.0, None
        before = self.known
        self.jobs = {}
        for job in fact.jobs:
            old = before.get(job.id)
            if old is not None and old.job.source == job.source:
                # Every run plans again; proofs count for the plan with their fingerprint.
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


def fold(facts: Iterable[Fact]) -> BatchState:
    """The state after `facts`."""
    state = BatchState()
    for fact in facts:
        state.apply(fact)
    return state
