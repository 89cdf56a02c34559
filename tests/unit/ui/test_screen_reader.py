"""A batch in sentences."""

import io
from dataclasses import replace

import make
from vhsbatch.events.events import BatchFinished, Fact, JobFailed, JobPublished
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine, Progress
from vhsbatch.ui.screen_reader import PlainPrinter

PLAN, OTHER = make.plan(make.job(1)), make.plan(make.job(2))


class Reader:
    """Listens to a batch, at times that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._state = BatchState()
        self._out = io.StringIO()
        self._printer = PlainPrinter(self._state, self._out, clock=lambda: self.now_s)

    def hear(self, *events: Fact | Progress | LogLine) -> list[str]:
        for event in events:
            if not isinstance(event, Progress | LogLine):
                self._state.apply(event)
            self._printer.show(event)
        return self._said()

    def end(self) -> list[str]:
        self._printer.close()
        return self._said()

    def _said(self) -> list[str]:
        self._out.seek(0)
        self._out.truncate()
        self._printer.write()
        return self._out.getvalue().splitlines()


def progress(done: int) -> Progress:
    return Progress(
        lane=1,
        job_id=PLAN.job.id,
        stage="segment",
        segment=0,
        done_frames=done,
        total_frames=30,
        frames_per_s=1.0,
    )


def test_a_batch_from_beginning_to_end() -> None:
    reader = Reader()
    begin = reader.hear(make.batch_started(PLAN.job, OTHER.job), make.planned(PLAN), make.planned(OTHER))
    assert begin == ["Restoring 2 videos with 2 workers."]
    assert reader.hear(make.started(PLAN, 0), make.started(PLAN, 1)) == [
        "Worker 1 begins tape1.dv, video 1 of 2."
    ]
    published = JobPublished(
        at_s=77.0, job_id=PLAN.job.id, fingerprint="f", size_bytes=1_500_000, sha256="s", frames=1, wall_s=1
    )
    assert reader.hear(published) == [
        "The video tape1.dv is done after 1 minute 15 seconds.",
        "Its size is 1.5 megabytes. 1 of 2 videos done.",
    ]
    assert reader.hear(JobFailed(at_s=80.0, job_id=OTHER.job.id, reason="truncated: 2 s are there")) == [
        "The video tape2.dv failed. The reason: truncated: 2 s are there."
    ]
    reader.hear(BatchFinished(at_s=90.0, run_id="run", outcome="complete", exit_code=1))
    assert reader.end() == [
        "The batch is complete. 1 of 2 videos done, 1 failed.",
        "It took 1 minute 30 seconds.",
        "The results are in out.",
    ]


def test_how_far_it_is_is_said_once_a_minute() -> None:
    reader = Reader()
    reader.hear(make.batch_started(PLAN.job), make.planned(PLAN), make.started(PLAN, 0))
    reader.now_s = 59.0
    assert reader.hear(progress(10)) == []
    reader.now_s = 60.0
    assert reader.hear(progress(15)) == ["25 percent are done. About 3 minutes left."]
    reader.now_s = 100.0
    assert reader.hear(progress(20)) == []


def test_an_interrupted_batch_says_how_it_goes_on() -> None:
    reader = Reader()
    reader.hear(make.batch_started(PLAN.job))
    reader.hear(BatchFinished(at_s=9.0, run_id="run", outcome="interrupted", exit_code=130))
    assert "The same command with the option resume continues it." in reader.end()


def test_nothing_is_drawn_and_no_name_acts_on_the_terminal() -> None:
    reader = Reader()
    job = make.job(1)
    odd = replace(job, source=job.source.with_name("odd\x1b[31m\n.avi"))
    plan = make.plan(odd)
    said = reader.hear(
        make.batch_started(odd), make.planned(plan), make.started(plan), LogLine(level="warning", text="hot")
    )
    assert said[-2:] == ["Worker 1 begins odd\\x1b[31m\\n.avi, video 1 of 1.", "Warning: hot."]
    assert all(line.isprintable() and line.isascii() for line in said)
