"""Deciding which field comes first."""

from dataclasses import replace
from fractions import Fraction

import pytest

import make
from vhsbatch.model.media import FieldOrder, OrderRun, VideoTrack
from vhsbatch.probe.field_order import (
    Sight,
    Votes,
    can_be_interlaced,
    confidence,
    confirmed,
    decide,
    decided,
    stated_order,
)
from vhsbatch.probe.order_runs import find_orders

TFF, BFF = FieldOrder.TFF, FieldOrder.BFF
PROGRESSIVE, MIXED, UNKNOWN = FieldOrder.PROGRESSIVE, FieldOrder.MIXED, FieldOrder.UNKNOWN


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


def confirmed_by(steps: str, *seen: tuple[FieldOrder, int], flagged: FieldOrder = UNKNOWN) -> VideoTrack:
    video = decided(make.track(flagged_order=flagged, rate=Fraction(25)), sights(*seen))
    return confirmed(video, sights(*seen), find_orders(steps), range(len(steps) + 1))


def test_changes_of_order_are_told_to_the_frame_and_followed() -> None:
    track = confirmed_by("T" * 39 + "P" + "B" * 11 + "P" + "T" * 32, (TFF, 85))
    assert track.field_order is MIXED
    assert track.order_runs == tuple(
        OrderRun(first_frame=frame, order=order) for frame, order in ((0, TFF), (40, BFF), (52, TFF))
    )
    assert track.field_order_reason == (
        "top field first, bottom field first from 0:01.6 (frame 40), top field first from 0:02.0 (frame 52)"
    )


def test_changes_that_are_not_certain_are_told_and_not_followed() -> None:
    track = confirmed_by("T" * 30 + "?" * 9 + "B" * 30, (TFF, 70))
    assert (track.field_order, track.order_runs) == (MIXED, ())
    assert "bottom field first from 0:01.5 (frame 39)" in track.field_order_reason


@pytest.mark.parametrize(
    ("steps", "runs"),
    [
        ("TT" + "P" + "B" * 30, [(0, TFF), (3, BFF)]),
        ("B" * 30 + "P" + "TT", [(0, BFF), (31, TFF)]),
        ("TT" + "?" * 5 + "B" * 30, [(0, BFF)]),
        ("B" * 30 + "?" * 5 + "TT", [(0, BFF)]),
        ("T" + "B" * 30, [(0, BFF)]),
        ("B" * 30 + "TT" + "B" * 30, [(0, BFF)]),
    ],
)
def test_a_few_frames_of_another_order_at_an_end_are_followed_where_they_are_clear(
    steps: str, runs: list[tuple[int, FieldOrder]]
) -> None:
    found = find_orders(steps)
    assert [(run.first_frame, run.order) for run in found.runs] == runs
    assert found.certain


def test_changes_are_told_in_a_few_words() -> None:
    assert confirmed_by(("T" * 20 + "B" * 20) * 6, (TFF, 200)).field_order_reason.endswith(
        ", and 7 more changes"
    )


@pytest.mark.parametrize(
    ("steps", "seen", "order"),
    [
        ("P" * 99, ((TFF, 50), (BFF, 50)), PROGRESSIVE),  # as of synthetic pictures
        ("P" * 60 + "T" * 2 + "P" * 60, ((TFF, 50), (BFF, 50)), PROGRESSIVE),
        ("." * 99, ((TFF, 60),), TFF),  # idet sees smaller movements
        ("P" * 99, ((TFF, 60),), TFF),
        ("B" * 99, ((TFF, 30), (BFF, 30)), BFF),
        ("B" * 99, ((PROGRESSIVE, 60),), BFF),
        ("B" * 30 + "." * 500, ((UNKNOWN, 60),), BFF),
        ("TTT", ((TFF, 30), (BFF, 30)), BFF),  # too few: DV is so by convention
    ],
)
def test_all_frames_decide_where_some_places_do_not(
    steps: str, seen: tuple[tuple[FieldOrder, int], ...], order: FieldOrder
) -> None:
    assert confirmed_by(steps, *seen).field_order is order


@pytest.mark.parametrize(
    ("steps", "flagged", "order"),
    [("P" * 99, PROGRESSIVE, PROGRESSIVE), ("P" * 99, UNKNOWN, TFF), ("P" * 98 + "T", PROGRESSIVE, TFF)],
)
def test_a_file_without_fields_in_which_nothing_moves_in_fields_has_none(
    steps: str, flagged: FieldOrder, order: FieldOrder
) -> None:
    assert confirmed_by(steps, (TFF, 60), flagged=flagged).field_order is order


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
