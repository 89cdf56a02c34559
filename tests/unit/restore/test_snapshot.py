"""Which frame shows what is being done to a video."""

from dataclasses import replace
from pathlib import Path

import make
from vhsbatch.events.events import Fact, JobPublished
from vhsbatch.events.job_state import JobState
from vhsbatch.events.state import fold
from vhsbatch.restore.snapshot import Moment, made_frame, moment_of
from vhsbatch.restore.workspace import job_folder

PLAN = make.plan(segments=3, frames=60)
TEMPORARY = Path("/tmp/work")


def job(*facts: Fact) -> JobState:
    return fold([make.batch_started(PLAN.job), *facts]).jobs[PLAN.job.id]


def test_nothing_before_there_is_a_plan() -> None:
    assert moment_of(job(), None, TEMPORARY) is None


def test_the_source_alone_until_a_segment_is_finished() -> None:
    begun = job(make.planned(PLAN), make.started(PLAN))
    assert moment_of(begun, 7, TEMPORARY) == Moment(frame=7)
    assert moment_of(begun, None, TEMPORARY) == Moment(frame=0)
    assert moment_of(begun, 60, TEMPORARY) == Moment(frame=59)


def test_the_nearest_frame_of_the_segment_that_was_finished_last() -> None:
    first = make.finished(PLAN, 0)
    second = replace(make.finished(PLAN, 1), at_s=first.at_s + 1)
    working = job(make.planned(PLAN), second, first)
    file = job_folder(TEMPORARY, PLAN) / second.file
    assert moment_of(working, 47, TEMPORARY) == Moment(frame=39, made=file, first_frame=20)
    assert moment_of(working, 3, TEMPORARY) == Moment(frame=20, made=file, first_frame=20)
    assert moment_of(working, None, TEMPORARY) == Moment(frame=30, made=file, first_frame=20)


def test_segments_of_another_plan_are_not_looked_at() -> None:
    other = replace(make.finished(PLAN, 1), fingerprint="another")
    assert moment_of(job(make.planned(PLAN), other), 5, TEMPORARY) == Moment(frame=5)


def test_the_middle_of_a_result() -> None:
    published = JobPublished(
        at_s=9.0, job_id=PLAN.job.id, fingerprint="f", size_bytes=1, sha256="s", frames=60, wall_s=1.0
    )
    assert moment_of(job(make.planned(PLAN), published), None, TEMPORARY) == Moment(
        frame=30, made=PLAN.job.output
    )


def test_a_frame_of_a_finished_segment_is_read_from_it() -> None:
    proof = make.finished(PLAN, 1)
    begun = job(make.planned(PLAN), proof)
    assert made_frame(begun, 19, TEMPORARY) is None
    assert made_frame(begun, 40, TEMPORARY) is None
    made = job_folder(TEMPORARY, PLAN) / proof.file
    assert made_frame(begun, 30, TEMPORARY) == Moment(frame=30, made=made, first_frame=20)
