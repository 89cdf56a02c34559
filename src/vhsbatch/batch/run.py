"""The composition root: one batch, one task group.

Everything that a batch needs is put together here, in the order in which it is needed; what comes
back is the exit code.
"""

import hashlib
import os
import platform
import shlex
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread

from vhsbatch.batch.backend import Backend, backend
from vhsbatch.batch.cleanup import clean_up, warn_of_disk_space
from vhsbatch.batch.control import Live
from vhsbatch.batch.leases import PUBLISHING, Leases, leasing
from vhsbatch.batch.ledger import Ledger, read_ledger
from vhsbatch.batch.previews import previews_of
from vhsbatch.batch.request import BatchRequest
from vhsbatch.batch.session import Interface, Session, Stopped, stopped_by_signals
from vhsbatch.crash_report import defect_in_a_line
from vhsbatch.errors import OutputFolderError, fix_of_folder
from vhsbatch.events.bus import Bus, Mailbox
from vhsbatch.events.events import BatchFinished, BatchStarted, JobFailed
from vhsbatch.events.journal import STATE_FOLDER, Journal, read_journal
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import counted
from vhsbatch.process.threads import in_thread
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.restore.workspace import Workspace, expect_writable, make_private, workspace_in
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.controller import LaneLimits
from vhsbatch.scheduling.disk_space import DiskSpace
from vhsbatch.scheduling.environment import Environment, open_environment
from vhsbatch.scheduling.lane_control import LaneControl
from vhsbatch.scheduling.measuring import Measuring, Records
from vhsbatch.scheduling.planning import AGAIN, KEPT, Choosing, Planning
from vhsbatch.scheduling.readings import Reader
from vhsbatch.scheduling.scheduler import Scheduler
from vhsbatch.scheduling.shortages import Sources


async def run_batch(
    request: BatchRequest,
    interfaces: Sequence[Interface],
    integrations: Sequence[Interface] = (),
    *,
    stopped: Stopped = stopped_by_signals,
) -> int:
    """Run a batch to its end; the exit code.

    Args:
        request: what the user asked for.
        interfaces: what shows it, each with its own mailbox.
        integrations: what acts on its facts; they are done before the interfaces are, so that what they
            tell is shown.
        stopped: lets what asks the batch to stop reach it, for as long as it lasts.

    Raises:
        OutputFolderError: OUT, or the folder for unfinished work, cannot be used.
        ToolError: a tool that every video needs does not work.
    """
    if request.settings.temp_dir is not None:
        await anyio.to_thread.run_sync(expect_writable, request.settings.temp_dir)
    environment = await environment_of(request)
    folder = request.folder / STATE_FOLDER
    run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{platform.node()}-{os.getpid()}"
    async with leasing(folder, run_id, request.folder) as leases:
        warnings: list[str] = []
        history = fold(await in_thread(read_journal, folder / "journal", warnings.append))
        ledger = await in_thread(read_ledger, request.folder)
        async with await Journal.create(folder / "journal", run_id) as journal:
            bus = Bus(history if request.resume else BatchState(), journal.append)
            workspace = _workspace(request, environment, run_id)
            await anyio.to_thread.run_sync(_make_temporary, workspace)
            # They listen before machines are asked for help, so that refusals are shown.
            shown = [(interface, bus.subscribe()) for interface in interfaces]
            async with backend(request.settings, environment, workspace, bus, run_id) as workers:
                return await _run(
                    request,
                    environment,
                    bus,
                    leases,
                    shown,
                    workspace=workspace,
                    workers=workers,
                    integrations=integrations,
                    history=history,
                    ledger=ledger,
                    run_id=run_id,
                    warnings=warnings,
                    stopped=stopped,
                )


