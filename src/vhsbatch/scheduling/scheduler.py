"""The scheduler: keeps every lane busy until every video has ended.

It waits for facts, asks the policy what each free lane should do, and starts that. Whatever happens
to one video ends in a fact about that video and touches no other.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from vhsbatch.engines.fallback import fallbacks
from vhsbatch.errors import (
    MachineLostError,
    OutOfMemoryError,
    StalePlanError,
    VhsBatchError,
)
from vhsbatch.events.bus import Bus
from vhsbatch.events.commands import Steering
from vhsbatch.events.events import (
    AssemblyStarted,
    Fact,
    JobPlanned,
    JobRetried,
    JobSkipped,
    LanesChanged,
    SegmentStarted,
)
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.model.plan import JobPlan
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.command_effects import grant
from vhsbatch.scheduling.executor import Executor
from vhsbatch.scheduling.failures import is_by_model, segment_failed
from vhsbatch.scheduling.job_endings import JobEndings
from vhsbatch.scheduling.planners import Planner, Planners
from vhsbatch.scheduling.policy import Assemble, MakeSegment, Work, next_work

MEMORY_RAN_OUT = "the system ran out of memory"


class Scheduler:
    """Runs one batch.

    `CapacityLimiter` holds a token for each lane; moving its `total_tokens` changes the number of
    lanes without touching work that is under way.
    """

    def __init__(
        self,
        state: BatchState,
        bus: Bus,
        executor: Executor,
        planner: Planner,
        *,
        admission: Admission,
        retries: int,
        verbose: bool = False,
    ) -> None:
        """Create a scheduler.

        Args:
            state: the batch; its jobs and its number of lanes are read.
            bus: takes the facts.
            executor: does the work.
            planner: makes plans; it raises `VhsBatchError` for a video that cannot be restored.
            admission: says whether work may begin.
            retries: how often a segment is tried again after a failure that may be transient.
            verbose: whether the failure of a video tells of all commands, and of the places in this program.
        """
        self._state = state
        self._bus = bus
        self._executor = executor
        self._planner = planner
        self._admission = admission
        self._retries = retries
        self._limiter = anyio.CapacityLimiter(state.lanes)
        self._last_job: dict[int, str] = {}
        self._began_among: dict[int, int] = {}
        self._changed = anyio.Event()
        self._job_endings = JobEndings(
            state, bus, admission, stale_plans=retries, wake=self._wake, verbose=verbose
        )
        self._stop_scope = anyio.CancelScope()
        self._draining = False
        self._commands: deque[Steering] = deque()
        self._planners = Planners(
            *(state, bus, planner),
            admission=admission,
            job_endings=self._job_endings,
            change=self._change,
            wake=self._wake,
        )

    async def run(self, last_call: Callable[[], Awaitable[None]] = checkpoint) -> None:
        """Return when every video has ended, or after `stop` when every lane has.

        Args:
            last_call: passes on the last commands when every video has ended.
        """
        with self._stop_scope:
            async with anyio.create_task_group() as lanes:
                self._planners.add(job.job for job in self._state.open.values())
                for _ in range(max(2, self._state.lanes)):
                    lanes.start_soon(self._planners.run)
                lanes.start_soon(self._admission.watch, self._planners.plan, self._wake)
                while True:
                    self._changed = anyio.Event()
                    await self._grant_commands()
                    if await self._is_over(last_call):
                        break
                    # Where work is given out, so that none of it rests on a plan that is gone.
                    self._planners.add(await self._job_endings.replace_stale_plans())
                    if await self._admission.is_open():
                        self._planners.has_disk_space()
                        await self._fill_lanes(lanes)
                    await self._change()
                lanes.cancel_scope.cancel()

    async def _is_over(self, last_call: Callable[[], Awaitable[None]]) -> bool:
        if self._state.complete:
            await last_call()
            return not self._commands
        return self._draining and not self._busy_lanes()

    def drain(self) -> None:
        """Start no new work, and finish what is under way."""
        self._draining = True
        self._wake()

    async def use_lanes(self, lanes: int, reason: str) -> None:
        """Change the number of lanes; lanes that go finish their work first."""
        self._limiter.total_tokens = lanes
        await self._bus.emit(LanesChanged(at_s=time.time(), lanes=lanes, reason=reason))
        self._wake()

    def stop(self) -> None:
        """Start no new work and stop what is under way; finished segments are kept."""
        self._stop_scope.cancel()

    # --- commands -------------------------------------------------------------------------------

    def command(self, command: Steering) -> None:
        """Grant a command, or refuse it in words, before anything else starts."""
        self._commands.append(command)
        self._wake()

    async def _grant_commands(self) -> None:
        while self._commands:
            granted = grant(self._commands.popleft(), self._state, time.time())
            if isinstance(granted, str):
                self._bus.tell(LogLine(level="warning", text=granted))
                continue
            await self._bus.emit(granted)
            await self._follow(granted)

    async def _follow(self, fact: Fact) -> None:
        """Do what a granted command requires apart from changing the state."""
        match fact:
            case LanesChanged():
                self._limiter.total_tokens = fact.lanes
            case JobSkipped():
                await self._job_endings.leave(fact.job_id)
            case JobRetried():
                self._planners.add((self._state.jobs[fact.job_id].job,))
            case _:
                pass

    # --- lanes -----------------------------------------------------------------------------------

    async def _fill_lanes(self, lanes: TaskGroup) -> None:
        for lane in range(1, int(self._limiter.total_tokens) + 1):
            if self._draining or self._limiter.available_tokens < 1:
                return
            if lane in self._busy_lanes():
                continue
            work = next_work(self._state, last_job=self._last_job.get(lane))
            if work is None:
                continue
            if not await self._admission.admits(work.job_id):
                self._wake()
                continue
            if self._admission.one_at_a_time and self._busy_lanes():
                return
            # While the gate was asked there may have become fewer lanes, or other work.
            if self._limiter.available_tokens < 1 or work != next_work(
                self._state, last_job=self._last_job.get(lane)
            ):
                self._wake()
                return
            self._limiter.acquire_on_behalf_of_nowait(lane)
            self._last_job[lane] = work.job_id
            self._began_among[lane] = int(self._limiter.total_tokens)
            # The claim is in the state before the policy is asked again.
            await self._bus.emit(self._started(work, lane))
            lanes.start_soon(self._occupy, lane, work)

    def _busy_lanes(self) -> set[object]:
        return set(self._limiter.statistics().borrowers)

    def _started(self, work: Work, lane: int) -> SegmentStarted | AssemblyStarted:
        match work:
            case MakeSegment():
                return SegmentStarted(
                    at_s=time.time(),
                    job_id=work.job_id,
                    segment=work.segment.index,
                    attempt=work.attempt,
                    lane=lane,
                )
            case Assemble():
                return AssemblyStarted(at_s=time.time(), job_id=work.job_id, lane=lane)

    async def _occupy(self, lane: int, work: Work) -> None:
        """A lane's life for one piece of work; the token goes back whatever happens."""
        try:
            async with self._job_endings.of(work.job_id):
                await self._do(lane, work)
        finally:
            self._limiter.release_on_behalf_of(lane)
            self._wake()

    async def _do(self, lane: int, work: Work) -> None:
        plan = self._state.jobs[work.job_id].plan
        if plan is None:
            raise RuntimeError(f"{work.job_id} was given out without a plan")
        match work:
            case Assemble():
                await self._assemble(lane, plan)
            case MakeSegment():
                await self._make_segment(lane, work, plan)

    async def _assemble(self, lane: int, plan: JobPlan) -> None:
        job_id = plan.job.id
        if not await self._admission.still_admits(job_id):
            return
        finished = self._state.jobs[job_id].finished
        segments = tuple(finished[segment.index] for segment in plan.segments)
        try:
            published = await self._executor.assemble(plan, segments, lane=lane, tell=self._bus.tell)
        except VhsBatchError as error:
            if not await self._is_scarcity(error, plan, lane):
                raise
            if self._state.jobs[job_id].phase is not Phase.HELD:
                await self._bus.emit(JobPlanned(at_s=time.time(), job_id=job_id, plan=plan))
        else:
            await self._bus.emit(published)
            await self._admission.release(job_id, made=True)

    async def _make_segment(self, lane: int, work: MakeSegment, plan: JobPlan) -> None:
        try:
            finished = await self._executor.make_segment(
                plan,
                work.segment,
                lane=lane,
                attempt=work.attempt,
                fallback=work.fallback,
                tell=self._bus.tell,
            )
        except StalePlanError:
            raise
        except VhsBatchError as error:
            counts = not await self._is_scarcity(error, plan, lane)
            final = counts and not (error.transient and self._may_try_again(work, plan, error))
            await self._bus.emit(segment_failed(work, lane, error, final=final, counts_as_attempt=counts))
            if final:
                raise
        else:
            await self._bus.emit(finished)

    async def _is_scarcity(self, error: VhsBatchError, plan: JobPlan, lane: int) -> bool:
        """Whether a machine or a folder was lost, or had too little, which is no failure of a video.

        On a full disk everything waits for space; when memory ran out, the batch continues with a lane
        less. A lane that was alone cannot be helped by others taking less.
        """
        # As it was when the work failed: while disks and folders are looked at, others end too.
        others_busy = self._busy_lanes() != {lane}
        if isinstance(error, MachineLostError):
            return True
        if await self._admission.ran_short(plan.job.id, error):
            return True
        if await self._admission.hold_if_away(plan.job, error) or await self._admission.is_cut_off():
            return True
        if isinstance(error, OutOfMemoryError):
            among = self._began_among[lane]
            await self._use_fewer_lanes(among)
            return others_busy or among > self._limiter.total_tokens
        if not await self._admission.was_full(error, plan):
            return False
        await self._admission.ran_full(others_busy=others_busy)
        return True

    async def _use_fewer_lanes(self, among: int) -> None:
        """Have a lane less than the `among` that there were; one shortage may end the work of several."""
        if 1 <= among - 1 < self._limiter.total_tokens:
            await self.use_lanes(among - 1, MEMORY_RAN_OUT)

    def _may_try_again(self, work: MakeSegment, plan: JobPlan, error: VhsBatchError) -> bool:
        """Whether attempts are left, or ways in which the model has not been tried yet."""
        ways_left = plan.upscaling is not None and work.fallback + 1 < len(fallbacks(plan.upscaling))
        return work.attempt <= self._retries or (is_by_model(error) and ways_left)

    async def _change(self) -> None:
        await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
