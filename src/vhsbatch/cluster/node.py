"""What runs on every machine of a cluster, inside a Dask worker.

A machine is asked whether it can help a run (`join`). If it can, it announces a resource that is named
after the run, without which Dask gives it none of the run's tasks. A task is one attempt at one segment
(`make`), made by child processes of the Dask worker as on any other machine. It ends where Dask says so:
when the task is no longer wanted, or when the worker closes.
"""

import asyncio
import os
import pickle
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from distributed import Worker, WorkerPlugin, get_worker

from vhsbatch import __version__
from vhsbatch.cluster.terms import (
    Answer,
    Made,
    Offer,
    Order,
    as_values,
    difference,
    mapped,
    parse_map,
)
from vhsbatch.cluster.tools import tools
from vhsbatch.cluster.transfer import Copies, files_of, is_source, read_block
from vhsbatch.config import Settings, load_settings
from vhsbatch.engines.models import shipped_networks
from vhsbatch.engines.registry import engine_named
from vhsbatch.errors import ToolError, VhsBatchError
from vhsbatch.media.encoder_choice import choose_encoder
from vhsbatch.model.events import LogLine, Progress, Telemetry
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan, Upscaling
from vhsbatch.model.wire import dump
from vhsbatch.pipeline.files import sync
from vhsbatch.pipeline.segment import make_part
from vhsbatch.pipeline.workplace import Workplace, make_private, segment_file
from vhsbatch.proc.tools import ffmpeg_tool
from vhsbatch.scheduling.local import file_errors_in_words
from vhsbatch.toolbox import choose_engine, cores

PLUGIN = "vhsbatch"
_REPORT_S = 0.25
_LOG_LINES = 50
_STOPPED_S = 5.0
# What a task's state becomes while it is being made and still wanted.
_WANTED = ("executing", "long-running", "resumed")


def resource(run_id: str) -> str:
    """What a worker has that helps a run, a piece for each slot."""
    return f"vhsbatch-{run_id}"


def topic(run_id: str) -> str:
    """Where the telemetry of a run is told."""
    return f"vhsbatch-{run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """How this machine helps one run."""

    workplace: Workplace
    device: str
    spare_devices: tuple[str, ...]
    paths: dict[str, str]
    shares_folder: bool = True

    def seen(self, name: str, path: Path, info: MediaInfo) -> Path | None:
        """Where this machine has a file of the head's, None if it has to be copied."""
        here = mapped(path, self.paths)
        there = is_source(here, info) if name == "source" else here.is_file()
        return here if there else None

    def adapted(self, plan: JobPlan, files: dict[str, Path]) -> JobPlan:
        """A plan with this machine's paths (`files`, by name) and devices."""
        source = files["source"]
        upscaling = None if plan.upscaling is None else self._upscaling(plan.upscaling, files)
        preset = plan.preset
        if preset.colour.lut is not None:
            colour = preset.colour.model_copy(update={"lut": files["lut"]})
            preset = preset.model_copy(update={"colour": colour})
        local = replace(
            plan,
            job=replace(plan.job, source=source),
            info=replace(plan.info, path=source),
            preset=preset,
            upscaling=upscaling,
        )
        if upscaling is not None:
            _expect_same(plan.identity, engine_named(plan.engine).identity(upscaling))
        return local

    def _upscaling(self, planned: Upscaling, files: dict[str, Path]) -> Upscaling:
        return replace(
            planned,
            param=files["param"],
            weights=files["weights"],
            device=self.device,
            spare_devices=self.spare_devices,
        )


def _files_here(plan: JobPlan) -> dict[str, Path]:
    """The files that a segment is made from; networks that came with the packages are on every machine."""
    files = files_of(plan)
    if plan.upscaling is not None:
        shipped = {network.name: network for network in shipped_networks()}
        if (network := shipped.get(plan.upscaling.model)) is not None:
            files |= {"param": network.param, "weights": network.weights}
    return files


def _expect_same(planned: dict[str, str], here: dict[str, str]) -> None:
    for name, value in here.items():
        if planned.get(name) != value:
            raise ToolError(
                f"the network's {name} on {os.uname().nodename} is {value}, in the plan {planned.get(name)}",
                fix="install the same packages on all machines",
            )


