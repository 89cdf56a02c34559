"""The composition root: one batch, one task group.

Everything that a batch needs is put together here, in the order in which it is needed; what comes
back is the exit code.
"""

import hashlib
import os
import shlex
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.backend import Workforce, workforce
from vhsbatch.batch.cleanup import clean_up, warn_of_room
from vhsbatch.batch.control import Live
from vhsbatch.batch.leases import PUBLISHING, Leases, leasing
from vhsbatch.batch.ledger import Ledger, read_ledger
from vhsbatch.batch.request import BatchRequest
from vhsbatch.batch.session import Interface, Session, stopped_by_signals
from vhsbatch.crash_report import defect_in_a_line
from vhsbatch.errors import OutputFolderError, fix_of_folder
from vhsbatch.events.bus import Bus, Mailbox
from vhsbatch.events.events import BatchFinished, BatchStarted, JobFailed
from vhsbatch.events.journal import STATE_FOLDER, Journal, read_journal
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import counted
from vhsbatch.process.threads import in_thread
from vhsbatch.restore.snapshot import StillMaker
from vhsbatch.restore.workspace import Workplace, expect_writable, make_private
from vhsbatch.scheduling.admission import Gate
from vhsbatch.scheduling.controller import Limits
from vhsbatch.scheduling.disk_space import Room
from vhsbatch.scheduling.environment import Toolbox, open_toolbox
from vhsbatch.scheduling.lane_control import LaneControl
from vhsbatch.scheduling.measuring import Measuring, Records
from vhsbatch.scheduling.planning import AGAIN, KEPT, Choosing, Planning
from vhsbatch.scheduling.readings import Reader
from vhsbatch.scheduling.scheduler import Scheduler
from vhsbatch.scheduling.shortages import Sources


async def run_batch(
    request: BatchRequest, interfaces: Sequence[Interface], followers: Sequence[Interface] = ()
) -> int:
    """Run a batch to its end; the exit code.

    Args:
        request: what the user asked for.
        interfaces: what shows it, each with a mailbox of its own.
        followers: what acts on its facts; they are done before the interfaces are, so that what they
            tell is shown.

    Raises:
        OutputFolderError: OUT, or the folder for unfinished work, cannot be used.
        ToolError: a tool that every video needs does not work.
    """
    if request.settings.temp_dir is not None:
        await anyio.to_thread.run_sync(expect_writable, request.settings.temp_dir)
    toolbox = await toolbox_of(request)
    folder = request.folder / STATE_FOLDER
    run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.uname().nodename}-{os.getpid()}"
    async with leasing(folder, run_id, request.folder) as leases:
        warnings: list[str] = []
        history = fold(read_journal(folder / "journal", warnings.append))
        ledger = read_ledger(request.folder)
        async with await Journal.create(folder / "journal", run_id) as journal:
            bus = Bus(history if request.resume else BatchState(), journal.append)
            workplace = _workplace(request, toolbox, run_id)
            await anyio.to_thread.run_sync(_make_temporary, workplace)
            # They listen before machines are asked for help, so that refusals are shown.
            shown = [(interface, bus.subscribe()) for interface in interfaces]
            async with workforce(request.settings, toolbox, workplace, bus, run_id) as workers:
                return await _run(
                    request,
                    toolbox,
                    bus,
                    leases,
                    shown,
                    workplace=workplace,
                    workers=workers,
                    followers=followers,
                    history=history,
                    ledger=ledger,
                    run_id=run_id,
                    warnings=warnings,
                )


