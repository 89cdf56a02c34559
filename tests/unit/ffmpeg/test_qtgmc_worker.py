"""What the QTGMC worker program does around VapourSynth."""

import io
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from vhsbatch.config.preset_schema import Crop, Deinterlace, Denoise
from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.deinterlacing import fields_of
from vhsbatch.ffmpeg.preroll import PREROLL_S
from vhsbatch.ffmpeg.qtgmc import deinterlace_stage
from vhsbatch.ffmpeg.qtgmc_worker import (
    Format,
    FrameReader,
    OutputCheck,
    Plane,
    WorkerError,
    block_means,
    held_frames,
    times_shown,
)
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import FieldOrder, Gap
from vhsbatch.model.plan import Segment
from vhsbatch.restore.planner import cut

QTGMC = Preset(name="best", deinterlace=Deinterlace(method="qtgmc"))


# --- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bits", "shifts", "full_range"),
    [
        ("yuv420p", 8, (1, 1), False),
        ("yuvj420p", 8, (1, 1), True),
        ("yuv422p10le", 10, (1, 0), False),
        ("yuv440p12le", 12, (0, 1), False),
        ("yuv444p16le", 16, (0, 0), False),
    ],
)
def test_formats(name: str, bits: int, shifts: tuple[int, int], *, full_range: bool) -> None:
    form = Format(name)
    assert (form.bits, form.shifts, form.full_range) == (bits, shifts, full_range)
    assert form.samples.itemsize == (1 if bits == 8 else 2)


@pytest.mark.parametrize("name", ["rgb24", "yuv420p10be", "yuv411p", "gray", "yuva420p"])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(WorkerError, match=name):
        Format(name)


@pytest.mark.parametrize(
    ("source", "height", "wire"),
    [
        ("yuv420p", 480, "yuv420p"),
        ("yuvj420p", 480, "yuvj420p"),
        ("yuv422p10be", 480, "yuv422p10le"),
        ("uyvy422", 486, "yuv422p"),
        # VapourSynth's motion search knows no 4:1:1: it gets more samples of the chroma, never fewer.
        ("yuv411p", 480, "yuv422p"),
        # A field of 243 lines has no half line of chroma.
        ("yuv420p", 486, "yuv422p"),
        ("yuv440p10le", 486, "yuv444p10le"),
    ],
)
def test_what_the_worker_is_given(source: str, height: int, wire: str) -> None:
    name = resolve(make.track(codec="ffv1", pixel_format=source, height=height), QTGMC).front
    assert name == wire
    down = Format(name).shifts[1]
    assert height % (2 << down) == 0


# --- what it is asked for ------------------------------------------------------------------------


@given(
    frames=st.integers(1, 20_000),
    segment_s=st.integers(1, 60),
    rate=st.sampled_from(["field", "frame"]),
    order=st.sampled_from([FieldOrder.TFF, FieldOrder.BFF]),
    method=st.sampled_from(["hqdn3d", "degrain", "none"]),
)
def test_each_segment_gets_its_frames_and_what_is_around_them(
    frames: int, segment_s: int, rate: str, order: FieldOrder, method: Literal["hqdn3d", "degrain", "none"]
) -> None:
    factor = 2 if rate == "field" else 1
    deinterlace = Deinterlace.model_validate({"method": "qtgmc", "rate": rate})
    preset = Preset(name="best", deinterlace=deinterlace, denoise=Denoise(method=method))
    track = make.track(frames=frames, field_order=order)
    plan = make.plan(
        info=make.info(track),
        preset=preset,
        frames=frames * factor,
    )
    for segment in cut(plan.frames, plan.rate, segment_s):
        positions = fields_of(plan, segment)
        assert positions.start * factor <= segment.start_frame < segment.stop_frame <= positions.stop * factor
        assert positions.stop <= frames
        # Whoever averages over time behind it is warm, but for the rounding to whole positions.
        warm_s = Fraction(segment.start_frame, factor) / track.rate - positions.start / track.rate
        needed_s = PREROLL_S - 3 / track.rate if method == "hqdn3d" else 12 / track.rate
        assert positions.start == 0 or warm_s >= needed_s
        assert method == "hqdn3d" or warm_s < 14 / track.rate
        argv = deinterlace_stage(plan, segment, vapoursynth_python="python", threads=3).argv
        options = dict(zip(argv[3::2], argv[4::2], strict=True))
        assert int(options["--frames"]) == len(positions)
        assert int(options["--keep"]) == segment.stop_frame - positions.start * factor
        assert int(options["--keep"]) <= len(positions) * factor
        assert options["--order"] == order.value


