"""`watch`: a folder that is restored for as long as videos arrive in it."""

import dataclasses
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.abc
import anyio.to_thread

from vhsbatch.batch.ledger import LedgerReader
from vhsbatch.batch.ordering import priorities
from vhsbatch.batch.request import Chosen, NothingToDoError, jobs_of_folder
from vhsbatch.batch.run import run_batch
from vhsbatch.batch.session import Session
from vhsbatch.batch.settle import Arrivals, Identity
from vhsbatch.cli.configure import decide, expect_parts, preset_finder, request_for, rules_of
from vhsbatch.cli.display import interfaces
from vhsbatch.cli.integrations import integrations
from vhsbatch.cli.options import NO_BATCH_OPTIONS, BatchOptions
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import UsageError, VhsBatchError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.job_state import Phase
from vhsbatch.events.journal import STATE_FOLDER
from vhsbatch.fs import state_of
from vhsbatch.integrations.systemd import ServiceManager
from vhsbatch.model.plan import Job
from vhsbatch.process.stop_signals import receive_signals, run_until_stopped
from vhsbatch.restore.ownership import InTheWay, Rules
from vhsbatch.restore.workspace import expect_writable
from vhsbatch.ui.text import say

# How often a folder is looked at although nothing was heard of it: a network share may say nothing.
_LOOK_AT_LEAST_EVERY_S = 60.0
_WITHOUT_IT = "'vhs-upscale batch', or --join none, restores it without"


