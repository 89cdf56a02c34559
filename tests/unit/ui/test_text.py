"""What is printed without a terminal interface."""

import errno
import io
import re
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import make
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.describe import progress_line
from vhsbatch.events.events import (
    BatchPaused,
    BatchStarted,
    Event,
    Fact,
    JobFailed,
)
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import Progress
from vhsbatch.ui.printing import print_events
from vhsbatch.ui.text import TextPrinter

pytestmark = pytest.mark.anyio

FIRST, SECOND = (make.plan(make.job(number), segments=3, frames=60) for number in (1, 2))
STARTED: BatchStarted = make.batch_started(FIRST.job, SECOND.job)
PLANNED: tuple[Fact, ...] = (make.planned(FIRST), make.planned(SECOND))


def report(done: int = 10, frames_per_s: float = 2.0) -> Progress:
    return Progress(
        lane=1,
        job_id=FIRST.job.id,
        stage="segment",
        segment=0,
        done_frames=done,
        total_frames=20,
        frames_per_s=frames_per_s,
    )


@pytest.mark.parametrize(
    ("facts", "reports", "line"),
    [
        ((), (), "0%, 0 of 2 videos, 0:10 elapsed"),
        # 10 of 120 frames in 10 s; 110 are left at 1 frame a second on average, and at 2 now.
        (
            (*PLANNED, make.started(FIRST, 0)),
            (report(),),
            "8%, 0 of 2 videos, 0:10 elapsed, 0:55 to 1:50 left, 1.0 frames per second",
        ),
        (
            (*PLANNED, JobFailed(at_s=1.0, job_id=SECOND.job.id, reason="no"), make.started(FIRST, 0)),
            (report(),),
            "17%, 1 of 2 videos, 1 failed, 0:10 elapsed, 0:25 to 0:50 left, 1.0 frames per second",
        ),
        (
            (BatchPaused(at_s=1.0, reason="by the user"),),
            (),
            "0%, 0 of 2 videos, 0:10 elapsed, paused: by the user",
        ),
    ],
)
def test_progress_in_a_line(facts: tuple[Fact, ...], reports: tuple[Progress, ...], line: str) -> None:
    state = fold([STARTED, *facts])
    assert progress_line(state, {one.lane: one for one in reports}, 10.0) == line


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_printed_on_stderr_every_half_minute_unless_quiet(quiet: bool) -> None:
    now_s = 0.0
    out, err = io.StringIO(), io.StringIO()
    state = fold([STARTED, *PLANNED, make.started(FIRST, 0)])
    printer = TextPrinter(state, verbose=False, quiet=quiet, out=out, err=err, clock=lambda: now_s)
    for second in range(95):
        now_s = float(second)
        printer.show(report())
        printer.write()
    lines = err.getvalue().splitlines()
    assert len(lines) == (0 if quiet else 3)
    assert all(
        re.fullmatch(r"progress: \d+%, 0 of 2 videos, .* left, .* frames per second", line) for line in lines
    )
    assert out.getvalue() == "" or not quiet


class SlowPrinter:
    """A printer whose reader takes nothing until it is told to."""

    def __init__(self) -> None:
        self.may_write = threading.Event()
        self.waiting: list[Event] = []
        self.written: list[Event] = []
        self.blocked = threading.Event()

    def show(self, event: Event) -> None:
        self.waiting.append(event)

    def close(self) -> None:
        pass

    def write(self) -> None:
        self.blocked.set()
        assert self.may_write.wait(30)
        self.written += self.waiting
        self.waiting = []


async def test_a_reader_that_takes_nothing_holds_nobody_up_and_gets_every_fact() -> None:
    mailbox, printer = Mailbox(), SlowPrinter()
    facts = [STARTED, *PLANNED, make.started(FIRST, 0)]
    async with anyio.create_task_group() as group:
        group.start_soon(print_events, mailbox, printer)
        mailbox.put(facts[0])
        await anyio.to_thread.run_sync(printer.blocked.wait)
        # The loop is free while the reader sleeps; of progress the newest is kept.
        for fact in facts[1:]:
            mailbox.put(fact)
        for done in range(100):
            mailbox.put(report(done))
        await anyio.lowlevel.checkpoint()
        assert printer.written == []
        printer.may_write.set()
        mailbox.close()
    assert printer.written == [*facts, report(99)]


async def test_what_cannot_be_written_is_told_and_the_rest_goes_on() -> None:
    class Full(SlowPrinter):
        def write(self) -> None:
            if self.waiting == [STARTED]:
                self.waiting = []
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write()

    mailbox, printer = Mailbox(), Full()
    told: list[OSError] = []
    printer.may_write.set()
    mailbox.put(STARTED)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(print_events, mailbox, printer, unwritable=told.append))
        while not told:
            await anyio.sleep(0.01)
        mailbox.put(PLANNED[0])
        mailbox.close()
    assert [error.errno for error in told] == [errno.ENOSPC]
    assert printer.written == [PLANNED[0]]


def printed(state: BatchState, *events: Event, report: Path | None = None) -> tuple[list[str], list[str]]:
    out, err = io.StringIO(), io.StringIO()
    printer = TextPrinter(state, verbose=False, out=out, err=err, report=lambda: report)
    for event in events:
        printer.show(event)
    printer.close()
    printer.write()
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def test_what_the_user_must_know_stands_below_the_video_and_no_more_than_that() -> None:
    many = tuple(f"streams left out: {number}" for number in range(7))
    plan = replace(FIRST, notes=("interlaced", *many), essential_notes=many)
    done = make.published(plan)
    done = replace(done, notes=(*plan.notes, "1 segment made on the CPU"))
    facts: tuple[Fact, ...] = (make.batch_started(FIRST.job, lanes=1), make.planned(plan), done)
    out, err = printed(fold(facts), *facts)
    assert err == [*(f"  Note: {note}" for note in many[:5]), "  Note: 3 more in the record"]
    assert out.index("-" * 60) == out.index("  Success") + 1
    assert out[0] == "Starting batch processing (1 video)"


def test_of_a_video_with_nothing_to_know_nothing_more_is_said() -> None:
    plan = replace(FIRST, notes=("interlaced",))
    done = replace(make.published(plan), notes=plan.notes)
    facts: tuple[Fact, ...] = (make.batch_started(FIRST.job, lanes=1), make.planned(plan), done)
    _, err = printed(fold(facts), *facts)
    assert err == []


def test_the_report_is_named_on_the_last_line_beside_the_results() -> None:
    facts: tuple[Fact, ...] = (make.batch_started(FIRST.job), make.planned(FIRST), make.published(FIRST))
    out, err = printed(fold(facts), *facts, report=Path("out/report.html"))
    assert err[-1] == "report: out/report.html (open it in a browser)"
    assert out[-1].startswith("Output:       ")
    _, err = printed(fold(facts), *facts)
    assert not any("report" in line for line in err)
