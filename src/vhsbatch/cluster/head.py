"""The head of a cluster: the executor that has segments made by other machines.

The queue and the truth stay with the run: a task is submitted when a lane is free for it, and there are
as many lanes as the machines that help have slots. Dask moves the tasks, finds the dead, and gives what
they had to others. Outputs are assembled here.
"""

import asyncio
import contextlib
import pickle
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.dask import configure, security
from vhsbatch.cluster.node import block, drop, join, make, resource, take, topic
from vhsbatch.cluster.terms import Answer, Made, Offer, Order
from vhsbatch.cluster.transfer import append_block, files_of, read_block
from vhsbatch.config import Settings
from vhsbatch.errors import ChainError, MachineLostError, ToolError, VerificationError, VhsBatchError
from vhsbatch.model.events import JobPublished, LogLine, SegmentFinished, Telemetry
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.model.wire import load_telemetry
from vhsbatch.pipeline.assemble import assemble
from vhsbatch.pipeline.existing import expect_unchanged
from vhsbatch.pipeline.files import publish, sha256
from vhsbatch.pipeline.workplace import Workplace, make_private
from vhsbatch.scheduling.local import file_errors_in_words

_LOOK_S = 0.5
_CONNECT_S = 10.0
_ANSWER_S = 120.0

SetLanes = Callable[[int, str], Awaitable[None]]
Tell = Callable[[Telemetry], None]


@dataclass(slots=True)
class _Cluster:
    """What is known of the machines.

    Attributes:
        scheduler_id: which scheduler it is; another one knows nothing of what was submitted.
        helping: the answer of each machine that helps, by its address.
        seen: every address that has been asked.
    """

    scheduler_id: str = ""
    helping: dict[str, Answer] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    @property
    def slots(self) -> int:
        return sum(answer.slots for answer in self.helping.values())


@dataclass(slots=True)
class _Attempt:
    """An attempt that other machines are at.

    Attributes:
        tell: takes its telemetry.
        plan: what it is made by.
        scope: ends the wait for it.
        lost: why it was given up.
    """

    tell: Tell
    plan: JobPlan
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    lost: str = ""


