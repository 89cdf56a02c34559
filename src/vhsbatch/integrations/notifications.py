"""Short messages to people: when a batch ends, a video fails, or work has to wait."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vhsbatch.batch.session import Session
from vhsbatch.errors import UsageError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import BatchFinished, BatchPaused, Event, JobFailed
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import duration, plain
from vhsbatch.integrations.hooks import run_told
from vhsbatch.integrations.payload import elapsed_s

Occasion = Literal["end", "failure", "all"]

_WORKER = (sys.executable, "-P", "-m", "vhsbatch.integrations.notification_worker")
_TIMEOUT_S = 60.0
_FAILURES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message."""

    title: str
    body: str
    failure: bool


class NotificationWriter:
    """Decides which events are worth a message. Pure.

    However many videos fail, one message reports the first; the others are listed at the
    end; the same goes for pauses.
    """

    def __init__(self, on: Occasion) -> None:
        """Create a writer.

        Args:
            on: ``end``: when the batch has ended; ``failure``: when a video fails, work has to wait, or
                the batch does not end well; ``all``: both.
        """
        self._on = on
        self._told: set[str] = set()

    def write(self, event: Event, state: BatchState) -> Notification | None:
        """The message about an event, after the state has applied it; None if it needs none."""
        match event:
            case BatchFinished():
                well = event.exit_code == 0 and event.outcome == "complete"
                if self._on == "failure" and well:
                    return None
                return Notification(title=_headline(state), body="\n".join(_summary(state)), failure=not well)
            case JobFailed() | BatchPaused() if self._on != "end" and event.kind not in self._told:
                self._told.add(event.kind)
                if isinstance(event, BatchPaused):
                    return Notification(title="vhs-upscale waits", body=plain(event.reason), failure=True)
                name = plain(state.jobs[event.job_id].job.source.name)
                more = "The other videos continue. Further failures are listed at the end."
                return Notification(
                    title=f"vhs-upscale: {name} failed", body=f"{plain(event.reason)}\n{more}", failure=True
                )
            case _:
                return None


def _headline(state: BatchState) -> str:
    total, failed = len(state.jobs), state.count(Phase.FAILED)
    well = state.count(Phase.DONE, Phase.SKIPPED)
    end = "complete" if state.outcome == "complete" else "interrupted"
    return f"vhs-upscale: {end}, {well} of {total} done" + (f", {failed} failed" if failed else "")


def _summary(state: BatchState) -> Iterator[str]:
    took_s = elapsed_s(state.started_s, state.ended_s) or 0.0
    yield f"{plain(state.input)} -> {plain(state.output)}, {duration(took_s)}"
    failed = [job for job in state.jobs.values() if job.phase is Phase.FAILED]
    for job in failed[:_FAILURES_SHOWN]:
        yield f"{plain(job.job.source.name)}: {plain(job.reason or '')}"
    if len(failed) > _FAILURES_SHOWN:
        yield f"and {len(failed) - _FAILURES_SHOWN} more"
    if left := sum(not job.phase.ended for job in state.jobs.values()):
        yield f"{left} left; the same command with --resume continues"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Sends messages; one that cannot be sent is reported in one line.

    Attributes:
        addresses: where to: ``desktop``, or an Apprise URL.
        on: on which occasions.
    """

    addresses: tuple[str, ...]
    on: Occasion

    async def follow(self, session: Session, mailbox: Mailbox) -> None:
        """Send what is worth a message until the batch is over."""
        writer = NotificationWriter(self.on)
        async for event in mailbox:
            notification = writer.write(event, session.state)
            if notification is None or session.hurried:
                continue
            problem = await self._send(notification)
            if problem is not None:
                session.tell(LogLine(level="warning", text=f"--notify: {problem}"))

    async def _send(self, notification: Notification) -> str | None:
        told = {"addresses": self.addresses, "title": notification.title, "body": notification.body}
        return await _tell_worker({**told, "failure": notification.failure})


async def check_addresses(addresses: tuple[str, ...]) -> None:
    """Check whether messages can be sent there, without sending one.

    Raises:
        UsageError: an address is none, or Apprise is not installed.
    """
    problem = await _tell_worker({"addresses": addresses}, "--check")
    if problem is not None:
        raise UsageError(f"--notify: {problem}")


async def _tell_worker(told: dict[str, object], *options: str) -> str | None:
    """What went wrong in the worker program; None if nothing did."""
    try:
        problem = await run_told((*_WORKER, *options), told, timeout_s=_TIMEOUT_S, niceness=0)
    except TimeoutError:
        problem = f"the service did not answer within {_TIMEOUT_S:g} s"
    return None if problem is None else problem.removeprefix("exit code 1: ")
