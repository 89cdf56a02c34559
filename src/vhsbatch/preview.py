"""`--dry-run`: every video is planned, and nothing is done."""

from collections.abc import Callable

import anyio

from vhsbatch.errors import VhsBatchError
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.pipeline.describe import describe_plans
from vhsbatch.pipeline.prepare import prepare, probe_source
from vhsbatch.request import BatchRequest
from vhsbatch.scheduling.room import Room
from vhsbatch.session import temporary_folder, toolbox_of


async def preview(request: BatchRequest, show: Callable[[str], None]) -> int:
    """Plan every video, say what would be done, and do nothing (`--dry-run`).

    Returns:
        The exit code: 1 if a video could not be planned.
    """
    toolbox = await toolbox_of(request)
    plans: dict[str, JobPlan | VhsBatchError] = {}
    limiter = anyio.CapacityLimiter(max(2, toolbox.lanes))

    async def plan(job: Job) -> None:
        async with limiter:
            try:
                plans[job.id] = await prepare(
                    job, await probe_source(job.source, toolbox.intent), toolbox.intent
                )
            except VhsBatchError as error:
                plans[job.id] = error

    async with anyio.create_task_group() as group:
        for job in request.jobs:
            group.start_soon(plan, job)
    room = Room((temporary_folder(request), request.folder), request.settings.min_free_mib * 2**20)
    forecast = room.forecast(plan for plan in plans.values() if isinstance(plan, JobPlan))
    for line in describe_plans(request.jobs, plans, toolbox.lanes, (*request.notes, *toolbox.notes)):
        show(line)
    if forecast is not None:
        show(f"Warning: {forecast}")
    return int(any(isinstance(plan, VhsBatchError) for plan in plans.values()))
