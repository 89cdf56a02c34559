"""What is said of the selected video beside the list."""

import make
from vhsbatch.events.events import AssemblyStarted, Fact, JobFailed, SegmentFailed
from vhsbatch.events.state import fold
from vhsbatch.events.telemetry import Progress
from vhsbatch.ui.tui.moment import moment
from vhsbatch.ui.tui.video_pane import happening, known

PLAN = make.plan(make.job(1), segments=4, frames=240)
FAILED = SegmentFailed(at_s=2.0, job_id=PLAN.job.id, segment=1, attempt=1, lane=1, reason="r", final=False)


def said(*facts: Fact, logged: tuple[str, ...] = ()) -> tuple[str, str]:
    state = fold([make.batch_started(PLAN.job), *facts])
    report = Progress(
        lane=2,
        job_id=PLAN.job.id,
        stage="segment",
        segment=2,
        done_frames=30,
        total_frames=60,
        frames_per_s=5.0,
        machine="attic",
    )
    job = state.jobs[PLAN.job.id]
    return happening(moment(state, {2: report}, None, 10.0), job).plain, known(job, logged).plain


def test_where_a_video_is_on_its_way() -> None:
    planned = make.planned(PLAN)
    assert said()[0] == "not read yet"
    assert said(planned)[0] == "waiting for a worker"
    running = said(planned, make.started(PLAN, 2, lane=2))[0]
    assert running == "12% made, ready in 1 min\nworker 2 on attic: segment 3, 50%, 5.0 fps"
    joining = AssemblyStarted(at_s=5.0, job_id=PLAN.job.id, lane=1)
    assert said(planned, make.started(PLAN), joining)[0].startswith("joining the segments")
    assert said(planned, make.published(PLAN))[0] == "done"


def test_what_was_checked_and_what_came_of_failures() -> None:
    text = said(make.planned(PLAN), FAILED, make.finished(PLAN, 0))[1]
    assert "1 of 4 segments finished and checked" in text
    assert "segment 2: 1 failed attempt, to be made again" in text
    assert (
        "segment 2: 1 failed attempt, made since"
        in said(make.planned(PLAN), FAILED, make.finished(PLAN, 1))[1]
    )
    assert "result: 240 frames, joined and checked" in said(make.planned(PLAN), make.published(PLAN))[1]


def test_source_plan_and_the_end_of_the_log() -> None:
    text = said(make.planned(PLAN), logged=tuple(f"line {each}" for each in range(20)))[1]
    for words in ("interlaced, bottom field first (DV)", "preset vhs", "/out/tape1_1080p.mp4", "line 19"):
        assert words in text
    assert "line 13" not in text


def test_a_failure_says_why_first() -> None:
    text = said(JobFailed(at_s=3.0, job_id=PLAN.job.id, reason="no \x1b[31mspace"))[1]
    assert text.lstrip().startswith("Why\n  no \\x1b[31mspace")
