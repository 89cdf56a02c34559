"""Sources of which the pictures change on the way: found in the plan to the frame, followed or refused."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import make
import program
from clips import FFMPEG, ffmpeg
from vhsbatch.ffmpeg.changes import change_problem, follow
from vhsbatch.ffmpeg.graph import OUTPUT_LABEL, compiled, read
from vhsbatch.model.media import PictureChange
from vhsbatch.probe.probe import probe

pytestmark = pytest.mark.anyio

RATE = 25
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-g", "5", "-bf", "0")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-bf", "0")


def joined(path: Path, *parts: tuple[str, int, tuple[str, ...]]) -> Path:
    """A transport stream of parts that follow each other: what FFmpeg draws, frames, and how it encodes."""
    content, at = b"", 0
    for number, (picture, frames, codec) in enumerate(parts):
        part = path.with_name(f"part{number}.ts")
        source = ("-f", "lavfi", "-i", picture, "-frames:v", str(frames))
        offset = ("-output_ts_offset", f"{1 + at / RATE:.3f}")
        ffmpeg(*source, *offset, *codec, "-muxpreload", "0", "-muxdelay", "0", "-f", "mpegts", part)
        content += part.read_bytes()
        at += frames
    path.write_bytes(content)
    return path


def disc(size: str, aspect: str) -> str:
    """A white disc on grey, round where it is shown with `aspect`."""
    width, height = map(int, size.split("x"))
    wide, tall = map(int, aspect.split(":"))
    across = Fraction(wide * height, tall * width)  # width of a sample by its height
    inside = f"lt(hypot((X-{width / 2})*{float(across):.4f},Y-{height / 2}),{height * 0.3:.2f})"
    drawn = f"geq=lum='if({inside},220,100)':cb=128:cr=128"
    return f"color=gray:s={size}:r={RATE},format=yuv420p,{drawn},setfield=prog"


def frames_of(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    command = (FFMPEG, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-")
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0])


def roundness(frame: NDArray[np.uint8]) -> float:
    """Width of the disc by its height."""
    disc = frame > 160
    return int(np.count_nonzero(disc.any(axis=0))) / int(np.count_nonzero(disc.any(axis=1)))


def restored(folder: Path, *words: str) -> tuple[str, NDArray[np.uint8]]:
    """What the record says, and the frames that are made, of 240 lines in 4:3."""
    command = (
        "upscale",
        "tape.ts",
        "-o",
        "made.mp4",
        "-p",
        "clean",
        "-r",
        "240",
        "--engine",
        "ffmpeg",
        *words,
    )
    done = program.run(*command, "--no-tui", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    notes = json.loads((folder / "made.mp4.json").read_text(encoding="utf-8"))["notes"]
    return "\n".join(notes), frames_of(folder / "made.mp4", (320, 240))


@pytest.mark.parametrize(
    ("codec", "first", "second", "said"),
    [
        (MPEG2, ("352x288", "4:3"), ("352x288", "16:9"), "352x288 shown as 1.78:1 at 1.200 s (frame 30)"),
        (H264, ("352x288", "4:3"), ("176x144", "4:3"), "176x144 shown as 1.33:1 at 1.200 s (frame 30)"),
        (H264, ("352x288", "4:3"), ("320x180", "16:9"), "320x180 shown as 1.78:1 at 1.200 s (frame 30)"),
    ],
)
async def test_a_change_of_size_or_shape_is_followed_to_the_frame(
    codec: tuple[str, ...],
    first: tuple[str, str],
    second: tuple[str, str],
    said: str,
    tmp_path: Path,
) -> None:
    joined(
        tmp_path / "tape.ts",
        *(
            (disc(size, aspect), count, (*codec, "-aspect", aspect))
            for (size, aspect), count in ((first, 30), (second, 20))
        ),
    )
    told, frames = restored(tmp_path)
    assert said in told
    assert len(frames) == 50
    wide = second[1] == "16:9"
    for number in (0, 29, 30, 49):
        assert abs(roundness(frames[number]) - 1) < 0.06, number
        has_bars = not (frames[number, :16] > 60).any()
        assert has_bars == (wide and number >= 30), number


async def test_most_frames_decide_on_the_shape_and_the_user_more_than_they(tmp_path: Path) -> None:
    wide = (disc("352x288", "16:9"), 30, (*MPEG2, "-aspect", "16:9"))
    joined(tmp_path / "tape.ts", (disc("352x288", "4:3"), 15, (*MPEG2, "-aspect", "4:3")), wide)
    info = await probe(tmp_path / "tape.ts", ffmpeg=FFMPEG)
    assert info.video.sar == Fraction(16 * 288, 9 * 352)
    assert [change.frame for change in info.video.changes] == [0, 15]
    told, frames = restored(tmp_path, "--aspect", "4:3")
    assert "its picture changes" not in told
    assert len(frames) == 45
    assert (frames[:, 4] > 60).all()


async def test_a_change_of_colours_is_refused_in_the_plan_with_its_place(tmp_path: Path) -> None:
    def tagged(name: str) -> str:
        tags = f"setparams=colorspace={name}:color_primaries={name}:color_trc={name}"
        return f"{disc('352x288', '4:3')},{tags}"

    joined(
        tmp_path / "tape.ts",
        (tagged("bt470bg"), 20, (*MPEG2, "-aspect", "4:3")),
        (tagged("bt709"), 20, (*MPEG2, "-aspect", "4:3")),
    )
    done = program.run("upscale", "tape.ts", "-o", "made.mp4", "-r", "240", "--no-tui", cwd=tmp_path)
    assert done.returncode == 1
    assert (
        "its colours change from bt470bg (limited range) to bt709 (limited range) at 0.800 s (frame 20)"
        in done.stdout
    )


async def test_tags_that_come_later_and_mean_the_same_change_nothing(tmp_path: Path) -> None:
    tags = "setparams=colorspace=bt470bg:color_primaries=bt470bg:color_trc=smpte170m"
    plain = disc("352x288", "4:3")
    joined(
        tmp_path / "tape.ts",
        (plain, 20, (*MPEG2, "-aspect", "4:3")),
        (f"{plain},{tags}", 20, (*MPEG2, "-aspect", "4:3")),
    )
    told, frames = restored(tmp_path)
    assert "change" not in told
    assert len(frames) == 40


@pytest.mark.parametrize("name", ["tape.dv", "tape.avi"])
async def test_dv_that_becomes_wide(name: str, tmp_path: Path) -> None:
    content = b""
    for aspect, count in (("4:3", 30), ("16:9", 20)):
        part = tmp_path / "part.dv"
        picture = f"testsrc2=s=720x576:r={RATE},format=yuv420p,setfield=prog"
        ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", str(count), "-aspect", aspect, part)
        content += part.read_bytes()
    (tmp_path / "tape.dv").write_bytes(content)
    if name.endswith(".avi"):
        ffmpeg("-i", tmp_path / "tape.dv", "-c", "copy", tmp_path / name)
    video = (await probe(tmp_path / name, ffmpeg=FFMPEG)).video
    assert [(change.frame, change.sar) for change in video.changes] == [
        (0, Fraction(16, 15)),
        (30, Fraction(64, 45)),
    ]
    assert video.sar == Fraction(16, 15)


async def test_a_few_frames_that_state_another_shape_are_damage(tmp_path: Path) -> None:
    content = b""
    for aspect, count in (("4:3", 20), ("16:9", 3), ("4:3", 20)):
        part = tmp_path / "part.dv"
        picture = f"testsrc2=s=720x576:r={RATE},format=yuv420p,setfield=prog"
        ffmpeg("-f", "lavfi", "-i", picture, "-frames:v", str(count), "-aspect", aspect, part)
        content += part.read_bytes()
    (tmp_path / "tape.dv").write_bytes(content)
    assert (await probe(tmp_path / "tape.dv", ffmpeg=FFMPEG)).video.changes == ()


@pytest.mark.parametrize("count", [101, 2000])
def test_hundreds_of_changes_are_followed(count: int, tmp_path: Path) -> None:
    # White frames of 4:3, every other one stated twice as wide, which gives it bars of 12 lines.
    changes = tuple(
        PictureChange(
            at_s=Fraction(number, RATE),
            frame=number,
            width=64,
            height=48,
            pixel_format="yuv420p",
            sar=Fraction(1 + number % 2),
        )
        for number in range(count)
    )
    track = make.track(
        frames=count, rate=Fraction(RATE), width=64, height=48, sar=Fraction(1), changes=changes
    )
    assert change_problem(track) is None
    graph = compiled(follow(read("source", "0"), track)).replace("source", "0")
    white = ("-f", "lavfi", "-i", f"color=white:s=64x48:r={RATE}")
    made = tmp_path / "made.mkv"
    ffmpeg(
        *white, "-filter_complex", graph, "-map", OUTPUT_LABEL, "-frames:v", str(count), "-c:v", "ffv1", made
    )
    tops = frames_of(made, (64, 48))[:, :12].mean(axis=(1, 2))
    assert len(tops) == count
    assert (tops[0::2] > 200).all()
    assert (tops[1::2] < 30).all()


def test_more_changes_than_a_command_line_holds_are_refused() -> None:
    change = PictureChange(at_s=Fraction(0), frame=0, width=64, height=48, pixel_format="yuv420p", sar=None)
    problem = change_problem(make.track(changes=(change,) * 2001))
    assert problem == ("its picture changes 2001 times", "convert it to one size first")
