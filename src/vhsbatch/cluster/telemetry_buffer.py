"""What a machine tells of an attempt while it makes it."""

from collections.abc import Callable
from dataclasses import replace

from vhsbatch.cluster.protocol import Order
from vhsbatch.events.serialize import dump
from vhsbatch.events.telemetry import LogLine, Progress, Telemetry

_LOG_LINES = 50


class TelemetryBuffer:
    """The telemetry of an attempt that has not been told yet: its newest progress, its last log lines."""

    def __init__(self, order: Order, machine: str, note: Callable[[LogLine], None] = lambda _: None) -> None:
        """Create one that holds the beginning of the attempt.

        Args:
            order: the attempt.
            machine: who makes it.
            note: takes every log line at once, for the machine's own log.
        """
        self._note = note
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
                self._note(event)
                self._log = [*self._log[1 - _LOG_LINES :], event]

    def take(self) -> list[str]:
        """What is to be told, as lines."""
        events: list[Telemetry] = [*self._log]
        if self._progress is not None:
            events.append(replace(self._progress, machine=self._machine))
        self._log, self._progress = [], None
        return [dump(event) for event in events]
