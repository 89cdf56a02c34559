"""The head of a cluster: the executor that has segments made by other machines.

The queue and the truth stay with the run: a task is submitted when a lane is free for it, and there are
as many lanes as the machines that help have slots. Dask moves the tasks, finds the dead, and gives what
they had to others. Outputs are assembled here.
"""

import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from distributed import KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.connection import CONNECT_S, Connection
from vhsbatch.cluster.dask import configure
from vhsbatch.cluster.fair_share import BATCHES, FairShare, shared_words
from vhsbatch.cluster.machines import Machines
from vhsbatch.cluster.protocol import Offer, Order, SegmentResult, resource, topic
from vhsbatch.cluster.rpc import make
from vhsbatch.cluster.transfer import fetch, hand_out
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ChainError, MachineLostError, VhsBatchError
from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.events.serialize import load_telemetry
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine, Telemetry
from vhsbatch.formatting import counted
from vhsbatch.fs import publish
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.restore.assemble import assemble
from vhsbatch.restore.reuse import expect_unchanged
from vhsbatch.restore.workspace import Workspace, make_private
from vhsbatch.scheduling.local import file_errors_in_words

_LOOK_S = 0.5
_START_S = 60.0
# A machine says every few seconds that it is at an attempt.
_SILENT_S = 60.0
# Task names are reused in turn: somewhere, every name of a task is kept permanently, by an interpreter that
# never gives up the keys of a message, or by Dask, which remembers what kind of task it was.
_NAMES = 1024

SetLanes = Callable[[int, str], Awaitable[None]]
Tell = Callable[[Telemetry], None]


@dataclass(slots=True)
class _Attempt:
    """An attempt that other machines are at.

    Attributes:
        tell: takes its telemetry.
        plan: what it is made by.
        lane: the lane that it occupies.
        heard_s: when something was heard of it last, on the monotonic clock.
        begun: whether a machine is at it.
        waits: whether it was said that none is.
        scope: ends the wait for it.
        lost: why it was given up.
    """

    tell: Tell
    plan: JobPlan
    lane: int
    heard_s: float = field(default_factory=time.monotonic)
    begun: bool = False
    waits: bool = False
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    lost: str = ""


