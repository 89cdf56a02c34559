"""Which videos need work, and the plan of each that does."""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio.to_thread

from vhsbatch.model.events import JobPublished, SegmentDiscarded
from vhsbatch.model.job_state import Phase
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.model.state import BatchState
from vhsbatch.model.telemetry import LogLine
from vhsbatch.pipeline.destination import expect_name, expect_size, limit_below
from vhsbatch.pipeline.existing import damage_of_segment, proof_of_output
from vhsbatch.pipeline.prepare import Intent, prepare, probe_source
from vhsbatch.pipeline.workplace import Workplace
from vhsbatch.scheduling.bus import Bus
from vhsbatch.scheduling.room import result_bytes
from vhsbatch.wording import size

# Clean captures take a fraction of what a noisy one does: so many times less is the least that is likely.
_CERTAIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Makes plans, or finds that there is nothing to do.

    Attributes:
        intent: what the run wants.
        workplace: where finished segments are.
        state: the batch; proofs of an earlier run are in it when that is continued.
        bus: takes the news of segments that do not count any more, or that another run has made.
        history: reads what all runs have proven so far.
        published: what the journal says of outputs that are there, by job.
        skip_existing: whether proven outputs are left alone, whatever made them.
        resume: whether outputs of the same plan are left alone.
    """

    intent: Intent
    workplace: Workplace
    state: BatchState
    bus: Bus
    history: Callable[[], BatchState]
    published: Mapping[str, JobPublished]
    skip_existing: bool
    resume: bool

    async def plan(self, job: Job) -> JobPlan | str:
        """The plan of a job, or why it needs no work.

        Raises:
            InputError: the source cannot be restored.
            ToolError: what the plan needs is not there.
        """
        info, override = await probe_source(job.source, self.intent)
        published = self.published.get(job.id)
        if self.skip_existing:
            proof = await proof_of_output(job, published, info, ffmpeg=self.intent.ffmpeg)
            if proof is not None:
                return proof
        place = self.workplace.publishing
        await anyio.to_thread.run_sync(
            functools.partial(expect_name, job, place, record=self.workplace.records)
        )
        plan = await prepare(job, info, self.intent, override=override)
        await anyio.to_thread.run_sync(self._expect_size, plan)
        if self.resume and published is not None and published.fingerprint == plan.fingerprint:
            proof = await proof_of_output(job, published, info, ffmpeg=self.intent.ffmpeg)
            if proof is not None:
                return proof
        if self.state.jobs[job.id].phase is Phase.HELD:
            await self._take_over(plan)
        await self._discard_damaged(plan)
        return plan

    def _expect_size(self, plan: JobPlan) -> None:
        """Refuse what is certainly too large a file for OUT's disk, and warn where it may be."""
        roughly = result_bytes(plan)
        expect_size(roughly // _CERTAIN, self.workplace.publishing)
        if (limit := limit_below(roughly, self.workplace.publishing)) is not None:
            text = (
                f"the result may need up to {size(roughly)}, and the output folder's file system takes files "
                f"of up to {size(limit)}: choose a disk with exFAT, NTFS or ext4 to be sure"
            )
            self.bus.tell(LogLine(level="warning", text=text, job_id=plan.job.id))

    async def _take_over(self, plan: JobPlan) -> None:
        """What a run that died had finished of a video need not be made again."""
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
            damage = await damage_of_segment(plan, proof, self.workplace)
            if damage is not None:
                await self.bus.emit(
                    SegmentDiscarded(
                        at_s=time.time(), job_id=plan.job.id, segment=proof.segment, reason=damage
                    )
                )