@pytest.mark.parametrize(
    ("gaps", "start"),
    [
        ((), 93),
        ((Gap(start=80, stop=100),), 73),
        ((Gap(start=20, stop=60),), 93),
        ((Gap(start=60, stop=70), Gap(start=75, stop=100)), 58),
        ((Gap(start=100, stop=130),), 88),  # the segment begins in a gap
    ],
)
def test_what_a_gap_holds_is_no_frame_before_a_segment(gaps: tuple[Gap, ...], start: int) -> None:
    preset = Preset(name="best", deinterlace=Deinterlace(method="qtgmc"), denoise=Denoise(method="degrain"))
    track = make.track(frames=1000, field_order=FieldOrder.BFF, gaps=gaps)
    plan = make.plan(info=make.info(track), preset=preset, frames=2000)
    segment = Segment(index=1, start_frame=210, stop_frame=400)
    assert fields_of(plan, segment).start == start


def test_the_size_is_that_of_what_was_recorded() -> None:
    preset = QTGMC.model_copy(update={"crop": Crop(left=8, top=4)})
    plan = make.plan(info=make.info(make.track(rotation_degrees=90)), preset=preset)
    argv = deinterlace_stage(plan, plan.segments[0], vapoursynth_python=None, threads=1).argv
    assert argv[argv.index("--width") + 1] == "712"
    assert argv[argv.index("--height") + 1] == "476"


# --- reading -------------------------------------------------------------------------------------

FORM = Format("yuv420p")
SHAPES = FORM.shapes(8, 4)
FRAME_BYTES = sum(lines * columns for lines, columns in SHAPES)


def reader(content: bytes, frames: int) -> FrameReader:
    return FrameReader(io.BytesIO(content), SHAPES, FORM, [0] * frames)


def test_held_frames_are_passed_over() -> None:
    frames = [np.full(FRAME_BYTES, number, np.uint8).tobytes() for number in range(6)]
    source = FrameReader(io.BytesIO(b"".join(frames)), SHAPES, FORM, held_frames(6, "1-3,5-6"))
    assert [int(source.planes(number, keep=3)[0][0, 0]) for number in range(3)] == [0, 3, 4]
    source.expect_end()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.sampled_from([1, 2]), st.data())
def test_as_many_frames_are_written_as_are_kept(held: list[int], each: int, data: st.DataObject) -> None:
    positions = len(held) + sum(held)
    keep = data.draw(st.integers(1, positions * each))
    times = times_shown(held, each, keep)
    assert sum(times) == keep
    assert len(times) <= len(held) * each
    # The first field of a frame is shown once, and the last one for as long as no other came.
    assert all(shown == 1 for shown in times[:-1:2]) or each == 1
    whole = times_shown(held, each, positions * each)
    assert whole[each - 1 :: each] == [1 + more * each for more in held]


def test_frames_are_read_when_they_are_asked_for_and_kept_for_a_while() -> None:
    frames = [np.full(FRAME_BYTES, number, np.uint8).tobytes() for number in range(6)]
    source = reader(b"".join(frames), 6)
    assert source.planes(2, keep=3)[0][0, 0] == 2
    assert source.planes(0, keep=3)[2][0, 0] == 0
    assert source.planes(5, keep=3)[1].shape == (2, 4)
    with pytest.raises(WorkerError, match="asked for frame 2 after frame 6"):
        source.planes(2, keep=3)
    assert source.failure is not None
    source.expect_end()


