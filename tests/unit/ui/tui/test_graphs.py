"""What was measured over the last minutes, and how it is drawn."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

import make
from vhsbatch.events.state import fold
from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, Progress
from vhsbatch.ui.tui.graphs import History, graph_lines
from vhsbatch.ui.tui.moment import BatchMoment, moment

PLAN = make.plan(make.job(1), segments=1)
STATE = fold([make.batch_started(PLAN.job), make.planned(PLAN), make.started(PLAN)])


def at(now_s: float, *, speed: float = 0.0, devices: tuple[DeviceReading, ...] | None = None) -> BatchMoment:
    report = Progress(
        lane=1,
        job_id=PLAN.job.id,
        stage="segment",
        segment=0,
        done_frames=1,
        total_frames=60,
        frames_per_s=speed,
    )
    readings = None if devices is None else DeviceReadings(devices=devices, disks=())
    return moment(STATE, {1: report}, readings, now_s)


CPU = DeviceReading(id="cpu", name="EPYC", total_bytes=2**34, used_bytes=2**33, busy_percent=50)
GPUS = tuple(DeviceReading(id=str(each), name="A2", busy_percent=40 + 20 * each) for each in range(2))


def test_a_sample_is_taken_every_five_seconds() -> None:
    history = History()
    for now_s in (10.0, 11.0, 14.9, 15.0, 17.0, 20.5):
        history.take(at(now_s, speed=now_s))
    (speed,) = history.series
    assert list(speed.samples) == [10.0, 15.0, 20.5]
    assert history.covered_s == 15.0
    # A clock that is set back stops nothing.
    history.take(at(3.0, speed=1.0))
    assert speed.samples[-1] == 1.0


def test_only_what_is_known_has_a_graph() -> None:
    history = History()
    history.take(at(0.0, devices=(DeviceReading(id="cpu", name="EPYC"),)))
    assert [one.title for one in history.series] == ["Frames per second"]
    history.take(at(5.0, speed=24.6, devices=(CPU, *GPUS)))
    assert [(one.title, one.value) for one in history.series] == [
        ("Frames per second", "24.6"),
        ("CPU", "50 %"),
        ("Memory", "8.0 GiB of 16.0 GiB"),
        ("2 GPUs", "50 %"),
    ]


def test_a_load_is_measured_by_what_is_possible_and_a_speed_by_the_highest() -> None:
    history = History()
    for each in range(4):
        history.take(at(5.0 * each, speed=1.0 + each, devices=(CPU,)))
    head, upper, lower = (
        "".join(text for text, _ in line) for line in graph_lines(history, 3 * 30 + 2 * 3, 2)
    )
    assert head.startswith("Frames per second 4.0")
    assert (upper[26:30], lower[26:30]) == ("  ▄█", "▄███")
    assert (upper[59:63], lower[59:63]) == ("    ", "████")


@settings(max_examples=25)
@given(width=st.integers(20, 250), height=st.integers(1, 4), count=st.integers(0, 60))
def test_graphs_fit(width: int, height: int, count: int) -> None:
    history = History()
    for each in range(count):
        history.take(at(5.0 * each, speed=float(each % 7), devices=(CPU, *GPUS)))
    lines = graph_lines(history, width, height)
    assert len(lines) == 1 + height
    # Three blanks at the end are those before the next graph.
    assert all(cell_len("".join(text for text, _ in line)) <= width + 3 for line in lines)
