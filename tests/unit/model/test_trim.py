"""The excerpt of a source that a user wants."""

from dataclasses import replace
from datetime import time
from fractions import Fraction

import pytest

import make
from vhsbatch.errors import InputError, UsageError
from vhsbatch.model.source_overrides import SourceOverrides, corrected
from vhsbatch.model.trim import NO_TRIM, Trim, clock, seconds_of, trim_of


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("5400", 5400),
        (" 90.25 ", Fraction(361, 4)),
        ("1:30", 90),
        ("01:02:03.5", Fraction(7447, 2)),
        ("100:00:00", 360_000),
        (90, 90),
        (0.1, Fraction(1, 10)),
        (time(0, 1, 30), 90),
    ],
)
def test_a_time_is_typed_in_several_ways(typed: object, seconds: Fraction) -> None:
    assert seconds_of(typed, "--from") == seconds


@pytest.mark.parametrize(
    "typed", ["", "x", "-5", "1:60", "1:75:00", "1:2:3:4", "1e3", "1:30:", ".5", "٣", True, ["1"], "9" * 400]
)
def test_what_is_no_time_is_refused_in_one_line(typed: object) -> None:
    with pytest.raises(UsageError, match=r"^--to .*: is not a time \(write it as 90, 1:30"):
        seconds_of(typed, "--to")


def test_a_part_from_the_first_frame_on_is_not_trimmed_there() -> None:
    assert trim_of("0:00", None) == NO_TRIM
    assert trim_of(None, "1:30") == Trim(to_s=Fraction(90))


@pytest.mark.parametrize("text", ["0:03.333", "1:30.5", "1:02:03", "0:00"])
def test_a_time_is_written_as_it_can_be_typed(text: str) -> None:
    assert clock(seconds_of(text, "--from")) == text


TAPE = make.info(make.track(frames=3000, rate=Fraction(25)))


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        (120, None, "--from 2:00: leaves no frame, as the video is 2:00 long"),
        (300, 400, "--from 5:00: leaves no frame, as the video is 2:00 long"),
        (60, 30, "--to 0:30: leaves no frame, as the excerpt begins at 1:00 and the video is 2:00 long"),
        (60, 60, "--to 1:00: leaves no frame, as the excerpt begins at 1:00 and the video is 2:00 long"),
        (None, 0, "--to 0:00: leaves no frame, as the excerpt begins at 0:00 and the video is 2:00 long"),
    ],
)
def test_a_part_that_a_source_does_not_have_is_refused(begin: int, end: int, said: str) -> None:
    with pytest.raises(InputError) as error:
        corrected(TAPE, SourceOverrides(trim=trim_of(begin, end)))
    assert str(error.value) == said


def test_what_is_said_of_one_video_wins_and_the_rest_stays() -> None:
    info = corrected(TAPE, SourceOverrides(trim=trim_of(10, 50)))
    info = corrected(info, SourceOverrides(trim=trim_of(None, 40)))
    assert info.trim == Trim(from_s=Fraction(10), to_s=Fraction(40))
    assert replace(info, trim=NO_TRIM) == TAPE
