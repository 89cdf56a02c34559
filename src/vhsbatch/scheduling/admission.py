"""Whether work may start: disk space, and videos that other runs restore."""

import functools
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from vhsbatch.errors import ChainError, InputError, VhsBatchError, is_disk_full
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import (
    PAUSED_BY_USER,
    BatchContinued,
    BatchPaused,
    JobFailed,
    JobHeld,
    JobSkipped,
)
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.process.process_limits import refusals, refused_since
from vhsbatch.process.threads import in_thread
from vhsbatch.scheduling.claims import Claims, Completed, Free, Held
from vhsbatch.scheduling.shortages import Sources, shortage, was_away

_WATCH_S = 5.0
# A shortage that returns this soon is lasting: wait longer each time.
_LASTING_S, _LONGEST_S = 30.0, 60.0
# How often a source may be away for a moment.
_MOST_MOMENTS = 20
# How often child processes may report a shortage for one video.
_MOST_SHORTAGES = 30
# A source that cannot be read for lack of threads is rare: mostly the source is to blame.
_MOST_OF_A_SOURCE = 3


class HasDiskSpace(Protocol):
    """Watches the disks."""

    def lack(self) -> str | None:
        """Why there is no space for new work; None if there is."""
        ...

    def away(self) -> str | None:
        """The output folder that is away; None if all are there."""
        ...

    def is_ample(self, plan: JobPlan) -> bool:
        """Whether so much space is free that a full disk cannot be why a video found none."""
        ...

    def want_more(self) -> None:
        """Require more space than is free now."""
        ...


