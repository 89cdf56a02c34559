"""Each encoder's own words for quality, speed and depth.

`tests/golden/encoders.txt` holds all of them; a change of any is a change of results.
"""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.config.preset_schema import QUALITY_RANGE, EncoderSpeed
from vhsbatch.ffmpeg.encoders import ENCODERS, EncodeArguments, video_arguments
from vhsbatch.model.plan import EncoderDevice

GOLDEN = Path(__file__).parents[2] / "golden" / "encoders.txt"
SPEEDS: tuple[EncoderSpeed, ...] = get_args(EncoderSpeed)
SCALES = {str(encoder): scale for encoder, scale in QUALITY_RANGE.items() if scale is not None}
RATED = [encoder for encoder in ENCODERS if encoder in SCALES]


def encode(
    encoder: str,
    *,
    quality: int | None = None,
    speed: EncoderSpeed = "medium",
    bit_depth: int = 8,
    rate: Fraction = Fraction(50),
    threads: int = 3,
) -> EncodeArguments:
    return video_arguments(
        encoder, quality=quality, speed=speed, bit_depth=bit_depth, rate=rate, threads=threads
    )


def golden() -> dict[str, list[str]]:
    """The lines below each title."""
    sections = GOLDEN.read_text().strip().split("\n\n")
    return {title: lines for title, *lines in (section.splitlines() for section in sections)}


def described(made: EncodeArguments) -> list[str]:
    """What goes before the input, into the graph, and before the output, a line each."""
    filters = ",".join(filter(None, (f"format={made.pixel_format}", made.upload_filter)))
    return [" ".join(part) for part in (made.global_arguments, ("-vf", filters), made.arguments) if part]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_arguments(encoder: str) -> None:
    quality = 23 if encoder in RATED else None
    assert described(encode(encoder, speed="fastest")) == golden()[f"{encoder}, fastest, 8 bits"]
    slowest = encode(encoder, quality=quality, speed="slowest", bit_depth=10)
    assert described(slowest) == golden()[f"{encoder}, slowest, 10 bits, quality {quality}"]


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ("h264_nvenc", ("-gpu", "1")),
        ("hevc_vaapi", ("-init_hw_device", "vaapi=encoder:/dev/dri/renderD129")),
        ("av1_qsv", ("-init_hw_device", "qsv=encoder,child_device=/dev/dri/renderD129")),
    ],
)
def test_a_hardware_encoder_runs_on_the_gpu_that_it_is_told(encoder: str, words: tuple[str, str]) -> None:
    def made(device: EncoderDevice) -> list[tuple[str, str]]:
        arguments = video_arguments(
            encoder,
            quality=None,
            speed="medium",
            bit_depth=8,
            rate=Fraction(50),
            threads=1,
            device=device,
        )
        return list(pairwise((*arguments.global_arguments, *arguments.arguments)))

    assert words in made(EncoderDevice(cuda=1, render_node="/dev/dri/renderD129"))
    assert words not in made(EncoderDevice())


def test_the_golden_file_has_no_other_encoders() -> None:
    assert {title.partition(",")[0] for title in golden()} == set(ENCODERS)


def test_presets_know_the_same_encoders() -> None:
    assert set(ENCODERS) == set(QUALITY_RANGE) - {"auto"}


@given(
    encoder=st.sampled_from(ENCODERS),
    speed=st.sampled_from(SPEEDS),
    bit_depth=st.sampled_from([8, 10]),
    rate=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(60000, 1001)]),
    threads=st.integers(1, 64),
)
def test_what_holds_for_all_of_them(
    encoder: str, speed: EncoderSpeed, bit_depth: int, rate: Fraction, threads: int
) -> None:
    made = encode(encoder, speed=speed, bit_depth=bit_depth, rate=rate, threads=threads)
    codec = "prores_ks" if encoder == "prores" else encoder
    assert made.arguments[:2] == ("-c:v", codec)
    assert all(made.arguments)
    assert (made.upload_filter is None) == (made.global_arguments == ())
    flags = [word for word in made.arguments if word.startswith("-")]
    assert len(flags) == len(set(flags))
    if bit_depth == 8 and encoder != "prores":
        assert "10" not in made.pixel_format


@pytest.mark.parametrize("encoder", RATED)
def test_quality_is_passed_on_and_its_default_is_on_the_scale(encoder: str) -> None:
    lowest, highest = SCALES[encoder]
    made, default = encode(encoder, quality=37).arguments, encode(encoder).arguments
    changed = {index for index, (one, other) in enumerate(zip(made, default, strict=True)) if one != other}
    assert changed
    assert {made[index] for index in changed} == {"37"}
    assert all(lowest <= int(default[index]) <= highest for index in changed)


@pytest.mark.parametrize("encoder", ["ffv1", "prores"])
def test_quality_means_nothing_where_there_is_one_only(encoder: str) -> None:
    assert encode(encoder, quality=1) == encode(encoder)


@pytest.mark.parametrize(
    ("encoder", "eight", "ten"),
    [
        ("libx264", "yuv420p", "yuv420p10le"),
        ("libx265", "yuv420p", "yuv420p10le"),
        ("libsvtav1", "yuv420p", "yuv420p10le"),
        ("ffv1", "yuv422p", "yuv422p10le"),
        ("prores", "yuv422p10le", "yuv422p10le"),
        ("h264_nvenc", "yuv420p", "yuv420p"),
        ("hevc_nvenc", "yuv420p", "p010le"),
        ("av1_vaapi", "nv12", "p010le"),
        ("h264_qsv", "nv12", "nv12"),
        ("hevc_amf", "nv12", "p010le"),
        ("h264_vulkan", "nv12", "nv12"),
        ("av1_vulkan", "nv12", "p010le"),
        ("h264_videotoolbox", "nv12", "nv12"),
        ("hevc_videotoolbox", "nv12", "p010le"),
    ],
)
def test_ten_bits_where_the_encoder_can(encoder: str, eight: str, ten: str) -> None:
    assert encode(encoder).pixel_format == eight
    assert encode(encoder, bit_depth=10).pixel_format == ten


@given(st.integers(1, 64))
def test_the_result_of_x264_does_not_depend_on_the_machine(threads: int) -> None:
    assert encode("libx264", threads=threads) == encode("libx264")


@pytest.mark.parametrize(
    ("rate", "frames"),
    [(Fraction(25), "50"), (Fraction(60000, 1001), "120"), (Fraction(12), "24"), (Fraction(1, 5), "1")],
)
def test_a_group_of_pictures_lasts_two_seconds(rate: Fraction, frames: str) -> None:
    made = encode("libx264", rate=rate).arguments
    assert made[made.index("-g") + 1] == frames
    assert f"keyint={frames}:" in " ".join(encode("libx265", rate=rate).arguments)


@pytest.mark.parametrize("encoder", [encoder for encoder in RATED if not encoder.endswith("videotoolbox")])
def test_the_ends_of_the_speed_scale_differ(encoder: str) -> None:
    made = [encode(encoder, speed=speed).arguments for speed in SPEEDS]
    assert all(len(one) == len(other) for one, other in pairwise(made))
    assert (made[0] != made[-1]) == (not encoder.endswith(("vaapi", "vulkan")))
