"""Which videos need work, and the plan of each that does."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio.to_thread

from vhsbatch.errors import InputError
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import JobFailed, JobSkipped, SegmentDiscarded
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import size
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.model.trim import NO_TRIM, Trim
from vhsbatch.process.stalls import no_stall
from vhsbatch.restore.destination import expect_name, expect_size, limit_below
from vhsbatch.restore.ownership import ANY_FILE, InTheWay, Nothing, Own, Result, Rules, Standing
from vhsbatch.restore.per_video import Override
from vhsbatch.restore.prepare import Intent, prepare, probe_source, wanted_trim
from vhsbatch.restore.reuse import damage_of_segment
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.disk_space import result_bytes

# Clean captures take a fraction of what a noisy one does: this is the largest likely difference.
_CERTAIN = 6

# Why a video needs no work whose result the same command has made before.
KEPT = "already made with these settings"
AGAIN = "--overwrite makes them again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """Makes plans, or finds that there is nothing to do.

    Attributes:
        intent: what the run wants.
        rules: what is not touched, and what may be replaced.
        standing: what is where the result of a job is to go.
    """

    intent: Intent
    rules: Rules
    standing: Callable[[Job], Standing]

    async def plan(self, job: Job) -> tuple[JobPlan | str, str]:
        """The plan of a job, or why it needs no work; and what the user should know, empty if nothing.

        Raises:
            InputError: the source cannot be restored, or another file has the result's name.
            ToolError: what the plan needs is not there.
        """
        there = await anyio.to_thread.run_sync(self.standing, job)
        if isinstance(there, InTheWay):
            if there.absolute or not self.rules.overwrite:
                raise InputError(there.reason)
            there = Nothing()
        own = there.result if isinstance(there, Own) else None
        if own is not None and self.rules.skip_existing and own.trim == await self._wanted_trim(job):
            return f"already restored, as {own.proof} proves", ""
        info, override = await probe_source(job.source, self.intent, parts=job.parts)
        plan = await prepare(job, info, self.intent, override=override)
        note = ""
        if own is not None:
            self._expect_same_excerpt(own, info, job)
        # A resumed run keeps what it has made.
        if own is not None and (self.rules.resume or not self.rules.overwrite):
            if await self._made_by(plan, info, override, own):
                return (f"already restored, as {own.proof} proves" if self.rules.resume else KEPT), ""
            if own.trim == info.trim:
                note = (
                    "restored before with different settings or tools: restored again "
                    "(--skip-existing keeps it)"
                )
            else:
                note = f"restored before {own.trim.in_words}: restored again {info.trim.in_words}"
        if self.rules.overwrite:
            return replace(plan, replaces=ANY_FILE), note
        if own is not None:
            return replace(plan, replaces=own.sha256), note
        if isinstance(there, Nothing):
            return replace(plan, replaces=there.replaces), there.note
        return plan, note

    async def _wanted_trim(self, job: Job) -> Trim:
        return await anyio.to_thread.run_sync(wanted_trim, job.source, self.intent)

    def _expect_same_excerpt(self, own: Result, info: MediaInfo, job: Job) -> None:
        """See that one excerpt of a tape does not take the place of another in silence.

        Raises:
            InputError: the user names an excerpt, and the result that is there is another one.
        """
        named = self.intent.source_overrides.trim
        if named != NO_TRIM and own.trim != info.trim and not self.rules.overwrite:
            raise InputError(
                f"{job.output} is the same video {own.trim.in_words}",
                fix="name another file with --output, or add --overwrite to replace it",
            )

    async def _made_by(self, plan: JobPlan, info: MediaInfo, override: Override, result: Result) -> bool:
        """Whether a result is what the plan would make."""
        if result.source is None or not result.fingerprint:
            return False
        if result.fingerprint == plan.fingerprint:
            return True
        if result.source.modified_ns == info.modified_ns:
            return False
        # The same content was touched or moved: only its time is another.
        then = replace(info, modified_ns=result.source.modified_ns)
        before = await prepare(plan.job, then, self.intent, override=override)
        return result.fingerprint == before.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Makes the plans of a run.

    Attributes:
        choosing: decides.
        workspace: where finished segments are.
        state: the batch; proofs of an earlier run are in it when that is continued.
        bus: receives facts about segments that no longer count, or that another run has made.
        history: reads what all runs have proven so far.
        refresh: rereads what is proven about outputs.
    """

    choosing: Choosing
    workspace: Workspace
    state: BatchState
    bus: Bus
    history: Callable[[], BatchState]
    refresh: Callable[[], None]

    async def plan(self, job: Job) -> JobPlan | str:
        """The plan of a job, or why it needs no work.

        Raises:
            InputError: the source cannot be restored, or another file has the result's name.
            ToolError: what the plan needs is not there.
        """
        if self.state.jobs[job.id].phase is Phase.HELD:
            await anyio.to_thread.run_sync(self.refresh)
        place, records = self.workspace.publishing, self.workspace.records
        await anyio.to_thread.run_sync(functools.partial(expect_name, job, place, record=records))
        async with no_stall("measuring", self.workspace.stall_timeout_s):
            plan, note = await self.choosing.plan(job)
        if isinstance(plan, str):
            return plan
        await anyio.to_thread.run_sync(self._expect_size, plan)
        if note:
            self.bus.tell(LogLine(level="info", text=note, job_id=job.id))
        if self.state.jobs[job.id].phase is Phase.HELD:
            await self._take_over(plan)
        await self._discard_damaged(plan)
        return plan

    def _expect_size(self, plan: JobPlan) -> None:
        """Refuse results that are certainly too large for OUT's file system; warn about possible ones."""
        roughly = result_bytes(plan)
        expect_size(roughly // _CERTAIN, self.workspace.publishing)
        if (limit := limit_below(roughly, self.workspace.publishing)) is not None:
            text = (
                f"the result may need up to {size(roughly)}, and the output folder's file system allows "
                f"files of up to {size(limit)}: choose a disk with exFAT, NTFS or ext4 to be sure"
            )
            self.bus.tell(LogLine(level="warning", text=text, job_id=plan.job.id))

    async def made_by_another(self, job: Job, by: str) -> JobSkipped | JobFailed:
        """The outcome for a video whose result another run has published meanwhile.

        Args:
            job: the video.
            by: that run, in words.
        """
        await anyio.to_thread.run_sync(self.refresh)
        try:
            there = await anyio.to_thread.run_sync(self.choosing.standing, job)
        except InputError as error:
            return JobFailed(at_s=time.time(), job_id=job.id, reason=str(error))
        match there:
            case Own():
                return JobSkipped(at_s=time.time(), job_id=job.id, reason=f"restored by {by} in the meantime")
            case InTheWay(reason):
                return JobFailed(at_s=time.time(), job_id=job.id, reason=reason)
            case Nothing():
                reason = f"{by} restored a different source under this name (run the batch again)"
                return JobFailed(at_s=time.time(), job_id=job.id, reason=reason)

    async def _take_over(self, plan: JobPlan) -> None:
        """Take over the segments that a dead run had finished."""
        history = await anyio.to_thread.run_sync(self.history)
        before = history.known.get(plan.job.id)
        for proof in list(before.finished.values()) if before is not None else []:
            known = self.state.jobs[plan.job.id].finished
            if proof.fingerprint == plan.fingerprint and proof.segment not in known:
                await self.bus.emit(proof)

    async def _discard_damaged(self, plan: JobPlan) -> None:
        """Finished segments count only if their files are what the journal says."""
        for proof in list(self.state.jobs[plan.job.id].finished.values()):
            if proof.fingerprint != plan.fingerprint:
                continue
            damage = await damage_of_segment(plan, proof, self.workspace)
            if damage is not None:
                await self.bus.emit(
                    SegmentDiscarded(
                        at_s=time.time(), job_id=plan.job.id, segment=proof.segment, reason=damage
                    )
                )
