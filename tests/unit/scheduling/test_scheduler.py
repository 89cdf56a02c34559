"""The scheduler with an executor that makes nothing, and fails as it is told."""

import errno
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

import make
from vhsbatch.engines.base import UPSCALE
from vhsbatch.errors import (
    ChainError,
    InputError,
    OutOfMemoryError,
    OutputFolderError,
    ShortageError,
    StalePlanError,
    VerificationError,
    VhsBatchError,
)
from vhsbatch.events.bus import Bus
from vhsbatch.events.commands import ChangeLanes, Continue, Move, Pause, Retry, Skip, Steering
from vhsbatch.events.events import (
    BatchContinued,
    BatchPaused,
    Fact,
    JobFailed,
    JobHeld,
    JobMoved,
    JobPlanned,
    JobPublished,
    JobRetried,
    JobSkipped,
    LanesChanged,
    SegmentFailed,
    SegmentFinished,
    SegmentStarted,
)
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.model.plan import Job, JobPlan, Segment, Upscaling, UpscalingModel
from vhsbatch.scheduling import admission as admission_module
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.claims import Completed, Free, Held, Standing
from vhsbatch.scheduling.scheduler import Scheduler
from vhsbatch.scheduling.shortages import Sources

pytestmark = pytest.mark.anyio

NETWORK = Upscaling(
    model="m",
    models=(UpscalingModel(scale=2, param=Path("a"), weights=Path("b")),),
    runtime="ncnn",
    device="0",
    spare_devices=("1",),
)


@dataclass
class Claims:
    """Videos that other runs have: what is said of each, time after time, when the disk is not `full`."""

    said: dict[str, list[Standing]] = field(default_factory=dict)
    full: int = 0
    lost: int = 0
    looks: int = 0
    released: list[tuple[str, bool]] = field(default_factory=list)

    def look(self, job_id: str) -> Standing:
        self.looks += 1
        sayings = self.said.get(job_id, [])
        return sayings.pop(0) if sayings else Free()

    def take(self, job_id: str) -> Standing:
        if self.full:
            self.full -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.look(job_id)

    def owns(self, job_id: str) -> bool:
        self.lost -= 1
        return self.lost < 0

    def release(self, job_id: str, *, made: bool) -> None:
        self.released.append((job_id, made))


@dataclass
class DiskSpace:
    """Disks of which is said what `says` says."""

    says: Callable[[], str | None] = lambda: None
    is_away: Callable[[], str | None] = lambda: None
    wants: int = 0
    ample: bool = False

    def is_ample(self, plan: JobPlan) -> bool:
        return self.ample

    def away(self) -> str | None:
        return self.is_away()

    def lack(self) -> str | None:
        return self.says() or self.away()

    def want_more(self) -> None:
        self.wants += 1


@dataclass
class Executor:
    """Ends every piece of work at once, with an error where one is planned.

    Nothing ends before as many pieces as are to be at work together have been; where one of them is to
    fail, it does so first.
    """

    errors: dict[tuple[str, int], list[VhsBatchError]] = field(default_factory=dict)
    together: int = 1
    fallbacks: list[int] = field(default_factory=list)
    busy: int = 0
    most_busy: int = 0

    async def make_segment(
        self,
        plan: JobPlan,
        segment: Segment,
        *,
        lane: int,
        attempt: int,
        fallback: int,
        tell: Callable[[Telemetry], None],
    ) -> SegmentFinished:
        self.fallbacks.append(fallback)
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            errors = self.errors.get((plan.job.id, segment.index), [])
            await anyio.sleep(0.001)
            while self.most_busy < self.together or (
                self.together > 1 and not errors and any(self.errors.values())
            ):
                await anyio.sleep(0.001)
            if errors:
                raise errors.pop(0)
        finally:
            self.busy -= 1
        return replace(make.finished(plan, segment.index, lane), attempt=attempt)

    async def assemble(
        self,
        plan: JobPlan,
        segments: tuple[SegmentFinished, ...],
        *,
        lane: int,
        tell: Callable[[Telemetry], None],
    ) -> JobPublished:
        assert [proof.segment for proof in segments] == list(range(len(plan.segments)))
        if errors := self.errors.get((plan.job.id, -1)):
            raise errors.pop(0)
        return JobPublished(
            at_s=1.0,
            job_id=plan.job.id,
            fingerprint=plan.fingerprint,
            size_bytes=1,
            sha256="",
            frames=plan.frames,
            wall_s=0.1,
        )


