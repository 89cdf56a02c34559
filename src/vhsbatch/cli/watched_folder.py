"""A folder that is watched: what is complete in it, and the batches that restore it."""

import dataclasses
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.ledger import LedgerReader
from vhsbatch.batch.ordering import priorities
from vhsbatch.batch.request import Chosen, NothingToDoError, jobs_of_folder
from vhsbatch.batch.run import run_batch
from vhsbatch.batch.session import Session, Stopped
from vhsbatch.batch.settle import Arrivals, Identity
from vhsbatch.cli.configure import request_for
from vhsbatch.cli.display import interfaces
from vhsbatch.cli.integrations import integrations
from vhsbatch.cli.options import BatchOptions
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import UsageError, VhsBatchError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.job_state import Phase
from vhsbatch.events.journal import STATE_FOLDER
from vhsbatch.fs import state_of
from vhsbatch.integrations.systemd import ServiceManager
from vhsbatch.model.plan import Job
from vhsbatch.process.threads import in_thread
from vhsbatch.restore.ownership import InTheWay, Rules
from vhsbatch.restore.workspace import expect_writable
from vhsbatch.ui.text import say

# How often a folder is looked at although nothing was heard of it: a network share may say nothing.
LOOK_AT_LEAST_EVERY_S = 60.0
_WITHOUT_IT = "'vhs-upscale batch', or --join none, restores it without"


class Bell:
    """Wakes who waits for it."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake who waits."""
        self._event.set()

    def reset(self) -> None:
        """Let the next one wait for another ring."""
        self._event = anyio.Event()

    async def wait(self) -> None:
        """Wait until it rings."""
        await self._event.wait()


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


