"""Sources of one frame or two, and of sizes that no encoder takes."""

from pathlib import Path

import pytest

import program
from clips import ffmpeg
from restoring import FFV1, need_qtgmc

pytestmark = pytest.mark.sampled

MADE = """
[own]
target_height = 240
segment_s = 1
[own.deinterlace]
method = "{method}"
[own.denoise]
method = "hqdn3d"
"""


def made_of(folder: Path, source: Path, method: str, *options: str) -> int:
    """How many frames a result has."""
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(MADE.format(method=method))
    made = folder / "made.mp4"
    words = ("-p", "own", "--engine", "ffmpeg", "--no-tui", *options)
    done = program.run("upscale", source, "-o", made, *words, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return sum(line.startswith("0,") for line in program.frame_digests(made).splitlines())


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize(
    ("name", "codec", "method"),
    [
        ("a.dv", ("-s", "720x480", "-pix_fmt", "yuv411p", "-c:v", "dvvideo"), "bwdif"),
        ("b.mkv", FFV1, "w3fdif"),
        ("c.avi", ("-c:v", "rawvideo", "-pix_fmt", "yuv422p"), "yadif"),
        ("d.mkv", FFV1, "qtgmc"),
    ],
)
def test_few_frames_of_fields(
    name: str, codec: tuple[str, ...], method: str, frames: int, tmp_path: Path
) -> None:
    if method == "qtgmc":
        need_qtgmc()
    source = ("-f", "lavfi", "-i", "testsrc2=s=176x144:r=30000/1001")
    ffmpeg(*source, "-frames:v", str(frames), *codec, tmp_path / name)
    count = made_of(tmp_path, tmp_path / name, method, "--field-order", "bff")
    assert count == 2 * frames


def test_one_frame_with_more_sound(tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=176x144:r=25:d=0.04")
    sound = ("-f", "lavfi", "-i", "sine=d=2:r=48000")
    ffmpeg(*picture, *sound, "-c:v", "libx264", "-c:a", "aac", tmp_path / "a.mp4")
    count = made_of(tmp_path, tmp_path / "a.mp4", "none")
    assert count == 1


def test_the_last_frame_of_a_variable_rate_ends_where_it_begins_on_the_grid(tmp_path: Path) -> None:
    times = "if(lte(N\\,5)\\,N*9000\\,45000+(N-5)*8098)"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=176x144:r=10", "-frames:v", "9"),
        *("-vf", f"settb=1/90000,setpts={times}", "-fps_mode", "passthrough", "-enc_time_base", "1/90000"),
        *("-video_track_timescale", "90000", "-c:v", "libx264", "-bf", "0"),
        *("-bsf:v", "setts=duration=if(eq(N\\,8)\\,7199\\,DURATION)", tmp_path / "a.mp4"),
    )
    count = made_of(tmp_path, tmp_path / "a.mp4", "none")
    assert count == 9


@pytest.mark.parametrize(
    ("size", "order"), [("161x121", "progressive"), ("159x96", "tff"), ("160x97", "bff")]
)
@pytest.mark.parametrize("height", ["240", "720"])
def test_odd_sizes(size: str, order: str, height: str, tmp_path: Path) -> None:
    clip = tmp_path / "a.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.2", "-pix_fmt", "yuv420p", *FFV1, clip)
    count = made_of(tmp_path, clip, "bwdif", "--field-order", order, "-r", height)
    assert count == (5 if order == "progressive" else 10)
