"""Which FFmpeg is used, and what it says of itself."""

from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg import toolchain as tools
from vhsbatch.ffmpeg.toolchain import OLDEST, find_ffmpeg, parse_names, parse_version, version_number


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("5.1.6-0+deb12u1", (5, 1)),
        ("7.0.2-static", (7, 0)),
        ("n4.4.5", (4, 4)),
        ("n9.0.2-17-g2a571b6068-20250101", (9, 0)),
        ("6.1", (6, 1)),
        ("10.12.1", (10, 12)),
        ("N-112233-gabcdef1234", None),
        ("git-2020-05-01-39fb1e9", None),
        ("2024-11-06-git-4047b887fc-full_build-www.gyan.dev", None),
    ],
)
@pytest.mark.parametrize(
    "rest", [" Copyright (c) 2000-2024 the FFmpeg developers\nbuilt with gcc 13.2.0\n", "\n", ""]
)
def test_versions(version: str, number: tuple[int, int] | None, rest: str) -> None:
    assert parse_version(f"ffmpeg version {version}{rest}") == version
    assert version_number(version) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "ffmpeg version ",
        "ffprobe version 6.1 Copyright",
        "avconv version 12.3",
        "warning\nffmpeg version 6.1",
    ],
)
def test_what_is_no_ffmpeg_has_no_version(text: str) -> None:
    assert parse_version(text) is None


@given(
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["", "n"]),
    st.sampled_from(["", ".1", "-rc1", "-dev"]),
)
def test_numbers_are_compared_as_numbers(major: int, minor: int, prefix: str, rest: str) -> None:
    number = version_number(f"{prefix}{major}.{minor}{rest}")
    assert number == (major, minor)
    assert (number < OLDEST) == (major * 100 + minor < OLDEST[0] * 100 + OLDEST[1])


FILTERS = """\
Filters:
  T.. = Timeline support
  .S. = Slice threading
  ..C = Command support
  A = Audio input/output
 ... abench            A->A       Benchmark part of a filtergraph.
 TS. bwdif             V->V       Deinterlace the input image.
 .SC lut3d             V->V       Adjust colors using a 3D LUT.
 T.C unsharp           V->V       Sharpen or blur the input video.
 ..C colorspace_cuda   V->V       CUDA accelerated video color converter
"""
FILTERS_OF_TWO_FLAGS = """\
Filters:
  T. = Timeline support
 .. fps               V->V       Force constant framerate.
 TS w3fdif            V->V       Apply Martin Weston three field deinterlace.
"""
ENCODERS = """\
Encoders:
 V..... = Video
 A..... = Audio
 .F.... = Frame-level multithreading
 ------
 V....D libx264              libx264 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 (codec h264)
 V..... h264_v4l2m2m         V4L2 mem2mem H.264 encoder wrapper (codec h264)
 VFS..D prores_ks            Apple ProRes (iCodec Pro) (codec prores)
 A....D pcm_s16le            PCM signed 16-bit little-endian
 A....D g723_1               G.723.1
 S..... dvbsub               DVB subtitles (codec dvb_subtitle)
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (FILTERS, {"abench", "bwdif", "lut3d", "unsharp", "colorspace_cuda"}),
        (FILTERS_OF_TWO_FLAGS, {"fps", "w3fdif"}),
        (ENCODERS, {"libx264", "h264_v4l2m2m", "prores_ks", "pcm_s16le", "g723_1", "dvbsub"}),
        ("", set()),
        ("ffmpeg: error while loading shared libraries: libx264.so\n", set()),
    ],
    ids=["filters", "filters with two flags", "encoders", "nothing", "error"],
)
def test_names(text: str, names: set[str]) -> None:
    assert parse_names(text) == names


def program(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_program_is_found_by_its_path(tmp_path: Path) -> None:
    path = program(tmp_path / "ffmpeg 7")
    assert find_ffmpeg(str(path)) == str(path)


def test_a_program_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "ffmpeg7")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg("ffmpeg7") == str(path)


def test_a_program_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path / "text", mode=0o644)
    (tmp_path / "folder").mkdir()
    for setting in (
        "ffmpeg",
        "text",
        "folder",
        *(str(tmp_path / name) for name in ("none", "text", "folder")),
    ):
        with pytest.raises(ToolError) as caught:
            find_ffmpeg(setting)
        assert caught.value.cause == f"FFmpeg '{setting}' is not there or cannot be executed"
        assert caught.value.fix == "leave the setting 'ffmpeg' out to use the embedded one"
        assert caught.value.exit_code == 3


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The embedded FFmpeg is looked for anew, in this test and after it."""
    tools._embedded_path.cache_clear()
    yield
    tools._embedded_path.cache_clear()


@pytest.mark.usefixtures("forgotten")
def test_the_embedded_program_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["/embedded/ffmpeg"])
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: next(answers))
    assert [find_ffmpeg(None), find_ffmpeg(None)] == ["/embedded/ffmpeg"] * 2


@pytest.mark.usefixtures("forgotten")
def test_without_an_embedded_program_the_systems_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    with pytest.raises(ToolError, match="no FFmpeg came with imageio-ffmpeg") as caught:
        find_ffmpeg(None)
    assert caught.value.fix == "install FFmpeg and set VHSBATCH_FFMPEG=ffmpeg"
