"""From `--cluster` to an executor that works."""

import math
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from vhsbatch import __version__
from vhsbatch.cluster.address import Address, parse_cluster, refuse_open_network
from vhsbatch.cluster.head import ClusterExecutor
from vhsbatch.cluster.program import scheduler_at
from vhsbatch.cluster.protocol import Offer, parse_map
from vhsbatch.cluster.tools import tools
from vhsbatch.config.settings import ENV_PREFIX, Settings
from vhsbatch.events.telemetry import LogLine, Telemetry
from vhsbatch.process.spawn import Tail, read_lines, spawn
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.environment import Environment
from vhsbatch.scheduling.sizing import LaneNeed

_AGAIN_S = 1.0

Tell = Callable[[Telemetry], None]


@asynccontextmanager
async def open_cluster(
    settings: Settings, environment: Environment, workspace: Workspace, run_id: str, tell: Tell
) -> AsyncIterator[ClusterExecutor]:
    """An executor for the cluster that the settings name, with the machines that run or are being started.

    Args:
        settings: how this machine runs, and where the cluster is.
        environment: the tools with which plans are made.
        workspace: where segments go.
        run_id: the run.
        tell: takes notes on machines.

    Raises:
        UsageError: the address is none, or is not safe.
        ToolError: no scheduler answers.
    """
    parse_map(settings.map_path)
    where = parse_cluster(settings.cluster or "")
    offer = offer_of(settings, environment, workspace.temporary, run_id)
    if isinstance(where, Address):
        refuse_open_network(where, settings)
        executor = ClusterExecutor(where, settings, offer, workspace, assemblies=environment.lanes)
        async with executor.connected():
            await executor.look(tell)
            if not executor.lanes:
                tell(LogLine(level="info", text=f"no machine helps yet: vhs-upscale worker {where}"))
            yield executor
        return
    protocol = "tcp" if settings.tls_ca is None else "tls"
    async with (
        scheduler_at(Address(protocol, "127.0.0.1", 0), settings) as address,
        _workers(where, address, settings, environment, tell),
        ClusterExecutor(
            address, settings, offer, workspace, assemblies=environment.lanes, starting=where
        ).connected() as executor,
    ):
        # While they start, sources are probed and planned.
        yield executor


def offer_of(settings: Settings, environment: Environment, folder: Path, run_id: str) -> Offer:
    """What a run asks of machines.

    Args:
        settings: how this machine runs.
        environment: the tools with which plans are made.
        folder: the folder for segments.
        run_id: the run.
    """
    intent = environment.intent
    need = environment.need or LaneNeed()
    return Offer(
        run_id=run_id,
        version=__version__,
        tools=tools(
            ffmpeg_version=intent.ffmpeg.version,
            runtime=intent.runtime,
            device=intent.device,
            qtgmc=intent.qtgmc,
        ),
        engine=intent.engine,
        runtime=intent.runtime,
        on_cpu=intent.device == "cpu",
        encoder=intent.encoder,
        lane_bytes=need.memory_bytes,
        folder=folder,
        token=folder / f"shared-{run_id}",
        map_path=settings.map_path,
    )


@asynccontextmanager
async def _workers(
    count: int, address: Address, settings: Settings, environment: Environment, tell: Tell
) -> AsyncIterator[None]:
    """`count` worker programs on this machine; each is restarted when it dies."""
    threads = math.ceil(environment.threads / count)
    variables = _environment(settings, engine=environment.intent.engine, threads=threads)
    async with anyio.create_task_group() as group:
        for number in range(1, count + 1):
            group.start_soon(_keep_worker, f"local-{number}", address, variables, tell)
        yield
        group.cancel_scope.cancel()


async def _keep_worker(name: str, address: Address, environment: dict[str, str], tell: Tell) -> None:
    command = (sys.executable, "-m", "vhsbatch.cli", "worker", str(address), "--name", name)
    while True:
        tail = Tail()
        async with spawn(command, env=environment) as process, anyio.create_task_group() as group:
            group.start_soon(read_lines, process.stdout, tail)
            group.start_soon(read_lines, process.stderr, tail)
            await process.wait()
        said = tail.lines[-1] if tail.lines else "it said nothing"
        tell(LogLine(level="warning", text=f"the worker program {name} ended, and is started again: {said}"))
        await anyio.sleep(_AGAIN_S)


def _environment(settings: Settings, *, engine: str, threads: int) -> dict[str, str]:
    """This run's settings for a worker program, which reads no other ones."""
    values: dict[str, object] = {
        "parallel": 1,
        "threads": threads,
        # What was chosen here is not looked for again.
        "engine": engine,
        "device": settings.device,
        "ffmpeg": settings.ffmpeg,
        "nice": settings.nice,
        "stall_timeout_s": settings.stall_timeout_s,
        "temp_dir": settings.temp_dir,
        "tls_ca": settings.tls_ca,
        "tls_cert": settings.tls_cert,
        "tls_key": settings.tls_key,
    }
    return {
        f"{ENV_PREFIX}{name.upper()}": str(value.absolute() if isinstance(value, Path) else value)
        for name, value in values.items()
        if value is not None
    }
