"""Who does the work of a batch: this machine, or a cluster."""

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from vhsbatch.config.settings import Settings
from vhsbatch.events.bus import Bus
from vhsbatch.events.events import GpuRetired
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.environment import Environment
from vhsbatch.scheduling.executor import Executor
from vhsbatch.scheduling.gpus import Gpus
from vhsbatch.scheduling.local import LocalExecutor
from vhsbatch.scheduling.scheduler import Scheduler
from vhsbatch.scheduling.sizing import LaneRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Who does the work.

    Attributes:
        executor: has it done.
        parallel: how much of it at a time.
        watch: keeps the scheduler's number of lanes right while machines come and go.
    """

    executor: Executor
    parallel: LaneRange
    watch: Callable[[Scheduler], Coroutine[Any, Any, None]]

    @asynccontextmanager
    async def watched(self, scheduler: Scheduler) -> AsyncIterator[None]:
        """Machines may come and go for as long as what is within runs."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.watch, scheduler)
            yield
            group.cancel_scope.cancel()


@asynccontextmanager
async def backend(
    settings: Settings, environment: Environment, workspace: Workspace, bus: Bus, run_id: str
) -> AsyncIterator[Backend]:
    """This machine, or the machines of a cluster.

    Raises:
        UsageError: the cluster's address is none, or is not safe.
        ToolError: the cluster does not answer.
    """
    if settings.cluster is None:

        async def retired(device: str, reason: str) -> None:
            await bus.emit(GpuRetired(at_s=time.time(), device=device, reason=reason))

        gpus = Gpus(environment.gpus, slots=environment.slots_per_gpu, retired=retired)
        executor = LocalExecutor(workspace, state=bus.state, threads=environment.threads, gpus=gpus)
        yield Backend(executor=executor, parallel=environment.parallel, watch=_watch_nobody)
        return
    from vhsbatch.cluster.start import open_cluster

    async with open_cluster(settings, environment, workspace, run_id, bus.tell) as cluster:

        async def watch(scheduler: Scheduler) -> None:
            await cluster.follow(bus.state, scheduler.use_lanes, bus.tell)

        # Their number follows the machines, and not the load of this one.
        parallel = LaneRange(begin=cluster.lanes, least=cluster.lanes, most=cluster.lanes)
        yield Backend(executor=cluster, parallel=parallel, watch=watch)


async def _watch_nobody(_scheduler: Scheduler) -> None:
    """This machine neither comes nor goes."""
