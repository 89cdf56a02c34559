"""What is made of the measurements in single places of a tape."""

from typing import Any

import pytest

from vhsbatch.analysis.picture import Borders, ChromaShift, Response, summarise
from vhsbatch.errors import InputError

LEVELS = {"darkest": 16, "brightest": 230, "above_white": 0.0, "at_ceiling": 0.0, "at_floor": 0.0}


def place(torn_lines: int = 0, luma: float | None = 3.0, **changes: Any) -> dict[str, Any]:
    return {
        "luma_noise": luma,
        "chroma_noise": 1.0,
        "torn_lines": torn_lines,
        "borders": None,
        "levels": LEVELS,
        "chroma_shift": None,
        "steepness": None,
        "blank": False,
        **changes,
    }


def edges(left: int, right: int, top: int = 0, bottom: int = 0) -> dict[str, int]:
    return {"left": left, "right": right, "top": top, "bottom": bottom}


def shift(x: float, y: float, fit: float = 0.5) -> dict[str, float]:
    return {"x": x, "x_fit": fit, "y": y, "y_fit": fit}


def test_noise_is_the_median_of_the_places_that_tell() -> None:
    picture = summarise([place(luma=2.0), place(luma=None), place(luma=9.0), place(luma=3.0)])
    assert picture.luma_noise == 3.0
    assert picture.places == 4


def test_noise_is_unknown_where_no_place_tells() -> None:
    assert summarise([place(luma=None)] * 3).luma_noise is None


@pytest.mark.parametrize(
    ("counts", "torn", "agreement"),
    [
        ((6, 6, 6, 6, 6), 6, 1.0),
        ((6, 4, 6, 8, 6), 6, 1.0),
        ((0, 6, 6, 0, 6), 6, 0.6),
        ((0, 0, 0, 6, 0), 0, 0.8),  # a title that slides out at the bottom
        ((0, 12, 0, 6, 2), 0, 0.4),
    ],
)
def test_torn_lines_are_there_all_through_the_tape(
    counts: tuple[int, ...], torn: int, agreement: float
) -> None:
    picture = summarise([place(count) for count in counts])
    assert (picture.torn_lines, picture.torn_agreement) == (torn, agreement)


def test_a_border_is_what_is_black_everywhere() -> None:
    picture = summarise([place(borders=edges(8, 6)), place(borders=edges(9, 6)), place(borders=edges(90, 6))])
    assert picture.borders == Borders(left=8, right=6, top=0, bottom=0, agreement=2 / 3)


def test_dark_places_tell_of_no_border() -> None:
    assert summarise([place(), place()]).borders is None


def test_the_shift_of_colour_is_that_of_most_places() -> None:
    picture = summarise([place(chroma_shift=shift(*at)) for at in ((4.2, 2), (4, 2), (3.8, 2), (-9, 1))])
    assert picture.chroma_shift == ChromaShift(x=3.9, y=2, agreement=3 / 4, places=4)


def test_edges_that_do_not_agree_tell_of_no_shift() -> None:
    assert summarise([place(chroma_shift=shift(4, 0, fit=0.05))]).chroma_shift is None


def test_one_place_alone_is_not_believed() -> None:
    found = summarise([place(chroma_shift=shift(4, 0))]).chroma_shift
    assert found is not None
    assert found.agreement == pytest.approx(1 / 3)


def test_blank_places_are_counted_and_tell_nothing_else() -> None:
    blank = place(12, luma=40.0, blank=True)
    picture = summarise([place(), blank, blank])
    assert (picture.blank_places, picture.torn_lines, picture.luma_noise) == (2, 0, 3.0)


def test_a_source_of_which_nothing_decodes_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be measured"):
        summarise([])


def test_the_response_is_that_of_most_scenes() -> None:
    places = [place(steepness=(across, 0.6)) for across in (0.3, 0.27, 0.33, 0.6)]
    found = summarise([*places, place()], squareness=2).response
    assert found == Response(ratio=1.05, agreement=3 / 4, places=4)


def test_without_edges_there_is_no_response() -> None:
    assert summarise([place()] * 3).response is None


@pytest.mark.parametrize(
    ("ratio", "kind", "softness", "excess"),
    [(0.8, "soft", 1, 0), (1.06, "even", 0.5, 0), (1.16, "even", 0, 0), (1.3, "sharpened", 0, 0.1)],
)
def test_a_response_says_how_much_room_there_is(
    ratio: float, kind: str, softness: float, excess: float
) -> None:
    response = Response(ratio=ratio, agreement=1.0, places=7)
    assert response.kind == kind
    assert response.softness == pytest.approx(softness)
    assert response.excess == pytest.approx(excess)


@pytest.mark.parametrize(("agreement", "places"), [(0.5, 7), (1.0, 2)])
def test_what_is_not_sure_is_not_undone(agreement: float, places: int) -> None:
    assert Response(ratio=1.4, agreement=agreement, places=places).excess == 0
