"""Several captures of one tape become one, on real files."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg, make_clip
from vhsbatch.errors import VhsBatchError
from vhsbatch.fs import open_regular
from vhsbatch.probe.probe import probe
from vhsbatch.restore.stack import StackTools, stack_captures

SIZE = "160x96"
# A tape of two seconds with a moving picture, and what a pass through a deck does to it.
_TAPE = ("-c:v", "ffv1", "-g", "1", "-pix_fmt", "yuv422p", "-c:a", "pcm_s16le")


def tape(folder: Path) -> Path:
    return make_clip(folder / "tape.avi", *_TAPE, seconds=2, size=SIZE)


def play(tape: Path, name: str, seed: int, *filters: str) -> Path:
    """A capture with noise of its own; further filters come before it."""
    path = tape.with_name(name)
    noise = f"noise=alls=12:allf=t:all_seed={seed}"
    ffmpeg("-i", tape, "-vf", ",".join((*filters, noise, "setfield=tff")), "-ar", "48000", *_TAPE, path)
    return path


def luma_error(one: Path, two: Path) -> float:
    """Mean squared error of the luma of two videos, frame for frame; 1 is black against white."""
    count = "settb=1/25,setpts=N"
    graph = f"[0:v]{count}[a];[1:v]{count}[b];[a][b]psnr"
    done = subprocess.run(
        [FFMPEG, "-i", one, "-i", two, "-lavfi", graph, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    psnr = float(done.stderr.split("PSNR y:")[1].split()[0].replace("inf", "99"))
    return float(10 ** (-psnr / 10))


def test_three_captures_make_a_better_one(tmp_path: Path) -> None:
    """Of which one begins late, one lost and one repeated a frame."""
    original = tape(tmp_path)
    captures = [
        play(original, "a.avi", 1),
        play(original, "b.avi", 2, "select='gte(n,3)*not(eq(n,30))'", "setpts=N/(30000/1001)/TB"),
        play(original, "c.avi", 3, "select='not(eq(n,20))'", "setpts=N/(30000/1001)/TB"),
    ]
    before = [path.read_bytes() for path in captures]
    done = program.run("stack", *captures, "-o", "stacked.mkv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.read_bytes() for path in captures] == before
    stacked = tmp_path / "stacked.mkv"
    assert luma_error(stacked, original) < 0.6 * luma_error(captures[0], original)
    assert program.frame_digests(captures[0]).count("\n0,") == program.frame_digests(stacked).count("\n0,")
    record = json.loads((tmp_path / "stacked.mkv.stack.json").read_bytes())
    assert [one["first_offset"] for one in record["captures"]] == [0, -3, 0]
    assert sum(map(sum, record["minutes"])) == record["frames"] == 60
    assert sum(minute[2] for minute in record["minutes"]) > 30
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".vhsbatch")]


def test_equal_captures_give_back_the_same_frames_and_sound(tmp_path: Path) -> None:
    one = tape(tmp_path)
    other = tmp_path / "copy.avi"
    other.write_bytes(one.read_bytes())
    done = program.run("stack", one, other, "-o", "stacked.mkv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    def digests(path: Path, stream: str) -> list[str]:
        command = [FFMPEG, "-v", "error", "-i", str(path), "-map", stream, "-f", "hash", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    for stream in ("0:v", "0:a"):
        assert digests(one, stream) == digests(tmp_path / "stacked.mkv", stream)


def test_a_stacked_capture_is_restored_as_any_other(tmp_path: Path) -> None:
    one = tape(tmp_path)
    other = play(one, "b.avi", 2)
    assert program.run("stack", one, other, "-o", "stacked.mkv", cwd=tmp_path).returncode == 0
    done = program.run(
        "upscale", "stacked.mkv", "-o", "out.mp4", "-p", "clean", "-r", "120", "--plain", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.mp4").is_file()


def test_frames_that_the_reference_lost_are_filled(tmp_path: Path) -> None:
    whole = tape(tmp_path)
    # A capture program writes the frame before once more.
    held = tmp_path / "held.avi"
    ffmpeg(
        *("-i", whole, "-vf", "select='not(between(n,20,21))',fps=30000/1001:start_time=0"),
        *("-r", "30000/1001", *_TAPE, held),
    )
    done = program.run("stack", held, whole, "-o", "stacked.mkv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "stacked.mkv.stack.json").read_bytes())["filled_fields"] == 4
    assert luma_error(tmp_path / "stacked.mkv", whole) < 1e-8


def test_another_tape_is_refused_in_one_line(tmp_path: Path) -> None:
    one, other = tape(tmp_path), tmp_path / "other.avi"
    ffmpeg(
        *("-f", "lavfi", "-i", f"mandelbrot=s={SIZE}:r=30000/1001", "-f", "lavfi", "-i", "sine=r=48000"),
        *("-t", "2", "-pix_fmt", "yuv422p", *_TAPE[:4], "-c:a", "pcm_s16le", other),
    )
    done = program.run("stack", one, other, "-o", "stacked.mkv", cwd=tmp_path)
    assert done.returncode == 1
    assert "other.avi shows nothing" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "stacked.mkv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tape.avi", "-o", "x.mkv"), "2 to 8"),
        (("tape.avi", "tape.avi", "-o", "x.mkv"), "named twice"),
        (("tape.avi", "linked.avi", "-o", "x.mkv"), "named twice"),
        (("tape.avi", "none.avi", "-o", "x.mkv"), "does not exist"),
        (("tape.avi", "small.avi", "-o", "x.mkv"), "one size and rate"),
        (("tape.avi", "small.avi", "-o", "x.mp4"), ".mkv"),
    ],
)
def test_what_cannot_be_stacked_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "linked.avi").hardlink_to(tape(tmp_path))
    make_clip(tmp_path / "small.avi", *_TAPE, seconds=1, size="96x64")
    done = program.run("stack", *arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("x.*"))


def start_stacking(folder: Path, output: str) -> subprocess.Popen[str]:
    """Stack two large captures; when this returns, they are being merged."""
    one, other = folder / "tape.avi", folder / "copy.avi"
    if not one.exists():
        make_clip(one, *_TAPE, seconds=8, size="720x480")
        with open_regular(one) as file:
            other.write_bytes(file.read())
    process = program.start("stack", one, other, "-o", output, cwd=folder)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("stacking"):
            break
    return process


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".vhsbatch")}


def test_what_a_dead_run_left_is_cleared_away_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    killed = start_stacking(tmp_path, "stacked.mkv")
    killed.kill()
    killed.communicate()
    program.wait_until_gone(tmp_path, within_s=30)
    left = hidden(tmp_path)
    assert len(left) == 2
    # Stopped, so that it is alive for as long as the test takes.
    living = start_stacking(tmp_path, "other.mkv")
    living.send_signal(signal.SIGSTOP)
    of_living = hidden(tmp_path) - left
    try:
        again = start_stacking(tmp_path, "stacked.mkv")
        assert not left & hidden(tmp_path)
        again.send_signal(signal.SIGINT)
        again.communicate(timeout=60)
        second = start_stacking(tmp_path, "other.mkv")
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=60)
        assert hidden(tmp_path) == of_living
    finally:
        living.send_signal(signal.SIGCONT)
        living.send_signal(signal.SIGINT)
        living.communicate(timeout=60)
    assert not hidden(tmp_path)


@pytest.mark.anyio
@pytest.mark.parametrize("when", ["looking at copy.avi", "stacking"])
@pytest.mark.parametrize("gone", [True, False])
async def test_a_capture_that_vanishes_or_changes_is_named(when: str, gone: bool, tmp_path: Path) -> None:
    one, other = tape(tmp_path), tmp_path / "copy.avi"
    other.write_bytes(one.read_bytes())
    infos = [await probe(path, ffmpeg=FFMPEG) for path in (one, other)]
    tools = StackTools(ffmpeg=FFMPEG, version="", threads=2, niceness=0, stall_timeout_s=60)

    def spoil(what: str, _done: int, _total: int) -> None:
        if what == when and gone:
            other.unlink(missing_ok=True)
        elif what == when:
            other.write_bytes(b"no video")

    said = "is gone: No such file" if gone else "changed while it was stacked"
    with pytest.raises(VhsBatchError) as failure:
        await stack_captures(infos, tmp_path / "x.mkv", tools, overwrite=False, on_progress=spoil)
    assert f"{other} {said}" in str(failure.value)
    assert {path.name for path in tmp_path.iterdir()} <= {"tape.avi", "copy.avi"}


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    process = start_stacking(tmp_path, "stacked.mkv")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 130
    program.wait_until_gone(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".c")) == [
        "copy.avi",
        "tape.avi",
    ]
