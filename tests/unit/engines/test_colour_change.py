"""What a model does to colours is told from nonsense."""

from collections.abc import Callable

import numpy as np
import pytest

from vhsbatch.engines.colour_change import ColourChange, measured
from vhsbatch.engines.model_check import TRIAL_SIZE
from vhsbatch.engines.model_trial import chart, scene
from vhsbatch.engines.runtimes import Frame

GREY = (0.3, 0.6, 0.1, 0)


def found(change: Callable[[Frame], Frame]) -> ColourChange | str | None:
    frames = [picture(*TRIAL_SIZE) for picture in (scene, chart)]
    return measured([(frame, change(frame)) for frame in frames])


@pytest.mark.parametrize(
    "numbers",
    [(1.3, 0, 0, 25, 0, 1.3, 0, 25, 0, 0, 1.3, 25), (0.8, 0, 0, 0, 0, 1, 0, 9, 0.1, 0, 1.2, -30), GREY * 3],
    ids=["brighten", "cast", "desaturate"],
)
def test_a_change_is_found_as_it_is(numbers: tuple[float, ...]) -> None:
    change = found(ColourChange(numbers).applied)
    assert isinstance(change, ColourChange)
    # What is clipped on the way leaves a little.
    wanted = ColourChange(numbers).applied(scene(60, 40)).astype(int)
    assert np.abs(change.applied(scene(60, 40)) - wanted).max() <= 14


@pytest.mark.parametrize("offset", [-5, 0, 5])
def test_a_model_that_keeps_colours_is_expected_to_keep_them(offset: int) -> None:
    assert found(lambda frame: np.clip(frame.astype(int) + offset, 0, 255).astype(np.uint8)) is None


NONSENSE: dict[str, tuple[Callable[[Frame], Frame], str]] = {
    "black": (np.zeros_like, "hardly any of its colours"),
    "white": (lambda frame: np.full_like(frame, 255), "hardly any of its colours"),
    "grey": (lambda frame: np.full_like(frame, 99), "of what comes out follows|of its contrast"),
    "inverted": (lambda frame: 255 - frame, "of its contrast -1.00 times"),
    "flat": (lambda frame: frame // 5 + 90, "of its contrast 0.20 times"),
    "BGR": (lambda frame: frame[..., ::-1], "mixes up colours"),
    "upside down": (lambda frame: frame[::-1], "of what comes out follows"),
    "noise": (
        lambda frame: np.random.default_rng(1).integers(0, 256, frame.shape, np.uint8),
        "of what comes out follows",
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_no_change_of_colours(name: str) -> None:
    change, reason = NONSENSE[name]
    problem = found(change)
    assert isinstance(problem, str)
    assert any(one in problem for one in reason.split("|"))
