"""`watch`: folders that are restored for as long as videos arrive in them."""

import dataclasses
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TypeVar

import anyio
import anyio.abc
import anyio.to_thread

from vhsbatch.batch.ledger import LedgerReader
from vhsbatch.batch.request import Chosen, NothingToDoError
from vhsbatch.batch.session import Session
from vhsbatch.batch.settle import Arrivals
from vhsbatch.cli.configure import decide, expect_parts, preset_finder, rules_of
from vhsbatch.cli.display import interfaces
from vhsbatch.cli.options import NO_BATCH_OPTIONS, BatchOptions
from vhsbatch.cli.watched_folder import LOOK_AT_LEAST_EVERY_S, Bell, WatchedFolder
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import FILE_NAME, explain, load_settings, preset_paths
from vhsbatch.errors import OutputFolderError, UsageError, VhsBatchError, first_cause
from vhsbatch.formatting import counted
from vhsbatch.integrations.systemd import ServiceManager
from vhsbatch.process.stop_signals import receive_signals, run_until_stopped
from vhsbatch.ui.text import say

Result = TypeVar("Result")

# A folder that takes longer is on a share that hangs, or wakes up a disk.
ANSWERS_WITHIN_S = 3.0


def in_time(work: Callable[[], Result], otherwise: Result) -> Result:
    """What `work` gives; `otherwise` where a share that hangs keeps it from ending.

    Raises:
        Exception: what `work` raised.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return done.result(ANSWERS_WITHIN_S)
    except TimeoutError:
        return otherwise


def watch(
    input_folder: str | None = None,
    output_folder: str | None = None,
    /,
    *,
    settle: float = 10.0,
    poll: float | None = None,
    options: BatchOptions = NO_BATCH_OPTIONS,
) -> int:
    """Restore videos as they arrive in a folder, until Ctrl-C.

    Args:
        input_folder: Folder of captures. Nothing in it is ever changed. Without folders, those of the
            [[watch]] tables in the configuration file are watched, each with its own preset.
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
    # What one run has finished, or half finished, the next need not make again.
    options = dataclasses.replace(options, which=dataclasses.replace(which, resume=True, skip_existing=False))
    if input_folder is None:
        named = _named_in_configuration(options)
    elif output_folder is None:
        raise UsageError(
            "OUTPUT_FOLDER is missing",
            fix="vhs-upscale watch IN OUT; without both, the [[watch]] tables of a configuration are used",
        )
    else:
        _expect_readable(input_folder)
        named = (_FromTo(input_folder, output_folder, options),)
    service_manager = ServiceManager.of_environment()
    folders = [_watched(one, settle, poll, service_manager) for one in named]
    # Display options that cannot work are refused before the first video arrives.
    interfaces(options.display, lines_only=True)
    for folder in folders:
        # One of several may be away for now.
        with suppress(NothingToDoError, *([] if len(folders) == 1 else [OutputFolderError, OSError])):
            in_time(partial(_expect_usable, folder), None)
    watching = _Watching(folders=folders, quiet=options.display.quiet, service_manager=service_manager)
    return run_until_stopped(watching.run)


# --- which folders -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _FromTo:
    """A folder to watch: from where to where, and with which options."""

    input: str
    output: str
    options: BatchOptions


def _expect_usable(folder: WatchedFolder) -> None:
    if Path(folder.typed_input).is_dir():
        folder.chosen()


def _is_folder(path: str) -> bool:
    """Whether a folder is there; one that does not answer may be."""
    return in_time(partial(os.path.isdir, path), True)


def resolved(path: str) -> Path:
    """A path with links followed, unless it is on a share that does not answer."""
    return in_time(Path(path).resolve, Path(path).absolute())


def _expect_readable(folder: str) -> None:
    if not Path(folder).is_dir():
        raise UsageError(f"input folder {folder} does not exist, or is not a folder", fix="create it")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError(
            f"input folder {folder} cannot be read", fix="make it readable, or name another folder"
        )


def _named_in_configuration(options: BatchOptions) -> tuple[_FromTo, ...]:
    """The folders of the `[[watch]]` tables; one of them may be away for now.

    Raises:
        UsageError: there are none, none is there, or two of them do not go together.
    """
    origins = {origin.name: origin for origin in explain({}, config_file=options.machine.config)}
    place = origins["watch"].source
    settings = load_settings({}, config_file=options.machine.config)
    named = []
    for number, table in enumerate(settings.watch, start=1):
        result = options.result
        if table.preset is not None:
            _expect_preset(table.preset, options, settings, f"{place}: watch.{number}.preset")
            result = dataclasses.replace(result, preset=table.preset)
        named.append(
            _FromTo(str(table.input), str(table.output), dataclasses.replace(options, result=result))
        )
    if not named:
        raise UsageError(
            "INPUT_FOLDER and OUTPUT_FOLDER are missing, and no configuration file has [[watch]] tables",
            fix=f"vhs-upscale watch IN OUT, or write [[watch]] tables with input and output into {FILE_NAME}",
        )
    pairs = [(resolved(one.input), resolved(one.output)) for one in named]
    refuse_loops(pairs, place, from_results=options.which.from_results)
    if not any(_is_folder(one.input) for one in named):
        raise UsageError(
            f"{place}: watch.1.input: folder {named[0].input} does not exist, nor does any other",
            fix="create it",
        )
    return tuple(named)


