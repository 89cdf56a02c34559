"""What is made of the measurements in single places of a tape."""

import pytest

from vhsbatch.errors import InputError
from vhsbatch.media.picture import Picture, parse_answer, summarise


def place(torn_lines: int = 0, luma: float | None = 3.0, chroma: float | None = 1.0) -> Picture:
    return Picture(luma_noise=luma, chroma_noise=chroma, torn_lines=torn_lines, places=1)


def test_noise_is_the_median_of_the_places_that_tell() -> None:
    picture = summarise([place(luma=2.0), place(luma=None), place(luma=9.0), place(luma=3.0)])
    assert picture.luma_noise == 3.0
    assert picture.places == 4


def test_noise_is_unknown_where_no_place_tells() -> None:
    assert summarise([place(luma=None, chroma=None)] * 3).luma_noise is None


@pytest.mark.parametrize(
    ("counts", "torn"),
    [
        ((6, 6, 6, 6, 6), 6),
        ((6, 4, 6, 8, 6), 6),
        ((0, 6, 6, 0, 6), 6),
        ((0, 0, 0, 6, 0), 0),  # a title that slides out at the bottom
        ((0, 12, 0, 6, 2), 0),
    ],
)
def test_torn_lines_are_there_all_through_the_tape(counts: tuple[int, ...], torn: int) -> None:
    assert summarise([place(count) for count in counts]).torn_lines == torn


def test_a_source_of_which_nothing_decodes_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be measured"):
        summarise([])


def test_a_single_frame_tells_nothing() -> None:
    assert parse_answer('{"frames": 1, "luma_noise": null, "chroma_noise": null, "torn_lines": 0}') is None
