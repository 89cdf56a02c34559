"""A lane's line: who works on what, how far, how fast, how much longer."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

import make
from vhsbatch.events.events import AssemblyStarted, Fact, JobPublished, SegmentFailed
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, Progress
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.ui.tui.lanes import lane_cells
from vhsbatch.ui.tui.moment import moment

PLAN, OTHER = make.plan(make.job(1), segments=3), make.plan(make.job(2), segments=1)
JOINING = AssemblyStarted(at_s=4.0, job_id=PLAN.job.id, lane=1)


def batch(*facts: Fact, plans: tuple[JobPlan, ...] = (PLAN, OTHER)) -> BatchState:
    return fold([make.batch_started(*(plan.job for plan in plans)), *map(make.planned, plans), *facts])


def report(
    of: JobPlan = PLAN,
    *,
    done: int = 10,
    total: int = 20,
    speed: float = 5.0,
    segment: int | None = 0,
    stage: str = "segment",
) -> Progress:
    return Progress(
        lane=1,
        job_id=of.job.id,
        stage=stage,
        segment=segment,
        done_frames=done,
        total_frames=total,
        frames_per_s=speed,
    )


def cells(
    state: BatchState,
    of: Progress | None,
    lane: int,
    width: int,
    *,
    readings: DeviceReadings | None = None,
) -> tuple[str, ...]:
    return lane_cells(moment(state, {} if of is None else {lane: of}, readings, 10.0), lane, width)


def words(state: BatchState, of: Progress | None, *, lane: int = 1, width: int = 100) -> tuple[str, ...]:
    """The parts of a lane's line without the space around them; the bar is left out."""
    label, name, stage, _, figures, _ = cells(state, of, lane, width)
    return tuple(" ".join(part.split()) for part in (label, name, stage, figures))


def test_a_lane_without_work_is_idle() -> None:
    assert words(batch(), None) == ("Worker 1", "idle", "", "")
    assert words(batch(make.started(PLAN)), None, lane=2) == ("Worker 2", "idle", "", "")


def test_a_segment_that_has_just_begun() -> None:
    assert words(batch(make.started(PLAN, 1)), None) == ("Worker 1", "tape1.dv", "segment 2/3", "starting")


def test_a_segment_on_its_way() -> None:
    state = batch(make.started(PLAN))
    assert words(state, report()) == ("Worker 1", "tape1.dv", "segment 1/3", "50% 5.0 fps 0:02")
    assert cells(state, report(), 1, 100)[3] == "█" * 10 + " " * 10


@pytest.mark.parametrize(
    ("speed", "shown"),
    [
        (0.0, "0.0 fps -"),
        (0.25, "0.2 fps 0:40"),
        (9.94, "9.9 fps 0:01"),
        (12.6, "13 fps 0:01"),
        (1200, "1200 fps 0:00"),
    ],
)
def test_speeds_have_as_many_digits_as_can_be_read(speed: float, shown: str) -> None:
    assert words(batch(make.started(PLAN)), report(speed=speed))[-1] == f"50% {shown}"


def test_a_video_of_one_segment_does_not_talk_of_segments() -> None:
    assert words(batch(make.started(OTHER)), report(OTHER))[1:3] == ("tape2.dv", "restoring")


@pytest.mark.parametrize(
    ("stage", "word"), [("assemble", "joining"), ("verify", "verifying"), ("publish", "publishing")]
)
def test_the_last_step_says_where_it_is(stage: str, word: str) -> None:
    made = words(batch(JOINING), report(segment=None, stage=stage))
    assert made == ("Worker 1", "tape1.dv", word, "50% 5.0 fps 0:02")


def test_the_last_step_begins_with_joining() -> None:
    for stale in (None, report(segment=2)):
        assert words(batch(JOINING), stale)[2:] == ("joining", "starting")


@pytest.mark.parametrize("stale", [report(segment=2), report(OTHER), report(segment=None, stage="verify")])
def test_a_report_of_other_work_is_not_shown(stale: Progress) -> None:
    state = batch(make.started(PLAN))
    assert cells(state, stale, 1, 100) == cells(state, None, 1, 100)


def test_lanes_that_share_a_video_show_their_own_segments() -> None:
    state = batch(make.started(PLAN, 0, lane=2), make.started(PLAN, 2, lane=1), make.started(OTHER, lane=3))
    made = [words(state, None, lane=lane)[1:3] for lane in (1, 2, 3)]
    assert made == [("tape1.dv", "segment 3/3"), ("tape1.dv", "segment 1/3"), ("tape2.dv", "restoring")]


