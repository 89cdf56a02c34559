from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.config.preset_schema import Deinterlace
from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.deinterlacing import frames_made
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.shape import sample_aspect
from vhsbatch.model.media import FieldOrder, Telecine, VideoTrack
from vhsbatch.restore.planner import cut

NTSC, PAL = Fraction(30000, 1001), Fraction(25)


def output_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    recipe = resolve(track, preset)
    return recipe.width, recipe.height


@pytest.mark.parametrize(
    ("width", "height", "sar", "expected"),
    [
        (720, 480, Fraction(8, 9), (1440, 1080)),  # DV as FFmpeg flags it
        (720, 480, Fraction(10, 11), (1472, 1080)),  # BT.601: 704 of the 720 columns are 4:3
        (720, 480, Fraction(32, 27), (1920, 1080)),  # 16:9
        (720, 480, None, (1440, 1080)),
        (720, 480, Fraction(1), (1440, 1080)),  # a flag that cannot be true
        (720, 576, Fraction(16, 15), (1440, 1080)),
        (720, 576, None, (1440, 1080)),
        (704, 480, None, (1440, 1080)),
        (352, 288, None, (1440, 1080)),
        (720, 482, None, (1440, 1080)),
        (720, 484, None, (1440, 1080)),
        (720, 486, Fraction(1), (1440, 1080)),
        (704, 484, Fraction(1), (1440, 1080)),
        (702, 576, None, (1440, 1080)),
        (720, 574, None, (1440, 1080)),
        (720, 512, None, (1440, 1080)),
        (640, 486, None, (1440, 1080)),
        (720, 484, Fraction(40, 33), (1948, 1080)),  # stated, and kept
        (720, 404, Fraction(1), (1924, 1080)),  # no raster of television
        (640, 480, None, (1440, 1080)),  # square
        (768, 576, Fraction(1), (1440, 1080)),
        (1920, 1080, Fraction(1), (1920, 1080)),
        (848, 480, Fraction(1), (1908, 1080)),
    ],
)
def test_no_picture_is_stretched(
    width: int, height: int, sar: Fraction | None, expected: tuple[int, int]
) -> None:
    track = make.track(width=width, height=height, sar=sar)
    assert output_size(track, Preset(name="p", target_height=1080)) == expected


@given(
    width=st.integers(16, 4096),
    height=st.integers(16, 4096),
    sar=st.none() | st.fractions(Fraction(1, 3), 3, max_denominator=99),
    target=st.integers(60, 1080).map(lambda half: half * 2),
    rotation=st.sampled_from([0, 90, 180, 270]),
)
def test_the_shape_is_kept_within_the_rounding_to_even_pixels(
    width: int, height: int, sar: Fraction | None, target: int, rotation: int
) -> None:
    track = make.track(width=width, height=height, sar=sar, rotation_degrees=rotation)
    made_width, made_height = output_size(track, Preset(name="p", target_height=target))
    shape = sample_aspect(track) * width / height
    shape = shape if rotation in (0, 180) else 1 / shape
    assert made_height == target
    assert made_width % 2 == 0
    assert made_width == 2 or abs(made_width - shape * target) <= 1


def test_cropping_keeps_the_shape_of_what_is_left() -> None:
    track = make.track(width=720, height=480, sar=None)
    preset = Preset.model_validate({"name": "p", "crop": {"left": 8, "right": 8}})
    assert output_size(track, preset) == (2 * round(Fraction(4, 3) * 704 / 720 * 540), 1080)
    assert resolve(track, preset).model_input == (704, 480)


@pytest.mark.parametrize(
    ("ai_width", "rotation", "expected"),
    [(0, 0, (720, 480)), (480, 0, (480, 480)), (1000, 0, (720, 480)), (360, 90, (360, 720))],
)
def test_the_model_gets_no_more_columns_than_the_preset_allows(
    ai_width: int, rotation: int, expected: tuple[int, int]
) -> None:
    preset = Preset.model_validate({"name": "p", "upscale": {"ai_width": ai_width}})
    track = make.track(rotation_degrees=rotation)
    assert resolve(track, preset).model_input == expected
    assert output_size(track, preset) == output_size(track, Preset(name="p"))


