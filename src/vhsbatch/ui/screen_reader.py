"""A batch in sentences, for ears (`--plain`): nothing is drawn, and nothing said twice."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from vhsbatch.events.describe import essential_notes, fact_line
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
    SegmentStarted,
)
from vhsbatch.events.figures import figures
from vhsbatch.events.job_state import Phase
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine, Progress
from vhsbatch.formatting import counted, plain, size_in_words, time_in_words
from vhsbatch.ui.printing import Lines

# Often enough to know that it goes on, and seldom enough not to be in the way.
_PROGRESS_INTERVAL_S = 60.0


class PlainPrinter:
    """One sentence for each thing that happens, and one from time to time on how far it is."""

    def __init__(
        self,
        state: BatchState,
        out: TextIO,
        *,
        clock: Callable[[], float] = time.time,
        report: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Create a printer.

        Args:
            state: the batch; only read.
            out: where the sentences go.
            clock: seconds since the epoch.
            report: gives the page with the report, None where there is none.
        """
        self._state = state
        self._out = out
        self._clock = clock
        self._report = report
        self._lines = Lines()
        self._begun: set[str] = set()
        self._progress: dict[int, Progress] = {}
        self._told_s = clock()

    def catch_up(self) -> None:
        """Put down where a batch is that began before."""
        state = self._state
        workers = counted(state.lanes, "worker")
        self._say(
            f"This is a batch of {counted(len(state.jobs), 'video')} with {workers}. {self._standing()}"
        )
        if state.paused is not None:
            self._say(f"It is paused: {state.paused}")
        for job_id, job in state.jobs.items():
            if job.started_s is not None:
                self._begun.add(job_id)
            if job.running:
                self._say(f"The video {self._name(job_id)} is being worked on")

    def show(self, event: Event) -> None:
        """Put down what is to be said of one event."""
        match event:
            case BatchStarted():
                workers = counted(event.lanes, "worker")
                self._say(f"Restoring {counted(len(event.jobs), 'video')} with {workers}")
            case SegmentStarted():
                self._begin(event)
            case JobPublished():
                job = self._state.jobs[event.job_id]
                took_s = max(0.0, event.at_s - (job.started_s or event.at_s))
                self._say(f"The video {self._name(event.job_id)} is done after {time_in_words(took_s)}")
                for note in essential_notes(job):
                    self._say(f"Note: {note}")
                self._say(f"Its size is {size_in_words(event.size_bytes)}. {self._standing()}")
            case JobFailed():
                self._say(f"The video {self._name(event.job_id)} failed. The reason: {event.reason}")
            case JobSkipped():
                self._say(f"The video {self._name(event.job_id)} is skipped. The reason: {event.reason}")
            case BatchPredicted():
                about = time_in_words(event.seconds_s)
                self._say(f"The batch will take about {about} from now")
            case LogLine() if event.level != "debug":
                warning = "Warning: " if event.level == "warning" else ""
                self._say(f"{warning}{event.text}")
            case JobHeld() | BatchPaused() | BatchContinued() | LanesChanged() | GpuRetired():
                self._say(fact_line(event))
            case Progress():
                self._progress[event.lane] = event
                self._tell_progress()
            case _:
                pass

    def close(self) -> None:
        """Put down how the batch has ended."""
        state = self._state
        complete = state.outcome == "complete"
        self._say(f"The batch is {'complete' if complete else 'interrupted'}. {self._standing()}")
        if state.started_s is not None and state.ended_s is not None:
            self._say(f"It took {time_in_words(state.ended_s - state.started_s)}")
        if not complete:
            self._say("The same command with the option resume continues it")
        self._say(f"The results are in {state.output}")
        if (report := self._report()) is not None:
            self._say(f"The report for a browser is {report}")

    def write(self) -> None:
        """See `Printer`."""
        self._lines.write()

    def _begin(self, event: SegmentStarted) -> None:
        """Say once that a video is being worked on."""
        if event.job_id not in self._begun:
            self._begun.add(event.job_id)
            job = self._state.jobs[event.job_id].job
            place = f"video {job.index} of {len(self._state.jobs)}"
            self._say(f"Worker {event.lane} begins {self._name(event.job_id)}, {place}")

    def _tell_progress(self) -> None:
        now_s = self._clock()
        if now_s - self._told_s < _PROGRESS_INTERVAL_S:
            return
        self._told_s = now_s
        numbers = figures(self._state, self._progress, now_s)
        left = "" if numbers.left_s is None else f" About {time_in_words(numbers.left_s)} left."
        self._say(f"{numbers.part * 100:.0f} percent are done.{left}")

    def _standing(self) -> str:
        """How many videos have ended in which way."""
        state = self._state
        words = [f"{state.count(Phase.DONE)} of {counted(len(state.jobs), 'video')} done"]
        words += [
            f"{count} {word}"
            for phase, word in ((Phase.FAILED, "failed"), (Phase.SKIPPED, "skipped"))
            if (count := state.count(phase))
        ]
        return ", ".join(words)

    def _name(self, job_id: str) -> str:
        return self._state.jobs[job_id].job.source.name

    def _say(self, sentence: str) -> None:
        """A sentence on a line, with what makes a reader pause at its end."""
        sentence = plain(sentence)
        sentence = sentence[:1].upper() + sentence[1:]
        end = "" if sentence.endswith((".", "!", "?")) else "."
        self._lines.put(self._out, f"{sentence}{end}\n")
