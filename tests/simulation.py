"""A batch without processes: the policy on a clock that jumps from event to event."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import make
from vhsbatch.events.events import AssemblyStarted, LanesChanged
from vhsbatch.events.state import BatchState, fold
from vhsbatch.model.plan import JobPlan
from vhsbatch.scheduling.policy import Assemble, MakeSegment, Work, next_work


@dataclass(frozen=True, kw_only=True)
class Costs:
    """How long things take, in seconds.

    Attributes:
        frame_s: for each output frame of a segment.
        segment_s: for each segment besides: the start of its programs, the frames before it.
        assembly_frame_s: for each frame that is joined and verified.
        plan_s: for each plan.
    """

    frame_s: float = 0.02
    segment_s: float = 0.0
    assembly_frame_s: float = 0.0
    plan_s: float = 0.0

    def of(self, plan: JobPlan, work: Work) -> float:
        match work:
            case MakeSegment():
                return self.segment_s + work.segment.frames * self.frame_s
            case Assemble():
                return plan.frames * self.assembly_frame_s


@dataclass
class Outcome:
    """What happened.

    Attributes:
        pieces: lane, work, start and end of each, in the order of their starts.
        waited: at each start of a video, the videos that were planned and not begun.
    """

    lanes: int
    state: BatchState
    pieces: list[tuple[int, Work, float, float]] = field(default_factory=list)
    waited: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def makespan_s(self) -> float:
        return max(end_s for *_, end_s in self.pieces)

    @property
    def least_s(self) -> float:
        """No schedule is shorter."""
        lengths = [end_s - start_s for _, _, start_s, end_s in self.pieces]
        return max(sum(lengths) / self.lanes, *lengths)

    @property
    def begun(self) -> list[str]:
        """The videos in the order of their starts."""
        return list(dict.fromkeys(work.job_id for _, work, *_ in self.pieces))


def simulate(
    plans: Sequence[JobPlan],
    *,
    lanes: int,
    order: str = "name",
    costs: Costs = Costs(),
    lanes_at: Callable[[float], int] | None = None,
) -> Outcome:
    """Run a batch to its end.

    Args:
        plans: its videos, in the order of the batch.
        lanes: how many pieces of work are under way at a time.
        order: the value of `--order`.
        costs: how long things take.
        lanes_at: the number of lanes at a time, where it changes.
    """
    by_id = {plan.job.id: plan for plan in plans}
    state = fold([make.batch_started(*(plan.job for plan in plans), lanes=lanes, order=order)])
    outcome = Outcome(lanes, state)
    planners = max(2, lanes)
    # (time, number that makes it unique, what happens)
    events: list[tuple[float, int, Callable[[], None]]] = []
    number = 0

    def at(time_s: float, happens: Callable[[], None]) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (time_s, number, happens))

    for index, plan in enumerate(plans):
        planned_s = costs.plan_s * (index // planners + 1)
        at(planned_s, lambda plan=plan: state.apply(make.planned(plan)))  # type: ignore[misc]
    running: dict[int, Work] = {}
    last_job: dict[int, str] = {}

    def end(lane: int, work: Work) -> None:
        del running[lane]
        plan = by_id[work.job_id]
        match work:
            case MakeSegment():
                state.apply(make.finished(plan, work.segment.index, lane))
            case Assemble():
                state.apply(make.published(plan))

    now_s = 0.0
    while events:
        now_s, _, happens = heapq.heappop(events)
        happens()
        if events and events[0][0] == now_s:
            continue
        if lanes_at is not None and lanes_at(now_s) != state.lanes:
            state.apply(LanesChanged(at_s=now_s, lanes=lanes_at(now_s), reason="told to"))
        for lane in range(1, state.lanes + 1):
            if lane in running or len(running) >= state.lanes:
                continue
            work = next_work(state, last_job=last_job.get(lane))
            if work is None:
                continue
            plan = by_id[work.job_id]
            _note_start(outcome, work.job_id)
            match work:
                case MakeSegment():
                    state.apply(make.started(plan, work.segment.index, lane))
                case Assemble():
                    state.apply(AssemblyStarted(at_s=now_s, job_id=work.job_id, lane=lane))
            running[lane], last_job[lane] = work, work.job_id
            end_s = now_s + costs.of(plan, work)
            outcome.pieces.append((lane, work, now_s, end_s))
            at(end_s, lambda lane=lane, work=work: end(lane, work))  # type: ignore[misc]
    return outcome


def _note_start(outcome: Outcome, job_id: str) -> None:
    state = outcome.state
    if state.jobs[job_id].started_s is None:
        waiting = [
            job.job.id
            for job in state.jobs.values()
            if job.plan is not None and job.started_s is None and not job.phase.ended
        ]
        outcome.waited.append((job_id, waiting))