def _expect_preset(name: str, options: BatchOptions, settings: Settings, place: str) -> None:
    """Promise that a table's preset exists.

    Raises:
        UsageError: there is none, or presets are chosen by measurement.
    """
    if options.result.auto_detect:
        raise UsageError(
            f"{place}: --auto-detect chooses the preset, but this names {name}", fix="leave one of them out"
        )
    try:
        find_preset(load_presets(preset_paths(settings)), name)
    except UsageError as error:
        raise UsageError(f"{place}: {error.cause}", fix=error.fix) from None


def refuse_loops(pairs: Sequence[tuple[Path, Path]], place: str, *, from_results: bool) -> None:
    """Promise that no results of one folder are captures of another, and that no work is done twice. Pure.

    Args:
        pairs: of each folder IN and OUT, resolved.
        place: the file that names them.
        from_results: whether captures in output folders are wanted.

    Raises:
        UsageError: two of them do not go together.
    """
    for (first, one), (second, other) in itertools.permutations(enumerate(pairs, start=1), 2):
        if one == other:
            raise UsageError(
                f"{place}: watch.{second}: the same folders as watch.{first}", fix="leave one of them out"
            )
        if one[0] == other[1] and not from_results:
            raise UsageError(
                f"{place}: watch.{first}.input: {one[0]} is the output of watch.{second}",
                fix="choose another output, or add --from-results",
            )


def _watched(
    named: _FromTo, settle_s: float, poll_s: float | None, service_manager: ServiceManager | None
) -> WatchedFolder:
    """A folder to watch, with everything decided.

    Raises:
        UsageError: an option does not fit, or cannot work.
    """
    options, settings, preset = decide(named.options, None, replan=False)
    expect_parts(settings, options.cluster, preset, preset_finder(options.result, settings, preset))
    folder = resolved(named.output)
    return WatchedFolder(
        typed_input=named.input,
        typed_output=named.output,
        folder=folder,
        options=options,
        settings=settings,
        preset=preset,
        poll_s=poll_s,
        arrivals=Arrivals(settle_s),
        service_manager=service_manager,
        rules=rules_of(options.which, options.machine),
        ledger=LedgerReader(folder),
    )


