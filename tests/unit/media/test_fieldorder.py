"""Deciding which field comes first."""

from dataclasses import replace
from fractions import Fraction

import pytest

import make
from vhsbatch.media.fieldorder import (
    Sight,
    Votes,
    can_be_interlaced,
    change_of_order,
    confidence,
    decide,
    decided,
    stated_order,
)
from vhsbatch.model.media import FieldOrder

TFF, BFF = FieldOrder.TFF, FieldOrder.BFF
PROGRESSIVE, UNKNOWN = FieldOrder.PROGRESSIVE, FieldOrder.UNKNOWN


def sights(*parts: tuple[FieldOrder, int]) -> list[Sight]:
    """Frames one second apart: so many of each order."""
    orders = [order for order, count in parts for _ in range(count)]
    return [Sight(at_s=Fraction(number), order=order) for number, order in enumerate(orders)]


def decide_from(
    votes: Votes | None, *, stated: FieldOrder = UNKNOWN, codec: str = "mpeg2video", height: int = 480
) -> FieldOrder:
    order, reason = decide(stated=stated, codec=codec, height=height, votes=votes)
    assert reason
    return order


def test_votes_are_counted() -> None:
    seen = sights((TFF, 1), (UNKNOWN, 2), (BFF, 3), (PROGRESSIVE, 4))
    assert Votes.count(seen) == Votes(tff=1, bff=3, progressive=4, undetermined=2)
    alone = [replace(sight, alone=sight.order) for sight in seen]
    assert Votes.count(alone).alone == 3


@pytest.mark.parametrize("stated", list(FieldOrder))
@pytest.mark.parametrize(
    ("votes", "order"),
    [
        (Votes(tff=118, progressive=1, undetermined=1), TFF),
        (Votes(bff=5), BFF),
        (Votes(bff=7, progressive=1), BFF),
        (Votes(tff=25, progressive=200, undetermined=15), TFF),
        (Votes(progressive=314, undetermined=1), PROGRESSIVE),
        (Votes(progressive=240, undetermined=60), PROGRESSIVE),
    ],
)
def test_the_picture_wins_over_what_is_stated(votes: Votes, order: FieldOrder, stated: FieldOrder) -> None:
    assert decide_from(votes, stated=stated) is order


@pytest.mark.parametrize(
    "votes",
    [
        Votes(undetermined=300),
        Votes(progressive=100, undetermined=200),
        Votes(tff=30, bff=29),
        Votes(tff=2),
        None,
    ],
    ids=["static", "almost static", "both", "too few", "not measured"],
)
@pytest.mark.parametrize("stated", [TFF, BFF])
def test_an_unclear_picture_leaves_it_to_the_file(votes: Votes | None, stated: FieldOrder) -> None:
    assert decide_from(votes, stated=stated) is stated


@pytest.mark.parametrize(
    ("codec", "height", "order"),
    [
        ("dvvideo", 480, BFF),
        ("dvvideo", 576, BFF),
        ("v210", 486, BFF),
        ("mpeg2video", 480, TFF),
        ("h264", 1080, TFF),
    ],
)
def test_the_convention_decides_last(codec: str, height: int, order: FieldOrder) -> None:
    assert decide_from(Votes(undetermined=300), codec=codec, height=height) is order


def test_a_nearly_still_picture_without_any_fields_is_progressive() -> None:
    assert decide_from(Votes(progressive=100, undetermined=200)) is PROGRESSIVE


def test_other_heights_have_no_fields() -> None:
    assert decide_from(None, height=360) is PROGRESSIVE
    assert not can_be_interlaced(360, PROGRESSIVE)
    assert can_be_interlaced(360, TFF)
    assert can_be_interlaced(576, PROGRESSIVE)


def test_the_reason_names_a_wrong_flag() -> None:
    _, reason = decide(stated=BFF, codec="h264", height=576, votes=Votes(tff=118, undetermined=2))
    assert (
        reason == "measured: 118 of 120 frames are top field first, though the file says bottom field first"
    )


def test_frames_that_know_no_fields_do_not_overrule_the_container() -> None:
    assert stated_order(PROGRESSIVE, TFF) is TFF
    assert stated_order(BFF, TFF) is BFF
    assert stated_order(PROGRESSIVE, UNKNOWN) is UNKNOWN


def test_the_track_is_completed() -> None:
    track = decided(make.track(flagged_order=TFF), sights((BFF, 60)))
    assert track.field_order is BFF
    assert track.field_order_reason.startswith("measured: 60 of 60 frames are bottom field first")


def test_an_order_that_changes_for_good_is_told() -> None:
    track = decided(make.track(flagged_order=TFF), sights((TFF, 60), (PROGRESSIVE, 5), (BFF, 60)))
    assert track.field_order is FieldOrder.MIXED
    assert track.field_order_reason == "top field first at 0:59, bottom field first at 1:05"


@pytest.mark.parametrize(
    "parts",
    [
        [(TFF, 60), (BFF, 24), (TFF, 60)],
        [(TFF, 24), (BFF, 200)],
        [(TFF, 3), (BFF, 3)] * 40,
        [(UNKNOWN, 100), (PROGRESSIVE, 100), (TFF, 100)],
    ],
    ids=["errors in the middle", "errors at the beginning", "noise", "one order"],
)
def test_a_few_frames_of_the_other_order_are_errors(parts: list[tuple[FieldOrder, int]]) -> None:
    assert change_of_order(sights(*parts)) is None


def test_a_change_is_seen_through_a_few_frames_that_err() -> None:
    change = change_of_order(sights((BFF, 40), (TFF, 2), (BFF, 10), (UNKNOWN, 30), (TFF, 30)))
    assert change is not None
    before, after = change
    assert (int(before.at_s), before.order) == (39, BFF)
    assert (int(after.at_s), after.order) == (82, TFF)


@pytest.mark.parametrize(
    ("votes", "order", "stated", "least", "most"),
    [
        (Votes(tff=300), TFF, UNKNOWN, 0.99, 1.0),
        (Votes(bff=5), BFF, BFF, 0.5, 0.6),
        (Votes(tff=240, bff=50), TFF, UNKNOWN, 0.8, 0.9),
        (Votes(progressive=300), PROGRESSIVE, TFF, 0.99, 1.0),
        (Votes(undetermined=300), TFF, TFF, 0.6, 0.6),
        (Votes(undetermined=300), TFF, UNKNOWN, 0.5, 0.5),
        (None, PROGRESSIVE, UNKNOWN, 0.9, 1.0),
    ],
)
def test_an_order_is_the_surer_the_more_frames_agree(
    votes: Votes | None, order: FieldOrder, stated: FieldOrder, least: float, most: float
) -> None:
    assert least <= confidence(order, stated, votes) <= most
