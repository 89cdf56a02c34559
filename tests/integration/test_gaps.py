"""Where no frame was recorded the last one is held, however fields become frames and the video is cut."""

from pathlib import Path

import anyio
import pytest

import program
from clips import ffmpeg
from counters import make_counted, numbers
from restoring import FFV1, need_qtgmc, need_weights, restored
from vhsbatch.engines.devices import runtime_fix, runtime_problem

pytestmark = pytest.mark.sampled

# Of 125 frames, 25 a second: one, two, and nearly three segments of a second.
LOST = {7, *range(24, 26), *range(40, 112)}
CODEC = (*FFV1, "-fps_mode", "passthrough")


def without(lost: set[int], fields: str) -> str:
    gone = "+".join(f"eq(n\\,{number})" for number in sorted(lost))
    return f"{fields},select=not({gone})"


def interlaced(scan: str) -> str:
    return f"interlace=scan={scan}:lowpass=0,setfield={scan}"


def held(frames: int, lost: set[int], of_each: int) -> list[int]:
    """The numbers to be seen, where each frame gives so many pictures."""
    seen: list[int] = []
    for frame in range(frames):
        for picture in range(of_each):
            seen.append(seen[-1] if frame in lost else frame * of_each + picture)
    return seen


@pytest.mark.parametrize(
    ("scan", "method", "muxer"),
    [
        ("tff", "bwdif", "matroska"),
        ("bff", "bwdif", "avi"),
        ("bff", "w3fdif", "matroska"),
        ("bff", "yadif", "nut"),
        ("tff", "nnedi", "matroska"),
        ("bff", "qtgmc", "matroska"),
    ],
)
def test_the_last_field_is_held(scan: str, method: str, muxer: str, tmp_path: Path) -> None:
    if method == "qtgmc":
        need_qtgmc()
    if method == "nnedi":
        need_weights()
    lost = {7, *range(12, 14), *range(20, 28)}
    # In AVI, what is missing is a chunk of no bytes; elsewhere it is a time.
    codec, fields = (*CODEC, "-f", muxer), without(lost, interlaced(scan))
    make_counted(tmp_path / "tape.mkv", *codec, rate="60000/1001", seconds=1.3, fields=fields)
    made = restored(tmp_path, f"deinterlace = {{ method = '{method}' }}", segment_s=60, name="made.mkv")
    assert numbers(made) == held(39, lost, 2)


@pytest.mark.parametrize("dropouts", ["", "dropouts = true\n"])
def test_no_cut_shows_in_a_gap(dropouts: str, tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *CODEC, rate="50", seconds=5, fields=without(LOST, interlaced("tff")))
    whole = restored(tmp_path, dropouts, segment_s=60, name="whole.mkv")
    assert numbers(whole) == held(125, LOST, 2)
    cut = restored(tmp_path, dropouts, segment_s=1, name="cut.mkv")
    assert program.frame_digests(cut) == program.frame_digests(whole)


@pytest.mark.parametrize("method", ["bwdif", "qtgmc"])
def test_the_network_gets_what_is_held(method: str, tmp_path: Path) -> None:
    if method == "qtgmc":
        need_qtgmc()
    if problem := anyio.run(runtime_problem, "ncnn"):
        pytest.skip(f"ncnn does not work here: {problem}: {runtime_fix(problem)}")
    lost = {7, *range(12, 48)}
    make_counted(tmp_path / "tape.mkv", *CODEC, rate="50", seconds=2, fields=without(lost, interlaced("bff")))
    # A network without weights, which repeats each pixel.
    param = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"
    (tmp_path / "nearest-x2.param").write_text(param)
    (tmp_path / "nearest-x2.bin").touch()
    network = ("--engine", "realesrgan", "--device", "cpu", "--runtime", "ncnn")
    model = ("--model", tmp_path / "nearest-x2.param")
    preset = f"ai_segment_s = 1\ndeinterlace = {{ method = '{method}' }}"
    engine = (*network, *model)
    made = restored(tmp_path, preset, segment_s=60, name="made.mkv", engine=engine, height=960)
    assert numbers(made) == held(50, lost, 2)


def test_one_frame_of_two_fields(tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *CODEC, rate="50", seconds=5, fields=without(LOST, interlaced("bff")))
    preset = "deinterlace = { method = 'bwdif', rate = 'frame' }"
    made = restored(tmp_path, preset, segment_s=1, name="made.mkv")
    assert numbers(made) == [2 * frame for frame in held(125, LOST, 1)]


def test_without_fields(tmp_path: Path) -> None:
    make_counted(tmp_path / "tape.mkv", *CODEC, rate="25", seconds=5, fields=without(LOST, "null"))
    whole = restored(tmp_path, "deinterlace = { method = 'none' }", segment_s=60, name="whole.mkv")
    assert numbers(whole) == held(125, LOST, 1)
    cut = restored(tmp_path, "deinterlace = { method = 'none' }", segment_s=1, name="cut.mkv")
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_film(tmp_path: Path) -> None:
    lost = set(range(50, 125))
    film = "telecine=first_field=top:pattern=23,setfield=tff,trim=end_frame=150"
    make_counted(tmp_path / "tape.mkv", *CODEC, rate="24000/1001", seconds=6, fields=without(lost, film))
    whole = restored(tmp_path, "", segment_s=60, name="whole.mkv")
    shown = numbers(whole)
    assert len(shown) == 120
    assert shown[:39] == list(range(39))
    assert shown[101:] == list(range(101, 120))
    # On either side of the gap a frame may lack a field.
    assert set(shown[41:99]) <= {39, 40}
    assert shown == sorted(shown)
    cut = restored(tmp_path, "", segment_s=1, name="cut.mkv")
    assert program.frame_digests(cut) == program.frame_digests(whole)


def test_gaps_are_told_and_hours_are_refused(tmp_path: Path) -> None:
    def paused(name: str, at: int, seconds: int) -> Path:
        jump = f"setpts=PTS+gte(N\\,{at})*{seconds}/TB"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=4", "-vf", jump, *CODEC, tmp_path / name)
        return tmp_path / name

    followed = program.run("analyze", paused("short.mkv", 50, 1000), cwd=tmp_path)
    assert "no frame for 1000.0 s from 0:02 on: the one before is held" in followed.stdout
    refused = program.run("analyze", paused("long.mkv", 75, 7200), cwd=tmp_path)
    assert refused.returncode != 0
    assert "its clock jumps ahead by 2:00:00 at 0:03" in refused.stdout + refused.stderr
    assert "-to 3.00 -c copy 1.mkv, ffmpeg -ss 7203.00 -i IN" in refused.stdout + refused.stderr


@pytest.mark.parametrize("clock_s", [0, 3.4, 95_000])
def test_a_clock_that_does_not_begin_at_zero_costs_no_frame(tmp_path: Path, clock_s: float) -> None:
    codec = ("-c:v", "mpeg2video", "-q:v", "2", "-g", "12", "-output_ts_offset", str(clock_s))
    make_counted(tmp_path / "tape.ts", *codec, rate="25", seconds=8, fields="null")
    (tmp_path / "tape.ts").rename(tmp_path / "tape.mkv")  # a file is what it looks like
    made = restored(tmp_path, "", segment_s=4, name="made.mkv")
    assert numbers(made) == list(range(200))
