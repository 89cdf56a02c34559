"""A batch while it runs, as its interfaces see it, and the signals that stop it."""

import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import Command, Stop
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.process.spawn import kill_all
from vhsbatch.process.stop_signals import deadline, receive_signals
from vhsbatch.restore.snapshot import SnapshotMaker
from vhsbatch.scheduling.scheduler import Scheduler

# After a signal: a short command, and the report, still have their time.
FOLLOWERS_END_WITHIN_S = 2.5

# Shows a batch, or follows it and acts on its facts, until it is over: gets the session and a mailbox.
Interface = Callable[["Session", Mailbox], Coroutine[Any, Any, None]]
# Stops a batch when that is asked for, for as long as the context lasts.
Stopped = Callable[["Session"], AbstractAsyncContextManager[None]]


@dataclass(slots=True)
class Session:
    """A batch while it runs, as its interface sees it.

    Attributes:
        state: what is known; read it, never change it.
        scheduler: what runs it.
        tell: sends telemetry to the subscribers.
        drain: whether the first request to stop lets running segments finish.
        stopped_by: the signal that ended the run early, if one did.
        hurried: whether a second request to stop came, so that nothing more starts.
        owns: whether the batch ends when this program does: here it does.
        steerable: whether commands are accepted: here they are.
        standing: what to say about the batch besides its state: nothing.
        snapshots: makes pictures of its videos.
        report: the page that tells of the whole batch in a browser; None where none is written.
        integrations: what acts on the facts of the batch, which has its time when that is stopped.
    """

    state: BatchState
    scheduler: Scheduler
    snapshots: SnapshotMaker
    tell: Callable[[Telemetry], None]
    drain: bool = False
    stopped_by: int | None = field(default=None)
    hurried: bool = field(default=False)
    owns: bool = True
    steerable: bool = True
    standing: str = ""
    report: Path | None = None
    integrations: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def command(self, command: Command) -> None:
        """Take a user's command."""
        match command:
            case Stop():
                self.stop(drain=command.drain)
            case _:
                self.scheduler.command(command)

    def stop(self, signum: int = signal.SIGINT, *, drain: bool | None = None) -> None:
        """Start nothing new and stop what runs; a second call ends that at once.

        Args:
            signum: the signal that asks for it.
            drain: whether running segments finish first, where that differs from the run's way.
        """
        first, self.stopped_by = self.stopped_by is None, self.stopped_by or signum
        if first and (self.drain if drain is None else drain):
            self.scheduler.drain()
            return
        if first:
            deadline.start(signum)
            self.integrations.deadline = anyio.current_time() + FOLLOWERS_END_WITHIN_S
        else:
            deadline.start_at_once(signum)
            self.hurried = True
            self.integrations.cancel()
            kill_all()
        self.scheduler.stop()

    @property
    def exit_code(self) -> int:
        """0 if every video succeeded or was skipped, 1 if one failed, 128 + signal if interrupted."""
        if self.stopped_by is not None and not self.state.complete:
            return 128 + self.stopped_by
        return 1 if self.state.count(Phase.FAILED) else 0


@asynccontextmanager
async def stopped_by_signals(session: Session) -> AsyncIterator[None]:
    """The first signal to stop stops the batch gracefully, a second one ends it at once."""

    async def listen() -> None:
        with receive_signals(lambda: session.drain and session.stopped_by is None) as signals:
            async for number in signals:
                session.stop(number)

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        yield
        group.cancel_scope.cancel()
