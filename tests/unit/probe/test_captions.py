"""What the bytes of captions say, frame by frame, and which of them are none."""

import random

from captioned import CLEAR, dv_with, spoken, with_parity
from vhsbatch.probe.captions import _first_field, _spread, dv_pair, read_captions

SHOWN = {"HELLO": (10, 20), "AGAIN": (30, 40)}


def test_captions_are_shown_from_frame_to_frame() -> None:
    frames = [[pair] for pair in spoken(40, SHOWN)]
    assert read_captions(frames) == [(10, 20, "HELLO"), (30, 40, "AGAIN")]


def test_captions_that_roll_up_are_read_too() -> None:
    roll, line, last_row, nothing = (0x14, 0x25), (0x14, 0x2D), (0x14, 0x70), (0, 0)
    one, two = (ord("H"), ord("I")), (ord("Y"), ord("O"))
    pairs = [roll, line, last_row, one, nothing, line, last_row, two, nothing, nothing, CLEAR]
    assert read_captions([[pair] for pair in pairs]) == [(1, 5, "HI"), (5, 10, "HI\nYO")]
    at_rest = [roll, line, last_row, one, nothing, line, CLEAR]
    assert read_captions([[pair] for pair in at_rest]) == [(1, 6, "HI")]


def test_what_a_group_of_pictures_has_at_its_beginning_is_spread_over_it() -> None:
    group = [(n, n) for n in range(1, 7)]
    frames = [group, [], [], [(9, 9)] * 4, []]
    assert _spread(frames) == [group[:2], group[2:4], group[4:], [(9, 9)] * 2, [(9, 9)] * 2]
    assert _spread([group, [(7, 7)]]) == [group, [(7, 7)]]


def test_the_first_field_is_told_by_its_codes() -> None:
    drawn = [{0: (0x15, 0x2D), 1: pair} for pair in spoken(20, {"HI": (10, 20)})]
    assert _first_field(drawn) == spoken(20, {"HI": (10, 20)})
    assert _first_field([{}, {}]) == []


def test_lines_that_are_found_here_and_there_are_none() -> None:
    drawn = [{0: (0x14, 0x20)}] + [{5: (1, 1)}] * 40
    assert _first_field(drawn) == []


def test_dv_has_them_in_its_auxiliary_data() -> None:
    plain = bytes(2 * 120_000)
    said = dv_with(plain, [(0x14, 0x20), (0x41, 0x42)])
    frames = [said[:120_000], said[120_000:]]
    assert [dv_pair(frame) for frame in frames] == [
        (with_parity(0x14), with_parity(0x20)),
        (with_parity(0x41), with_parity(0x42)),
    ]
    assert dv_pair(plain[:120_000]) is None
    assert dv_pair(said[:1000]) is None


def test_noise_says_nothing_that_crashes() -> None:
    noise = random.Random(4)
    frames = [[(noise.randrange(256), noise.randrange(256))] for _ in range(200)]
    read_captions(frames)