@pytest.mark.parametrize(
    "end",
    [
        make.finished(PLAN),
        SegmentFailed(at_s=4.0, job_id=PLAN.job.id, segment=0, attempt=1, lane=1, reason="r", final=False),
        JobPublished(
            at_s=5.0, job_id=PLAN.job.id, fingerprint="f", size_bytes=1, sha256="s", frames=60, wall_s=1.0
        ),
    ],
    ids=lambda fact: fact.kind,
)
def test_a_lane_is_idle_when_its_work_has_ended(end: Fact) -> None:
    assert words(batch(make.started(PLAN), end), report())[1] == "idle"


def named(name: str) -> JobPlan:
    return make.plan(Job(id="a.mp4", index=1, source=Path("/in") / name, output=Path("/out/a.mp4")))


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    plan = named("Omas 80. Geburtstag, ungeschnitten, Kamera 2.avi")
    state = batch(make.started(plan), plans=(plan,))
    assert words(state, None, width=100)[1] == "Omas 80. Geb…Kamera 2.avi"
    assert words(state, None, width=200)[1] == plan.job.source.name


def test_a_name_is_harmless() -> None:
    plan = named("odd\x1b[31m\n\udce9.avi")
    assert words(batch(make.started(plan), plans=(plan,)), None, width=160)[1] == "odd\\x1b[31m\\n\\udce9.avi"


NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=80).filter(
    lambda name: name not in (".", "..")
)


@given(
    name=NAMES,
    width=st.integers(72, 250),
    lane=st.integers(1, 999),
    done=st.integers(0, 10**6),
    speed=st.just(0.0) | st.floats(0.001, 10**5),
    working=st.sampled_from(["idle", "starting", "running", "joining"]),
)
@example(name="日本旅行 1998 📼.mpg" * 4, width=80, lane=12, done=1, speed=0.001, working="running")
@example(name="e\u0301" * 60, width=81, lane=1, done=10**6, speed=0.0, working="joining")
def test_a_line_is_as_wide_as_the_terminal(
    name: str, width: int, lane: int, done: int, speed: float, working: str
) -> None:
    plan = named(name)
    facts: dict[str, tuple[Fact, ...]] = {
        "idle": (),
        "starting": (make.started(plan, lane=lane),),
        "running": (make.started(plan, lane=lane),),
        "joining": (AssemblyStarted(at_s=4.0, job_id=plan.job.id, lane=lane),),
    }
    segment = None if working == "joining" else 0
    of = report(plan, done=done, total=10**6, speed=speed, segment=segment) if working != "starting" else None
    made = cells(batch(*facts[working], plans=(plan,)), of, lane, width)
    assert sum(map(cell_len, made)) == width
    assert not set("".join(made)) & set("\n\r\t\x1b\x9b")


@pytest.mark.parametrize("width", [80, 120])
def test_a_lane_of_a_cluster_names_its_machine(width: int) -> None:
    state = batch(make.started(PLAN))
    here, there = report(), replace(report(), machine="attic")
    assert words(state, there, width=width)[1].endswith("@attic")
    assert "@" not in words(state, here, width=width)[1]
    long = replace(report(), machine="a-machine-with-a-very-long-name.example.org")
    assert sum(map(cell_len, cells(state, long, 1, width))) == sum(
        map(cell_len, cells(state, here, 1, width))
    )


def test_a_wide_line_has_the_name_of_the_device() -> None:
    gpu = DeviceReading(id="1", name="NVIDIA A2", total_bytes=2**34, used_bytes=2**30, temperature_c=54.0)
    readings = DeviceReadings(devices=(DeviceReading(id="cpu", name="AMD EPYC"), gpu), disks=())
    state = batch(make.started(PLAN))

    def device(of: Progress) -> str:
        return cells(state, of, 1, 200, readings=readings)[-1].strip().split("  ")[-1]

    # What the CPU says of itself is in the machine's line, and not once for each worker.
    assert device(report()) == "the CPU"
    assert device(replace(report(), device="1")) == "NVIDIA A2"
    # What another machine's device is called is not known here.
    assert device(replace(report(), device="1", machine="attic")) == "the CPU"
