"""Where the reading of a segment begins when there are gaps."""

from fractions import Fraction

import pytest

import make
from vhsbatch.ffmpeg.preroll import first_shown, read_from_s
from vhsbatch.model.media import Gap
from vhsbatch.model.plan import JobPlan, Segment

# At 25 frames a second, nothing from 10 s to 20 s; a field-rate output.
TRACK = make.track(rate=Fraction(25), frames=1000, gaps=(Gap(start=250, stop=500),), repeated_frames=250)


def plan() -> JobPlan:
    return make.plan(info=make.info(TRACK), rate=Fraction(50), frames=2000)


@pytest.mark.parametrize(
    ("start", "from_s"),
    [
        (400, Fraction(5)),
        # In the gap, and behind it, the filters are warmed by what was recorded before.
        (600, Fraction(249, 25) - 3),
        (1000, Fraction(249, 25) - 3),
        (1050, Fraction(21) - 3 - Fraction(251, 25)),
        (1200, Fraction(21)),
    ],
)
def test_the_reading_begins_before_a_gap(start: int, from_s: Fraction) -> None:
    segment = Segment(index=1, start_frame=start, stop_frame=start + 100)
    assert read_from_s(plan(), segment) == from_s


@pytest.mark.parametrize(("start", "shown"), [(400, 400), (499, 498), (600, 498), (999, 498), (1000, 1000)])
def test_the_frame_that_is_held(start: int, shown: int) -> None:
    assert first_shown(plan(), Segment(index=1, start_frame=start, stop_frame=start + 1)) == shown