async def _run(
    request: BatchRequest,
    environment: Environment,
    bus: Bus,
    leases: Leases,
    shown: Sequence[tuple[Interface, Mailbox]],
    *,
    workspace: Workspace,
    workers: Backend,
    integrations: Sequence[Interface],
    history: BatchState,
    ledger: Ledger,
    run_id: str,
    warnings: Sequence[str],
    stopped: Stopped,
) -> int:
    state = bus.state
    notes = (*request.notes, *_announce(request, history, leases.others()))
    of_tools: Literal["debug", "info"] = "debug" if request.again else "info"
    followed = [bus.subscribe() for _ in integrations]
    live = Live(request.folder / STATE_FOLDER, run_id)
    await live.open()
    await bus.emit(
        BatchStarted(
            at_s=time.time(),
            run_id=run_id,
            input=request.input,
            output=request.output,
            options=dict(request.options),
            jobs=request.jobs,
            lanes=workers.parallel.begin,
            resumed=request.resume,
        )
    )
    for id_, reason in request.in_the_way.items():
        await bus.emit(JobFailed(at_s=time.time(), job_id=id_, reason=reason))
    journal = request.folder / STATE_FOLDER / "journal"

    def refresh() -> None:
        nonlocal ledger
        ledger = read_ledger(request.folder)

    planning = Planning(
        choosing=Choosing(
            intent=environment.intent,
            rules=request.rules,
            standing=lambda job: ledger.standing(job, records=request.rules.records),
        ),
        workspace=workspace,
        state=state,
        bus=bus,
        history=lambda: fold(read_journal(journal)),
        refresh=refresh,
    )
    retries = request.settings.retries
    disk_space = DiskSpace(
        (workspace.temporary, request.folder),
        request.settings.min_free_mib * 2**20,
        marks=(workspace.temporary, leases.own_file),
    )
    sources = await in_thread(Sources.of, [file for job in request.jobs for file in job.files])
    admission = Admission(
        state, bus, claims=leases, disk_space=disk_space, sources=sources, ending=planning.made_by_another
    )
    scheduler = Scheduler(
        state,
        bus,
        workers.executor,
        planning.plan,
        admission=admission,
        retries=retries,
        verbose=request.verbose,
    )
    session = Session(
        state=state,
        scheduler=scheduler,
        snapshots=SnapshotMaker(
            ffmpeg=environment.intent.ffmpeg.path,
            temporary=workspace.temporary,
            previews=previews_of(request.settings, environment, workspace),
        ),
        tell=bus.tell,
        drain=request.drain,
    )
    for line in (
        *(LogLine(level="warning", text=text) for text in warnings),
        *(LogLine(level="info", text=text) for text in notes),
        *(LogLine(level=of_tools, text=text) for text in environment.notes),
        *(LogLine(level="debug", text=text) for text in environment.details),
    ):
        bus.tell(line)
    async with anyio.create_task_group() as group:
        for interface, mailbox in shown:
            group.start_soon(interface, session, mailbox)
        group.start_soon(live.keep, bus.subscribe(), session.command)
        group.start_soon(warn_of_disk_space, bus.subscribe(), state, disk_space, bus)
        here = request.settings.cluster is None
        records = Records(environment.intent.cache, here=here)
        measuring = Measuring(
            state=state,
            records=records,
            threads=environment.threads,
            emit=bus.emit,
            here=here,
        )
        group.start_soon(measuring.run, bus.subscribe())
        if workers.parallel.least < workers.parallel.most:
            limits = LaneLimits(least=workers.parallel.least, most=workers.parallel.most)
            control = LaneControl(
                state=state, disk_space=disk_space, limits=limits, use_lanes=scheduler.use_lanes
            )
            group.start_soon(control.run, bus.subscribe())
        keeping = partial(clean_up, segments=not request.settings.keep_temp)
        group.start_soon(keeping, bus.subscribe(), state, workspace)
        async with stopped(session), anyio.create_task_group() as followers:
            followers.start_soon(_follow, session, list(zip(integrations, followed, strict=True)))
            reader = Reader(devices=environment.devices, folders=disk_space.folders, tell=bus.tell)
            async with workers.watched(scheduler), reader.reading():
                await scheduler.run(partial(live.last_call, session.command))
            if kept := sum(job.reason == KEPT for job in state.jobs.values()):
                bus.tell(LogLine(level="info", text=f"kept {counted(kept, 'result')} {KEPT}; {AGAIN}"))
            await bus.emit(
                BatchFinished(
                    at_s=time.time(),
                    run_id=run_id,
                    outcome="complete" if state.complete else "interrupted",
                    exit_code=session.exit_code,
                )
            )
            for mailbox in followed:
                mailbox.close()
        bus.close()
    return session.exit_code


async def _follow(session: Session, integrations: Sequence[tuple[Interface, Mailbox]]) -> None:
    """Let everybody follow the batch who acts on its facts: whatever they do, it goes on and ends."""

    async def follow(integration: Interface, mailbox: Mailbox) -> None:
        try:
            await integration(session, mailbox)
        except Exception as error:
            text = await anyio.to_thread.run_sync(defect_in_a_line, error)
            session.tell(LogLine(level="warning", text=f"{text}; the batch is not affected"))

    with session.integrations:
        async with anyio.create_task_group() as group:
            for integration, mailbox in integrations:
                group.start_soon(follow, integration, mailbox)


async def environment_of(request: BatchRequest) -> Environment:
    """The tools of a run.

    Raises:
        ToolError: one that every video needs does not work.
    """
    return await open_environment(
        request.settings,
        request.preset,
        auto_detect=request.auto_detect,
        source_overrides=request.source_overrides,
        preset_named=request.preset_named,
        allow_truncated=request.allow_truncated,
        max_damage_percent=request.max_damage_percent,
        videos=len(request.jobs),
    )


def _workspace(request: BatchRequest, environment: Environment, run_id: str) -> Workspace:
    workspace = workspace_in(
        temporary_folder(request.folder, request.settings.temp_dir),
        request.settings,
        ffmpeg=environment.intent.ffmpeg.path,
        threads=environment.threads_per_lane,
    )
    return replace(
        workspace,
        publishing=request.folder / STATE_FOLDER / f"{PUBLISHING}{run_id}",
        records=request.rules.records,
    )


def _make_temporary(workspace: Workspace) -> None:
    """Create the folder for segments; while it is not there, it is away."""
    try:
        make_private(workspace.temporary)
    except OSError as error:
        raise OutputFolderError(
            f"cannot write to {workspace.temporary}: {error.strerror}", fix=fix_of_folder(error)
        ) from error


def temporary_folder(folder: Path, temp_dir: Path | None) -> Path:
    """Where segments go; several output folders can share one folder for temporary files.

    Args:
        folder: the output folder.
        temp_dir: the folder that the user wants them in, None for one inside of the output folder.
    """
    if temp_dir is None:
        return folder / STATE_FOLDER / "work"
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return temp_dir.absolute() / f"vhsbatch-{name}"


def _announce(request: BatchRequest, history: BatchState, others: tuple[str, ...]) -> tuple[str, ...]:
    """What else is, or was, going on in the output folder."""
    if others:
        return (f"{request.output} is shared with {', '.join(others)}: no video is made twice",)
    left = sum(not job.phase.ended for job in history.known.values())
    if not left or request.resume:
        return ()
    command = shlex.join(("vhs-upscale", "batch", history.input, history.output, "--resume"))
    return (
        f"an unfinished batch is in {request.output} ({counted(left, 'video')} left): {command} continues it",
    )
