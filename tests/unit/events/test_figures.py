"""The numbers that every interface shows."""

from dataclasses import replace

import pytest

import make
from vhsbatch.events.events import (
    AssemblyStarted,
    BatchContinued,
    BatchFinished,
    BatchPaused,
    BatchPredicted,
    Fact,
    JobFailed,
    JobPublished,
    JobSkipped,
    SegmentDiscarded,
    SegmentFailed,
)
from vhsbatch.events.figures import Figures, figures, part_done, ready_in
from vhsbatch.events.state import fold
from vhsbatch.events.telemetry import Progress
from vhsbatch.model.plan import JobPlan

FIRST, SECOND, THIRD = (make.plan(make.job(number), segments=3, frames=60) for number in (1, 2, 3))
EIGHTHS = " ▏▎▍▌▋▊▉█"


def shown(
    *facts: Fact,
    plans: tuple[JobPlan, ...] = (FIRST, SECOND),
    now_s: float = 10.0,
    reports: tuple[Progress, ...] = (),
) -> Figures:
    """The figures of a batch of `plans` that began at 0 s."""
    state = fold([make.batch_started(*(plan.job for plan in plans)), *facts])
    return figures(state, {report.lane: report for report in reports}, now_s)


def report(
    of: JobPlan, done: int, *, lane: int = 1, segment: int | None = 0, stage: str = "segment"
) -> Progress:
    return Progress(
        lane=lane,
        job_id=of.job.id,
        stage=stage,
        segment=segment,
        done_frames=done,
        total_frames=20,
        frames_per_s=99.0,
    )


def published(of: JobPlan) -> JobPublished:
    return JobPublished(
        at_s=5.0, job_id=of.job.id, fingerprint="f", size_bytes=1, sha256="s", frames=60, wall_s=1.0
    )


PLANNED = (make.planned(FIRST), make.planned(SECOND))


def test_a_pause_makes_nobody_slower_and_no_time_left_longer() -> None:
    made = (*PLANNED, make.started(FIRST, 0), replace(make.finished(FIRST, 0), at_s=4.0))
    paused = (*made, BatchPaused(at_s=5.0, reason="by the user"))
    at_once, later = shown(*paused, now_s=5.0), shown(*paused, now_s=500.0)
    assert at_once.left_s is not None
    assert later.left_s == at_once.left_s == shown(*made, now_s=5.0).left_s
    assert later.elapsed_s == 500.0
    # When it goes on, the pause does not count either.
    continued = (*paused, BatchContinued(at_s=500.0))
    assert shown(*continued, now_s=501.0).left_s == shown(*made, now_s=6.0).left_s


def test_segments_that_finish_in_a_pause_take_their_time() -> None:
    running = (*PLANNED, make.started(FIRST, 0), BatchPaused(at_s=3.0, reason="by the user"))
    finished = (*running, replace(make.finished(FIRST, 0), at_s=8.0))
    assert shown(*finished, now_s=100.0).frames_per_s == pytest.approx(20 / 8)


def test_nothing_is_known_before_the_first_plan() -> None:
    made = shown()
    assert made == Figures(
        done_frames=0,
        total_frames=0,
        frames_per_s=0.0,
        current_frames_per_s=0.0,
        elapsed_s=10.0,
        left_s=None,
        left_range_s=None,
    )
    assert made.part == 0.0


def test_a_batch_that_has_not_begun_takes_no_time() -> None:
    assert figures(fold([]), {}, 1e9).elapsed_s == 0.0


def test_finished_segments_count_and_give_speed_and_time_to_go() -> None:
    made = shown(*PLANNED, make.started(FIRST), make.finished(FIRST), make.finished(SECOND, 1))
    assert made == Figures(
        done_frames=40,
        total_frames=120,
        frames_per_s=4.0,
        current_frames_per_s=0.0,
        elapsed_s=10.0,
        left_s=20.0,
        left_range_s=(20.0, 20.0),
    )
    assert made.part == pytest.approx(1 / 3)


def test_running_segments_count_as_far_as_they_are() -> None:
    made = shown(
        *PLANNED,
        make.started(FIRST),
        make.started(SECOND, 2, lane=2),
        reports=(report(FIRST, 5), report(SECOND, 15, lane=2, segment=2)),
    )
    assert (made.done_frames, made.frames_per_s, made.left_s) == (20, 2.0, 50.0)


