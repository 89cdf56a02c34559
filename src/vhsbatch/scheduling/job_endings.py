"""How work on a video ends before it is done: it fails, the video is left, or its plan does not hold.

Whatever happens to one video touches no other.
"""

import shlex
import time
import traceback
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import anyio

from vhsbatch.crash_report import defect_in_a_line
from vhsbatch.errors import StalePlanError, VhsBatchError
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import JobFailed, JobRetried
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.model.plan import Job
from vhsbatch.process.spawn import commands_kept
from vhsbatch.process.threads import in_thread
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.failures import detail_of


class JobEndings:
    """Knows all work that is under way, by video, and ends it."""

    def __init__(
        self,
        state: BatchState,
        bus: Bus,
        admission: Admission,
        *,
        stale_plans: int,
        wake: Callable[[], None],
        verbose: bool = False,
    ) -> None:
        """Create it.

        Args:
            state: the batch; only read.
            bus: takes the facts.
            admission: gets videos back.
            stale_plans: how often a video may be planned again.
            wake: called when something has ended.
            verbose: whether a failure tells of all commands, and of the places in this program.
        """
        self._state = state
        self._bus = bus
        self._admission = admission
        self._most_stale_plans = stale_plans
        self._wake = wake
        self._verbose = verbose
        self._scopes: dict[str, set[anyio.CancelScope]] = {}
        self._failing: set[str] = set()
        self._stale: deque[tuple[str, StalePlanError]] = deque()
        self._stale_plans: Counter[str] = Counter()

    def is_under_way(self, job_id: str) -> bool:
        """Whether anything is done for a video."""
        return bool(self._scopes.get(job_id))

    @asynccontextmanager
    async def of(self, job_id: str) -> AsyncIterator[None]:
        """Work on a video, which ends early when the video is left; a failure ends this video alone."""
        with self._until_left(job_id), commands_kept() as commands:
            try:
                yield
            except StalePlanError as error:
                await self._plan_again(job_id, error, commands)
            except Exception as error:
                await self._fail(job_id, error, commands)

    @contextmanager
    def _until_left(self, job_id: str) -> Iterator[None]:
        scopes = self._scopes.setdefault(job_id, set())
        with anyio.CancelScope() as scope:
            scopes.add(scope)
            try:
                yield
            finally:
                scopes.discard(scope)
                if not scopes:
                    del self._scopes[job_id]

    async def _plan_again(
        self, job_id: str, error: StalePlanError, commands: Iterable[Sequence[str]]
    ) -> None:
        self._stale_plans[job_id] += 1
        if self._stale_plans[job_id] > self._most_stale_plans:
            await self._fail(job_id, error, commands)
        else:
            self._stale.append((job_id, error))
            self._wake()

    async def _fail(self, job_id: str, error: Exception, commands: Iterable[Sequence[str]]) -> None:
        # Several lanes may fail at one video.
        if self._state.jobs[job_id].phase.ended or job_id in self._failing:
            return
        self._failing.add(job_id)
        try:
            if isinstance(error, VhsBatchError):
                reason, detail = str(error), detail_of(error)
            else:
                reason, detail = await in_thread(defect_in_a_line, error), ()
            if self._verbose:
                detail += tuple(f"command: {shlex.join(command)}" for command in commands)
            if self._verbose or not isinstance(error, VhsBatchError):
                detail += tuple("".join(traceback.format_exception(error)).splitlines())
            await self._bus.emit(JobFailed(at_s=time.time(), job_id=job_id, reason=reason, detail=detail))
        finally:
            self._failing.discard(job_id)
        await self.leave(job_id)
        self._wake()

    async def leave(self, job_id: str) -> None:
        """Stop all work on a video, and give it back."""
        for scope in self._scopes.get(job_id, ()):
            scope.cancel()
        # The caller may be part of that work.
        with anyio.CancelScope(shield=True):
            await self._admission.release(job_id, made=False)

    async def replace_stale_plans(self) -> list[Job]:
        """Plan again videos whose sources or segments have changed since they were planned.

        Returns:
            The videos to plan.
        """
        to_plan = []
        while self._stale:
            job_id, error = self._stale.popleft()
            if self._state.jobs[job_id].phase.ended:
                continue
            text = f"{error.cause}: it is planned again"
            self._bus.tell(LogLine(level="warning", text=text, job_id=job_id))
            await self._bus.emit(JobRetried(at_s=time.time(), job_id=job_id))
            await self.leave(job_id)
            to_plan.append(self._state.jobs[job_id].job)
        return to_plan
