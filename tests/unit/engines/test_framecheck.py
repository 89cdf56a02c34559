"""Frames from failing devices are told from right ones."""

import functools
from collections.abc import Callable

import numpy as np
import pytest

from vhsbatch.engines.colour_change import ColourChange
from vhsbatch.engines.framecheck import FrameCheck, TimedFrame, flaw, frozen_part
from vhsbatch.engines.runtimes import Frame, RuntimeFailureError

HEIGHT, WIDTH, SCALE = 70, 90, 2


def picture(seed: int = 1, *, darkest: int = 30, brightest: int = 220) -> Frame:
    """Slopes with tape noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    slopes = np.stack([x / WIDTH, y / HEIGHT, (x + y) / (WIDTH + HEIGHT)], axis=-1)
    noisy = darkest + slopes * (brightest - darkest) + random.normal(0, 6, (HEIGHT, WIDTH, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def larger(frame: Frame) -> Frame:
    return frame.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def black(frame: Frame) -> Frame:
    return np.zeros_like(larger(frame))


def green(frame: Frame) -> Frame:
    made = black(frame)
    made[..., 1] = 255
    return made


def black_tile(frame: Frame) -> Frame:
    made = larger(frame)
    made[64:128, 96:160] = 0
    return made


def other_picture(frame: Frame) -> Frame:
    return larger(frame[::-1])


@pytest.mark.parametrize("fault", [black, green, black_tile, other_picture])
def test_bad_frames_are_found(fault: Callable[[Frame], Frame]) -> None:
    frame = picture()
    assert flaw(frame, fault(frame), scale=SCALE) is not None


def test_black_in_the_place_of_a_dark_picture_is_found() -> None:
    frame = picture(darkest=2, brightest=44)
    assert flaw(frame, black(frame), scale=SCALE) is not None


@pytest.mark.parametrize("level", [3, 60])
def test_noise_may_come_out_as_one_colour(level: int) -> None:
    noise = np.random.default_rng(1).normal(level, 7, (HEIGHT, WIDTH, 3))
    frame = np.clip(noise, 0, 255).astype(np.uint8)
    assert np.ptp(frame) > 24
    flat = np.full_like(larger(frame), round(float(frame.mean())))
    assert flaw(frame, flat, scale=SCALE) is None
    assert flaw(frame, flat + 20, scale=SCALE) is not None


def test_letters_that_come_out_black_are_found() -> None:
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[20:32, 40:43] = 200
    assert flaw(frame, black(frame), scale=SCALE) is not None


def test_a_frame_of_another_size_is_found() -> None:
    frame = picture()
    assert flaw(frame, frame, scale=SCALE) == "it has the shape (70, 90, 3) instead of (140, 180, 3)"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_right_frames_pass(level: int) -> None:
    frame = picture()
    softer = np.clip(larger(frame).astype(int) + 9, 0, 255).astype(np.uint8)
    assert flaw(frame, larger(frame), scale=SCALE) is None
    assert flaw(frame, softer, scale=SCALE) is None
    blank = np.full_like(frame, level)
    assert flaw(blank, larger(blank), scale=SCALE) is None


@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 16), (17, 33)])
def test_every_size_can_be_checked(height: int, width: int) -> None:
    frame = picture()[:height, :width]
    assert flaw(frame, larger(frame), scale=SCALE) is None


def never() -> TimedFrame:
    raise AssertionError("nothing was suspicious")


def test_a_frame_that_stays_behind_is_found() -> None:
    check = FrameCheck(scale=SCALE)
    first = TimedFrame(larger(picture(1)), 1.0)
    check.expect_right(picture(1), first, again=never)
    # Another frame, so like the first that only the bytes tell.
    with pytest.raises(RuntimeFailureError, match="100 % of it repeats the frame before"):
        check.expect_right(picture(2), first, again=never)


def test_a_tile_of_the_frame_before_is_noticed() -> None:
    first, second = picture(1), picture(2)
    old, new = larger(first), larger(second)
    new[: 16 * SCALE, : 32 * SCALE] = old[: 16 * SCALE, : 32 * SCALE]
    blocks = -(-first.shape[0] // 16) * -(-first.shape[1] // 16)
    assert frozen_part((first, old), (second, new), scale=SCALE) == 2 / blocks


def test_what_hardly_changes_may_come_out_the_same() -> None:
    first = picture(1)
    second = first.copy()
    second[5, 5] ^= 1
    assert frozen_part((first, larger(first)), (second, larger(first)), scale=SCALE) == 0


def used_to_a_second_a_frame() -> FrameCheck:
    check = FrameCheck(scale=SCALE)
    for seed in range(10):
        check.expect_right(picture(seed), TimedFrame(larger(picture(seed)), 1.0), again=never)
    return check


def test_a_frame_that_takes_no_time_is_made_again() -> None:
    frame = picture(10)
    otherwise = larger(frame)
    otherwise[0, 0] ^= 1  # whatever lies in the memory
    with pytest.raises(RuntimeFailureError, match=r"frame 11 came out wrong: it took 0\.001 s"):
        used_to_a_second_a_frame().expect_right(
            frame, TimedFrame(larger(frame), 0.001), again=lambda: TimedFrame(otherwise, 0.001)
        )


def test_a_device_that_is_simply_fast_passes() -> None:
    check = used_to_a_second_a_frame()
    for seed in (10, 11):
        made = TimedFrame(larger(picture(seed)), 0.001)
        check.expect_right(picture(seed), made, again=functools.partial(TimedFrame, made.larger, 0.001))


# Changes of colours on purpose: shares of red, green and blue, and the offset, of each that comes out.
CHANGES = {
    "brighten": (1.3, 0, 0, 25, 0, 1.3, 0, 25, 0, 0, 1.3, 25),
    "darken": (0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0),
    "no blue cast": (1.2, 0, 0, 20, 0, 1, 0, 0, 0, 0, 0.7, -20),
    "desaturate": (0.3, 0.6, 0.1, 0, 0.3, 0.6, 0.1, 0, 0.3, 0.6, 0.1, 0),
}


@pytest.fixture(params=["brighten", "darken", "no blue cast", "desaturate"])
def change(request: pytest.FixtureRequest) -> ColourChange:
    return ColourChange(CHANGES[request.param])


def checked(change: ColourChange, *pairs: tuple[Frame, Frame]) -> None:
    check = FrameCheck(scale=SCALE, colours=change)
    for frame, made in pairs:
        check.expect_right(frame, TimedFrame(made, 1.0), again=never)


def test_colours_may_change_on_purpose(change: ColourChange) -> None:
    frames = [picture(1), picture(2, darkest=0, brightest=60), np.full_like(picture(), 250), picture(3)[::-1]]
    checked(change, *((frame, larger(change.applied(frame))) for frame in frames))


@pytest.mark.parametrize("fault", [black, green, black_tile, other_picture])
def test_bad_frames_are_found_where_colours_change(
    change: ColourChange, fault: Callable[[Frame], Frame]
) -> None:
    frame = picture()
    with pytest.raises(RuntimeFailureError, match="frame 1 came out wrong"):
        checked(change, (frame, fault(change.applied(frame))))


def test_a_frame_that_keeps_colours_that_should_change_is_found(change: ColourChange) -> None:
    frame = np.concatenate([picture(), picture(darkest=150, brightest=250)])
    frame[..., 0] //= 2
    with pytest.raises(RuntimeFailureError, match="not what went in"):
        checked(change, (frame, larger(frame)))


def test_a_frame_that_stays_behind_is_found_where_colours_change(change: ColourChange) -> None:
    made = larger(change.applied(picture(1)))
    with pytest.raises(RuntimeFailureError, match="repeats the frame before"):
        checked(change, (picture(1), made), (picture(2), made))
