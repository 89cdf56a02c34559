import numpy as np
import pytest

from vhsbatch.engines.blend import blended

NOISE = np.random.default_rng(1)
SMALL = NOISE.integers(0, 256, (12, 16, 3), np.uint8)
LARGE = NOISE.integers(0, 256, (24, 32, 3), np.uint8)


def test_full_strength_is_the_model_alone() -> None:
    assert np.array_equal(blended(SMALL, LARGE, 1.0), LARGE)


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.75])
def test_the_rest_is_the_frame_itself(strength: float) -> None:
    scaled = blended(SMALL, LARGE, 0.0)
    assert scaled.shape == LARGE.shape
    expected = scaled + strength * (LARGE.astype(float) - scaled)
    assert np.abs(blended(SMALL, LARGE, strength) - expected).max() <= 1


def test_one_colour_stays_what_it_is() -> None:
    grey = np.full((12, 16, 3), 90, np.uint8)
    assert (blended(grey, np.full((24, 32, 3), 110, np.uint8), 0.5) == 100).all()
