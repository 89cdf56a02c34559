"""A batch is measured while it runs, and predicted when its kinds are known."""

from functools import partial
from pathlib import Path

import anyio
import pytest

import make
from vhsbatch.cache import Cache
from vhsbatch.config.preset_schema import Deinterlace
from vhsbatch.config.presets import Preset
from vhsbatch.events.bus import Bus
from vhsbatch.events.describe import compared_with_prediction
from vhsbatch.events.events import BatchFinished, BatchPredicted, Fact, LanesChanged
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import DeviceReadings, Progress
from vhsbatch.model.media import FieldOrder
from vhsbatch.scheduling import measuring
from vhsbatch.scheduling.measuring import LaneKind, Measuring, Records, cached_need, open_segments
from vhsbatch.scheduling.prediction import KindRecord

pytestmark = pytest.mark.anyio

MIB = 2**20
PRESETS = (
    Preset(name="plain"),
    Preset(name="slow", deinterlace=Deinterlace(method="qtgmc")),
)
PLAN = make.plan(segments=4, frames=400)


async def measured(facts: list[Fact], cache: Cache) -> list[BatchPredicted]:
    """What is predicted while a batch tells `facts`."""
    told: list[BatchPredicted] = []

    async def append(fact: Fact) -> None:
        if isinstance(fact, BatchPredicted):
            told.append(fact)

    state = BatchState()
    bus = Bus(state, append)
    one = Measuring(state=state, records=Records(cache), threads=2, emit=bus.emit)
    async with anyio.create_task_group() as group:
        group.start_soon(one.run, bus.subscribe())
        for fact in facts:
            await bus.emit(fact)
            await anyio.wait_all_tasks_blocked()
            await anyio.sleep(0.05)
        bus.close()
    return told


async def test_a_new_kind_is_predicted_after_its_first_segment_and_a_known_one_at_once(
    tmp_path: Path,
) -> None:
    memory = Cache(tmp_path / "remembered.sqlite")
    begin: list[Fact] = [make.batch_started(PLAN.job, lanes=1), make.planned(PLAN)]
    (first,) = await measured([*begin, make.started(PLAN, 0), make.finished(PLAN, 0)], memory)
    # Three segments of a second each, as the first one took, and the joining.
    assert 3.0 <= first.seconds_s <= 6.0
    (again,) = await measured(begin, memory)
    assert again.seconds_s > first.seconds_s
    memory.close()


async def test_a_known_kind_is_predicted_as_soon_as_somebody_works(tmp_path: Path) -> None:
    memory = Cache(tmp_path / "remembered.sqlite")
    begin: list[Fact] = [make.batch_started(PLAN.job, lanes=1), make.planned(PLAN)]
    assert await measured([*begin, make.started(PLAN, 0), make.finished(PLAN, 0)], memory)
    nobody: list[Fact] = [make.batch_started(PLAN.job, lanes=0), make.planned(PLAN)]
    assert await measured(nobody, memory) == []
    assert await measured([*nobody, LanesChanged(at_s=2, lanes=1, reason="attic helps")], memory)
    memory.close()


async def test_without_any_measurement_nothing_is_said(tmp_path: Path) -> None:
    memory = Cache(tmp_path / "remembered.sqlite")
    assert await measured([make.batch_started(PLAN.job), make.planned(PLAN)], memory) == []
    memory.close()


@pytest.mark.parametrize(("here", "lane_bytes"), [(True, 500), (False, None)])
async def test_what_lanes_hold_is_seen_where_they_are(
    here: bool, lane_bytes: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "resident_bytes", lambda _: 500)
    memory = Cache(tmp_path / "remembered.sqlite")
    records = Records(memory)
    bus = Bus(BatchState(), _forget)
    for fact in (make.batch_started(PLAN.job), make.planned(PLAN), make.started(PLAN, 0)):
        await bus.emit(fact)
    one = Measuring(state=bus.state, records=records, threads=2, emit=bus.emit, here=here)
    async with anyio.create_task_group() as group:
        group.start_soon(one.run, bus.subscribe())
        for _ in range(2):  # the first one tells what is in use without them
            bus.tell(DeviceReadings(devices=(), disks=()))
            await anyio.wait_all_tasks_blocked()
            await anyio.sleep(0.05)
        bus.close()
    assert records.of(PLAN).lane_bytes == lane_bytes
    memory.close()


def test_lanes_are_weighed_by_what_decides_their_weight(tmp_path: Path) -> None:
    memory = Cache(tmp_path / "remembered.sqlite")
    records = Records(memory)
    weights = {PRESETS[0]: 300 * MIB, PRESETS[1]: 900 * MIB}
    for preset, lane_bytes in weights.items():
        records.keep(make.plan(preset=preset), KindRecord(lane_bytes=lane_bytes))

    def needed(preset: Preset, encoder: str = "libx264") -> int | None:
        kind = LaneKind.of_batch(preset, engine="ffmpeg", device="cpu", encoder=encoder)
        need = cached_need(memory, kind)
        return None if need is None else need.memory_bytes

    assert [needed(preset) for preset in weights] == [held * 5 // 4 for held in weights.values()]
    assert needed(PRESETS[0], encoder="libx265") is None
    memory.close()


def test_a_progressive_source_is_not_weighed_as_qtgmc() -> None:
    preset = PRESETS[1]
    progressive = make.info(make.track(field_order=FieldOrder.PROGRESSIVE))
    assert LaneKind.of(make.plan(preset=preset)).qtgmc
    assert not LaneKind.of(make.plan(preset=preset, info=progressive)).qtgmc


async def _forget(fact: Fact) -> None:
    pass


def test_of_a_segment_in_the_making_is_left_what_its_lane_has_not_made() -> None:
    state = BatchState()
    done = partial(Progress, job_id=PLAN.job.id, stage="segment", total_frames=100, frames_per_s=1.0)
    for fact in (
        make.batch_started(PLAN.job),
        make.planned(PLAN),
        make.started(PLAN, 0),
        make.finished(PLAN, 0),
    ):
        state.apply(fact)
    state.apply(make.started(PLAN, 1, lane=1))
    state.apply(make.started(PLAN, 2, lane=2))
    # What the second lane said last is about another segment.
    progress = {1: done(lane=1, segment=1, done_frames=70), 2: done(lane=2, segment=0, done_frames=90)}
    assert open_segments(state.jobs[PLAN.job.id], progress) == (30, 100, 100)


def test_a_prediction_is_compared_with_what_happened() -> None:
    state = BatchState()
    state.apply(make.batch_started(PLAN.job))
    assert compared_with_prediction(state) is None
    state.apply(
        BatchPredicted(
            at_s=100.0,
            seconds_s=60.0,
            least_s=50.0,
            most_s=70.0,
            output_bytes=1,
            temporary_bytes=1,
            lane_bytes=None,
            gpu_bytes=None,
        )
    )
    state.apply(BatchFinished(at_s=166.0, run_id="run", outcome="complete", exit_code=0))
    assert compared_with_prediction(state) == "2:40 (2:30 to 2:50), took 2:46, 4% more"
    state.apply(BatchFinished(at_s=145.0, run_id="run", outcome="complete", exit_code=0))
    assert compared_with_prediction(state) is None
