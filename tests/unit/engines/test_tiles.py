"""Frames cut into tiles, and put together again as if they had never been cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vhsbatch.engines.runtimes import Frame, Upscaler
from vhsbatch.engines.runtimes import _Ncnn as Ncnn
from vhsbatch.engines.tiles import USUAL_HALO_PX, tiles
from vhsbatch.engines.value_range import USUAL_RANGE, ValueRange

SIZES = st.integers(1, 90)
TILE_PX = st.integers(1, 40) | st.just(0)


@given(width=SIZES, height=SIZES, tile_px=TILE_PX)
def test_tiles_cover_every_pixel_exactly_once(width: int, height: int, tile_px: int) -> None:
    covered = np.zeros((height, width), int)
    for tile in tiles(width, height, tile_px):
        assert 0 <= tile.x0 < tile.x1 <= width
        assert 0 <= tile.y0 < tile.y1 <= height
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
    assert (covered == 1).all()


@given(width=SIZES, height=SIZES, tile_px=st.integers(1, 40))
def test_no_tile_is_larger_than_asked_for_or_much_smaller_than_the_others(
    width: int, height: int, tile_px: int
) -> None:
    parts = list(tiles(width, height, tile_px))
    widths = {tile.x1 - tile.x0 for tile in parts}
    heights = {tile.y1 - tile.y0 for tile in parts}
    assert max(widths | heights) <= tile_px
    assert max(widths) - min(widths) <= 1
    assert max(heights) - min(heights) <= 1
    assert len(parts) == -(-width // tile_px) * -(-height // tile_px)


@given(width=SIZES, height=SIZES)
def test_without_an_edge_there_is_one_tile(width: int, height: int) -> None:
    (tile,) = tiles(width, height, 0)
    assert (tile.x0, tile.y0, tile.x1, tile.y1) == (0, 0, width, height)


class FarSighted(Ncnn):
    """Looks as far as the overlap reaches, and no farther: every pixel comes from that far away."""

    def __init__(
        self,
        *,
        scale: int,
        tile_px: int,
        align_px: int = 1,
        halo_px: int = USUAL_HALO_PX,
        values: ValueRange = USUAL_RANGE,
    ) -> None:
        self._scale = scale
        self._tile_px = tile_px
        self._align_px = align_px
        self._halo_px = halo_px
        self._range = values
        self.seen: list[tuple[int, int]] = []

    def _run(self, part: Frame) -> NDArray[np.float32]:
        self.seen.append((part.shape[1], part.shape[0]))
        moved = np.roll(part, (self._halo_px, -self._halo_px), axis=(0, 1))
        larger = moved.repeat(self._scale, axis=0).repeat(self._scale, axis=1)
        return larger.transpose(2, 0, 1).astype(np.float32) / np.float32(255)


def picture(width: int, height: int) -> Frame:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@given(width=SIZES, height=SIZES, tile_px=st.integers(1, 40), halo_px=st.integers(0, 32))
def test_each_model_has_its_own_halo(width: int, height: int, tile_px: int, halo_px: int) -> None:
    frame = picture(width, height)
    whole = FarSighted(scale=2, tile_px=0, halo_px=halo_px)(frame)
    assert np.array_equal(FarSighted(scale=2, tile_px=tile_px, halo_px=halo_px)(frame), whole)


@given(width=SIZES, height=SIZES, tile_px=st.integers(1, 40), scale=st.integers(1, 4))
def test_what_lies_within_the_overlap_is_seen_from_every_tile(
    width: int, height: int, tile_px: int, scale: int
) -> None:
    frame = picture(width, height)
    whole, cut = FarSighted(scale=scale, tile_px=0), FarSighted(scale=scale, tile_px=tile_px)
    assert np.array_equal(cut(frame), whole(frame))
    assert whole.seen == [(width + 2 * USUAL_HALO_PX, height + 2 * USUAL_HALO_PX)]
    assert cut.seen == [
        (tile.x1 - tile.x0 + 2 * USUAL_HALO_PX, tile.y1 - tile.y0 + 2 * USUAL_HALO_PX)
        for tile in tiles(width, height, tile_px)
    ]


@given(
    width=SIZES,
    height=SIZES,
    tile_px=TILE_PX,
    scale=st.integers(1, 3),
    align_px=st.sampled_from([2, 4, 8]),
)
def test_a_model_that_aligns_gets_multiples_and_gives_the_same(
    width: int, height: int, tile_px: int, scale: int, align_px: int
) -> None:
    frame = picture(width, height)
    aligning = FarSighted(scale=scale, tile_px=tile_px, align_px=align_px)
    assert np.array_equal(aligning(frame), FarSighted(scale=scale, tile_px=0)(frame))
    assert all(length % align_px == 0 for size in aligning.seen for length in size)


@given(width=SIZES, height=SIZES, tile_px=st.integers(1, 40), align_px=st.sampled_from([2, 4, 8]))
def test_aligned_tiles_cover_every_pixel_and_begin_at_multiples(
    width: int, height: int, tile_px: int, align_px: int
) -> None:
    covered = np.zeros((height, width), int)
    for tile in tiles(width, height, tile_px, align_px=align_px):
        assert (tile.x0 % align_px, tile.y0 % align_px) == (0, 0)
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] += 1
    assert (covered == 1).all()


def test_beyond_its_edge_the_frame_is_mirrored() -> None:
    frame = picture(40, 30)
    mirrored: Upscaler = FarSighted(scale=1, tile_px=16)
    # The first line shows the tenth before it, in the mirror the tenth behind it.
    assert np.array_equal(mirrored(frame)[0, : 40 - USUAL_HALO_PX], frame[USUAL_HALO_PX, USUAL_HALO_PX:])


class OutOfRange(FarSighted):
    """Gives the numbers of its first pixel, which no picture has."""

    def _run(self, part: Frame) -> NDArray[np.float32]:
        planes = super()._run(part)
        planes[:] = np.array([-0.25, 1.5, 0.6 / 255], np.float32)[:, None, None]
        return planes


def test_numbers_are_rounded_and_those_beyond_a_byte_clipped() -> None:
    made = OutOfRange(scale=2, tile_px=0)(picture(4, 3))
    assert np.array_equal(np.unique(made.reshape(-1, 3), axis=0), [[0, 255, 1]])


@pytest.mark.parametrize(("black", "white"), [(0, 255), (-1, 1)])
def test_numbers_of_another_range_become_levels(black: float, white: float) -> None:
    class Given(FarSighted):
        def _run(self, part: Frame) -> NDArray[np.float32]:
            planes = super()._run(part)
            planes[:] = np.array([black, white, (black + white) / 2], np.float32)[:, None, None]
            return planes

    made = Given(scale=1, tile_px=0, values=ValueRange(black, white))(picture(4, 3))
    assert np.array_equal(np.unique(made.reshape(-1, 3), axis=0), [[0, 255, 128]])