class ClusterExecutor:
    """Has segments made by the machines of a Dask cluster."""

    def __init__(
        self, address: Address, settings: Settings, offer: Offer, workplace: Workplace, *, assemblies: int
    ) -> None:
        """Create an executor; `connected` makes one that works.

        Args:
            address: the scheduler's.
            settings: certificates, and the most lanes that are wanted.
            offer: what is asked of machines.
            workplace: where segments go, on this machine.
            assemblies: how many videos are joined at a time, here.
        """
        self._address = address
        self._security = security(address, settings)
        self._most = most_lanes(settings.parallel)
        self._offer = offer
        self._workplace = workplace
        self._assembling = anyio.CapacityLimiter(assemblies)
        self._cluster = _Cluster()
        self._helped = anyio.Event()
        self._attempts: dict[str, _Attempt] = {}
        self._client: Client
        self._sending: TaskGroup

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, address: Address, settings: Settings, offer: Offer, workplace: Workplace, *, assemblies: int
    ) -> AsyncIterator[Self]:
        """An executor that is connected to the scheduler at `address`.

        Raises:
            ToolError: nobody answers there.
        """
        configure()
        executor = cls(address, settings, offer, workplace, assemblies=assemblies)
        offer.token.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        offer.token.write_text(offer.run_id, encoding="ascii")
        try:
            try:
                await executor._connect()
            except OSError as error:
                raise ToolError(
                    f"no scheduler answers at {address}: {error}",
                    fix="start one there: vhs-upscale scheduler; and a worker on each machine",
                ) from error
            async with anyio.create_task_group() as executor._sending:
                yield executor
                executor._sending.cancel_scope.cancel()
        finally:
            offer.token.unlink(missing_ok=True)
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CONNECT_S):
                await executor._client.close()

    async def _connect(self) -> None:
        self._client = Client(
            str(self._address),
            asynchronous=True,
            security=self._security,
            timeout=_CONNECT_S,
            set_as_default=False,
            name="vhsbatch",
        )
        await self._client
        self._client.subscribe_topic(topic(self._offer.run_id), self._hear)

    # --- the machines ----------------------------------------------------------------------------

    @property
    def machines(self) -> int:
        """How many Dask workers help."""
        return len(self._cluster.helping)

    @property
    def lanes(self) -> int:
        """How many segments are made at a time."""
        return min(self._cluster.slots, self._most)

    async def look(self, tell: Tell) -> str:
        """Find out who helps; what has changed, empty if nothing has."""
        try:
            if self._client.status == "closed":
                await self._connect()
            async with asyncio.timeout(_CONNECT_S):
                scheduler = await self._identity()
        except OSError:  # TimeoutError and a closed connection among them
            return self._lose_all(f"the scheduler at {self._address} does not answer")
        changes = []
        if scheduler["id"] != self._cluster.scheduler_id:
            if self._cluster.scheduler_id:
                changes.append(self._lose_all(f"the scheduler at {self._address} was started anew"))
            self._cluster.scheduler_id = scheduler["id"]
        there = set(scheduler["workers"])
        for address in self._cluster.seen - there:
            self._cluster.seen.discard(address)
            if (answer := self._cluster.helping.pop(address, None)) is not None:
                changes.append(f"{answer.machine} is gone")
        if new := sorted(there - self._cluster.seen):
            changes += [change for change in await self._ask(new, tell) if change]
        if not self._cluster.helping:
            self._give_up_attempts("no machine is left that could make it")
        return ", ".join(filter(None, changes))

    async def _identity(self) -> dict[str, Any]:
        if self._client.scheduler is None:
            raise ConnectionError("not connected")
        identity: dict[str, Any] = await self._client.scheduler.identity(n_workers=-1)
        return identity

    async def _ask(self, addresses: list[str], tell: Tell) -> list[str]:
        """Ask machines for help; who joined."""
        offer = pickle.dumps(self._offer)
        try:
            async with asyncio.timeout(_ANSWER_S):
                answers = await self._client.run(
                    join, self._offer.version, offer, workers=addresses, on_error="return"
                )
        except OSError:
            return []
        joined = []
        for address, said in answers.items():
            self._cluster.seen.add(address)
            if isinstance(said, CommClosedError):
                self._cluster.seen.discard(address)
                continue
            if isinstance(said, BaseException):
                tell(LogLine(level="warning", text=f"{address} does not help: {_cause(said)}"))
                continue
            answer = Answer(**said)
            if answer.refusal is not None:
                tell(LogLine(level="warning", text=f"{answer.machine} does not help: {answer.refusal}"))
                continue
            if not answer.shares_folder:
                text = (
                    f"{answer.machine} does not see {self._offer.folder}: sources and results are sent "
                    "(--map-path FROM=TO if it has that folder under another path)"
                )
                tell(LogLine(level="info", text=text))
            self._cluster.helping[address] = answer
            joined.append(f"{answer.machine} helps with {answer.slots}")
        if self._cluster.helping:
            self._helped.set()
        return joined

    def _lose_all(self, why: str) -> str:
        """Nobody helps any more; what has changed, empty if nobody did."""
        had_any = bool(self._cluster.helping)
        self._cluster = _Cluster()
        self._give_up_attempts(why)
        return why if had_any else ""

    def _give_up_attempts(self, why: str) -> None:
        if self._helped.is_set():
            self._helped = anyio.Event()
        for attempt in self._attempts.values():
            attempt.lost = why
            attempt.scope.cancel()

    async def follow(self, set_lanes: SetLanes, tell: Tell) -> None:
        """Keep the number of lanes at that of the slots of all machines that help; never returns."""
        while True:
            await anyio.sleep(_LOOK_S)
            if change := await self.look(tell):
                await set_lanes(self.lanes, change)

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """Take in what a machine tells of an attempt."""
        _, message = event
        attempt = self._attempts.get(message["key"])
        if attempt is None:
            return
        if "want" in message:
            self._sending.start_soon(self._send_block, attempt, message)
            return
        for line in message["lines"]:
            attempt.tell(load_telemetry(line))

    async def _send_block(self, attempt: _Attempt, wish: dict[str, Any]) -> None:
        """Hand a machine a block of a file that its attempt needs, and of no other file."""
        try:
            path = files_of(attempt.plan)[wish["want"]]
            data = await anyio.to_thread.run_sync(read_block, path, int(wish["offset"]))
        except (KeyError, OSError):
            data = None
        with contextlib.suppress(OSError):  # whoever waits for it tries again
            await self._client.run(take, wish["token"], data, workers=[wish["address"]], on_error="ignore")

    async def _fetch(self, made: Made, folder: Path, address: str) -> None:
        """Bring a segment here from the machine at `address`, which shares no folder.

        Raises:
            MachineLostError: the machine is gone.
            VerificationError: what has arrived is not what was sent.
        """
        part, offset = folder / made.part, 0
        workers = [address]
        try:
            while True:
                said = await self._client.run(block, made.part, offset, workers=workers, on_error="return")
                (data,) = said.values()
                if isinstance(data, BaseException):
                    raise MachineLostError(f"the segment was lost with {made.finished.machine}") from data
                if not data:
                    break
                await anyio.to_thread.run_sync(append_block, part, data)
                offset += len(data)
            await self._client.run(drop, made.part, workers=workers, on_error="ignore")
        except OSError as error:
            raise MachineLostError(f"the segment was lost with {made.finished.machine}") from error
        if await sha256(part) != made.finished.sha256:
            raise VerificationError("a segment has changed on its way from another machine")

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
        await self._helped.wait()
        await expect_unchanged(plan)
        order = Order(
            key=f"segment-{uuid.uuid4().hex}",
            run_id=self._offer.run_id,
            # The other segments are no concern of whoever makes this one.
            plan=replace(plan, segments=(segment,)),
            segment=segment,
            lane=lane,
            attempt=attempt,
            fallback=fallback,
        )
        made = await self._run(order, tell)
        folder = self._workplace.job_folder(plan)
        with file_errors_in_words():
            await anyio.to_thread.run_sync(make_private, folder)
            try:
                if made.fetch_from is not None:
                    await self._fetch(made, folder, made.fetch_from)
                await publish(folder / made.part, folder / made.finished.file)
            finally:
                (folder / made.part).unlink(missing_ok=True)
        return replace(made.finished, at_s=time.time())

    async def _run(self, order: Order, tell: Tell) -> Made:
        """Have an order carried out by whoever is free.

        Raises:
            VhsBatchError: it could not be.
        """
        future = self._client.submit(
            make, order, key=order.key, resources={resource(order.run_id): 1}, pure=False
        )
        attempt = self._attempts[order.key] = _Attempt(tell, order.plan)
        made: Made | VhsBatchError | None = None
        try:
            with attempt.scope:
                made = await future.result()
        except FutureCancelledError as error:
            raise MachineLostError(error.msg or "the machine that made it was lost") from error
        except KilledWorker as error:
            raise ChainError(
                f"{error.allowed_failures + 1} machines died while they made it",
                fix="their logs say of what; less memory is taken at a lower resolution",
            ) from error
        except CommClosedError as error:
            raise MachineLostError("the connection to the cluster was lost") from error
        finally:
            del self._attempts[order.key]
            # Whether it was made or is no longer wanted: the machine learns of it.
            future.release()
        if isinstance(made, VhsBatchError):
            raise made
        if made is None:
            raise MachineLostError(attempt.lost or "the machine that made it has stopped")
        return made

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
                return await assemble(plan, segments, self._workplace, lane=lane, tell=tell)


def most_lanes(parallel: int | str) -> int:
    """The most lanes that `--parallel` allows. Pure.

    >>> most_lanes(3), most_lanes("1..4"), most_lanes("auto") > 10**6
    (3, 4, True)
    """
    if isinstance(parallel, int):
        return parallel
    return sys.maxsize if parallel == "auto" else int(parallel.partition("..")[2])


def _cause(error: BaseException) -> str:
    """Why a machine could not even answer, in one line."""
    if isinstance(error, ImportError | AttributeError):
        return f"it has another vhsbatch, or none ({error})"
    return f"{type(error).__name__}: {error}"
