"""What a batch prints without a terminal interface. Results go to stdout, progress to stderr."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.describe import (
    compared_with_prediction,
    essential_notes,
    fact_line,
    progress_line,
)
from vhsbatch.events.events import (
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
)
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.serialize import dump
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine, Progress
from vhsbatch.formatting import counted, plain
from vhsbatch.ui.printing import Lines, Printer

_WIDTH = 60
# More of them would drown the list of videos.
_MOST_NOTES = 5
_PROGRESS_INTERVAL_S = 30.0


class JsonPrinter:
    """One JSON event a line (`--json`)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lines = Lines()

    def show(self, event: Event) -> None:
        """Put the event down; log lines of level debug are left out."""
        if not (isinstance(event, LogLine) and event.level == "debug"):
            self._lines.put(self._out, f"{dump(event)}\n")

    def close(self) -> None:
        """The last event was the end."""

    def write(self) -> None:
        """See `Printer`."""
        self._lines.write()


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
        report: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Create a printer.

        Args:
            state: the batch; only read.
            verbose: whether commands and what programs say are printed.
            quiet: whether only failures and the summary are.
            out: where results go.
            err: where everything else goes.
            clock: seconds.
            report: gives the page with the report, None where there is none.
        """
        self._state = state
        self._verbose = verbose
        self._quiet = quiet
        self._lines = Lines()
        self._out = out
        self._err = err
        self._clock = clock
        self._report = report
        self._progress: dict[int, Progress] = {}
        self._last_progress_s = clock()
        self._in_turn = True
        self._turn = 1
        self._announced = 0

    def show(self, event: Event) -> None:
        """Put down what is to be said of one event."""
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
                self._put_aside(plain(fact_line(event)))
            case Progress():
                self._progress[event.lane] = event
                self._print_progress()
            case _:
                pass
        if self._in_turn:
            self._print_turns()

    def close(self) -> None:
        """Put down the final block."""
        state = self._state
        self._put(f"\n{'=' * _WIDTH}")
        title = "COMPLETE" if state.outcome == "complete" else "INTERRUPTED"
        self._put(f"BATCH PROCESSING {title}\n{'=' * _WIDTH}")
        self._put(f"Total videos: {len(state.jobs)}")
        self._put(f"Successful:   {state.count(Phase.DONE)}")
        self._put(f"Failed:       {state.count(Phase.FAILED)}")
        if skipped := state.count(Phase.SKIPPED):
            self._put(f"Skipped:      {skipped}")
        if not state.complete:
            left = sum(not job.phase.ended for job in state.jobs.values())
            self._put(f"Left:         {left} (the same command with --resume continues)")
        self._put(f"Output:       {plain(state.output)}")
        if not self._quiet and (compared := compared_with_prediction(state)) is not None:
            self._put_aside(f"predicted: {compared}")
        if not self._quiet and (report := self._report()) is not None:
            self._put_aside(f"report: {plain(str(report))} (open it in a browser)")

    # --- header and results ----------------------------------------------------------------------

    def _print_header(self, fact: BatchStarted) -> None:
        self._put(f"Starting batch processing ({counted(len(fact.jobs), 'video')})")
        self._in_turn = fact.lanes == 1
        if fact.lanes > 1:
            self._put(f"Parallel mode: {fact.lanes} workers")
        self._put(f"{'=' * _WIDTH}\n")

    def _print_result(self, job: JobState) -> None:
        word = {Phase.DONE: "SUCCESS", Phase.FAILED: "FAILED", Phase.SKIPPED: "SKIPPED"}[job.phase]
        self._put(f"{self._position(job)} {word}: {plain(job.job.source.name)}")
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
                self._put(f"{self._position(job)} Processing: {plain(job.job.source.name)}")
                self._put(f"  Output: {plain(job.job.output.name)}")
            if not job.phase.ended:
                return
            word = {Phase.DONE: "Success", Phase.FAILED: "Failed", Phase.SKIPPED: "Skipped"}[job.phase]
            self._put(f"  {word}")
            self._print_reason(job)
            self._turn += 1

    def _print_reason(self, job: JobState) -> None:
        if job.reason is not None:
            label = "Error" if job.phase is Phase.FAILED else "Reason"
            self._put(f"  {label}: {plain(job.reason)}")
        self._print_notes(job)
        self._put("-" * _WIDTH)
        if self._verbose:
            for line in job.detail:
                self._put_aside(f"  {plain(line)}")

    def _print_notes(self, job: JobState) -> None:
        """What must be known; a program that reads the specified lines on stdout does not see it."""
        notes = () if self._quiet else essential_notes(job)
        for note in notes[:_MOST_NOTES]:
            self._put_aside(f"  Note: {plain(note)}")
        if (more := len(notes) - _MOST_NOTES) > 0:
            self._put_aside(f"  Note: {more} more in the record")

    def _position(self, job: JobState) -> str:
        return f"[{job.job.index}/{len(self._state.jobs)}]"

    # --- progress --------------------------------------------------------------------------------

    def _print_log(self, line: LogLine) -> None:
        if line.level != "debug" or self._verbose:
            name = "" if line.job_id is None else f"{line.job_id}: "
            self._put_aside(plain(f"{name}{line.text}"))

    def _print_progress(self) -> None:
        """A line every half minute, which suits a log file."""
        now_s = self._clock()
        if now_s - self._last_progress_s < _PROGRESS_INTERVAL_S:
            return
        self._last_progress_s = now_s
        line = progress_line(self._state, self._progress, time.time())
        self._put_aside(f"progress: {plain(line)}")

    def _put(self, line: str) -> None:
        """A line of results."""
        self._lines.put(self._out, f"{line}\n")

    def _put_aside(self, line: str) -> None:
        """A line that is no result."""
        self._lines.put(self._err, f"{line}\n")

    def write(self) -> None:
        """See `Printer`."""
        self._lines.write()


def stdout_printer(
    state: BatchState,
    *,
    json: bool,
    verbose: bool,
    quiet: bool = False,
    report: Callable[[], Path | None] = lambda: None,
) -> Printer:
    """The printer for this process's own stdout."""
    if json:
        return JsonPrinter(sys.stdout)
    return TextPrinter(state, verbose=verbose, quiet=quiet, out=sys.stdout, err=sys.stderr, report=report)


def say(line: str) -> None:
    """Print a line that is no result."""
    print(plain(line), file=sys.stderr, flush=True)


def show_line(line: str) -> None:
    """Print one line of a command that has no events."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VhsBatchError(
            f"cannot print: {error.strerror}", fix="give standard output another place"
        ) from error
