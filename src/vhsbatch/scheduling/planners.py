"""The videos that have to be planned, and the tasks that plan them in order."""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from vhsbatch.errors import OutputFolderError, StalePlanError
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import JobPlanned, JobSkipped
from vhsbatch.events.state import BatchState
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.job_endings import JobEndings

# Gives the plan of a job, or the reason why the job needs no work.
Planner = Callable[[Job], Awaitable[JobPlan | str]]


class Planners:
    """Sees to it that every video has a plan, or a reason why it needs none."""

    def __init__(
        self,
        state: BatchState,
        bus: Bus,
        planner: Planner,
        *,
        admission: Admission,
        job_endings: JobEndings,
        change: Callable[[], Awaitable[object]],
        wake: Callable[[], None],
    ) -> None:
        """Create them.

        Args:
            state: the batch; only read.
            bus: takes the facts.
            planner: makes plans; it raises `VhsBatchError` for a video that cannot be restored.
            admission: is told about plans for which there was no space.
            job_endings: ends the video whose plan fails.
            change: waits until something has changed.
            wake: called when something has.
        """
        self._state = state
        self._bus = bus
        self._planner = planner
        self._admission = admission
        self._job_endings = job_endings
        self._change = change
        self._wake = wake
        self._queue: deque[Job] = deque()
        self._without_space: list[Job] = []

    def add(self, jobs: Iterable[Job]) -> None:
        """Have videos planned, after all others."""
        self._queue.extend(jobs)

    def has_disk_space(self) -> None:
        """Plan again the videos whose plans the journal had no space for."""
        self.add(self._without_space)
        self._without_space.clear()

    async def run(self) -> None:
        """Plan videos as they come, beside others that do."""
        while True:
            while self._queue:
                job = self._queue.popleft()
                # All that is under way for it comes to its end first.
                while self._job_endings.is_under_way(job.id):
                    await self._change()
                await self.plan(job)
            await self._change()

    async def plan(self, job: Job) -> None:
        """Plan one video; what goes wrong ends that video alone."""
        if self._state.jobs[job.id].phase.ended:
            return  # it was skipped before its turn
        async with self._job_endings.of(job.id):
            try:
                await self._plan_now(job)
            except StalePlanError:
                raise
            except Exception as error:
                if isinstance(error, OutputFolderError) and error.disk_was_full:
                    await self._admission.ran_full(others_busy=False)
                    self._without_space.append(job)
                elif await self._admission.ran_short(job.id, error) or await self._admission.is_cut_off():
                    self._without_space.append(job)
                elif not await self._admission.hold_if_away(job, error):
                    raise
        self._wake()

    async def _plan_now(self, job: Job) -> None:
        match await self._planner(job):
            case JobPlan() as plan:
                await self._bus.emit(JobPlanned(at_s=time.time(), job_id=job.id, plan=plan))
            case reason:
                await self._bus.emit(JobSkipped(at_s=time.time(), job_id=job.id, reason=reason))