class Admission:
    """Links the policy, which knows only this batch, to the rest of the world.

    Attributes:
        one_at_a_time: whether a second lane would fill a disk.
    """

    def __init__(
        self,
        state: BatchState,
        bus: Bus,
        *,
        claims: Claims,
        disk_space: HasDiskSpace,
        sources: Sources | None = None,
        ending: Callable[[Job, str], Awaitable[JobSkipped | JobFailed]],
    ) -> None:
        """Create it.

        Args:
            state: the batch; only read.
            bus: takes the facts.
            claims: says which videos this run may restore.
            disk_space: watches the disks.
            sources: knows the folders that the sources are in.
            ending: the outcome for a video whose name another run has published: it may be the result
                of another source.
        """
        self._ending = ending
        self._state = state
        self._bus = bus
        self._claims = claims
        self._disk_space = disk_space
        self._sources = sources or Sources()
        self._claimed: set[str] = set()
        self._away: set[str] = set()
        self._was_away: Counter[str] = Counter()
        self._was_short: Counter[str] = Counter()
        self._short: str | None = None
        self._why_short: str | None = None
        self._refused = refusals()
        self._short_until_s = self._patience_s = 0.0
        self.one_at_a_time = False

    async def was_full(self, error: VhsBatchError, plan: JobPlan) -> bool:
        """Whether work failed because a disk was full, and may succeed when space is free."""
        return error.disk_was_full and not await in_thread(self._disk_space.is_ample, plan)

    async def ran_full(self, *, others_busy: bool) -> None:
        """Work found a disk full: the next piece waits for more space."""
        if others_busy:
            # Together they needed too much; alone each may fit.
            self.one_at_a_time = True
        else:
            await in_thread(self._disk_space.want_more)

    async def ran_short(self, job_id: str, error: Exception) -> bool:
        """Whether work failed for want of a process or a descriptor; then nothing is begun for a while."""
        why = shortage(error)
        certain = why is not None and not isinstance(error, ChainError)
        if why is None and time.monotonic() < self._short_until_s:
            why = self._why_short  # it began before nothing was begun any more
        if why is None:
            # Programs that read or check a file say many things where they get no thread.
            why = await in_thread(refused_since, self._refused)
        if why is None:
            return False
        if not certain:
            self._was_short[job_id] += 1
            most = _MOST_OF_A_SOURCE if isinstance(error, InputError) else _MOST_SHORTAGES
            if self._was_short[job_id] > most:
                return False
        self._refused = await in_thread(refusals)
        self._run_short(why)
        return True

    def _run_short(self, why: str) -> None:
        now_s = time.monotonic()
        if now_s < self._short_until_s:
            return  # one shortage ends the work of several lanes
        lasts = now_s < self._short_until_s + _LASTING_S
        self._patience_s = min(_LONGEST_S, 2 * self._patience_s) if lasts else _WATCH_S
        self._why_short = why
        self._short_until_s = now_s + self._patience_s
        self._short = (
            f"the system cannot start more processes, or open more files ({why}): "
            "the batch continues when it can"
        )

    async def is_cut_off(self) -> bool:
        """Whether a folder that the batch writes to is away."""
        return await in_thread(self._disk_space.away) is not None

    async def hold_if_away(self, job: Job, error: Exception) -> bool:
        """Hold a video whose source is away; return whether it was held."""
        why = await in_thread(self._sources.away, job.files[0])
        if why is None:
            if not was_away(error, job.files[0]) or not await in_thread(os.path.exists, job.files[0]):
                return False
            # It is back already. If this repeats, the cause is another one.
            self._was_away[job.id] += 1
            if self._was_away[job.id] > _MOST_MOMENTS:
                return False
            why = "its folder was away for a moment"
        self._away.add(job.id)
        if self._state.jobs[job.id].phase is not Phase.HELD:
            reason = f"{why}; it continues when that is back"
            await self._bus.emit(JobHeld(at_s=time.time(), job_id=job.id, by="", reason=reason))
        return True

    async def is_open(self) -> bool:
        """Whether new work may start; emits a fact when that changes."""
        if self._state.paused == PAUSED_BY_USER:
            return False
        lack = self._short if time.monotonic() < self._short_until_s else None
        lack = lack or await in_thread(self._disk_space.lack)
        if lack is not None and self._state.paused is None:
            await self._bus.emit(BatchPaused(at_s=time.time(), reason=lack))
        elif lack is None and self._state.paused is not None:
            self.one_at_a_time = False
            await self._bus.emit(BatchContinued(at_s=time.time()))
        return lack is None

    async def admits(self, job_id: str) -> bool:
        """Take a video before its first segment; False if another run has it."""
        if job_id in self._claimed:
            return True
        try:
            standing = await in_thread(self._claims.take, job_id)
        except OSError as error:
            if is_disk_full(error):
                await in_thread(self._disk_space.want_more)
            elif (why := shortage(error)) is not None:
                self._run_short(why)
            elif not await self.is_cut_off():
                raise
            return False
        match standing:
            case Free():
                self._claimed.add(job_id)
                return True
            case Held(by):
                await self._hold(job_id, by)
            case Completed(by):
                await self._end_made(job_id, by)
        return False

    async def still_admits(self, job_id: str) -> bool:
        """Whether a video is still this run's, before its result is published."""
        if await in_thread(self._claims.owns, job_id):
            return True
        self._claimed.discard(job_id)
        away = await in_thread(self._disk_space.away)
        await self._hold(job_id, "a run that assumed this one had died", reason=away)
        return False

    async def release(self, job_id: str, *, made: bool) -> None:
        """Give a video back; `made` says that its result has been published."""
        self._claimed.discard(job_id)
        # The segments of published videos are removed, which frees space.
        self.one_at_a_time = self.one_at_a_time and not made
        await in_thread(functools.partial(self._claims.release, job_id, made=made))

    async def watch(self, plan: Callable[[Job], Awaitable[None]], wake: Callable[[], None]) -> None:
        """Check from time to time for free space, and for videos of other runs.

        Args:
            plan: plans a video that its run has left unfinished.
            wake: called when something may have changed.
        """
        while True:
            await anyio.sleep(_WATCH_S)
            for job in [job.job for job in self._state.open.values() if job.phase is Phase.HELD]:
                if job.id in self._away:
                    if await in_thread(self._sources.away, job.files[0]) is None:
                        self._away.discard(job.id)
                        await plan(job)
                    continue
                match await in_thread(self._claims.look, job.id):
                    case Free():
                        await plan(job)
                    case Completed(by):
                        await self._end_made(job.id, by)
                    case Held():
                        pass
            wake()

    async def _hold(self, job_id: str, by: str, *, reason: str | None = None) -> None:
        held = JobHeld(at_s=time.time(), job_id=job_id, by="" if reason else by, reason=reason)
        await self._bus.emit(held)

    async def _end_made(self, job_id: str, by: str) -> None:
        await self._bus.emit(await self._ending(self._state.jobs[job_id].job, by))
