"""What a user knows better than a source says."""

from fractions import Fraction

import pytest

import make
from vhsbatch.config.presets import Preset
from vhsbatch.errors import UsageError
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder, Telecine
from vhsbatch.model.source_overrides import (
    NO_SOURCE_OVERRIDES,
    OrderWord,
    SourceOverrides,
    corrected,
    source_overrides,
)


@pytest.mark.parametrize(
    ("text", "aspect"), [("4:3", Fraction(4, 3)), ("16/9", Fraction(16, 9)), ("1.85", Fraction(37, 20))]
)
def test_ratios_are_typed_in_several_ways(text: str, aspect: Fraction) -> None:
    assert source_overrides(text, None) == SourceOverrides(aspect=aspect)


@pytest.mark.parametrize("text", ["wide", "", "16:0", "-4:3", "100", "1:100"])
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="must be a ratio of width to height"):
        source_overrides(text, None)


def test_nothing_typed_changes_nothing() -> None:
    info = make.info()
    assert source_overrides(None, None) == NO_SOURCE_OVERRIDES
    assert corrected(info, NO_SOURCE_OVERRIDES) == info


@pytest.mark.parametrize(("aspect", "width"), [("4:3", 1440), ("16:9", 1920), ("2.35", 2538)])
def test_the_shape_that_was_asked_for_is_the_outputs(aspect: str, width: int) -> None:
    track = corrected(make.info(), source_overrides(aspect, None)).video
    recipe = resolve(track, Preset(name="vhs"))
    assert (recipe.width, recipe.height) == (width, 1080)


def test_the_field_order_that_was_asked_for_is_taken() -> None:
    video = corrected(make.info(), source_overrides(None, "progressive")).video
    assert video.field_order is FieldOrder.PROGRESSIVE
    assert video.field_order_reason == "as was asked for"


@pytest.mark.parametrize(("order", "telecine"), [("progressive", Telecine.NONE), ("bff", Telecine.HARD)])
def test_what_has_no_fields_is_no_hard_pulldown(order: OrderWord, telecine: Telecine) -> None:
    film = make.info(make.track(telecine=Telecine.HARD))
    assert corrected(film, source_overrides(None, order)).video.telecine is telecine


def test_whether_it_is_film_can_be_said() -> None:
    video = corrected(make.info(), source_overrides(None, None, "hard")).video
    assert (video.telecine, video.telecine_confidence) == (Telecine.HARD, 1.0)