# --- watching them -----------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Watching:
    """Folders that share this machine: their batches take turns, and each uses all of it.

    Attributes:
        folders: those that are watched, the one whose turn it is first.
        quiet: whether only failures are shown.
        service_manager: who started this process.
        batches: how many have been run.
    """

    folders: list[WatchedFolder]
    quiet: bool
    service_manager: ServiceManager | None
    batches: int = 0

    async def run(self) -> int:
        """Restore what arrives until a signal comes; 128 + its number.

        Raises:
            VhsBatchError: there is one folder, and its output or a tool cannot be used.
        """
        changed = Bell()
        signals = _Signals(changed.ring)
        async with anyio.create_task_group() as group:
            asking = _Asking(group, changed, signals)
            for folder in self.folders:
                await asking.ask(folder, self._try(folder, _in_thread(folder.open)))
            for folder in self.folders:
                group.start_soon(folder.listen, changed)
            if self.service_manager is not None:
                group.start_soon(self.service_manager.stay_alive)
            await group.start(signals.listen)
            self._say_ready()
            signum = await self._restore_what_arrives(changed, asking, signals)
            if self.service_manager is not None:
                self.service_manager.tell("STOPPING=1")
            group.cancel_scope.cancel()
        return 128 + signum

    async def _restore_what_arrives(self, changed: Bell, asking: "_Asking", signals: "_Signals") -> int:
        while not signals.received:
            changed.reset()
            found, wait_s = await self._first_complete(asking)
            if found is not None:
                await asking.follow(found[0], self._restore(*found, signals), alone=len(self.folders) == 1)
            else:
                with anyio.move_on_after(wait_s):
                    await changed.wait()
        # What a share holds up ends by itself, or with this process five seconds later.
        await asking.until_all_ended()
        return signals.received[0]

    async def _first_complete(self, asking: "_Asking") -> tuple[tuple[WatchedFolder, Chosen] | None, float]:
        """The first folder in whose turn videos are complete; else in how many seconds to look again."""
        soonest_s = LOOK_AT_LEAST_EVERY_S
        for folder in self.folders:
            rest_s = folder.rests_until_s - time.monotonic()
            if rest_s <= 0 and not asking.waits_for(folder):
                looked = await asking.ask(folder, self._try(folder, _in_thread(folder.complete)))
                chosen, rest_s = looked or (Chosen((), {}), LOOK_AT_LEAST_EVERY_S)
                if chosen.jobs:
                    return (folder, chosen), 0.0
            if rest_s > 0:
                soonest_s = min(soonest_s, rest_s)
        return None, soonest_s

    async def _restore(self, folder: WatchedFolder, chosen: Chosen, signals: "_Signals") -> None:
        """Restore what is complete in a folder; it is the last one's turn then."""
        self.folders.remove(folder)
        self.folders.append(folder)
        again, self.batches = self.batches > 0, self.batches + 1
        stopped_by = await self._try(folder, folder.restore(chosen, again=again, stopped=signals.stopping))
        if stopped_by is not None:
            signals.received.append(stopped_by)
        else:
            self._say_ready()

    async def _try(self, folder: WatchedFolder, work: Awaitable[Result]) -> Result | None:
        """What `work` on a folder gives. Where it fails, and others are watched too, the folder rests.

        Raises:
            VhsBatchError: it failed, and no other folder is watched.
        """
        try:
            return await work
        except Exception as error:
            cause = first_cause(error)
            if len(self.folders) == 1 or not isinstance(cause, VhsBatchError | OSError):
                raise
            folder.tell_once(f"{folder.typed_input}: {cause}; tried again every minute")
            folder.rests_until_s = time.monotonic() + LOOK_AT_LEAST_EVERY_S
            return None

    def _say_ready(self) -> None:
        first = self.folders[0].typed_input
        line = (
            f"watching {first if len(self.folders) == 1 else counted(len(self.folders), 'folder')} for videos"
        )
        if self.service_manager is not None:
            self.service_manager.ready(line)
        if not self.quiet:
            say(line)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """What `work` gives, done in a thread that is abandoned with who waits for it."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


class _Asking:
    """Asks folders, and goes on where one does not answer: it is heard of when it does."""

    def __init__(self, group: anyio.abc.TaskGroup, changed: Bell, signals: "_Signals") -> None:
        self._group = group
        self._changed = changed
        self._signals = signals
        self._silent: list[WatchedFolder] = []
        self._batches: list[anyio.Event] = []

    def waits_for(self, folder: WatchedFolder) -> bool:
        """Whether a folder has not answered yet."""
        return any(silent is folder for silent in self._silent)

    async def ask(self, folder: WatchedFolder, work: Coroutine[object, object, Result]) -> Result | None:
        """What `work` on a folder gives; None where it takes too long."""
        answers: list[Result] = []
        answered = anyio.Event()

        async def wait() -> None:
            answers.append(await work)
            answered.set()
            self._answers_again(folder)

        self._group.start_soon(wait)
        with anyio.move_on_after(ANSWERS_WITHIN_S):
            await answered.wait()
            return answers[0]
        self._silent.append(folder)
        say(f"{folder.typed_input}: a share does not answer; it is looked at when it does")
        return None

    async def follow(
        self, folder: WatchedFolder, batch: Coroutine[object, object, None], *, alone: bool
    ) -> None:
        """Wait for the end of a batch, or until a share does not answer that it needs: it goes on then.

        Args:
            folder: what it restores.
            batch: runs it.
            alone: whether nothing else could be done meanwhile.
        """
        ended = anyio.Event()

        async def run() -> None:
            try:
                await batch
            finally:
                ended.set()
                self._batches.remove(ended)
            self._answers_again(folder)

        self._batches.append(ended)
        self._group.start_soon(run)
        while not ended.is_set():
            with anyio.move_on_after(ANSWERS_WITHIN_S):
                await ended.wait()
            if not (alone or ended.is_set() or await self._does_answer(folder)):
                self._silent.append(folder)
                say(f"{folder.typed_input}: a share does not answer; its batch waits, the others continue")
                return

    async def until_all_ended(self) -> None:
        """Wait for the batches that were left to themselves."""
        for ended in [*self._batches]:
            await ended.wait()

    async def _does_answer(self, folder: WatchedFolder) -> bool:
        with anyio.move_on_after(ANSWERS_WITHIN_S):
            await _in_thread(folder.answers)
            return True
        return False

    def _answers_again(self, folder: WatchedFolder) -> None:
        if self.waits_for(folder):
            self._silent = [silent for silent in self._silent if silent is not folder]
            if not self._signals.received:  # after those, its batch may have ended without it
                say(f"{folder.typed_input}: it answers again")
            self._changed.ring()


class _Signals:
    """The signals to stop that arrive: all batches that run hear of each."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.received: list[int] = []
        self._sessions: list[Session] = []
        self._ring = ring

    @asynccontextmanager
    async def stopping(self, session: Session) -> AsyncIterator[None]:
        """Let signals reach a batch, for as long as this lasts."""
        self._sessions.append(session)
        for number in self.received:
            session.stop(number)
        try:
            yield
        finally:
            self._sessions.remove(session)

    async def listen(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Hear of signals; it ends by being cancelled."""
        with receive_signals(self._is_patient) as signals:
            task_status.started()
            async for number in signals:
                self.received.append(number)
                for session in self._sessions:
                    session.stop(number)
                self._ring()

    def _is_patient(self) -> bool:
        return any(session.drain and session.stopped_by is None for session in self._sessions)
