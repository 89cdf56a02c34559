"""The bus: facts go to the journal, into the state, and then to every subscriber, in this order.

anyio's memory streams compete for items, so every subscriber has its own mailbox. A mailbox
keeps all facts, but of telemetry only what is worth showing: the newest progress of each lane while
the lane works on it, the newest readings and the last lines of the log. A subscriber that does not read can
therefore never stall the work.
"""

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import anyio

from vhsbatch.events.events import (
    BatchFinished,
    Event,
    Fact,
    JobFailed,
    JobPublished,
    JobSkipped,
    SegmentFailed,
    SegmentFinished,
)
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, LogLine, Progress, Telemetry

_LOG_LINES = 500


class Mailbox:
    """What one subscriber has not read yet."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []
        self._log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._progress: dict[int, Progress] = {}
        self._readings: DeviceReadings | None = None
        self._arrived = anyio.Event()
        self._closed = False

    def put(self, event: Event) -> None:
        """Leave an event; never waits."""
        match event:
            case Progress():
                self._progress[event.lane] = event
            case DeviceReadings():
                self._readings = event
            case LogLine():
                self._log.append(event)
            case _:
                self._facts.append(event)
                self._drop_progress(event)
        self._arrived.set()

    def _drop_progress(self, fact: Fact) -> None:
        """Progress is read after facts: of work that has ended it would look like new work."""
        match fact:
            case SegmentFinished(lane=lane) | SegmentFailed(lane=lane):
                self._progress.pop(lane, None)
            case JobPublished(job_id=job_id) | JobFailed(job_id=job_id) | JobSkipped(job_id=job_id):
                kept = {lane: told for lane, told in self._progress.items() if told.job_id != job_id}
                self._progress = kept
            case BatchFinished():
                self._progress.clear()
            case _:
                pass

    def close(self) -> None:
        """No more events will come."""
        self._closed = True
        self._arrived.set()

    async def receive(self) -> list[Event]:
        """Everything that has arrived since the last call: log lines, readings, facts, then progress.

        Waits until there is something.

        Raises:
            anyio.EndOfStream: the batch is over and everything has been read.
        """
        await self._arrived.wait()
        readings = [] if self._readings is None else [self._readings]
        events: list[Event] = [*self._log, *readings, *self._facts, *self._progress.values()]
        self._log.clear()
        self._facts, self._progress, self._readings = [], {}, None
        if not self._closed:
            self._arrived = anyio.Event()
        elif not events:
            raise anyio.EndOfStream
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event, one after the other, until the batch is over."""
        while True:
            try:
                events = await self.receive()
            except anyio.EndOfStream:
                return
            for event in events:
                yield event


class Bus:
    """Takes every event of a run in.

    Attributes:
        state: the fold of the facts so far; only the bus changes it.
    """

    def __init__(self, state: BatchState, append: Callable[[Fact], Awaitable[None]]) -> None:
        """Create a bus.

        Args:
            state: the state that facts are applied to.
            append: writes a fact to the journal and returns when it is safe.
        """
        self.state = state
        self._append = append
        self._mailboxes: list[Mailbox] = []
        self._order = anyio.Lock()
        self._is_over = False

    def subscribe(self) -> Mailbox:
        """A new mailbox, which gets every event from here on."""
        mailbox = Mailbox()
        self._mailboxes.append(mailbox)
        return mailbox

    async def emit(self, fact: Fact) -> None:
        """Write a fact to the journal, then pass it to all subscribers.

        A fact is never half told: once begun, this goes on even when the caller is cancelled. The end of the
        batch is its last fact: a prediction, or a number of lanes, that comes too late is dropped.
        """
        with anyio.CancelScope(shield=True):
            async with self._order:
                if self._is_over:
                    return
                await self._append(fact)
                self.state.apply(fact)
                self._deliver(fact)
                self._is_over = isinstance(fact, BatchFinished)

    def tell(self, telemetry: Telemetry) -> None:
        """Pass telemetry to the subscribers, with the time where it has none."""
        self._deliver(telemetry if telemetry.at_s else replace(telemetry, at_s=time.time()))

    def close(self) -> None:
        """End every mailbox."""
        for mailbox in self._mailboxes:
            mailbox.close()

    def _deliver(self, event: Event) -> None:
        for mailbox in self._mailboxes:
            mailbox.put(event)
