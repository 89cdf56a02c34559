"""In which format frames are filtered."""

import pytest

import make
from vhsbatch.ffmpeg.planar import planar_format, recorded_format


@pytest.mark.parametrize(
    ("codec", "recorded", "filtered"),
    [
        ("dvvideo", "yuv420p", "yuv422p"),
        ("dvvideo", "yuv411p", "yuv411p"),
        ("dvvideo", "yuv422p", "yuv422p"),
        ("mpeg2video", "yuv420p", "yuv420p"),
        ("rawvideo", "uyvy422", "yuv422p"),
        ("rawvideo", "nv12", "yuv420p"),
        ("rawvideo", "bgr24", "yuv444p"),
    ],
)
def test_formats(codec: str, recorded: str, filtered: str) -> None:
    track = make.track(codec=codec, pixel_format=recorded)
    assert planar_format(track) == filtered
    kept = {"uyvy422": "yuv422p", "nv12": "yuv420p", "bgr24": "yuv444p"}.get(recorded, recorded)
    assert recorded_format(track) == kept