@pytest.mark.parametrize("size", [0, 1, 2 * FRAME_BYTES, 3 * FRAME_BYTES - 1])
def test_an_input_that_ends_too_early(size: int) -> None:
    source = reader(bytes(size), 3)
    with pytest.raises(WorkerError, match=f"the input ended after {size // FRAME_BYTES} of 3 frames"):
        source.planes(2, keep=9)
    with pytest.raises(WorkerError, match="ended after"):
        reader(bytes(size), 3).expect_end()


def test_an_input_that_goes_on() -> None:
    source = reader(bytes(3 * FRAME_BYTES + 1), 3)
    source.planes(0, keep=9)
    with pytest.raises(WorkerError, match="more than 3 frames"):
        source.expect_end()


# --- what came out -------------------------------------------------------------------------------


def moving(number: int, *, bits: int = 8, height: int = 64) -> Plane:
    """A bar that moves over a slope, as a field of it is seen at the time `number`."""
    y, x = np.mgrid[0:height, 0:96]
    picture = 40 + x + y // 2
    picture[:, 4 * number : 4 * number + 24] = 220
    shifted: Plane = (picture << (bits - 8)).astype(np.uint16)
    return shifted


def woven(number: int, first_line: int, **how: int) -> Plane:
    frame = moving(2 * number, **how)
    second = 1 - first_line
    frame[second::2] = moving(2 * number + 1, **how)[second::2]
    return frame


@pytest.mark.parametrize("height", [64, 66, 40])
@pytest.mark.parametrize("bits", [8, 10, 16])
@pytest.mark.parametrize("first_line", [0, 1])
def test_right_frames_pass(first_line: int, bits: int, height: int) -> None:
    check = OutputCheck(bits=bits)
    for number in range(5):
        check.take_in(number, woven(number, first_line, bits=bits, height=height), ("tff", "bff")[first_line])
    for field in range(10):
        assert check.flaw(field, moving(field, bits=bits, height=height)) is None


def test_wrong_frames_do_not() -> None:
    check = OutputCheck(bits=8)
    for number in range(5):
        check.take_in(number, woven(number, 0), "tff")
    assert check.flaw(0, moving(0)) is None
    assert check.flaw(1, np.zeros_like(moving(1))) == "100 % of it is not what went in"
    assert check.flaw(2, moving(0)) == "it is the one before once more"


def test_a_still_picture_stays_one() -> None:
    check = OutputCheck(bits=8)
    for number in range(5):
        check.take_in(number, moving(0), "tff")
    for field in range(10):
        assert check.flaw(field, moving(0)) is None


def test_a_cut_between_two_fields_is_no_flaw() -> None:
    dark, bright = np.full((32, 32), 16, np.uint8), np.full((32, 32), 235, np.uint8)
    mixed = dark.copy()
    mixed[1::2] = bright[1::2]
    check = OutputCheck(bits=8)
    for number, frame in enumerate((dark, mixed, bright)):
        check.take_in(number, frame, "tff")
    for field, made in enumerate((dark, dark, dark, bright, bright, bright)):
        assert check.flaw(field, made) is None


def test_what_is_past_is_forgotten() -> None:
    check = OutputCheck(bits=8)
    for number in range(200):
        check.take_in(number, moving(0), "tff")
        check.flaw(2 * number, moving(0))
        check.flaw(2 * number + 1, moving(0))
    assert len(check._fields) < 10
    assert len(check._made) < 4


def test_block_means_of_a_size_that_is_no_multiple() -> None:
    plane = np.arange(20 * 20, dtype=np.uint16).reshape(20, 20)
    means = block_means(plane, 16)
    assert means.shape == (2, 2)
    assert means[1, 1] == plane[16:, 16:].mean()
