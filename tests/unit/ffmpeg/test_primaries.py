"""Linear light of one standard's primaries, in those of another."""

import numpy as np
import pytest

import make
from vhsbatch.ffmpeg.colour import decoded_colour
from vhsbatch.ffmpeg.primaries import gamut_matrix
from vhsbatch.ffmpeg.tonemap import sdr_filters
from vhsbatch.model.media import Colour

NAMES = (
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "ebu3213", "jedec-p22",
    "film", "smpte431", "smpte432", "bt2020",
)  # fmt: skip


def test_bt2020_is_brought_to_bt709_as_bt2087_says() -> None:
    stated = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    assert np.allclose(gamut_matrix("bt2020"), stated, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_white_stays_white(name: str) -> None:
    assert np.allclose(gamut_matrix(name) @ np.ones(3), np.ones(3))


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_is_the_same(name: str) -> None:
    assert np.allclose(gamut_matrix("bt709", name) @ gamut_matrix(name), np.eye(3))


@pytest.mark.parametrize("name", NAMES)
def test_all_primaries_that_a_source_can_have_are_known(name: str) -> None:
    track = make.track(colour=Colour(matrix="bt2020nc", primaries=name, transfer="smpte2084", range="tv"))
    colour = decoded_colour(track)
    assert colour.primaries == name
    mixed = dict(sdr_filters(colour))["colorchannelmixer"]
    assert float(mixed["rr"]) == pytest.approx(gamut_matrix(name)[0, 0], abs=1e-4)