@pytest.mark.parametrize(
    ("order", "rate", "expected"),
    [
        (FieldOrder.TFF, "field", NTSC * 2),
        (FieldOrder.BFF, "frame", NTSC),
        (FieldOrder.PROGRESSIVE, "field", NTSC),
        (FieldOrder.UNKNOWN, "field", NTSC),
    ],
)
def test_each_field_becomes_a_frame(order: FieldOrder, rate: str, expected: Fraction) -> None:
    preset = Preset.model_validate({"name": "p", "deinterlace": {"rate": rate}})
    assert resolve(make.track(field_order=order), preset).rate == expected


RATES = st.sampled_from(
    [
        NTSC,
        NTSC * 2,
        PAL,
        PAL * 2,
        Fraction(24000, 1001),
        Fraction(24),
        Fraction(15000, 1001),
        Fraction(23040000, 767849),
    ]
)


@given(frames=st.integers(1, 400_000), rate=RATES, segment_s=st.integers(1, 600))
def test_segments_tile_the_video(frames: int, rate: Fraction, segment_s: int) -> None:
    segments = cut(frames, rate, segment_s)
    assert segments[0].start_frame == 0
    assert segments[-1].stop_frame == frames
    assert [segment.index for segment in segments] == list(range(len(segments)))
    for before, after in pairwise(segments):
        assert before.stop_frame == after.start_frame
        if rate.numerator < 100_000:
            assert (before.frames / rate * 1_000_000).denominator == 1
    assert all(segment.frames > 0 for segment in segments)
    assert all(segment.frames / rate <= segment_s * Fraction(3, 2) + 60 / rate for segment in segments)


@pytest.mark.parametrize(("frames", "made"), [(5, 4), (4, 4), (9, 8), (10, 8), (11, 9)])
def test_film_has_four_frames_where_television_has_five(frames: int, made: int) -> None:
    film = make.track(frames=frames, telecine=Telecine.HARD)
    recipe = resolve(film, Preset(name="p"))
    assert frames_made(frames, recipe) == made
    assert recipe.rate == Fraction(24000, 1001)


@pytest.mark.parametrize(
    "changes",
    [{"telecine": Telecine.SOFT}, {"field_order": FieldOrder.UNKNOWN}, {"field_order": FieldOrder.MIXED}],
)
def test_only_hard_pulldown_of_one_field_order_is_undone(changes: dict[str, Any]) -> None:
    track = make.track(**({"telecine": Telecine.HARD} | changes))
    assert not resolve(track, Preset(name="p")).restores_film


def test_film_is_left_as_it_is_where_the_preset_says_so() -> None:
    film, preset = make.track(telecine=Telecine.HARD), Preset(name="p", deinterlace=Deinterlace(film=False))
    recipe = resolve(film, preset)
    assert not recipe.restores_film
    assert recipe.deinterlaces


@pytest.mark.parametrize(
    ("width", "height", "sar", "size", "kept"),
    [
        (720, 480, Fraction(8, 9), (1620, 1080), Fraction(8, 9)),
        (720, 576, Fraction(16, 15), (1350, 1080), Fraction(16, 15)),
        (720, 576, Fraction(64, 45), (1350, 1080), Fraction(64, 45)),
        (704, 480, Fraction(10, 11), (1584, 1080), Fraction(10, 11)),
        (640, 480, None, (1440, 1080), Fraction(1)),
    ],
)
def test_samples_keep_their_shape_where_that_is_asked_for(
    width: int, height: int, sar: Fraction | None, size: tuple[int, int], kept: Fraction
) -> None:
    tape, preset = make.track(width=width, height=height, sar=sar), Preset(name="p", keep_sar=True)
    assert (output_size(tape, preset), resolve(tape, preset).sar) == (size, kept)


@pytest.mark.parametrize(
    ("width", "height", "picture"),
    [(720, 480, (1440, 1080)), (1920, 1080, (1920, 1080)), (1920, 800, (1920, 800)), (480, 854, (608, 1080))],
)
def test_bars_fill_up_to_a_shape_and_nothing_is_stretched(
    width: int, height: int, picture: tuple[int, int]
) -> None:
    tape, preset = make.track(width=width, height=height, sar=None), Preset(name="p", pad="16:9")
    assert output_size(tape, preset) == (1920, 1080)
    assert resolve(tape, preset).picture == picture