def watch(
    input_folder: str,
    output_folder: str,
    /,
    *,
    settle: float = 10.0,
    poll: float | None = None,
    options: BatchOptions = NO_BATCH_OPTIONS,
) -> int:
    """Restore videos as they arrive in a folder, until Ctrl-C.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed.
        output_folder: Folder for the results. It is created if it does not exist.
        settle: Restore a file when it has not changed for this many seconds. [default: 10]
        poll: Check the folder every N seconds, for network shares that do not report changes.
        options: See `BatchOptions`.
    """
    if settle <= 0:
        raise UsageError(f"--settle {settle:g}: must be more than 0 seconds", fix="for example 10")
    if poll is not None and poll <= 0:
        raise UsageError(f"--poll {poll:g}: must be more than 0 seconds", fix="for example 30")
    which = options.which
    for option, given in (("--dry-run", which.dry_run), ("--max-count", which.max_count is not None)):
        if given:
            raise UsageError(f"{option} cannot be used with watch", fix="use 'vhs-upscale batch'")
    if not Path(input_folder).is_dir():
        raise UsageError(f"input folder {input_folder} does not exist, or is not a folder", fix="create it")
    if not os.access(input_folder, os.R_OK | os.X_OK):
        raise UsageError(
            f"input folder {input_folder} cannot be read", fix="make it readable, or name another folder"
        )
    # What one run has finished, or half finished, the next need not make again.
    which = dataclasses.replace(which, resume=True, skip_existing=False)
    options, settings, preset = decide(dataclasses.replace(options, which=which), None, replan=False)
    expect_parts(settings, options.cluster, preset, preset_finder(options.result, settings, preset))
    # Display options that cannot work are refused before the first video arrives.
    interfaces(options.display, lines_only=True)
    folder = Path(output_folder).resolve()
    watched = _Watch(
        typed_input=input_folder,
        typed_output=output_folder,
        folder=folder,
        options=options,
        settings=settings,
        preset=preset,
        poll_s=poll,
        arrivals=Arrivals(settle),
        service_manager=ServiceManager.of_environment(),
        rules=rules_of(which, options.machine),
        ledger=LedgerReader(folder),
    )
    with suppress(NothingToDoError):
        watched.chosen()
    return run_until_stopped(watched.run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """A folder that is watched; each time that videos are complete, they are a batch of their own."""

    typed_input: str
    typed_output: str
    folder: Path
    options: BatchOptions
    settings: Settings
    preset: Preset
    poll_s: float | None
    arrivals: Arrivals
    service_manager: ServiceManager | None
    rules: Rules
    ledger: LedgerReader
    told: set[str] = field(default_factory=set)
    held: "_Held" = field(default_factory=lambda: _Held())  # noqa: PLW0108 - it is declared below
    # The session of the last batch.
    last: list[Session] = field(default_factory=list)

    async def run(self) -> int:
        """Restore what arrives until a signal comes; 128 + its number.

        Raises:
            VhsBatchError: the output folder or a tool cannot be used.
        """
        await anyio.to_thread.run_sync(expect_writable, self.folder)
        await anyio.to_thread.run_sync(self._remember)
        async with anyio.create_task_group() as group:
            changed = _Bell()
            # A file that is in the way of a result may go, too.
            for folder in {await anyio.to_thread.run_sync(Path(self.typed_input).resolve), self.folder}:
                group.start_soon(self._listen, folder, changed)
            if self.service_manager is not None:
                group.start_soon(self.service_manager.stay_alive)
            self._say(f"watching {self.typed_input} for videos")
            signum = await self._restore_what_arrives(changed)
            if self.service_manager is not None:
                self.service_manager.tell("STOPPING=1")
            group.cancel_scope.cancel()
        return 128 + signum

    async def _restore_what_arrives(self, changed: "_Bell") -> int:
        while True:
            changed.reset()
            async with _signals(changed.ring) as received:
                chosen, wait_s = await anyio.to_thread.run_sync(self._complete)
                if not chosen.jobs:
                    with anyio.move_on_after(wait_s):
                        await changed.wait()
            if received:
                return received[0]
            if chosen.jobs and (stopped_by := await self._restore(chosen)) is not None:
                return stopped_by

    def _say(self, line: str) -> None:
        if self.service_manager is not None:
            self.service_manager.ready(line)
        if not self.options.display.quiet:
            say(line)

    # --- what is there ---------------------------------------------------------------------------

    def _remember(self) -> None:
        """Leave alone what earlier runs have restored, if it is still what it was then."""
        ledger = self.ledger.now()
        for id_, result in ledger.published.items():
            source = result.source
            if source is not None and ledger.is_result(ledger.path_of(id_)):
                self.arrivals.take(source.path, (source.size_bytes, source.modified_ns))

    def chosen(self) -> Chosen:
        """What is in the folder.

        Raises:
            NothingToDoError: no video is.
            UsageError: the folder has gone for a while, or is an output folder.
        """
        which = self.options.which
        return jobs_of_folder(
            Path(self.typed_input),
            self.preset,
            self.ledger.now(),
            pattern=which.pattern,
            recursive=which.recursive,
            suffix=which.suffix,
            max_count=None,
            join=which.join == "auto",
            order=which.order,
            by=priorities(which.priority),
            rules=self.rules,
            refuses_all=False,
        )

    def _complete(self) -> tuple[Chosen, float]:
        """The videos that are complete; in how many seconds to look again if there are none."""
        chosen = Chosen((), {})
        try:
            chosen = self.chosen()
        except NothingToDoError:
            pass
        except UsageError as error:  # a share may have gone for a while
            self._tell_once(str(error))
        for note in chosen.notes:
            self._tell_once(note)
        files = {job.source: identity for job in chosen.jobs if (identity := _identity(*job.files))}
        now_s = time.monotonic()
        ready = set(self.arrivals.look(files, now_s=now_s, wall_s=time.time()))
        jobs = [job for job in chosen.jobs if job.source in ready]
        for line in self.held.look(jobs, chosen.in_the_way):
            say(line)
        for job in jobs:
            if job.id in chosen.lacking:
                self._tell_once(f"{job.source.name} waits: {chosen.lacking[job.id]} ({_WITHOUT_IT})")
        complete = [job for job in jobs if job.id not in chosen.lacking and not self.held.holds(job)]
        soon_s = self.arrivals.next_look_s(now_s)
        return (
            Chosen(
                tuple(dataclasses.replace(job, index=index) for index, job in enumerate(complete, start=1)),
                {},
            ),
            min(
                self.poll_s or _LOOK_AT_LEAST_EVERY_S,
                _LOOK_AT_LEAST_EVERY_S if soon_s is None else soon_s + 0.1,
            ),
        )

    def _tell_once(self, line: str) -> None:
        if line not in self.told:
            self.told.add(line)
            say(line)

    async def _listen(self, folder: Path, changed: "_Bell") -> None:
        """Ring whenever something happens in a folder."""
        from watchfiles import awatch

        while True:
            # A folder that goes away (a share, a disk) is watched again when it is back.
            with suppress(OSError, RuntimeError):
                async for _ in awatch(
                    folder,
                    watch_filter=_is_news,
                    recursive=self.options.which.recursive,
                    force_polling=self.poll_s is not None,
                    poll_delay_ms=round(1000 * (self.poll_s or 1)),
                    raise_interrupt=False,
                ):
                    changed.ring()
            await anyio.sleep(_LOOK_AT_LEAST_EVERY_S)

    # --- a batch ---------------------------------------------------------------------------------

    async def _restore(self, chosen: Chosen) -> int | None:
        """Restore what is complete; the signal that ended it early, if one did."""
        identities = {job.id: _identity(*job.files) for job in chosen.jobs}
        there = {job.id: _identity(job.output) for job in chosen.jobs}
        request = request_for(
            chosen,
            self.rules,
            typed_input=self.typed_input,
            typed_output=self.typed_output,
            folder=self.folder,
            options=self.options,
            settings=self.settings,
            preset=self.preset,
        )
        request = dataclasses.replace(request, again=bool(self.last))
        self.last.clear()

        async def remember(session: Session, mailbox: Mailbox) -> None:
            self.last.append(session)
            async for _ in mailbox:
                pass

        shown = [*interfaces(self.options.display, lines_only=True), remember]
        await run_batch(request, shown, integrations(request, service_manager=self.service_manager))
        (session,) = self.last
        for id_, job in session.state.jobs.items():
            identity = identities[id_]
            if identity is None or job.phase not in (Phase.DONE, Phase.SKIPPED, Phase.FAILED):
                continue
            failed = job.phase is Phase.FAILED and there[id_] is not None
            if failed and await anyio.to_thread.run_sync(self._was_in_the_way, job.job, there[id_]):
                self.held.failed(job.job, identity, there[id_])
            else:
                self.arrivals.take(job.job.source, identity)
        self._say(f"watching {self.typed_input} for videos")
        return session.stopped_by

    def _was_in_the_way(self, job: Job, there: Identity | None) -> bool:
        """Whether a file keeps a result from being published, which may take reading it; or has just gone."""
        if _identity(job.output) != there:
            return True
        with suppress(VhsBatchError):
            standing = self.ledger.now().standing(job, records=self.rules.records)
            return isinstance(standing, InTheWay) and (standing.absolute or not self.rules.overwrite)
        return False


@dataclass(slots=True)
class _Held:
    """The videos whose results have no place: they wait until that changes.

    Attributes:
        named: what was said of each, and what it and the file in its way were then.
    """

    named: dict[Path, tuple[str, Identity | None, Identity | None]] = field(default_factory=dict)

    def look(self, jobs: Sequence[Job], in_the_way: Mapping[str, str]) -> list[str]:
        """Hold the videos that are in conflict now, and no others; what is to be said of them."""
        lines: list[str] = []
        named: dict[Path, tuple[str, Identity | None, Identity | None]] = {}
        for job in jobs:
            state = (_identity(*job.files), _identity(job.output))
            before = self.named.get(job.source)
            reason = in_the_way.get(job.id)
            if reason is not None:
                named[job.source] = (reason, *state)
                if before != named[job.source]:
                    lines.append(f"{job.source.name} waits: {reason}")
            elif before is not None and before == ("", *state):
                named[job.source] = before
        self.named = named
        return lines

    def failed(self, job: Job, source: Identity, output: Identity | None) -> None:
        """Hold a video that a batch has refused, and named, as long as both files are what they were."""
        self.named[job.source] = ("", source, output)

    def holds(self, job: Job) -> bool:
        """Whether a video waits."""
        return job.source in self.named


class _Bell:
    """Wakes who waits for it."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        self._event.set()

    def reset(self) -> None:
        self._event = anyio.Event()

    async def wait(self) -> None:
        await self._event.wait()


@asynccontextmanager
async def _signals(ring: Callable[[], None]) -> AsyncIterator[list[int]]:
    """The signals to stop that arrive meanwhile; `ring` is called for each."""
    received: list[int] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        with receive_signals() as signals:
            task_status.started()
            async for number in signals:
                received.append(number)
                ring()

    async with anyio.create_task_group() as group:
        await group.start(listen)
        yield received
        group.cancel_scope.cancel()


def _is_news(_change: object, path: str) -> bool:
    return STATE_FOLDER not in Path(path).parts


def _identity(*paths: Path) -> Identity | None:
    try:
        return state_of(*paths)
    except OSError:
        return None
