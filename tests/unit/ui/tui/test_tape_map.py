"""The map of a tape: every segment in its place, and what is drawn there."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import make
from vhsbatch.events.events import AssemblyStarted, Fact, SegmentFailed
from vhsbatch.events.state import fold
from vhsbatch.events.telemetry import Progress
from vhsbatch.model.media import Damage, Gap
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.snapshot import Stretch
from vhsbatch.ui.tui.moment import moment
from vhsbatch.ui.tui.tape_map import Layout, Piece, shown_video, tape_map

# Half a minute of output for each segment.
PLAN = make.plan(make.job(1), segments=8, frames=8 * 1800)


def drawn(
    *facts: Fact,
    plan: JobPlan = PLAN,
    layout: Layout,
    reports: tuple[Progress, ...] = (),
    blank: Sequence[Stretch] = (),
) -> list[list[Piece]]:
    state = fold([make.batch_started(plan.job), make.planned(plan), *facts])
    now = moment(state, {report.lane: report for report in reports}, None, 10.0)
    return tape_map(now, state.jobs[plan.job.id], layout, blank)


def text(line: list[Piece]) -> str:
    return "".join(piece for piece, _ in line)


def failed(segment: int) -> SegmentFailed:
    return SegmentFailed(
        at_s=2.0, job_id=PLAN.job.id, segment=segment, attempt=1, lane=1, reason="r", final=False
    )


def report(lane: int, segment: int, done: int) -> Progress:
    return Progress(
        lane=lane,
        job_id=PLAN.job.id,
        stage="segment",
        segment=segment,
        done_frames=done,
        total_frames=1800,
        frames_per_s=5.0,
    )


def test_every_state_has_its_letter_and_a_worker_its_number() -> None:
    facts: tuple[Fact, ...] = (
        make.finished(PLAN, 0),
        failed(1),
        make.finished(PLAN, 1),
        make.started(PLAN, 2, lane=12),
    )
    facts = (*facts, make.started(PLAN, 3, lane=2), failed(4))
    reports = (report(12, 2, 900), report(2, 3, 0))
    head, row = drawn(*facts, layout=Layout(9 + 8 * 7, 3), reports=reports)
    assert text(row) == "    0:00 ██████ ▓▓▓▓▓▓ ██12▒▒ ▒▒2▒▒▒ !!!!!! ······ ······ ······ "
    assert text(head).startswith("tape1.dv  31%   2 of 8 segments")
    # Each letter is explained where it is there, if there is room.
    head = drawn(*facts, layout=Layout(120, 3), reports=reports)[0]
    parts = [part for _, part in head]
    assert [part for part in parts if part not in ("head", "label")] == [
        *("done", "again", "running", "waiting", "failed")
    ]


def test_a_tape_is_broken_into_rows_that_begin_with_their_time() -> None:
    _, first, second = drawn(layout=Layout(9 + 24, 3, 1, 6))
    assert text(first) == "    0:00 " + "····· " * 4
    assert text(second) == "    2:00 " + "····· " * 4


def test_high_cells_have_the_number_of_the_worker_once() -> None:
    _, upper, lower = drawn(
        make.started(PLAN, 0, lane=3), layout=Layout(9 + 32, 2, 2), reports=(report(3, 0, 0),)
    )
    assert text(upper).startswith("    0:00 ▒3▒ ")
    assert text(lower).startswith("         ▒▒▒ ")


def test_segments_that_share_a_column_show_what_matters_most() -> None:
    done = (make.finished(PLAN, each) for each in range(5))
    _, row = drawn(*done, make.started(PLAN, 7, lane=1), failed(5), layout=Layout(9 + 4, 1))
    assert text(row) == "    0:00 ██!1"


def test_holes_and_damage_are_marked_below_their_place() -> None:
    source = make.info(
        make.track(frames=8 * 900, gaps=(Gap(start=900, stop=1800),)),
        damage=Damage(frames=3, of_frames=7200, places=((Fraction(235), Fraction(236)),)),
    )
    plan = make.plan(make.job(1), segments=8, frames=8 * 1800, info=source)
    head, _, marks = drawn(plan=plan, layout=Layout(9 + 8, 1))
    assert text(marks) == "          ▔▔    ▔"
    assert "damaged" not in text(head)  # there is no room for an explanation


def test_a_video_that_is_done_is_full_and_one_that_is_not_planned_has_no_map() -> None:
    done = [make.finished(PLAN, each) for each in range(8)]
    joining = AssemblyStarted(at_s=5.0, job_id=PLAN.job.id, lane=1)
    head, row = drawn(*done, joining, make.published(PLAN), layout=Layout(9 + 8, 1))
    assert text(row) == "    0:00 " + "█" * 8
    assert "8 of 8 segments" in text(head)
    state = fold([make.batch_started(PLAN.job)])
    (line,) = tape_map(moment(state, {}, None, 1.0), state.jobs[PLAN.job.id], Layout(80, 3))
    assert "Select a video" in text(line)


def test_the_selected_video_is_shown_or_the_first_at_work() -> None:
    other = make.plan(make.job(2))
    state = fold([make.batch_started(PLAN.job, other.job), make.planned(PLAN), make.started(PLAN)])
    now = moment(state, {}, None, 1.0)
    selected = state.jobs[other.job.id]
    assert shown_video(now, selected) is shown_video(now, None) is state.jobs[PLAN.job.id]
    state.apply(make.planned(other))
    assert shown_video(now, selected) is selected


@settings(max_examples=25)
@given(
    segments=st.integers(1, 120),
    width=st.integers(30, 250),
    rows=st.integers(1, 8),
    height=st.integers(1, 2),
    wanted=st.integers(1, 6),
)
def test_a_map_fits_and_has_every_segment(
    segments: int, width: int, rows: int, height: int, wanted: int
) -> None:
    plan = replace(make.plan(make.job(1), segments=segments, frames=segments * 10))
    lines = drawn(
        *(make.finished(plan, each) for each in range(segments)),
        plan=plan,
        layout=Layout(width, rows, height, wanted),
    )
    assert len(lines) <= 1 + rows * height
    assert all(cell_len(text(line)) <= width for line in lines)
    assert not any(part in ("waiting", "running") for line in lines[1:] for _, part in line)


@pytest.mark.parametrize("lane", [1, 99, 999])
def test_a_number_is_never_wider_than_its_segment(lane: int) -> None:
    _, row = drawn(make.started(PLAN, 0, lane=lane), layout=Layout(9 + 8, 1), reports=(report(lane, 0, 1),))
    assert cell_len(text(row)) == 9 + 8


def test_blank_stretches_are_marked_too_and_damage_before_them() -> None:
    source = make.info(make.track(frames=8 * 900, gaps=(Gap(start=900, stop=1800),)))
    plan = make.plan(make.job(1), segments=8, frames=8 * 1800, info=source)
    length_s = plan.duration_s
    blank = ((Fraction(0), length_s * 2 / 10), (length_s * 95 / 100, length_s))
    _, _, marks = drawn(plan=plan, layout=Layout(9 + 8, 1), blank=blank)
    assert text(marks) == " " * 9 + "╌▔▔    ╌"
    head, *_ = drawn(plan=plan, layout=Layout(120, 1), blank=blank)
    assert "▔ damaged or missing   ╌ blank" in text(head)
