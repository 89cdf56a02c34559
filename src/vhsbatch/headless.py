"""What a batch prints without a terminal interface. Results go to stdout, progress to stderr."""

import os
import sys
import time
from collections.abc import AsyncIterable, Callable
from typing import Protocol, TextIO

from vhsbatch.model.events import (
    BatchContinued,
    BatchPaused,
    BatchPredicted,
    BatchStarted,
    Event,
    GpuRetired,
    JobFailed,
    JobHeld,
    JobPublished,
    JobSkipped,
    LanesChanged,
    LogLine,
    Progress,
)
from vhsbatch.model.job_state import JobState, Phase
from vhsbatch.model.state import BatchState
from vhsbatch.model.wire import dump
from vhsbatch.pipeline.describe import compared_with_prediction, fact_line, progress_line
from vhsbatch.wording import plain

_WIDTH = 60
_PROGRESS_INTERVAL_S = 30.0


class Printer(Protocol):
    """A way to print a batch."""

    def show(self, event: Event) -> None:
        """Print what is to be printed of one event."""
        ...

    def close(self) -> None:
        """Print the end."""
        ...


async def print_events(events: AsyncIterable[Event], printer: Printer) -> None:
    """Print everything until the batch is over.

    Where nobody reads any more (a closed terminal, the end of a pipe), the batch goes on in silence.
    """
    try:
        async for event in events:
            printer.show(event)
        printer.close()
    except OSError:
        _mute()
        async for _ in events:
            pass


def _mute() -> None:
    """Nothing more can be printed, and the interpreter must not fail over it on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class JsonPrinter:
    """One JSON event a line (`--json`)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, event: Event) -> None:
        """Print the event; log lines of level debug are left out."""
        if not (isinstance(event, LogLine) and event.level == "debug"):
            print(dump(event), file=self._out, flush=True)

    def close(self) -> None:
        """The last event was the end."""


class TextPrinter:
    """The specification's formats, for one lane and for several."""

    def __init__(
        self,
        state: BatchState,
        *,
        verbose: bool,
        quiet: bool = False,
        out: TextIO,
        err: TextIO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._verbose = verbose
        self._quiet = quiet
        self._out = out
        self._err = err
        self._clock = clock
        self._progress: dict[int, Progress] = {}
        self._last_progress_s = clock()
        self._in_turn = True
        self._turn = 1
        self._announced = 0

    def show(self, event: Event) -> None:
        """Print what is to be printed of one event."""
        if self._quiet:
            if isinstance(event, JobFailed):
                self._print_result(self._state.jobs[event.job_id])
            return
        match event:
            case BatchStarted():
                self._print_header(event)
            case JobPublished() | JobFailed() | JobSkipped():
                if not self._in_turn:
                    self._print_result(self._state.jobs[event.job_id])
            case LogLine():
                self._print_log(event)
            case (
                JobHeld()
                | BatchPaused()
                | BatchContinued()
                | LanesChanged()
                | GpuRetired()
                | BatchPredicted()
            ):
                # Once several lanes have been at work, results come out of turn.
                self._in_turn = self._in_turn and self._state.lanes == 1
                print(plain(fact_line(event)), file=self._err, flush=True)
            case Progress():
                self._progress[event.lane] = event
                self._print_progress()
            case _:
                pass
        if self._in_turn:
            self._print_turns()

    def close(self) -> None:
        """Print the final block."""
        state = self._state
        print(f"\n{'=' * _WIDTH}", file=self._out)
        title = "COMPLETE" if state.outcome == "complete" else "INTERRUPTED"
        print(f"BATCH PROCESSING {title}\n{'=' * _WIDTH}", file=self._out)
        print(f"Total videos: {len(state.jobs)}", file=self._out)
        print(f"Successful:   {state.count(Phase.DONE)}", file=self._out)
        print(f"Failed:       {state.count(Phase.FAILED)}", file=self._out)
        if skipped := state.count(Phase.SKIPPED):
            print(f"Skipped:      {skipped}", file=self._out)
        if not state.complete:
            left = sum(not job.phase.ended for job in state.jobs.values())
            print(f"Left:         {left} (the same command with --resume continues)", file=self._out)
        print(f"Output:       {plain(state.output)}", file=self._out, flush=True)
        if not self._quiet and (compared := compared_with_prediction(state)) is not None:
            print(f"predicted: {compared}", file=self._err, flush=True)

    # --- header and results ----------------------------------------------------------------------

    def _print_header(self, fact: BatchStarted) -> None:
        print(f"Starting batch processing ({len(fact.jobs)} videos)", file=self._out)
        self._in_turn = fact.lanes == 1
        if fact.lanes > 1:
            print(f"Parallel mode: {fact.lanes} workers", file=self._out)
        print(f"{'=' * _WIDTH}\n", file=self._out, flush=True)

    def _print_result(self, job: JobState) -> None:
        word = {Phase.DONE: "SUCCESS", Phase.FAILED: "FAILED", Phase.SKIPPED: "SKIPPED"}[job.phase]
        print(f"{self._position(job)} {word}: {plain(job.job.source.name)}", file=self._out)
        self._print_reason(job)

    def _print_turns(self) -> None:
        """One lane: the videos in their order, whatever became known of later ones meanwhile."""
        jobs = list(self._state.jobs.values())
        while self._turn <= len(jobs):
            job = jobs[self._turn - 1]
            if job.started_s is None and not job.phase.ended:
                return
            if self._announced < self._turn:
                self._announced = self._turn
                print(f"{self._position(job)} Processing: {plain(job.job.source.name)}", file=self._out)
                print(f"  Output: {plain(job.job.output.name)}", file=self._out, flush=True)
            if not job.phase.ended:
                return
            word = {Phase.DONE: "Success", Phase.FAILED: "Failed", Phase.SKIPPED: "Skipped"}[job.phase]
            print(f"  {word}", file=self._out)
            self._print_reason(job)
            self._turn += 1

    def _print_reason(self, job: JobState) -> None:
        if job.reason is not None:
            label = "Error" if job.phase is Phase.FAILED else "Reason"
            print(f"  {label}: {plain(job.reason)}", file=self._out)
        print("-" * _WIDTH, file=self._out, flush=True)
        if self._verbose:
            for line in job.detail:
                print(f"  {plain(line)}", file=self._err, flush=True)

    def _position(self, job: JobState) -> str:
        return f"[{job.job.index}/{len(self._state.jobs)}]"

    # --- progress --------------------------------------------------------------------------------

    def _print_log(self, line: LogLine) -> None:
        if line.level != "debug" or self._verbose:
            name = "" if line.job_id is None else f"{line.job_id}: "
            print(plain(f"{name}{line.text}"), file=self._err, flush=True)

    def _print_progress(self) -> None:
        """A line every half minute, which suits a log file."""
        now_s = self._clock()
        if now_s - self._last_progress_s < _PROGRESS_INTERVAL_S:
            return
        self._last_progress_s = now_s
        line = progress_line(self._state, self._progress, time.time())
        print(f"progress: {plain(line)}", file=self._err, flush=True)


def stdout_printer(state: BatchState, *, json: bool, verbose: bool, quiet: bool = False) -> Printer:
    """The printer for this process's own stdout."""
    if json:
        return JsonPrinter(sys.stdout)
    return TextPrinter(state, verbose=verbose, quiet=quiet, out=sys.stdout, err=sys.stderr)


def say(line: str) -> None:
    """Print a line that is no result."""
    print(plain(line), file=sys.stderr, flush=True)


def show_line(line: str) -> None:
    """Print one line of a command that has no events."""
    print(line, flush=True)
