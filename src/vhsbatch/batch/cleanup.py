"""What is done for the disks beside a batch's work."""

import contextlib
import functools
import shutil

import anyio
import anyio.to_thread

from vhsbatch.events.bus import Bus, Mailbox
from vhsbatch.events.events import JobPublished
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.restore.proofs import drop_proof
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.disk_space import DiskSpace


async def warn_of_disk_space(mailbox: Mailbox, state: BatchState, disk_space: DiskSpace, bus: Bus) -> None:
    """Say once, when everything is planned, whether the results will fit."""
    told = False
    async for _ in mailbox:
        if told or state.count(Phase.WAITING):
            continue
        told = True
        plans = [job.plan for job in state.jobs.values() if job.plan is not None and not job.phase.ended]
        warning = await anyio.to_thread.run_sync(disk_space.forecast, plans)
        if warning is not None:
            bus.tell(LogLine(level="warning", text=warning))


async def clean_up(mailbox: Mailbox, state: BatchState, workspace: Workspace, *, segments: bool) -> None:
    """Remove what nobody needs any more of every video that has been published.

    Args:
        mailbox: the batch's facts.
        state: the batch.
        workspace: where it is made.
        segments: whether segments go too.
    """
    state_folder = workspace.publishing.parent
    async for event in mailbox:
        if isinstance(event, JobPublished) and (plan := state.jobs[event.job_id].plan) is not None:
            await anyio.to_thread.run_sync(drop_proof, state_folder, event.job_id)
            if segments:
                folder = workspace.job_folder(plan).parent
                await anyio.to_thread.run_sync(functools.partial(shutil.rmtree, folder, ignore_errors=True))
    # It goes last: until then one of the videos may be about to write to it.
    with contextlib.suppress(OSError):
        await anyio.Path(workspace.publishing).rmdir()