@dataclass
class Run:
    """A run that has ended."""

    facts: list[Fact]
    state: BatchState

    def of(self, kind: type[Any]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


async def run(
    *plans: JobPlan,
    executor: Executor | None = None,
    claims: Claims | None = None,
    disk_space: DiskSpace | None = None,
    lanes: int = 2,
    retries: int = 2,
    refused: Mapping[str, VhsBatchError] | None = None,
    refused_at_first: Mapping[str, list[VhsBatchError]] | None = None,
    sources: Sources | None = None,
    beside: Callable[[list[Fact]], Coroutine[Any, Any, None]] | None = None,
    plans_without_space: int = 0,
) -> Run:
    facts: list[Fact] = []
    not_written = ["cannot write the journal: No space left on device"] * plans_without_space

    async def append(fact: Fact) -> None:
        if not_written and isinstance(fact, JobPlanned):
            raise OutputFolderError(not_written.pop())
        facts.append(fact)

    state = BatchState()
    bus = Bus(state, append)
    await bus.emit(make.batch_started(*(plan.job for plan in plans), lanes=lanes))
    by_id = {plan.job.id: plan for plan in plans}

    async def planner(job: Job) -> JobPlan | str:
        if refused and job.id in refused:
            raise refused[job.id]
        if refused_at_first and refused_at_first.get(job.id):
            raise refused_at_first[job.id].pop()
        return by_id[job.id]

    admission = Admission(
        state,
        bus,
        claims=claims or Claims(),
        disk_space=disk_space or DiskSpace(),
        sources=sources,
        ending=made_by_another,
    )
    with anyio.fail_after(300):
        async with anyio.create_task_group() as group:
            if beside is not None:
                group.start_soon(beside, facts)
            await Scheduler(
                state, bus, executor or Executor(), planner, admission=admission, retries=retries
            ).run()
            group.cancel_scope.cancel()
    assert fold(facts).jobs == state.jobs
    return Run(facts, state)


async def made_by_another(job: Job, by: str) -> JobSkipped | JobFailed:
    return JobSkipped(at_s=0, job_id=job.id, reason=f"restored by {by} in the meantime")


def plans(count: int, *, segments: int = 2, **changes: Any) -> list[JobPlan]:
    return [make.plan(make.job(number), segments=segments, **changes) for number in range(1, count + 1)]


async def test_every_video_is_published_by_as_many_lanes_as_there_are() -> None:
    executor = Executor(together=3)
    ended = await run(*plans(6), executor=executor, lanes=3)
    assert len(ended.of(JobPublished)) == 6
    assert executor.most_busy == 3
    assert {fact.lane for fact in ended.of(SegmentStarted)} == {1, 2, 3}


async def test_one_bad_video_stops_no_other() -> None:
    one, two, three = plans(3)
    executor = Executor({(two.job.id, 1): [ChainError("encode crashed")] * 9})
    refused = {three.job.id: InputError("no video")}
    ended = await run(one, two, three, executor=executor, refused=refused)
    assert [fact.job_id for fact in ended.of(JobPublished)] == [one.job.id]
    reasons = {fact.job_id: fact.reason for fact in ended.of(JobFailed)}
    assert reasons == {two.job.id: "encode crashed", three.job.id: "no video"}


async def test_what_may_be_transient_is_tried_again_as_often_as_was_asked_for() -> None:
    (plan,) = plans(1)
    executor = Executor({(plan.job.id, 0): [ChainError("hiccup")] * 2})
    ended = await run(plan, executor=executor, retries=2)
    assert len(ended.of(JobPublished)) == 1
    failed = ended.of(SegmentFailed)
    assert [(fact.attempt, fact.final) for fact in failed] == [(1, False), (2, False)]


async def test_a_model_that_fails_is_run_in_another_way_each_time() -> None:
    (plan,) = plans(1, segments=1, engine="realesrgan", upscaling=NETWORK)
    error = ChainError("upscale failed with exit code 1: frame 3 came out wrong", culprit=UPSCALE)
    executor = Executor({(plan.job.id, 0): [error] * 3})
    # Ways are tried to the end even when fewer attempts were asked for.
    ended = await run(plan, executor=executor, retries=0)
    assert executor.fallbacks == [0, 1, 2, 3]
    assert [fact.by_model for fact in ended.of(SegmentFailed)] == [True] * 3
    assert len(ended.of(JobPublished)) == 1


async def test_a_model_that_fails_in_every_way_fails_its_video() -> None:
    (plan,) = plans(1, segments=1, engine="realesrgan", upscaling=NETWORK)
    error = ChainError("upscale was killed by SIGSEGV", culprit=UPSCALE)
    ended = await run(plan, executor=Executor({(plan.job.id, 0): [error] * 9}), retries=2)
    assert [fact.final for fact in ended.of(SegmentFailed)] == [False, False, False, True]
    assert ended.state.jobs[plan.job.id].phase is Phase.FAILED


@pytest.mark.parametrize("piece", [0, -1], ids=["segment", "assembly"])
async def test_a_video_whose_source_or_segment_has_changed_is_planned_again(piece: int) -> None:
    first, second = plans(2)
    executor = Executor({(first.job.id, piece): [StalePlanError("it has changed")]})
    done = await run(first, second, executor=executor)
    assert done.state.count(Phase.DONE) == 2
    assert [fact.job_id for fact in done.of(JobRetried)] == [first.job.id]
    assert [fact.job_id for fact in done.of(JobPlanned)].count(first.job.id) == 2
    assert not done.of(SegmentFailed)


async def test_a_source_that_never_rests_fails_its_video_alone() -> None:
    first, second = plans(2)
    executor = Executor({(first.job.id, 0): [StalePlanError("it has changed")] * 9})
    done = await run(first, second, executor=executor, retries=2)
    assert [fact.job_id for fact in done.of(JobFailed)] == [first.job.id]
    assert len(done.of(JobRetried)) == 2
    assert done.state.jobs[second.job.id].phase is Phase.DONE


async def test_a_defect_fails_its_video_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, two = plans(2)

    class Broken(Executor):
        async def make_segment(self, plan: JobPlan, segment: Segment, **rest: Any) -> SegmentFinished:
            if plan is one:
                raise KeyError("oops")
            return await super().make_segment(plan, segment, **rest)

    ended = await run(one, two, executor=Broken())
    (failed,) = ended.of(JobFailed)
    assert failed.reason.startswith("a defect of this program: KeyError: 'oops' (please report it, with ")
    (details,) = tmp_path.rglob("defect-*.txt")
    assert str(details) in failed.reason
    assert "in make_segment" in details.read_text()
    assert any("make_segment" in line for line in failed.detail)
    assert [fact.job_id for fact in ended.of(JobPublished)] == [two.job.id]


# --- other runs ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "_WATCH_S", 0.01)
    monkeypatch.setattr(admission_module, "_LONGEST_S", 0.02)


async def test_a_video_that_another_run_makes_is_left_to_it() -> None:
    one, two = plans(2)
    claims = Claims({one.job.id: [Held("host"), Held("host"), Completed("host")]})
    ended = await run(one, two, claims=claims)
    assert [fact.by for fact in ended.of(JobHeld)] == ["host"]
    (skipped,) = ended.of(JobSkipped)
    assert (skipped.job_id, skipped.reason) == (one.job.id, "restored by host in the meantime")
    assert [fact.job_id for fact in ended.of(JobPublished)] == [two.job.id]
    assert claims.released == [(two.job.id, True)]


async def test_a_video_whose_run_has_died_is_taken_over() -> None:
    (plan,) = plans(1)
    ended = await run(plan, claims=Claims({plan.job.id: [Held("host"), Held("host"), Free()]}))
    assert [fact.job_id for fact in ended.of(JobPublished)] == [plan.job.id]


# --- what passes by itself -----------------------------------------------------------------------


SHORT = ShortageError("cannot start ffmpeg: Resource temporarily unavailable")


async def test_a_shortage_of_processes_is_waited_for_and_no_attempt_counts() -> None:
    one, two = plans(2)
    executor = Executor({(one.job.id, 0): [SHORT] * 3})
    ended = await run(one, two, executor=executor, retries=0)
    assert all(not fact.counts_as_attempt and not fact.final for fact in ended.of(SegmentFailed))
    assert len(ended.of(SegmentFailed)) == 3
    assert "Resource temporarily unavailable" in ended.of(BatchPaused)[0].reason
    assert len(ended.of(JobPublished)) == 2


async def test_what_a_child_says_of_a_shortage_is_not_believed_for_ever() -> None:
    (plan,) = plans(1, segments=1)
    said = ChainError("encode failed: Resource temporarily unavailable", culprit="encode")
    ended = await run(plan, executor=Executor({(plan.job.id, 0): [said] * 99}), retries=0)
    assert len(ended.of(JobFailed)) == 1


async def test_what_fails_while_the_system_refuses_threads_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = plans(2)
    limits = ["pids.max allows no more"] * 3
    monkeypatch.setattr(
        "vhsbatch.scheduling.admission.refused_since", lambda _before: limits.pop() if limits else None
    )
    misled = VerificationError("segment 1 has 0 frames instead of 60")
    ended = await run(one, two, executor=Executor({(one.job.id, 0): [misled] * 3}), retries=0)
    assert [fact.counts_as_attempt for fact in ended.of(SegmentFailed)] == [False] * 3
    assert "pids.max allows no more" in ended.of(BatchPaused)[0].reason
    assert len(ended.of(JobPublished)) == 2


async def test_a_source_that_cannot_be_read_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = plans(1)
    monkeypatch.setattr("vhsbatch.scheduling.admission.refused_since", lambda _before: "ulimit -u")
    refusals: dict[str, list[VhsBatchError]] = {one.job.id: [InputError("not a video")] * 9}
    ended = await run(one, refused_at_first=refusals)
    (failed,) = ended.of(JobFailed)
    assert failed.reason == "not a video"


async def test_a_plan_waits_for_a_shortage_too() -> None:
    one, two = plans(2)
    refusals: dict[str, list[VhsBatchError]] = {one.job.id: [SHORT, SHORT]}
    ended = await run(one, two, refused_at_first=refusals)
    assert not ended.of(JobFailed)
    assert len(ended.of(JobPublished)) == 2


@pytest.mark.parametrize("piece", [0, -1])
async def test_a_video_whose_folder_is_away_waits_and_no_other_does(piece: int, tmp_path: Path) -> None:
    one, two = plans(2)
    folder = tmp_path / "in"
    folder.mkdir()
    here = replace(one.job, source=folder / "tape.avi")
    here.source.touch()
    sources = Sources.of([here.source])
    one = replace(one, job=here)
    folder.rename(tmp_path / "away")
    gone = InputError("the source is gone: No such file or directory")
    executor = Executor({(here.id, piece): [gone, gone]})

    async def come_back(facts: list[Fact]) -> None:
        while sum(isinstance(fact, JobHeld | JobPublished) for fact in facts) < 2:
            await anyio.sleep(0.01)
        executor.errors.clear()
        (tmp_path / "away").rename(folder)

    ended = await run(one, two, executor=executor, retries=0, sources=sources, beside=come_back)
    (held, *_) = ended.of(JobHeld)
    assert str(folder) in (held.reason or "")
    assert not ended.of(JobFailed)
    assert not any(fact.final for fact in ended.of(SegmentFailed))
    assert [fact.job_id for fact in ended.of(JobPublished)] == [two.job.id, one.job.id]


async def test_a_source_that_was_deleted_fails_at_once(tmp_path: Path) -> None:
    (plan,) = plans(1)
    job = replace(plan.job, source=tmp_path / "tape.avi")
    sources = Sources.of([job.source])
    gone = InputError("the source is gone: No such file or directory")
    executor = Executor({(job.id, 0): [gone]})
    ended = await run(replace(plan, job=job), executor=executor, sources=sources)
    assert [fact.reason for fact in ended.of(JobFailed)] == [str(gone)]


async def test_nothing_is_begun_while_an_output_folder_is_away() -> None:
    (plan,) = plans(1, segments=1)
    is_away = iter(["the folder /out is away"] * 4)
    executor = Executor({(plan.job.id, 0): [ChainError("/out is away")]})
    disk_space = DiskSpace(is_away=lambda: next(is_away, None) if executor.fallbacks else None)
    ended = await run(plan, executor=executor, disk_space=disk_space, retries=0)
    assert ended.of(BatchPaused)[0].reason == "the folder /out is away"
    assert len(ended.of(JobPublished)) == 1


@pytest.mark.parametrize("away", [None, "the folder /out is away"])
async def test_a_result_is_not_assembled_in_place_of_a_folder_that_is_away(
    away: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission_module, "_WATCH_S", 0.01)
    claims = Claims(lost=1)
    # From when it is noticed to when it is looked for again, after it was taken.
    disk_space = DiskSpace(is_away=lambda: away if claims.lost == 0 and claims.looks < 2 else None)
    ended = await run(*plans(1, segments=1), claims=claims, disk_space=disk_space)
    (held,) = ended.of(JobHeld)
    assert (held.by, held.reason) == (("", away) if away else ("a run that assumed this one had died", None))
    assert len(ended.of(JobPublished)) == 1


# --- memory --------------------------------------------------------------------------------------


STARVED = OutOfMemoryError("out of memory: the system ended encode")


async def test_when_memory_runs_out_the_batch_goes_on_with_a_lane_less() -> None:
    several = plans(4)
    executor = Executor({(several[0].job.id, 0): [STARVED]}, together=2)
    ended = await run(*several, executor=executor, lanes=3, retries=0)
    (failed,) = ended.of(SegmentFailed)
    assert (failed.counts_as_attempt, failed.final) == (False, False)
    (changed,) = ended.of(LanesChanged)
    assert changed.lanes == 2
    after = ended.facts[ended.facts.index(changed) :]
    assert {fact.lane for fact in after if isinstance(fact, SegmentStarted)} <= {1, 2, 3}
    assert len(ended.of(JobPublished)) == 4


async def test_one_shortage_that_ends_several_lanes_work_takes_one_lane() -> None:
    several = plans(2)
    starved: dict[tuple[str, int], list[VhsBatchError]] = {(plan.job.id, 0): [STARVED] for plan in several}
    ended = await run(*several, executor=Executor(starved, together=2), lanes=2, retries=0)
    assert [fact.counts_as_attempt for fact in ended.of(SegmentFailed)] == [False, False]
    (changed,) = ended.of(LanesChanged)
    assert changed.lanes == 1
    assert len(ended.of(JobPublished)) == 2


async def test_a_video_that_has_too_little_memory_for_itself_fails() -> None:
    (plan,) = plans(1)
    ended = await run(plan, executor=Executor({(plan.job.id, 0): [STARVED] * 9}), lanes=1, retries=2)
    assert [fact.counts_as_attempt for fact in ended.of(SegmentFailed)] == [True] * 3
    (failed,) = ended.of(JobFailed)
    assert failed.reason == STARVED.cause
    assert ended.of(LanesChanged) == []


# --- room ----------------------------------------------------------------------------------------


async def test_without_room_the_batch_waits_and_goes_on() -> None:
    answers: list[str | None] = [None, None, "only 1 MiB is free", "only 1 MiB is free"]
    ended = await run(*plans(3), disk_space=DiskSpace(lambda: answers.pop(0) if answers else None))
    assert [fact.reason for fact in ended.of(BatchPaused)] == ["only 1 MiB is free"]
    assert len(ended.of(BatchContinued)) == 1
    assert len(ended.of(JobPublished)) == 3


FULL = "encode failed with exit code 228: No space left on device"


@pytest.mark.parametrize("piece", [0, -1])
async def test_a_full_disk_is_nobodys_failure(piece: int) -> None:
    (plan,) = plans(1)
    disk_space = DiskSpace()
    # More failures than there are attempts: none of them counts.
    executor = Executor({(plan.job.id, piece): [ChainError(FULL)] * 5})
    ended = await run(plan, executor=executor, disk_space=disk_space, lanes=1, retries=0)
    assert len(ended.of(JobPublished)) == 1
    assert ended.of(JobFailed) == []
    assert all(not fact.counts_as_attempt and not fact.final for fact in ended.of(SegmentFailed))
    assert disk_space.wants == 5


async def test_a_plan_that_the_journal_has_no_room_for_is_made_again() -> None:
    disk_space = DiskSpace()
    ended = await run(*plans(3), disk_space=disk_space, plans_without_space=5)
    assert len(ended.of(JobPublished)) == 3
    assert ended.of(JobFailed) == []
    assert disk_space.wants == 5


async def test_a_video_that_cannot_be_taken_for_want_of_room_is_taken_when_there_is_some() -> None:
    disk_space, claims = DiskSpace(), Claims(full=2)
    ended = await run(*plans(2), disk_space=disk_space, claims=claims)
    assert len(ended.of(JobPublished)) == 2
    assert disk_space.wants == 2


async def test_no_room_on_a_disk_with_room_is_a_failure() -> None:
    (plan,) = plans(1)
    executor = Executor({(plan.job.id, 0): [ChainError("Disk quota exceeded")] * 9})
    ended = await run(plan, executor=executor, disk_space=DiskSpace(ample=True))
    (failed,) = ended.of(JobFailed)
    assert failed.reason == "Disk quota exceeded"


async def test_after_a_full_disk_lanes_take_turns() -> None:
    several = plans(3, segments=3)
    disk_space = DiskSpace()
    failing, others = (several[0].job.id, 0), ("held back", 0)
    executor = Executor({failing: [ChainError(FULL)], others: [ChainError("")]}, together=2)

    async def let_others_end(facts: list[Fact]) -> None:
        while not any(isinstance(fact, SegmentFailed) for fact in facts):
            await anyio.sleep(0.001)
        executor.errors.clear()

    ended = await run(*several, executor=executor, disk_space=disk_space, lanes=3, beside=let_others_end)
    assert len(ended.of(JobPublished)) == 3
    running, alone = 0, False
    for fact in ended.facts:
        match fact:
            case SegmentStarted():
                assert not (alone and running)
                running += 1
            case SegmentFinished() | SegmentFailed():
                running -= 1
                alone = alone or isinstance(fact, SegmentFailed)
            case JobPublished():
                alone = False  # its segments are gone, which made room
            case _:
                pass
    assert disk_space.wants == 0


@dataclass
class Steered(Run):
    """A run that is going on: the test says when a piece of work is done."""

    scheduler: Scheduler
    work: "HeldBack"

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await anyio.sleep(0.001)


@dataclass
class HeldBack(Executor):
    """Makes nothing until it is let."""

    may_go_on: anyio.Event = field(default_factory=anyio.Event)
    stopped: int = 0

    async def make_segment(self, *args: Any, **options: Any) -> SegmentFinished:
        try:
            await self.may_go_on.wait()
        except anyio.get_cancelled_exc_class():
            self.stopped += 1
            raise
        return await super().make_segment(*args, **options)


@asynccontextmanager
async def steered(*plans: JobPlan, lanes: int = 1) -> AsyncIterator[Steered]:
    facts: list[Fact] = []

    async def append(fact: Fact) -> None:
        facts.append(fact)

    async def planner(job: Job) -> JobPlan | str:
        return next(plan for plan in plans if plan.job.id == job.id)

    state, work = BatchState(), HeldBack()
    bus = Bus(state, append)
    await bus.emit(make.batch_started(*(plan.job for plan in plans), lanes=lanes))
    admission = Admission(state, bus, claims=Claims(), disk_space=DiskSpace(), ending=made_by_another)
    scheduler = Scheduler(state, bus, work, planner, admission=admission, retries=0)
    going_on = Steered(facts, state, scheduler, work)
    with anyio.fail_after(300):
        async with anyio.create_task_group() as group:
            group.start_soon(scheduler.run)
            await going_on.until(lambda: work_began(going_on))
            yield going_on
            work.may_go_on.set()
    assert fold(facts).jobs == state.jobs


def work_began(going_on: Steered) -> bool:
    return len(going_on.of(SegmentStarted)) == going_on.state.lanes


async def test_a_paused_batch_begins_nothing_until_it_goes_on() -> None:
    async with steered(*plans(2, segments=1)) as batch:
        batch.scheduler.command(Pause())
        await batch.until(lambda: batch.state.paused is not None)
        batch.work.may_go_on.set()
        await batch.until(lambda: bool(batch.of(SegmentFinished)))
        await anyio.sleep(0.05)
        assert len(batch.of(SegmentStarted)) == 1
        batch.scheduler.command(Continue())
    assert batch.state.count(Phase.DONE) == 2


async def test_another_lane_begins_at_once_and_one_that_goes_finishes_its_work() -> None:
    async with steered(*plans(3, segments=1)) as batch:
        batch.scheduler.command(ChangeLanes(by=1))
        await batch.until(lambda: len(batch.of(SegmentStarted)) == 2)
        batch.scheduler.command(ChangeLanes(by=-1))
        await batch.until(lambda: batch.state.lanes == 1)
        assert batch.work.stopped == 0
        batch.work.may_go_on.set()
        await batch.until(lambda: batch.state.complete)
    assert batch.work.most_busy == 2
    assert [fact.lane for fact in batch.of(SegmentStarted)] == [1, 2, 1]


async def test_a_lane_may_go_while_the_gate_is_asked_for_its_work() -> None:
    state, facts = BatchState(), list[Fact]()

    async def append(fact: Fact) -> None:
        facts.append(fact)

    several = plans(2, segments=1)
    bus, executor = Bus(state, append), Executor()
    await bus.emit(make.batch_started(*(plan.job for plan in several), lanes=2))

    async def planner(job: Job) -> JobPlan | str:
        return next(plan for plan in several if plan.job.id == job.id)

    class Narrowing(Admission):
        """Asked for the second piece of work, it takes so long that there is only one lane afterwards."""

        asked = 0

        async def admits(self, job_id: str) -> bool:
            self.asked += 1
            if self.asked == 2:
                await scheduler.use_lanes(1, "memory ran out")
            return await super().admits(job_id)

    admission = Narrowing(state, bus, claims=Claims(), disk_space=DiskSpace(), ending=made_by_another)
    scheduler = Scheduler(state, bus, executor, planner, admission=admission, retries=0)
    with anyio.fail_after(300):
        await scheduler.run()
    assert state.count(Phase.DONE) == 2
    assert executor.most_busy == 1


async def test_a_skipped_video_stops_and_the_next_one_begins() -> None:
    first, second = plans(2, segments=1)
    async with steered(first, second) as batch:
        batch.scheduler.command(Skip(job_id=first.job.id))
        await batch.until(lambda: len(batch.of(SegmentStarted)) == 2)
        assert batch.work.stopped == 1
        assert batch.state.jobs[first.job.id].phase is Phase.SKIPPED
    assert batch.state.jobs[second.job.id].phase is Phase.DONE


async def test_who_wishes_when_the_last_video_has_ended_is_heard() -> None:
    (plan,) = plans(1, segments=1)
    facts: list[Fact] = []

    async def append(fact: Fact) -> None:
        facts.append(fact)

    async def planner(job: Job) -> JobPlan | str:
        if not any(isinstance(fact, JobRetried) for fact in facts):
            raise InputError("the disk is away")
        return plan

    state = BatchState()
    bus = Bus(state, append)
    await bus.emit(make.batch_started(plan.job, lanes=1))
    admission = Admission(state, bus, claims=Claims(), disk_space=DiskSpace(), ending=made_by_another)
    scheduler = Scheduler(state, bus, Executor(), planner, admission=admission, retries=0)
    # The second is refused, as the video has not failed.
    commands: list[Steering] = [Retry(job_id=plan.job.id), Retry(job_id=plan.job.id), Pause()]

    async def last_call() -> None:
        assert state.complete
        if commands:
            scheduler.command(commands.pop(0))

    with anyio.fail_after(300):
        await scheduler.run(last_call)
    assert not commands
    assert state.count(Phase.DONE) == 1
    assert state.paused is not None


async def test_a_video_that_was_skipped_while_it_waited_is_never_begun() -> None:
    first, second = plans(2, segments=1)
    async with steered(first, second) as batch:
        batch.scheduler.command(Skip(job_id=second.job.id))
        await batch.until(lambda: batch.state.jobs[second.job.id].phase is Phase.SKIPPED)
    assert {fact.job_id for fact in batch.of(SegmentStarted)} == {first.job.id}


async def test_a_video_can_be_tried_again_when_its_work_has_been_stopped() -> None:
    first, second = plans(2, segments=1)
    async with steered(first, second) as batch:
        batch.scheduler.command(Skip(job_id=first.job.id))
        batch.scheduler.command(Retry(job_id=first.job.id))
        await batch.until(lambda: batch.state.jobs[first.job.id].phase is not Phase.SKIPPED)
        batch.work.may_go_on.set()
        await batch.until(lambda: batch.state.complete)
    assert batch.state.count(Phase.DONE) == 2
    assert batch.work.most_busy == 1


async def test_what_is_moved_up_is_begun_first() -> None:
    first, second, third = plans(3, segments=1)
    async with steered(first, second, third) as batch:
        batch.scheduler.command(Move(job_id=third.job.id, by=-1))
        await batch.until(lambda: bool(batch.of(JobMoved)))
    assert [fact.job_id for fact in batch.of(SegmentStarted)] == [first.job.id, third.job.id, second.job.id]