@pytest.mark.parametrize(
    "stale",
    [
        report(FIRST, 20, segment=0),  # finished since
        report(FIRST, 20, segment=2),  # not begun
        report(FIRST, 20, segment=None, stage="verify"),
        report(FIRST, 20, segment=1, stage="verify"),
        report(THIRD, 20, segment=1),  # of another batch
    ],
)
def test_a_report_of_anything_but_a_running_segment_does_not_count(stale: Progress) -> None:
    facts = (*PLANNED, make.started(FIRST), make.finished(FIRST), make.started(FIRST, 1))
    assert shown(*facts, reports=(stale,)) == shown(*facts)


def test_a_failed_attempt_and_a_lost_segment_are_to_be_made_again() -> None:
    failed = SegmentFailed(
        at_s=4.0, job_id=FIRST.job.id, segment=0, attempt=1, lane=1, reason="r", final=False
    )
    lost = SegmentDiscarded(at_s=4.0, job_id=SECOND.job.id, segment=0, reason="gone")
    made = shown(
        *PLANNED, make.started(FIRST), failed, make.finished(SECOND), lost, reports=(report(FIRST, 9),)
    )
    assert (made.done_frames, made.total_frames, made.left_s) == (0, 120, None)


def test_videos_that_are_not_planned_count_like_the_others() -> None:
    long = make.plan(SECOND.job, frames=180)
    assert shown(make.planned(FIRST), plans=(FIRST, SECOND, THIRD)).total_frames == 180
    assert shown(make.planned(FIRST), make.planned(long), plans=(FIRST, SECOND, THIRD)).total_frames == 360


@pytest.mark.parametrize(
    "ended",
    [
        JobFailed(at_s=5.0, job_id=SECOND.job.id, reason="r"),
        JobSkipped(at_s=5.0, job_id=SECOND.job.id, reason="is there already"),
    ],
)
def test_videos_that_failed_or_were_skipped_are_no_work_beyond_what_was_made(ended: Fact) -> None:
    before = shown(*PLANNED, make.finished(FIRST), make.finished(SECOND))
    made = shown(*PLANNED, make.finished(FIRST), make.finished(SECOND), ended)
    assert (made.done_frames, made.total_frames, made.left_s) == (40, 80, 10.0)
    # Neither the speed nor what is done jumps back.
    assert made.frames_per_s == before.frames_per_s
    assert made.part > before.part
    assert shown(ended, make.planned(FIRST)).total_frames == 60


def test_a_published_video_is_done() -> None:
    every = (make.finished(FIRST, segment) for segment in range(3))
    made = shown(*PLANNED, *every, published(FIRST))
    assert (made.done_frames, made.part, made.left_s) == (60, 0.5, 10.0)


def test_a_batch_that_is_done_has_nothing_left() -> None:
    every = (make.finished(FIRST, segment) for segment in range(3))
    made = shown(make.planned(FIRST), *every, published(FIRST), plans=(FIRST,))
    assert (made.part, made.left_s) == (1.0, 0.0)


def test_what_an_earlier_run_made_is_done_but_says_nothing_about_the_speed() -> None:
    again = make.batch_started(FIRST.job, SECOND.job)
    later = type(again)(
        at_s=100.0,
        run_id="later",
        input=again.input,
        output=again.output,
        options={},
        jobs=again.jobs,
        lanes=2,
    )
    state = fold([again, *PLANNED, make.finished(FIRST), make.finished(FIRST, 1), later, *PLANNED])
    made = figures(state, {}, 110.0)
    assert (made.done_frames, made.elapsed_s, made.frames_per_s, made.left_s) == (40, 10.0, 0.0, None)


def test_the_clock_stops_with_the_batch() -> None:
    over = BatchFinished(at_s=7.0, run_id="run", outcome="interrupted", exit_code=3)
    assert shown(over, now_s=1000.0).elapsed_s == 7.0


def test_a_clock_that_was_set_back_is_no_negative_time() -> None:
    made = shown(*PLANNED, make.finished(FIRST), now_s=-60.0)
    assert (made.elapsed_s, made.frames_per_s, made.left_s) == (0.0, 0.0, None)


def test_the_part_is_never_more_than_everything() -> None:
    made = Figures(
        done_frames=130,
        total_frames=120,
        frames_per_s=1.0,
        current_frames_per_s=2.0,
        elapsed_s=1.0,
        left_s=None,
        left_range_s=None,
    )
    assert made.part == 1.0


@pytest.mark.parametrize(
    ("current", "range_s"), [(0.0, (20.0, 20.0)), (8.0, (10.0, 20.0)), (2.0, (20.0, 40.0))]
)
def test_time_to_go_lies_between_the_average_and_the_current_speed(
    current: float, range_s: tuple[float, float]
) -> None:
    made = (*PLANNED, make.finished(FIRST), make.started(SECOND, 2))
    reports = (replace(report(SECOND, 20, segment=2), frames_per_s=current),)
    numbers = shown(*made, reports=reports)
    assert (numbers.frames_per_s, numbers.left_s, numbers.left_range_s) == (4.0, 20.0, range_s)


