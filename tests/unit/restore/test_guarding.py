"""Which videos the guard looks at."""

import pytest

import make
from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.presets import derive
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder
from vhsbatch.restore.guarding import is_looked_at

SHIPPED = load_presets([])


@pytest.mark.parametrize(
    ("preset", "changed", "frames", "looked_at"),
    [
        # Fixed strengths may be wrong for any video that has three places.
        ("dvd", {}, 8, True),
        ("dvd", {}, 7, False),
        ("dvd", {"guard": False}, 9000, False),
        # Strengths that follow from a measurement are looked at where that costs next to nothing.
        ("vhs", {}, 899, False),
        ("vhs", {}, 900, True),
        ("clean", {}, 9000, False),
        ("vhs_best", {}, 9000, False),
    ],
)
def test_videos_that_are_looked_at(
    preset: str, changed: dict[str, object], frames: int, looked_at: bool
) -> None:
    chosen = derive(SHIPPED[preset], changed)
    track = make.track(field_order=FieldOrder.BFF, frames=frames)
    plan = make.plan(info=make.info(track), preset=chosen, recipe=resolve(track, chosen))
    assert is_looked_at(plan) == looked_at