class ClusterExecutor:
    """Has segments made by the machines of a Dask cluster."""

    def __init__(
        self,
        address: Address,
        settings: Settings,
        offer: Offer,
        workspace: Workspace,
        *,
        assemblies: int,
        starting: int = 0,
    ) -> None:
        """Create an executor, which works as long as it is `connected`.

        Args:
            address: the scheduler's.
            settings: certificates, and the most lanes that are wanted.
            offer: what is asked of machines.
            workspace: where segments go, on this machine.
            assemblies: how many videos are joined at a time, here.
            starting: how many slots will be there as soon as workers that are being started are.
        """
        configure()
        self._starting = starting
        self._fair_share = FairShare(offer.run_id)
        self._connection = Connection(
            address, settings, hear={topic(offer.run_id): self._hear, BATCHES: self._fair_share.hear}
        )
        self._machines = Machines(self._connection, offer)
        self._most = most_lanes(settings.parallel)
        self._offer = offer
        self._workspace = workspace
        self._assembling = anyio.CapacityLimiter(assemblies)
        self._attempts: dict[str, _Attempt] = {}
        self._slots = anyio.CapacityLimiter(0)
        self._names = itertools.cycle(f"{topic(offer.run_id)}-{number}" for number in range(_NAMES))
        self._sending: TaskGroup

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Self]:
        """The executor, connected to its scheduler.

        Raises:
            ToolError: nobody answers there.
        """
        token, connection = self._offer.token, self._connection
        token.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        token.write_text(self._offer.run_id, encoding="ascii")
        try:
            await connection.open_first()
            async with anyio.create_task_group() as self._sending:
                yield self
                self._sending.cancel_scope.cancel()
        finally:
            token.unlink(missing_ok=True)
            with anyio.CancelScope(shield=True), anyio.move_on_after(CONNECT_S):
                await connection.close()

    # --- the machines ----------------------------------------------------------------------------

    @property
    def machines(self) -> int:
        """How many Dask workers help."""
        return self._machines.helping

    @property
    def lanes(self) -> int:
        """How many segments are made at a time."""
        return min(max(self._machines.slots, self._starting), self._most)

    async def look(self, tell: Tell) -> str:
        """Find out who helps; what has changed, empty if nothing has."""
        change = await self._machines.look(tell)
        self._slots.total_tokens = self._machines.slots
        if change.lost:
            for attempt in self._attempts.values():
                attempt.lost = change.lost
                attempt.scope.cancel()
        self._watch_silence()
        return change.text

    def _watch_silence(self) -> None:
        """See that something moves in each lane that is occupied: give up what nothing is heard of."""
        for attempt in self._attempts.values():
            if time.monotonic() - attempt.heard_s < _SILENT_S:
                continue
            if attempt.begun:
                attempt.lost = f"it has been silent for {_SILENT_S:g} s"
                attempt.scope.cancel()
            elif not attempt.waits:
                attempt.waits = True
                (segment,) = attempt.plan.segments
                text = f"segment {segment.index + 1} has waited for a free machine for {_SILENT_S:g} s"
                attempt.tell(LogLine(level="info", text=text, job_id=attempt.plan.job.id, lane=attempt.lane))

    async def follow(self, state: BatchState, set_lanes: SetLanes, tell: Tell) -> None:
        """Keep the number of lanes at that of the slots that are this batch's; never returns."""
        before, expected = self.lanes, self._starting
        with anyio.move_on_after(_START_S):
            while self._machines.slots < expected:
                await anyio.sleep(_LOOK_S)
                await self.look(tell)
        self._starting = 0
        if self.lanes < before:
            before = self.lanes
            await set_lanes(before, f"{self.machines} of {counted(expected, 'worker')} have started")
        while True:
            await anyio.sleep(_LOOK_S)
            change = await self.look(tell)
            lanes = await self._fair_share.share(self._connection, self._machines, state, most=self._most)
            if change or lanes != before:
                await set_lanes(lanes, change or shared_words(lanes, self.lanes))
            before = lanes

    def _hear(self, message: dict[str, Any]) -> None:
        """Take in what a machine tells of an attempt, or asks for."""
        attempt = self._attempts.get(message["key"])
        if attempt is None:
            return
        attempt.heard_s, attempt.begun = time.monotonic(), True
        if "want" in message:
            self._sending.start_soon(hand_out, self._connection, attempt.plan, message)
            return
        for line in message["lines"]:
            attempt.tell(load_telemetry(line))

    # --- the work --------------------------------------------------------------------------------

    async def make_segment(
        self,
        plan: JobPlan,
        segment: Segment,
        *,
        lane: int,
        attempt: int,
        fallback: int,
        tell: Tell,
    ) -> SegmentFinished:
        """See `Executor`."""
        # Dask gives a task away at once: it would wait at one machine while another one joins.
        async with self._slots:
            await expect_unchanged(plan)
            order = Order(
                key=next(name for name in self._names if name not in self._attempts),
                run_id=self._offer.run_id,
                # The worker needs only this segment.
                plan=replace(plan, segments=(segment,)),
                segment=segment,
                lane=lane,
                attempt=attempt,
                fallback=fallback,
            )
            made = await self._run(order, tell)
        folder = self._workspace.job_folder(plan)
        with file_errors_in_words():
            await anyio.to_thread.run_sync(make_private, folder)
            try:
                if made.fetch_from is not None:
                    await fetch(self._connection, made, made.fetch_from, folder)
                await publish(folder / made.part, folder / made.finished.file)
            finally:
                (folder / made.part).unlink(missing_ok=True)
        return replace(made.finished, at_s=time.time())

    async def _run(self, order: Order, tell: Tell) -> SegmentResult:
        """Have a free worker carry out an order.

        Raises:
            VhsBatchError: it could not be.
        """
        try:
            future = self._connection.submit(
                make,
                order,
                key=order.key,
                resources={resource(order.run_id): 1, **self._offer.needs},
                # Of several batches on one cluster, that of the higher priority has its turn first.
                priority=order.plan.job.priority,
            )
        except OSError as error:
            raise self._lost(str(error)) from error
        attempt = self._attempts[order.key] = _Attempt(tell, order.plan, order.lane)
        made: SegmentResult | VhsBatchError | None = None
        try:
            with attempt.scope:
                made = await future.result()
        except FutureCancelledError as error:
            raise self._lost(error.msg or "the machine that made it was lost") from error
        except KilledWorker as error:
            raise ChainError(
                f"{error.allowed_failures + 1} machines died while they made it",
                fix="their logs say why; a lower resolution needs less memory",
            ) from error
        except CommClosedError as error:
            raise self._lost("the connection to the cluster was lost") from error
        finally:
            del self._attempts[order.key]
            # Whether it was made or is no longer wanted: the machine learns of it.
            future.release()
        if isinstance(made, VhsBatchError):
            raise made
        if made is None:
            raise MachineLostError(attempt.lost or "the machine that made it has stopped")
        return made

    def _lost(self, why: str) -> MachineLostError:
        """The end of an attempt that was lost on its way; it is handed out again when somebody is there."""
        if not self._connection.is_open:
            # Until the next look at the cluster nobody can be given anything.
            self._slots.total_tokens = 0
        return MachineLostError(why)

    async def assemble(
        self,
        plan: JobPlan,
        segments: tuple[SegmentFinished, ...],
        *,
        lane: int,
        tell: Tell,
    ) -> JobPublished:
        """See `Executor`; this machine does it, since it has sources and results."""
        async with self._assembling:
            with file_errors_in_words():
                return await assemble(plan, segments, self._workspace, lane=lane, tell=tell)


def most_lanes(parallel: int | str) -> int:
    """The most lanes that `--parallel` allows. Pure.

    >>> most_lanes(3), most_lanes("1..4"), most_lanes("auto") > 10**6
    (3, 4, True)
    """
    if isinstance(parallel, int):
        return parallel
    return sys.maxsize if parallel == "auto" else int(parallel.partition("..")[2])