def test_where_all_that_is_left_is_in_the_making_the_lanes_say_when_it_is_ready() -> None:
    every = (make.finished(FIRST, segment) for segment in range(3))
    two = (make.finished(SECOND, 0), make.started(SECOND, 1), make.started(SECOND, 2, lane=2))
    facts: tuple[Fact, ...] = (*PLANNED, *every, published(FIRST), *two)
    reports = (
        replace(report(SECOND, 10, segment=1), frames_per_s=5.0),
        replace(report(SECOND, 5, segment=2, lane=2), frames_per_s=1.0),
    )
    numbers = shown(*facts, reports=reports)
    assert (numbers.left_s, numbers.left_range_s) == (15.0, (15.0, 15.0))
    state = fold([make.batch_started(FIRST.job, SECOND.job), *facts])
    progress = {each.lane: each for each in reports}
    assert ready_in(list(state.open.values()), progress, numbers, lanes=2) == {SECOND.job.id: 15.0}
    # One of them says nothing yet: the average speed is all that is known.
    assert shown(*facts, reports=reports[:1]).left_s != 15.0


def test_joining_takes_as_long_as_its_lane_says() -> None:
    every = (make.finished(FIRST, segment) for segment in range(3))
    joining = AssemblyStarted(at_s=9.0, job_id=FIRST.job.id, lane=1)
    reports = (replace(report(FIRST, 5, segment=None, stage="verify"), frames_per_s=3.0),)
    assert shown(make.planned(FIRST), *every, joining, plans=(FIRST,), reports=reports).left_s == 5.0


def test_before_anything_is_made_the_prediction_says_how_long_it_takes() -> None:
    predicted = BatchPredicted(
        at_s=4.0,
        seconds_s=60.0,
        least_s=50.0,
        most_s=90.0,
        output_bytes=1,
        temporary_bytes=1,
        lane_bytes=None,
        gpu_bytes=None,
    )
    waiting = shown(*PLANNED, predicted, now_s=14.0)
    assert (waiting.left_s, waiting.left_range_s) == (50.0, (40.0, 80.0))
    # A pause with nobody at work takes nothing off it.
    paused = shown(*PLANNED, predicted, BatchPaused(at_s=14.0, reason="by the user"), now_s=500.0)
    assert paused.left_s == waiting.left_s
    assert shown(*PLANNED, predicted, make.finished(FIRST), now_s=10.0).left_s == 50.0


def test_videos_are_ready_one_after_the_other_as_far_as_their_lengths_are_known() -> None:
    state = fold([make.batch_started(FIRST.job, SECOND.job, make.job(3)), *PLANNED, make.started(FIRST)])
    report = Progress(
        lane=1,
        job_id=FIRST.job.id,
        stage="segment",
        segment=0,
        done_frames=10,
        total_frames=20,
        frames_per_s=5.0,
    )
    numbers = replace(figures(state, {1: report}, 10.0), frames_per_s=5.0)
    turns = list(state.jobs.values())
    ready = ready_in(turns, {1: report}, numbers, lanes=1)
    assert list(ready) == [FIRST.job.id, SECOND.job.id]
    assert ready[FIRST.job.id] == (FIRST.frames - 10) / 5
    assert ready[SECOND.job.id] == (FIRST.frames - 10 + SECOND.frames) / 5
    assert ready_in(turns, {}, replace(numbers, frames_per_s=0.0), lanes=1) == {}
    assert part_done(state.jobs[FIRST.job.id], {1: report}) == 10 / FIRST.frames


def test_videos_that_are_made_at_the_same_time_share_the_speed() -> None:
    plans = [
        make.plan(make.job(number), frames=frames) for number, frames in enumerate((60, 60, 20), start=1)
    ]
    state = fold([make.batch_started(*(plan.job for plan in plans)), *map(make.planned, plans)])
    numbers = replace(figures(state, {}, 10.0), frames_per_s=10.0)

    def ready(lanes: int) -> list[float]:
        at_s = ready_in(list(state.jobs.values()), {}, numbers, lanes=lanes)
        return [at_s[plan.job.id] for plan in plans]

    assert ready(1) == [6, 12, 14]
    assert ready(2) == [12, 12, 14]
    assert ready(8) == [14, 14, 6]
