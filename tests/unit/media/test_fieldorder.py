# ruff: noqa: E501 - lines as FFmpeg printed them
"""Deciding which field comes first."""

import pytest

import make
from vhsbatch.media.fieldorder import Votes, can_be_interlaced, decide, decided, parse_votes, stated_order
from vhsbatch.model.media import FieldOrder

TFF, BFF = FieldOrder.TFF, FieldOrder.BFF
PROGRESSIVE, UNKNOWN = FieldOrder.PROGRESSIVE, FieldOrder.UNKNOWN

# FFmpeg 9.0.2 over a DV capture: the first report is of a graph that was made to ask for its formats.
DV_LOG = """\
[Parsed_idet_0 @ 0x56410c96dc80] Repeated Fields: Neither:     0 Top:     0 Bottom:     0
[Parsed_idet_0 @ 0x56410c96dc80] Single frame detection: TFF:     0 BFF:     0 Progressive:     0 Undetermined:     0
[Parsed_idet_0 @ 0x56410c96dc80] Multi frame detection: TFF:     0 BFF:     0 Progressive:     0 Undetermined:     0
[Parsed_idet_0 @ 0x7f2eb0001a40] Repeated Fields: Neither:     5 Top:     0 Bottom:     0
[Parsed_idet_0 @ 0x7f2eb0001a40] Single frame detection: TFF:     0 BFF:     5 Progressive:     0 Undetermined:     0
[Parsed_idet_0 @ 0x7f2eb0001a40] Multi frame detection: TFF:     0 BFF:     5 Progressive:     0 Undetermined:     0
""".splitlines()


def decide_from(
    votes: Votes | None, *, stated: FieldOrder = UNKNOWN, codec: str = "mpeg2video", height: int = 480
) -> FieldOrder:
    order, reason = decide(stated=stated, codec=codec, height=height, votes=votes)
    assert reason
    return order


def test_of_two_reports_the_full_one_counts() -> None:
    assert parse_votes(DV_LOG) == Votes(bff=5)
    assert parse_votes(reversed(DV_LOG)) == Votes(bff=5)


def test_no_report_is_no_vote() -> None:
    assert parse_votes(["Error opening input: Invalid data found when processing input"]) == Votes()


def test_votes_add_up() -> None:
    assert Votes(tff=1, undetermined=2) + Votes(tff=3, bff=1, progressive=4) == Votes(
        tff=4, bff=1, progressive=4, undetermined=2
    )


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
    track = decided(make.track(flagged_order=TFF), Votes(bff=60))
    assert track.field_order is BFF
    assert track.field_order_reason.startswith("measured: 60 of 60 frames are bottom field first")