class Node(WorkerPlugin):
    """This machine's part in the runs of a cluster: a plugin of its Dask worker.

    It is the fence too: an attempt that Dask does not want any more is stopped, with its children.
    """

    name = PLUGIN

    def __init__(self, machine: str, settings: Settings) -> None:
        """Create the plugin.

        Args:
            machine: the machine's name.
            settings: how it runs.
        """
        self.machine = machine
        self._settings = settings
        self._members: dict[str, _Member] = {}
        self._attempts: dict[str, anyio.CancelScope] = {}
        self._runs: dict[str, str] = {}
        self._made: dict[str, Path] = {}

    # --- what Dask calls -------------------------------------------------------------------------

    def setup(self, worker: Worker) -> None:
        """Remember the worker."""
        self._worker = worker
        folder = Path(worker.local_directory) / "copies"
        self.copies = Copies(folder, self._ask, kept=worker.state.nthreads)

    def _ask(self, message: dict[str, Any]) -> None:
        """Ask the head of a task for a block of a file."""
        address = self._worker.contact_address
        self._worker.log_event(topic(self._runs[message["key"]]), {**message, "address": address})

    def transition(self, key: object, start: str, finish: str, **_: object) -> None:
        """Stop an attempt whose task is no longer wanted."""
        if finish not in _WANTED and (scope := self._attempts.get(str(key))) is not None:
            scope.cancel()

    async def teardown(self, worker: Worker) -> None:
        """Stop everything, and return when all children are gone."""
        for scope in self._attempts.values():
            scope.cancel()
        with anyio.move_on_after(_STOPPED_S):
            while self._attempts:  # noqa: ASYNC110 - they end one by one, and seldom
                await asyncio.sleep(0.05)

    # --- joining ---------------------------------------------------------------------------------

    async def answer(self, offer: Offer) -> Answer:
        """Look whether this machine can help, and announce it."""
        slots = self._worker.state.nthreads
        try:
            member = await self._examine(offer, slots)
        except VhsBatchError as error:
            return Answer(machine=self.machine, slots=0, refusal=str(error))
        if isinstance(member, str):
            return Answer(machine=self.machine, slots=0, refusal=member)
        token = mapped(offer.token, member.paths)
        shares = await anyio.to_thread.run_sync(_holds, token, offer.run_id)
        if not shares:
            own_folder = Path(self._worker.local_directory) / "segments"
            member = replace(
                member, workplace=replace(member.workplace, temporary=own_folder), shares_folder=False
            )
        self._members[offer.run_id] = member
        await self._worker.set_resources(**{resource(offer.run_id): slots})
        return Answer(machine=self.machine, slots=slots, shares_folder=shares)

    async def _examine(self, offer: Offer, slots: int) -> _Member | str:
        """How this machine would help, or why it cannot."""
        own = self._settings.model_copy(
            update={"engine": offer.engine, "runtime": offer.runtime or "auto"}
            | ({"device": "cpu"} if offer.on_cpu else {})
        )
        ffmpeg = await ffmpeg_tool(own.ffmpeg)
        choice = await choose_engine(own)
        found = tools(ffmpeg_version=ffmpeg.version, runtime=choice.runtime, device=choice.device)
        if (why := difference(offer.tools, found)) is not None:
            return why
        await choose_encoder(offer.encoder, ffmpeg.path)
        paths = parse_map(offer.map_path) | parse_map(own.map_path)
        threads = cores() if own.threads == "auto" else own.threads
        folder = mapped(offer.folder, paths)
        return _Member(
            workplace=Workplace(
                ffmpeg=ffmpeg.path,
                temporary=folder,
                publishing=folder,
                threads_per_lane=max(1, threads // slots),
                niceness=own.nice,
                stall_timeout_s=own.stall_timeout_s,
                skip_still=own.skip_still,
            ),
            device=choice.device,
            spare_devices=choice.spare_devices,
            paths=paths,
        )

    # --- attempts --------------------------------------------------------------------------------

    async def make(self, order: Order) -> Made | VhsBatchError | None:
        """Make one segment; the error if it could not be made, None if it was stopped."""
        scope = anyio.CancelScope()
        self._attempts[order.key], self._runs[order.key] = scope, order.run_id
        try:
            with scope:
                async with self._reporting(order) as tell:
                    return await self._make(order, self._members[order.run_id], tell)
        except VhsBatchError as error:
            return error
        finally:
            del self._attempts[order.key], self._runs[order.key]
        return None

    async def _make(self, order: Order, member: _Member, tell: Callable[[Telemetry], None]) -> Made:
        async with AsyncExitStack() as stack:
            files = {
                name: await stack.enter_async_context(self._file(name, path, order, member, tell))
                for name, path in _files_here(order.plan).items()
            }
            return await self._make_from(files, order, member, tell)

    @asynccontextmanager
    async def _file(
        self, name: str, path: Path, order: Order, member: _Member, tell: Callable[[Telemetry], None]
    ) -> AsyncIterator[Path]:
        """A file of the head's on this machine, copied if need be."""
        here = await anyio.to_thread.run_sync(member.seen, name, path, order.plan.info)
        if here is not None:
            yield here
            return
        tell(LogLine(level="debug", text=f"{path.name} is copied to {self.machine}", lane=order.lane))
        async with self.copies.borrowed(order.key, name, path) as copy:
            yield copy

    async def _make_from(
        self, files: dict[str, Path], order: Order, member: _Member, tell: Callable[[Telemetry], None]
    ) -> Made:
        plan = member.adapted(order.plan, files)
        folder = member.workplace.job_folder(plan)
        # Two attempts can overlap where a link was cut: each has a file of its own, which the head names.
        part = folder / f"{segment_file(plan, order.segment)}.{uuid.uuid4().hex}.part"
        with file_errors_in_words():
            await anyio.to_thread.run_sync(make_private, folder)
            try:
                finished = await make_part(
                    plan,
                    order.segment,
                    member.workplace,
                    part,
                    lane=order.lane,
                    attempt=order.attempt,
                    fallback=order.fallback,
                    tell=tell,
                )
                await anyio.to_thread.run_sync(sync, part)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        if not member.shares_folder:
            self._made[part.name] = part
        return Made(
            finished=replace(finished, machine=self.machine),
            part=part.name,
            fetch_from=None if member.shares_folder else self._worker.contact_address,
        )

    def block(self, part: str, offset: int) -> bytes:
        """A block of a segment that the head fetches; empty at its end."""
        return read_block(self._made[part], offset)

    def drop(self, part: str) -> None:
        """Remove a segment that the head has fetched."""
        self._made.pop(part).unlink(missing_ok=True)

    @asynccontextmanager
    async def _reporting(self, order: Order) -> AsyncIterator[Callable[[Telemetry], None]]:
        """Takes telemetry, and tells the newest of it a few times a second through the scheduler."""
        outbox = _Outbox(order, self.machine)

        async def report() -> None:
            while True:
                if lines := outbox.take():
                    self._worker.log_event(topic(order.run_id), {"key": order.key, "lines": lines})
                await asyncio.sleep(_REPORT_S)

        # Not in a task group, which would wrap what the attempt raises.
        reporting = asyncio.create_task(report())
        try:
            yield outbox.put
        finally:
            reporting.cancel()


class _Outbox:
    """The telemetry of an attempt that has not been told yet: its newest progress, its last log lines."""

    def __init__(self, order: Order, machine: str) -> None:
        self._machine = machine
        self._log: list[LogLine] = []
        self._progress: Progress | None = Progress(
            lane=order.lane,
            job_id=order.plan.job.id,
            stage="segment",
            segment=order.segment.index,
            done_frames=0,
            total_frames=order.segment.frames,
            frames_per_s=0.0,
        )

    def put(self, event: Telemetry) -> None:
        """Take an event."""
        match event:
            case Progress():
                self._progress = event
            case LogLine():
                self._log = [*self._log[1 - _LOG_LINES :], event]

    def take(self) -> list[str]:
        """What is to be told."""
        events: list[Telemetry] = [*self._log]
        if self._progress is not None:
            events.append(replace(self._progress, machine=self._machine))
        self._log, self._progress = [], None
        return [dump(event) for event in events]


def _holds(token: Path, text: str) -> bool:
    try:
        return token.read_text(encoding="ascii") == text
    except OSError:
        return False


# --- what the head calls ---------------------------------------------------------------------------


async def join(version: str, offer: bytes, dask_worker: Worker) -> dict[str, Any]:
    """Ask a machine whether it helps a run; an `Answer` as plain values.

    Args:
        version: the version of the run's program; only the same one is sure to understand the offer.
        offer: an `Offer`, pickled.
        dask_worker: the worker, which Dask adds.
    """
    machine = os.uname().nodename
    if version != __version__:
        refusal = f"it has vhsbatch {__version__}, and the batch is made with vhsbatch {version}"
        return as_values(Answer(machine=machine, slots=0, refusal=refusal))
    if PLUGIN not in dask_worker.plugins:
        # A Dask worker that somebody else started: its settings are those of its environment.
        await dask_worker.plugin_add(Node(machine, load_settings({})), name=PLUGIN)
    # The scheduler, which passes it on, could send anything else in its place.
    return as_values(await _node(dask_worker).answer(pickle.loads(offer)))  # noqa: S301


async def take(token: str, block: bytes | None, dask_worker: Worker) -> None:
    """Hand a machine a block that it has asked for; None if there is none."""
    _node(dask_worker).copies.take(token, block)


async def block(part: str, offset: int, dask_worker: Worker) -> bytes:
    """A block of a segment that a machine has made; empty at its end."""
    return await anyio.to_thread.run_sync(_node(dask_worker).block, part, offset)


async def drop(part: str, dask_worker: Worker) -> None:
    """Let a machine remove a segment that has been fetched."""
    _node(dask_worker).drop(part)


async def make(order: Order) -> Made | VhsBatchError | None:
    """The task: one attempt at one segment."""
    return await _node(get_worker()).make(order)


def _node(worker: Worker) -> Node:
    node = worker.plugins[PLUGIN]
    if not isinstance(node, Node):
        raise TypeError(f"the plugin {PLUGIN} of this worker is something else")
    return node