async def _run(
    request: BatchRequest,
    toolbox: Toolbox,
    bus: Bus,
    leases: Leases,
    shown: Sequence[tuple[Interface, Mailbox]],
    *,
    workplace: Workplace,
    workers: Workforce,
    followers: Sequence[Interface],
    history: BatchState,
    ledger: Ledger,
    run_id: str,
    warnings: Sequence[str],
) -> int:
    state = bus.state
    notes = (*request.notes, *toolbox.notes, *_announce(request, history, leases.others()))
    followed = [bus.subscribe() for _ in followers]
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
            intent=toolbox.intent,
            rules=request.rules,
            standing=lambda job: ledger.standing(job, records=request.rules.records),
        ),
        workplace=workplace,
        state=state,
        bus=bus,
        history=lambda: fold(read_journal(journal)),
        refresh=refresh,
    )
    retries = request.settings.retries
    room = Room(
        (workplace.temporary, request.folder),
        request.settings.min_free_mib * 2**20,
        marks=(workplace.temporary, leases.own_file),
    )
    sources = await in_thread(Sources.of, [job.source for job in request.jobs])
    gate = Gate(state, bus, claims=leases, room=room, sources=sources, ending=planning.made_by_another)
    scheduler = Scheduler(
        state, bus, workers.executor, planning.plan, gate=gate, retries=retries, verbose=request.verbose
    )
    session = Session(
        state=state,
        scheduler=scheduler,
        stills=StillMaker(ffmpeg=toolbox.ffmpeg, temporary=workplace.temporary),
        tell=bus.tell,
        drain=request.drain,
    )
    for line in (
        *(LogLine(level="warning", text=text) for text in warnings),
        *(LogLine(level="info", text=text) for text in notes),
    ):
        bus.tell(line)
    async with anyio.create_task_group() as group:
        for interface, mailbox in shown:
            group.start_soon(interface, session, mailbox)
        group.start_soon(live.keep, bus.subscribe(), session.wish)
        group.start_soon(warn_of_room, bus.subscribe(), state, room, bus)
        here = request.settings.cluster is None
        records = Records(toolbox.intent.memory, here=here)
        measuring = Measuring(
            state=state,
            records=records,
            threads=toolbox.threads,
            emit=bus.emit,
            here=here,
        )
        group.start_soon(measuring.run, bus.subscribe())
        if workers.parallel.least < workers.parallel.most:
            limits = Limits(least=workers.parallel.least, most=workers.parallel.most)
            control = LaneControl(state=state, room=room, limits=limits, use_lanes=scheduler.use_lanes)
            group.start_soon(control.run, bus.subscribe())
        keeping = partial(clean_up, segments=not request.settings.keep_temp)
        group.start_soon(keeping, bus.subscribe(), state, workplace)
        async with stopped_by_signals(session), anyio.create_task_group() as following:
            following.start_soon(_follow, session, list(zip(followers, followed, strict=True)))
            reader = Reader(devices=toolbox.devices, folders=room.folders, tell=bus.tell)
            async with workers.watched(scheduler), reader.reading():
                await scheduler.run(partial(live.last_call, session.wish))
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


async def _follow(session: Session, followers: Sequence[tuple[Interface, Mailbox]]) -> None:
    """Let everybody follow the batch who acts on its facts: whatever they do, it goes on and ends."""

    async def follow(follower: Interface, mailbox: Mailbox) -> None:
        try:
            await follower(session, mailbox)
        except Exception as error:
            text = await anyio.to_thread.run_sync(defect_in_a_line, error)
            session.tell(LogLine(level="warning", text=f"{text}; the batch is not affected"))

    with session.following:
        async with anyio.create_task_group() as group:
            for follower, mailbox in followers:
                group.start_soon(follow, follower, mailbox)


async def toolbox_of(request: BatchRequest) -> Toolbox:
    """The tools of a run.

    Raises:
        ToolError: one that every video needs does not work.
    """
    return await open_toolbox(
        request.settings,
        request.preset,
        detectable=request.detectable,
        corrections=request.corrections,
        preset_named=request.preset_named,
        allow_truncated=request.allow_truncated,
        max_damage_percent=request.max_damage_percent,
        videos=len(request.jobs),
    )


def _workplace(request: BatchRequest, toolbox: Toolbox, run_id: str) -> Workplace:
    settings, state_folder = request.settings, request.folder / STATE_FOLDER
    return Workplace(
        ffmpeg=toolbox.ffmpeg,
        temporary=temporary_folder(request.folder, settings.temp_dir),
        publishing=state_folder / f"{PUBLISHING}{run_id}",
        threads_per_lane=max(1, toolbox.threads // toolbox.lanes),
        niceness=settings.nice,
        stall_timeout_s=settings.stall_timeout_s,
        records=request.rules.records,
        skip_still=settings.skip_still,
        vapoursynth_python=settings.vapoursynth_python,
    )


def _make_temporary(workplace: Workplace) -> None:
    """Create the folder for segments; while it is not there, it is away."""
    try:
        make_private(workplace.temporary)
    except OSError as error:
        raise OutputFolderError(
            f"cannot write to {workplace.temporary}: {error.strerror}", fix=fix_of_folder(error)
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
    return (f"an unfinished batch is in {request.output} ({left} videos left): {command} continues it",)
