"""The long-running programs of a cluster: its scheduler, and the worker on each machine."""

import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from distributed import Scheduler, Worker
from distributed.comm.core import connect

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.dask import EXTENSIONS, configure, security
from vhsbatch.cluster.protocol import GPU, MEMORY
from vhsbatch.cluster.workdir import own_place
from vhsbatch.cluster.worker_plugin import SegmentWorker
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError
from vhsbatch.events.telemetry import LogLine
from vhsbatch.process.stop_signals import receive_signals
from vhsbatch.scheduling.engine_choice import choose_engine
from vhsbatch.scheduling.environment import survey
from vhsbatch.scheduling.sizing import choose_lanes

_AGAIN_S = 1.0
_CLOSE_S = 3.5
_CONNECT_S = 10.0
# OpenSSL's own words, anywhere in Dask's errors.
_TLS_SAYS = re.compile(r"\[SSL: \w+\] ([^(]+)")
# Dask's web pages show what runs to anyone: serve them to this machine only.
_PAGES = "127.0.0.1:0"

Say = Callable[[str], None]


@asynccontextmanager
async def scheduler_at(address: Address, settings: Settings) -> AsyncIterator[Address]:
    """A scheduler, while it is listening; port 0 lets the system choose one.

    Raises:
        ToolError: it cannot listen there.
    """
    configure()
    try:
        scheduler = await Scheduler(
            host=address.host,
            port=address.port,
            protocol=f"{address.protocol}://",
            security=security(address, settings),
            dashboard=False,
            dashboard_address=_PAGES,
            extensions=EXTENSIONS,
        )
    except (OSError, RuntimeError) as error:
        # Dask speaks of a failure to start, and gives the system's reason after that.
        reason = error.__cause__ or error
        said = reason.strerror if isinstance(reason, OSError) else None
        raise ToolError(
            f"cannot listen at {address}: {said or reason}",
            fix="take another port, or an address of this machine",
        ) from error
    try:
        yield Address(address.protocol, address.host, int(scheduler.address.rpartition(":")[2]))
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            await scheduler.close()


async def schedule(address: Address, settings: Settings, say: Say) -> None:
    """Run a scheduler until a signal ends it."""

    async def work() -> None:
        async with scheduler_at(address, settings) as listening:
            say(f"the scheduler listens at {listening}; machines help with: vhs-upscale worker {listening}")
            await anyio.sleep_forever()

    await _until_signal(work)


async def help_cluster(
    address: Address, settings: Settings, machine: str, say: Say, note: Callable[[LogLine], None]
) -> None:
    """Help the batches of a cluster until a signal ends it.

    A Dask worker ends when its scheduler or the link to it is gone; then another one is started, and
    waits for a scheduler.
    """
    configure()
    slots, found = await _found(settings)

    def worker(folder: Path) -> Worker:
        return Worker(
            str(address),
            nthreads=slots,
            name=worker_name(machine),
            security=security(address, settings),
            resources=found,
            plugins=(SegmentWorker(machine, settings, found=found, note=note),),
            # Its work is done by child processes, whose memory Dask does not see.
            memory_limit=0,
            local_directory=str(folder),
            dashboard=False,
            dashboard_address=_PAGES,
        )

    async def work() -> None:
        while True:
            say(f"{machine} is looking for the scheduler at {address}")
            await _wait_for_scheduler(address, settings, machine, say)
            try:
                async with own_place(settings.temp_dir) as folder, _running(worker(folder)) as running:
                    number = "1 segment" if slots == 1 else f"{slots} segments"
                    say(f"{machine} helps {address} with {number} at a time")
                    await running.finished()
                say(f"{machine} has lost the scheduler")
            except (OSError, ValueError) as error:
                say(f"{machine} cannot help yet: {error}")
            await anyio.sleep(_AGAIN_S)

    await _until_signal(work)


async def _wait_for_scheduler(address: Address, settings: Settings, machine: str, say: Say) -> None:
    """Return when the scheduler lets this machine in; say why it does not, once for each reason.

    A Dask worker would keep trying silently.
    """
    certificates = security(address, settings)
    how = {} if certificates is None else certificates.get_connection_args("worker")
    said = ""
    while True:
        try:
            comm = await connect(str(address), timeout=_CONNECT_S, **how)
        except OSError as error:
            if (why := why_not_let_in(error)) != said:
                said = why
                say(f"{machine} cannot help yet, and tries again: {why}")
            await anyio.sleep(_AGAIN_S)
        else:
            comm.abort()
            return


def why_not_let_in(error: BaseException) -> str:
    """Why a scheduler was not reached, from the causes of Dask's error."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    refusals = [match[1].strip() for each in chain if (match := _TLS_SAYS.search(str(each))) is not None]
    if refusals:
        return (
            f"its certificate and the scheduler's do not match ({refusals[-1]}): "
            "both need one that the same ca.pem has signed"
        )
    last = chain[-1]
    said = last.strerror if isinstance(last, OSError) and last.strerror else str(last)
    return f"no scheduler there accepts it ({said})"


def worker_name(machine: str) -> str:
    """What Dask calls a worker: dask-kubernetes removes one by the name that it gave to it."""
    # Else there is a new one each time: the scheduler may not have noticed yet that the one before is gone.
    return os.environ.get("DASK_WORKER_NAME") or f"{machine}-{secrets.token_hex(3)}"


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[Worker]:
    """A worker that has found its scheduler; closed on leaving, with all that it has started."""
    try:
        await worker
        yield worker
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            await worker.close(timeout=_CLOSE_S, nanny=False)


async def _found(settings: Settings) -> tuple[int, dict[str, float]]:
    """How many segments this machine makes at a time, and what it has for them."""
    choice = await choose_engine(settings)
    machine = await survey(settings, choice)
    slots = choose_lanes(settings.parallel, machine, engine=choice.engine, videos=1).begin
    return slots, {MEMORY: float(machine.usable_bytes), GPU: float(slots if choice.gpus else 0)}


async def _until_signal(work: Callable[[], Awaitable[None]]) -> None:
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            with receive_signals() as signals:
                async for _ in signals:
                    group.cancel_scope.cancel()
                    return

        group.start_soon(listen)
        await work()
