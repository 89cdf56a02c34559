"""Predictions against simulated batches whose pieces take known times."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import make
from simulation import Costs, simulate
from vhsbatch.config.presets import Preset
from vhsbatch.model.media import FieldOrder
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.planner import cut
from vhsbatch.scheduling.prediction import (
    KindRecord,
    Remaining,
    Sample,
    assembly_cost,
    estimate,
    kind_of,
    predict,
    segment_cost,
)

RATE = Fraction(50)
RECORD = KindRecord(
    segments=tuple(Sample(frames, 1.0 + frames * 0.02, 2) for frames in (100, 300, 100, 300, 3000)),
    assemblies=(Sample(1000, 1.0, 2), Sample(9000, 5.0, 2)),
    bytes_per_frame=2000.0,
    lane_bytes=2**29,
)


def tape(number: int, seconds: int) -> JobPlan:
    frames = int(seconds * RATE)
    return replace(make.plan(make.job(number), frames=frames, rate=RATE), segments=cut(frames, RATE, 60))


def remaining(*plans: JobPlan) -> list[Remaining]:
    return [Remaining(plan, tuple(segment.frames for segment in plan.segments)) for plan in plans]


def test_two_lengths_tell_what_a_piece_costs_and_what_a_frame_costs() -> None:
    cost = segment_cost(RECORD, lanes=2, threads=4)
    assert cost is not None
    assert cost.piece_s == pytest.approx(1.0)
    assert cost.frame_s == pytest.approx(0.02)
    joined = assembly_cost(RECORD)
    assert joined.of(1000) == pytest.approx(1.0)
    assert joined.of(9000) == pytest.approx(5.0)


def test_pieces_of_one_length_tell_their_ratio() -> None:
    record = KindRecord(segments=(Sample(1000, 20.0, 1), Sample(1001, 30.0, 1)))
    cost = segment_cost(record, lanes=1, threads=4)
    assert cost is not None
    assert cost.piece_s == 0
    assert cost.frame_s == pytest.approx(50.0 / 2001)
    assert cost.spread >= 0.2


def test_what_was_never_measured_is_not_predicted() -> None:
    assert segment_cost(KindRecord(), lanes=2, threads=2) is None
    plan = tape(1, 100)
    none = predict(remaining(plan), {}, lanes=2, threads=2, usual_bytes={plan.job.id: 5}, at_s=0)
    assert none is None


def test_more_lanes_than_the_processor_feeds_are_each_slower() -> None:
    record = KindRecord(segments=(Sample(1000, 20.0, 1),))
    one, four = (segment_cost(record, lanes=lanes, threads=4) for lanes in (1, 4))
    assert one is not None
    assert four is not None
    assert four.of(1000) == pytest.approx(2 * one.of(1000))


def test_samples_with_as_many_lanes_count_more() -> None:
    record = KindRecord(segments=(Sample(1000, 20.0, 1), Sample(1000, 31.0, 3)))
    cost = segment_cost(record, lanes=3, threads=4)
    assert cost is not None
    assert cost.of(1000) == pytest.approx(31.0)


def test_the_newest_samples_are_kept() -> None:
    record = KindRecord()
    for number in range(100):
        record = record.with_segment(Sample(100, float(number), 1))
    assert len(record.segments) == 60
    assert record.segments[-1].wall_s == 99.0


@given(
    st.builds(
        KindRecord,
        segments=st.lists(
            st.builds(Sample, st.integers(1, 10**6), st.floats(0, 1e6), st.integers(1, 64)), max_size=5
        ).map(tuple),
        bytes_per_frame=st.none() | st.floats(0, 1e9),
        lane_bytes=st.none() | st.integers(0, 2**40),
    )
)
def test_a_record_survives_being_kept(record: KindRecord) -> None:
    assert KindRecord.from_json(record.as_json()) == record


@pytest.mark.parametrize("value", [None, {}, [], {"segments": 3}, {"segments": [[1]], "assemblies": []}])
def test_what_cannot_be_understood_counts_as_nothing(value: object) -> None:
    assert KindRecord.from_json(value) == KindRecord()


def test_kinds_differ_by_what_takes_time_and_not_by_length() -> None:
    plan = tape(1, 100)
    assert kind_of(plan) == kind_of(tape(2, 900))
    slower = Preset.model_validate({"name": "vhs", "video": {"speed": "slowest"}})
    others = [
        replace(plan, preset=slower),
        replace(plan, recipe=replace(plan.recipe, height=720)),
        replace(plan, encoder="ffv1"),
        replace(plan, info=make.info(make.track(width=352))),
    ]
    assert len({kind_of(other) for other in (plan, *others)}) == 5


def test_what_is_measured_of_one_tape_holds_for_the_next() -> None:
    plan = tape(1, 100)
    bottom_first = make.track(field_order=FieldOrder.BFF, codec="mpeg2video")
    milder = plan.preset.denoise.model_copy(update={"luma_spatial": 1.25})
    others = [
        replace(plan, info=make.info(bottom_first)),
        replace(plan, preset=plan.preset.model_copy(update={"denoise": milder})),
    ]
    assert {kind_of(other) for other in others} == {kind_of(plan)}
    none = plan.preset.denoise.model_copy(update={"method": "none"})
    without = replace(plan, preset=plan.preset.model_copy(update={"denoise": none}))
    assert kind_of(without) != kind_of(plan)


def test_a_trial_counts_while_nothing_was_made_and_is_less_sure() -> None:
    tried = KindRecord(trial=(Sample(1, 1.0, 1), Sample(6, 2.0, 1)))
    cost = segment_cost(tried, lanes=1, threads=4)
    assert cost is not None
    assert cost.piece_s == pytest.approx(0.8)
    assert cost.frame_s == pytest.approx(0.2)
    assert cost.spread >= 0.4
    made = tried.with_segment(Sample(1000, 20.0, 1))
    assert segment_cost(made, lanes=1, threads=4) == segment_cost(
        KindRecord(segments=made.segments), lanes=1, threads=4
    )


@settings(deadline=None, max_examples=30)
@given(
    seconds=st.lists(st.integers(60, 3600), min_size=1, max_size=12),
    lanes=st.integers(1, 6),
    seed=st.integers(0, 2**32),
)
@example(seconds=[60, 60, 60, 60], lanes=2, seed=0)
def test_a_batch_of_a_measured_kind_ends_within_a_fifth_of_its_prediction(
    seconds: list[int], lanes: int, seed: int
) -> None:
    """Samples scatter by 10 %; the real cost is their mean."""
    chance = random.Random(seed)
    samples = tuple(
        Sample(3000, (1.0 + 3000 * 0.02) * max(0.7, chance.gauss(1, 0.1)), lanes) for _ in range(20)
    )
    plans = [tape(number, length) for number, length in enumerate(seconds, start=1)]
    predicted = predict(
        remaining(*plans),
        {kind_of(plans[0]): replace(RECORD, segments=samples)},
        lanes=lanes,
        threads=64,
        usual_bytes={plan.job.id: 0 for plan in plans},
        at_s=0,
    )
    real = simulate(plans, lanes=lanes, costs=Costs(frame_s=0.02, segment_s=1.0, assembly_frame_s=0.0005))
    assert predicted is not None
    assert predicted.least_s < predicted.seconds_s < predicted.most_s
    assert predicted.seconds_s == pytest.approx(real.makespan_s, rel=0.2, abs=65)


def test_what_is_made_already_is_not_counted_again() -> None:
    plan = tape(1, 600)
    whole, half = remaining(plan)[0], Remaining(plan, (3000,) * 5)
    costs = [estimate(left, RECORD, lanes=2, threads=4, usual_bytes=0) for left in (whole, half)]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[1].seconds_s < 0.6 * costs[0].seconds_s
    assert costs[1].size_bytes == costs[0].size_bytes == 2000 * plan.frames


def seconds_of(record: KindRecord, *plans: JobPlan, lanes: int, threads: int) -> float:
    predicted = predict(
        remaining(*plans),
        {kind_of(plans[0]): record},
        lanes=lanes,
        threads=threads,
        usual_bytes={plan.job.id: 0 for plan in plans},
        at_s=0,
    )
    assert predicted is not None
    return predicted.seconds_s


def test_lanes_without_work_are_in_nobodys_way() -> None:
    # Four at a time, each on half a thread, took four times as long as one alone.
    record = KindRecord(segments=(Sample(3000, 40.0, 4),), assemblies=(Sample(3000, 0.0, 4),))
    assert seconds_of(record, tape(1, 60), lanes=4, threads=2) == pytest.approx(10)
    assert seconds_of(record, tape(1, 60), lanes=1, threads=2) == pytest.approx(10)
    four = [tape(number, 60) for number in range(1, 5)]
    assert seconds_of(record, *four, lanes=4, threads=2) == pytest.approx(40)
    # The fifth is made alone.
    assert seconds_of(record, *four, tape(5, 60), lanes=4, threads=2) == pytest.approx(50)


@given(
    seconds=st.lists(st.integers(1, 200), min_size=1, max_size=8),
    lanes=st.integers(1, 16),
    threads=st.integers(1, 64),
)
def test_no_prediction_is_less_than_the_processor_needs(seconds: list[int], lanes: int, threads: int) -> None:
    """A piece alone takes 2 % of a second for each frame, and two threads."""
    record = KindRecord(segments=(Sample(3000, 60.0, 1),), assemblies=(Sample(3000, 0.0, 1),))
    plans = [tape(number, length) for number, length in enumerate(seconds, start=1)]
    alone_s = [segment.frames * 0.02 for plan in plans for segment in plan.segments]
    crowd = max(1.0, 2 / threads)
    at_a_time = max(1.0, min(lanes, threads / 2))
    made_s = seconds_of(record, *plans, lanes=lanes, threads=threads)
    assert made_s >= max(*alone_s, sum(alone_s) / at_a_time / crowd) * 0.999
    assert made_s <= sum(alone_s) * crowd * 1.001 + 0.001