@dataclass(slots=True, kw_only=True)
class WatchedFolder:
    """A folder that is watched; each time that videos are complete, they are a batch of their own.

    Attributes:
        typed_input: IN as the user wrote it.
        typed_output: OUT as the user wrote it.
        folder: the output folder.
        options: what was typed, with this folder's preset.
        settings: how this machine runs.
        preset: with every override applied.
        poll_s: how often to look where changes are not reported; None where they are.
        arrivals: which files have stopped growing.
        service_manager: who started this process.
        rules: what is not touched, and what may be replaced.
        ledger: what is proven of OUT.
        told: what has been said, which is not said again.
        is_open: whether the output folder has been found to be usable.
        rests_until_s: when to look again after a failure, on a clock that never jumps.
        held: the videos whose results have no place.
    """

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
    is_open: bool = False
    rests_until_s: float = 0.0
    held: _Held = field(default_factory=_Held)

    # --- what is there ---------------------------------------------------------------------------

    def open(self) -> None:
        """Make the output folder; leave alone what earlier runs have restored, if it is what it was then.

        Raises:
            OutputFolderError: it cannot be used.
        """
        expect_writable(self.folder)
        ledger = self.ledger.now()
        for id_, result in ledger.published.items():
            source = result.source
            if source is not None and ledger.is_result(ledger.path_of(id_)):
                self.arrivals.take(source.path, (source.size_bytes, source.modified_ns))
        self.is_open = True

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

    def complete(self) -> tuple[Chosen, float]:
        """The videos that are complete; in how many seconds to look again if there are none.

        Raises:
            VhsBatchError: the output folder cannot be used.
        """
        if not self.is_open:
            self.open()
        chosen = Chosen((), {})
        try:
            chosen = self.chosen()
        except NothingToDoError:
            pass
        except UsageError as error:  # a share may have gone for a while
            self.tell_once(str(error))
        for note in chosen.notes:
            self.tell_once(note)
        files = {job.source: identity for job in chosen.jobs if (identity := _identity(*job.files))}
        now_s = time.monotonic()
        ready = set(self.arrivals.look(files, now_s=now_s, wall_s=time.time()))
        jobs = [job for job in chosen.jobs if job.source in ready]
        for line in self.held.look(jobs, chosen.in_the_way):
            say(line)
        for job in jobs:
            if job.id in chosen.lacking:
                self.tell_once(f"{job.source.name} waits: {chosen.lacking[job.id]} ({_WITHOUT_IT})")
        complete = [job for job in jobs if job.id not in chosen.lacking and not self.held.holds(job)]
        soon_s = self.arrivals.next_look_s(now_s)
        return (
            Chosen(
                tuple(dataclasses.replace(job, index=index) for index, job in enumerate(complete, start=1)),
                {},
            ),
            min(
                self.poll_s or LOOK_AT_LEAST_EVERY_S,
                LOOK_AT_LEAST_EVERY_S if soon_s is None else soon_s + 0.1,
            ),
        )

    def tell_once(self, line: str) -> None:
        """Say what has not been said before."""
        if line not in self.told:
            self.told.add(line)
            say(line)

    async def listen(self, changed: Bell) -> None:
        """Ring whenever something happens in the two folders; it ends by being cancelled.

        A folder that is looked at every few seconds needs nothing else: a share may hang in this, too.
        """
        if self.poll_s is not None:
            return
        async with anyio.create_task_group() as group:
            # A file that is in the way of a result may go, too.
            resolve = Path(self.typed_input).resolve
            for folder in {await anyio.to_thread.run_sync(resolve, abandon_on_cancel=True), self.folder}:
                group.start_soon(self._listen, folder, changed)

    async def _listen(self, folder: Path, changed: Bell) -> None:
        from watchfiles import awatch

        while True:
            # A folder that goes away (a share, a disk) is watched again when it is back.
            with suppress(OSError, RuntimeError):
                # A share that hangs holds up this thread, and not the one in which all else is done.
                await anyio.to_thread.run_sync(os.stat, folder, abandon_on_cancel=True)
                async for _ in awatch(
                    folder,
                    watch_filter=_is_news,
                    recursive=self.options.which.recursive,
                    raise_interrupt=False,
                ):
                    changed.ring()
            await anyio.sleep(LOOK_AT_LEAST_EVERY_S)

    # --- a batch ---------------------------------------------------------------------------------

    def answers(self) -> None:
        """Return once both folders have answered: a share that hangs does not; no cache answers for it."""
        for folder in (Path(self.typed_input), self.folder):
            with suppress(OSError):
                shutil.disk_usage(folder)

    async def restore(self, chosen: Chosen, *, again: bool, stopped: Stopped) -> int | None:
        """Restore what is complete; the signal that ended it early, if one did.

        Args:
            chosen: what is complete.
            again: whether a batch came before, so that its tools are no news.
            stopped: lets signals reach the batch.

        Raises:
            VhsBatchError: the output folder or a tool cannot be used.
        """
        # A share may hang at any moment: the thread in which the other folders are restored asks it nothing.
        identities, there = await in_thread(_identities, chosen.jobs)
        request = await in_thread(
            partial(
                request_for,
                *(chosen, self.rules),
                typed_input=self.typed_input,
                typed_output=self.typed_output,
                folder=self.folder,
                options=self.options,
                settings=self.settings,
                preset=self.preset,
            )
        )
        request = dataclasses.replace(request, again=again)
        sessions: list[Session] = []

        async def remember(session: Session, mailbox: Mailbox) -> None:
            sessions.append(session)
            async for _ in mailbox:
                pass

        shown = [*interfaces(self.options.display, lines_only=True), remember]
        follow = integrations(request, service_manager=self.service_manager)
        await run_batch(request, shown, follow, stopped=stopped)
        (session,) = sessions
        for id_, job in session.state.jobs.items():
            identity = identities[id_]
            if identity is None or job.phase not in (Phase.DONE, Phase.SKIPPED, Phase.FAILED):
                continue
            failed = job.phase is Phase.FAILED and there[id_] is not None
            if failed and await anyio.to_thread.run_sync(self._was_in_the_way, job.job, there[id_]):
                self.held.failed(job.job, identity, there[id_])
            else:
                self.arrivals.take(job.job.source, identity)
        return session.stopped_by

    def _was_in_the_way(self, job: Job, there: Identity | None) -> bool:
        """Whether a file keeps a result from being published, which may take reading it; or has just gone."""
        if _identity(job.output) != there:
            return True
        with suppress(VhsBatchError):
            standing = self.ledger.now().standing(job, records=self.rules.records)
            return isinstance(standing, InTheWay) and (standing.absolute or not self.rules.overwrite)
        return False


def _identities(jobs: Sequence[Job]) -> tuple[dict[str, Identity | None], dict[str, Identity | None]]:
    """What the sources of videos are now, and what is under the names of their results."""
    return {job.id: _identity(*job.files) for job in jobs}, {job.id: _identity(job.output) for job in jobs}


def _is_news(_change: object, path: str) -> bool:
    return STATE_FOLDER not in Path(path).parts


def _identity(*paths: Path) -> Identity | None:
    try:
        return state_of(*paths)
    except OSError:
        return None
