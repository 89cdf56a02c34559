"""What runs on every machine of a cluster, inside a Dask worker.

A machine is asked whether it can help a run (`calls.join`). If it can, it announces a resource that is
named after the run, without which Dask gives it none of the run's tasks. A task is one attempt at one
segment (`calls.make`), made by child processes of the Dask worker as on any other machine. It ends where
Dask says so: when the task is no longer wanted, or when the worker closes.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from distributed import Worker, WorkerPlugin

from vhsbatch.cluster.block_cache import BlockCache, BorrowedFile
from vhsbatch.cluster.files import SOURCE, read_block
from vhsbatch.cluster.member import Member, WorkerLimits, examine, files_here, holds_token, reads_by_http
from vhsbatch.cluster.protocol import MEMORY, Answer, Offer, Order, SegmentResult, mapped, resource, topic
from vhsbatch.cluster.source_server import SourceServer
from vhsbatch.cluster.telemetry_buffer import TelemetryBuffer
from vhsbatch.config.settings import Settings
from vhsbatch.errors import VhsBatchError
from vhsbatch.events.telemetry import LogLine, Telemetry
from vhsbatch.formatting import size
from vhsbatch.fs import sync
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan, Upscaling
from vhsbatch.model.source import Served
from vhsbatch.restore.segment import make_part
from vhsbatch.restore.workspace import Workspace, make_private
from vhsbatch.scheduling.local import file_errors_in_words

PLUGIN = "vhsbatch"
_REPORT_S = 0.25
# How often it is said that an attempt is being made, where there is nothing else to say of it.
_ALIVE_S = 5.0
_STOPPED_S = 5.0
# What a task's state becomes while it is being made and still wanted.
_WANTED = ("executing", "long-running", "resumed")

Tell = Callable[[Telemetry], None]


@dataclass(frozen=True, slots=True)
class _LocalAttempt:
    """An attempt that is being made.

    Attributes:
        run_id: the run.
        slot: which of this machine's slots it has, from 1.
        telemetry_buffer: takes its telemetry.
        scope: ends it.
    """

    run_id: str
    slot: int
    telemetry_buffer: TelemetryBuffer
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class SegmentWorker(WorkerPlugin):
    """This machine's part in the runs of a cluster: a plugin of its Dask worker.

    It is the fence too: an attempt that Dask does not want any more is stopped, with its children.
    """

    name = PLUGIN

    def __init__(
        self,
        machine: str,
        settings: Settings,
        *,
        found: Collection[str] = (),
        note: Callable[[LogLine], None] = lambda _: None,
    ) -> None:
        """Create the plugin.

        Args:
            machine: the machine's name.
            settings: how it runs.
            found: the resources of its worker that were found out; a person has said the others.
            note: takes what is said of attempts.
        """
        self._note = note
        self.machine = machine
        self._settings = settings
        self._found = found
        self._members: dict[str, Member] = {}
        self._attempts: dict[str, _LocalAttempt] = {}
        self._made: dict[str, Path] = {}
        self._server = SourceServer()
        self._token = uuid.uuid4().hex

    # --- what Dask calls -------------------------------------------------------------------------

    def setup(self, worker: Worker) -> None:
        """Remember the worker, and what a person has said of it."""
        self._worker = worker
        self._limits = WorkerLimits(
            threads=worker.state.nthreads,
            memory_bytes=worker.memory_manager.memory_limit,
            given={
                name: amount
                for name, amount in worker.state.total_resources.items()
                if name not in self._found
            },
        )
        folder = Path(worker.local_directory) / "copies"
        self.block_cache = BlockCache(folder, self._ask, kept=worker.state.nthreads)

    def _ask(self, message: dict[str, Any]) -> None:
        """Ask the head of a task for a block of a file."""
        address = self._worker.contact_address
        run_id = self._attempts[message["key"]].run_id
        self._worker.log_event(topic(run_id), {**message, "address": address})

    def transition(self, key: object, start: str, finish: str, **_: object) -> None:
        """Stop an attempt whose task is no longer wanted."""
        if finish not in _WANTED and (attempt := self._attempts.get(str(key))) is not None:
            attempt.scope.cancel()

    async def teardown(self, worker: Worker) -> None:
        """Stop everything, and return when all children are gone."""
        for attempt in self._attempts.values():
            attempt.scope.cancel()
        with anyio.move_on_after(_STOPPED_S):
            while self._attempts:  # noqa: ASYNC110 - they end one by one, and seldom
                await asyncio.sleep(0.05)
        self._server.stop()

    # --- joining ---------------------------------------------------------------------------------

    async def answer(self, offer: Offer) -> Answer:
        """Look whether this machine can help, and announce it."""
        member, answer = await self._examined(offer)
        if member is not None:
            self._members[offer.run_id] = member
            await self._announce(offer, member)
        return answer

    async def inspect(self, offer: Offer) -> Answer:
        """Look whether this machine could help, and announce nothing."""
        _, answer = await self._examined(offer)
        return answer

    async def _examined(self, offer: Offer) -> tuple[Member | None, Answer]:
        """How this machine would help, None if it cannot, and what it says."""

        async def retired(device: str, reason: str) -> None:
            text = f"{self.machine} works without GPU {device}: {reason}"
            for attempt in self._attempts.values():
                if attempt.run_id == offer.run_id:
                    attempt.telemetry_buffer.put(LogLine(level="warning", text=text))
                    return

        try:
            member = await examine(self._settings, offer, self._limits, retired)
        except VhsBatchError as error:
            return self._refusal(str(error))
        if isinstance(member, str):
            return self._refusal(member)
        token = mapped(offer.token, member.paths)
        shares = await anyio.to_thread.run_sync(holds_token, token, offer.run_id)
        if not shares and not await reads_by_http(member.workspace.ffmpeg):
            refusal = f"it does not see {offer.folder}, and its FFmpeg has no HTTP to read sources from afar"
            return self._refusal(refusal)
        if not shares:
            own_folder = Path(self._worker.local_directory) / "segments"
            workspace = replace(member.workspace, temporary=own_folder)
            member = replace(member, workspace=workspace, shares_folder=False)
        return member, Answer(machine=self.machine, slots=member.slots, shares_folder=shares)

    def _refusal(self, why: str) -> tuple[None, Answer]:
        return None, Answer(machine=self.machine, slots=0, refusal=why)

    async def _announce(self, offer: Offer, member: Member) -> None:
        """Tell the scheduler what this machine has for a run, and for all runs together."""
        had = self._worker.state.total_resources
        shared = {
            name: max(had.get(name, 0.0), need * member.slots, member.usable_bytes if name == MEMORY else 0.0)
            for name, need in offer.needs.items()
            if name not in self._limits.given
        }
        await self._worker.set_resources(**{resource(offer.run_id): member.slots}, **shared)

    # --- attempts --------------------------------------------------------------------------------

    async def make(self, order: Order) -> SegmentResult | VhsBatchError | None:
        """Make one segment; the error if it could not be made, None if it was stopped."""
        taken = {attempt.slot for attempt in self._attempts.values()}
        slot = next(number for number in itertools.count(1) if number not in taken)
        attempt = self._attempts[order.key] = _LocalAttempt(
            order.run_id, slot, TelemetryBuffer(order, self.machine, self._note)
        )
        try:
            with attempt.scope:
                async with self._reporting(order.key, attempt):
                    return await self._make(order, attempt)
        except VhsBatchError as error:
            return error
        finally:
            del self._attempts[order.key]
        return None

    async def _make(self, order: Order, attempt: _LocalAttempt) -> SegmentResult:
        """Have the files that the segment is made from, and make it."""
        member = self._members[order.run_id]
        info, files, workspace = order.plan.info, {}, member.workspace
        async with AsyncExitStack() as stack:
            for name, path in files_here(order.plan).items():
                here = await anyio.to_thread.run_sync(member.seen, name, path, info)
                if here is not None:
                    files[name] = here
                    continue
                # A source is the same while its time and its size are; other files may change between runs.
                same = (info.modified_ns, info.size_bytes, order.plan.sample)
                state = same if name == SOURCE else order.run_id
                borrowed_file = stack.enter_context(
                    self.block_cache.borrowed((path, state), order.key, name, path.suffix)
                )
                if name == SOURCE:
                    served = await stack.enter_async_context(self._served(borrowed_file, info, attempt))
                    workspace = replace(workspace, served=served)
                else:
                    files[name] = await borrowed_file.whole()
            plan = member.adapted(order.plan, files)
            await member.expect_deinterlacer(plan)
            placed = member.gpus.placed(
                plan, order.segment, workspace, lane=attempt.slot, step=order.fallback
            )
            way, workspace = await stack.enter_async_context(placed)
            with file_errors_in_words():
                return await self._make_file(plan, order, workspace, way, attempt.telemetry_buffer.put)

    @asynccontextmanager
    async def _served(
        self, borrowed_file: BorrowedFile, info: MediaInfo, attempt: _LocalAttempt
    ) -> AsyncIterator[Served]:
        """A source that FFmpeg reads from the head, as far as it needs it."""
        serving = self._server.serving(
            borrowed_file.block, size_bytes=info.size_bytes, suffix=info.path.suffix
        )
        async with serving as served:
            yield served
        sent_bytes = min(borrowed_file.sent_bytes, info.size_bytes)
        sent = f"{size(sent_bytes)} of the {size(info.size_bytes)} of {info.path.name}"
        attempt.telemetry_buffer.put(LogLine(level="debug", text=f"{sent} have been sent to {self.machine}"))

    async def _make_file(
        self, plan: JobPlan, order: Order, workspace: Workspace, way: Upscaling | None, tell: Tell
    ) -> SegmentResult:
        """Make the segment's file."""
        folder = workspace.job_folder(plan)
        # After a broken link two machines can make the same attempt: each has its own file, to which the
        # head gives the segment's name.
        part = folder / f"{order.key}-{self._token}.part"
        await anyio.to_thread.run_sync(make_private, folder)
        try:
            finished = await make_part(
                plan,
                order.segment,
                workspace,
                part,
                lane=order.lane,
                attempt=order.attempt,
                fallback=order.fallback,
                tell=tell,
                way=way,
            )
            await anyio.to_thread.run_sync(sync, part)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        shared = self._members[order.run_id].shares_folder
        if not shared:
            self._made[part.name] = part
        return SegmentResult(
            finished=replace(finished, machine=self.machine),
            part=part.name,
            fetch_from=None if shared else self._worker.contact_address,
        )

    def block(self, part: str, number: int) -> bytes:
        """A block of a segment that the head fetches; empty past its end."""
        return read_block(self._made[part], number)

    def drop(self, part: str) -> None:
        """Remove a segment that the head has fetched."""
        self._made.pop(part).unlink(missing_ok=True)

    @asynccontextmanager
    async def _reporting(self, key: str, attempt: _LocalAttempt) -> AsyncIterator[None]:
        """Tells the newest of an attempt a few times a second through the scheduler."""
        said_s = 0.0

        def report(*, alive: bool = False) -> None:
            nonlocal said_s
            lines = attempt.telemetry_buffer.take()
            if lines or (alive and time.monotonic() - said_s > _ALIVE_S):
                said_s = time.monotonic()
                self._worker.log_event(topic(attempt.run_id), {"key": key, "lines": lines})

        async def keep() -> None:
            while True:
                report(alive=True)
                await asyncio.sleep(_REPORT_S)

        # Not in a task group, which would wrap what the attempt raises.
        reporting = asyncio.create_task(keep())
        try:
            yield
        finally:
            reporting.cancel()
            report()
