"""Recordings in several files: what is restored of them equals what is restored of the file that was cut."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import program
from clips import FFMPEG, ffmpeg

# Nothing is changed, so that every frame and every sample can be compared.
PRESET = """\
[own]
segment_s = 2
target_height = 240
container = "mkv"
[own.video]
encoder = "ffv1"
[own.denoise]
method = "none"
[own.sharpen]
amount = 0.0
"""
AN_HOUR_S = 3600
# The program, with a limit that small files reach.
SMALL = "import vhsbatch.batch.parts as p; p.LIMITS_BYTES = ({},); import vhsbatch.cli as c; c.main()"


def make_recording(path: Path, *codec: str) -> Path:
    rate = "30000/1001" if path.suffix in (".avi", ".mp4") else "25"
    picture = f"testsrc2=s=320x240:r={rate}:d=6"
    sound = "aevalsrc=0.5*sin(880*t*t):s=48000:d=6"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-g", "12", *codec, path)
    return path


def in_bytes(whole: Path, folder: Path, names: list[str], *, unit: int) -> list[Path]:
    """Cut a file as a recorder does that begins a new file at a size."""
    data = whole.read_bytes()
    size = len(data) // len(names) // unit * unit
    ends = [*range(size, size * len(names), size), len(data)]
    paths = [folder / name for name in names]
    for path, start, end in zip(paths, [0, *ends], ends, strict=False):
        path.write_bytes(data[start:end])
    return aged(paths)


def in_clips(whole: Path, folder: Path, pattern: str) -> list[Path]:
    """Cut a file as a recorder does that gives each file a header of its own."""
    options = ("-f", "segment", "-segment_time", "2", "-reset_timestamps", "1")
    ffmpeg("-i", whole, "-map", "0", "-c", "copy", *options, "-segment_start_number", "1", folder / pattern)
    return aged(sorted(folder.glob(pattern.replace("%02d", "*"))))


def aged(paths: list[Path]) -> list[Path]:
    then_s = time.time() - AN_HOUR_S
    for path in paths:
        os.utime(path, (then_s, then_s))
    return paths


def decoded(path: Path, stream: str) -> list[str]:
    """The digest of each frame, or of all samples."""
    how = ("-f", "framemd5") if stream == "v" else ("-c:a", "pcm_s16le", "-f", "md5")
    done = subprocess.run(
        [FFMPEG, "-v", "error", "-i", str(path), "-map", f"0:{stream}", *how, "-"],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    return [line.split()[-1] for line in done.stdout.splitlines() if not line.startswith("#")]


def batch(folder: Path, *more: str, limit_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(PRESET)
    how = ("batch", "in", "out", "-p", "own", "--engine", "ffmpeg", "--no-tui", *more)
    if limit_bytes is None:
        return program.run(*how, cwd=folder)
    return subprocess.run(
        [sys.executable, "-c", SMALL.format(limit_bytes), *how],
        cwd=folder, env=program.environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip


MPEG = ("-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2")
HUFFYUV, MPEG4 = (("-c:v", codec, "-c:a", "pcm_s16le") for codec in ("huffyuv", "mpeg4"))
# By what the result is called after: the codec, the parts, what they are cut into, and what is said.
CUT = {
    "clock_1_joined": (MPEG, "clock_{}.mpg", 2048, "the clock goes on from one to the next"),
    "00001_joined": (MPEG, "0000{}.MTS", 188, "the clock goes on from one to the next"),
    "VTS_02": (MPEG, "VTS_02_{}.VOB", 2048, "the parts of a DVD title"),
    "tape_01_joined": (
        ("-c:v", "huffyuv", "-c:a", "pcm_s16le"),
        "tape_%02d.avi",
        0,
        "each but the last just below 0 GiB",
    ),
    "GH010007_joined": (
        ("-c:v", "mpeg4", "-c:a", "pcm_s16le"),
        "GH%02d0007.mov",
        0,
        "chapters of one GoPro recording",
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_what_was_cut_is_joined_without_losing_a_frame_or_a_sample(name: str, tmp_path: Path) -> None:
    codec, names, unit, evidence = CUT[name]
    captures = tmp_path / "in"
    captures.mkdir()
    suffix = names.rpartition(".")[2].lower()
    whole = make_recording(captures / f"whole.{suffix}", *codec)
    if unit:
        parts = in_bytes(whole, captures, [names.format(number) for number in (1, 2, 3)], unit=unit)
    else:
        parts = in_clips(whole, captures, names)
    limit_bytes = None
    if suffix == "avi":
        limit_bytes = max(path.stat().st_size for path in parts) + 1000
        for path in parts[:-1]:
            os.truncate(path, limit_bytes - 500)
    aged([whole, *parts])

    done = batch(tmp_path, limit_bytes=limit_bytes)

    assert done.returncode == 0, done.stdout + done.stderr
    files = f"{parts[0].name} to {parts[-1].name} (3 files, {evidence})"
    assert f"joined: {files}; --join none restores each by itself" in done.stdout + done.stderr
    out = tmp_path / "out"
    unsplit, joined = out / "whole_240p.mkv", out / f"{name}_240p.mkv"
    assert sorted(out.glob("*.mkv")) == sorted([unsplit, joined])
    assert decoded(joined, "v") == decoded(unsplit, "v")
    assert decoded(joined, "a") == decoded(unsplit, "a")
    recorded = [
        json.loads(result.with_name(f"{result.name}.json").read_text())["parts"]
        for result in (unsplit, joined)
    ]
    of_joined = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in parts]
    assert [[tuple(part.values()) for part in each] for each in recorded] == [[], of_joined]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clock_1_joined", "tape_01_joined"])
def test_a_kill_in_the_middle_costs_a_joined_recording_nothing(name: str, tmp_path: Path) -> None:
    codec, names, unit, _ = CUT[name]
    suffix = names.rpartition(".")[2]
    whole = make_recording(tmp_path / f"whole.{suffix}", *codec)
    (tmp_path / "in").mkdir()
    if unit:
        in_bytes(whole, tmp_path / "in", [names.format(number) for number in (1, 2, 3)], unit=unit)
    else:
        in_clips(whole, tmp_path / "in", "GH%02d0007.avi")
    before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    assert batch(tmp_path).returncode == 0
    (result,) = (tmp_path / "out").glob("*_joined_240p.mkv")
    frames = program.frame_digests(result)
    shutil.rmtree(tmp_path / "out")

    how = ("batch", "in", "out", "-p", "own", "--engine", "ffmpeg", "--parallel", "1", "--json")
    finished = []
    for more in ((), ("--resume",)):
        process = program.start(*how, *more, cwd=tmp_path)
        event = program.wait_for_event(process, "segment_finished")
        finished.append((event["job_id"], event["segment"]))
        process.kill()
        process.communicate(timeout=program.PATIENCE_S)
        program.wait_until_gone(tmp_path)
    done = program.run(*how, "--resume", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert program.frame_digests(result) == frames
    last = [event for event in program.events(done.stdout) if event["kind"] == "segment_finished"]
    finished += [(event["job_id"], event["segment"]) for event in last]
    assert sorted(finished) == sorted(set(finished))
    assert {path: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before


def test_tapes_that_are_numbered_stay_apart(tmp_path: Path) -> None:
    captures = tmp_path / "in"
    captures.mkdir()
    for name in ("day1_001.avi", "day1_002.avi", "day_001.mpg", "day_002.mpg"):
        codec = "huffyuv" if name.endswith("avi") else "mpeg2video"
        aged([make_recording(captures / name, "-c:v", codec, "-an")])
    done = batch(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "joined" not in done.stdout + done.stderr
    assert len(list((tmp_path / "out").glob("*.mkv"))) == 4


@pytest.fixture
def chapters(tmp_path: Path) -> list[Path]:
    captures = tmp_path / "in"
    captures.mkdir()
    whole = make_recording(tmp_path / "action.mp4", "-c:v", "mpeg4", "-an")
    return in_clips(whole, captures, "GH%02d0007.mp4")


def test_each_file_is_restored_by_itself_if_that_is_asked_for(chapters: list[Path], tmp_path: Path) -> None:
    done = batch(tmp_path, "--join", "none")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "joined" not in done.stdout + done.stderr
    made = sorted(path.name for path in (tmp_path / "out").glob("*.mkv"))
    assert made == [f"{path.stem}_240p.mkv" for path in chapters]


def test_a_recording_that_has_grown_is_restored_again_and_an_unchanged_one_is_kept(
    chapters: list[Path], tmp_path: Path
) -> None:
    last = chapters[-1].rename(tmp_path / "later.mp4")
    middle = chapters[-2].rename(tmp_path / "soon.mp4")
    result = tmp_path / "out" / "GH010007_joined_240p.mkv"
    assert batch(tmp_path).returncode == 0
    aged([middle.rename(chapters[-2])])
    joined = batch(tmp_path)
    assert joined.returncode == 0
    alone = "GH010007_240p.mkv was made of GH010007.mp4 alone, before all parts were joined: remove it if"
    assert f"{alone} {result.name} is what you want" in joined.stderr
    frames = len(decoded(result, "v"))
    kept = batch(tmp_path)
    assert kept.returncode == 0
    assert "kept 1 result" in kept.stdout + kept.stderr
    aged([last.rename(chapters[-1])])
    assert batch(tmp_path).returncode == 0
    assert len(decoded(result, "v")) > frames


def test_a_result_is_kept_from_parts_that_change_places_or_go(chapters: list[Path], tmp_path: Path) -> None:
    result = tmp_path / "out" / "GH010007_joined_240p.mkv"
    assert batch(tmp_path).returncode == 0
    frames = decoded(result, "v")
    spare = chapters[1].rename(tmp_path / "spare.mp4")
    chapters[2].rename(chapters[1])
    spare.rename(chapters[2])
    assert batch(tmp_path, "--skip-existing").returncode == 0
    changed = decoded(result, "v")
    assert changed != frames
    assert sorted(changed) == sorted(frames)
    last = chapters[2].rename(spare)
    content = result.read_bytes()
    for more in ((), ("--resume",), ("--skip-existing",)):
        done = batch(tmp_path, *more)
        assert done.returncode != 0
        assert "was made of 3 files, of which GH030007.mp4 is missing now (put it back" in done.stderr
        assert result.read_bytes() == content
    # The record beside it says as much as the journal.
    shutil.rmtree(result.parent / ".vhsbatch")
    done = batch(tmp_path)
    assert "was made of 3 files, of which GH030007.mp4 is missing now (put it back" in done.stdout
    assert result.read_bytes() == content
    verified = program.run("verify", "out", cwd=tmp_path)
    assert "as recorded; made of 3 files" in verified.stdout
    last.rename(chapters[2])
    kept = batch(tmp_path)
    assert "kept 1 result" in kept.stdout + kept.stderr


def test_what_is_wrong_with_a_part_names_it_and_the_way_out(chapters: list[Path], tmp_path: Path) -> None:
    chapters[1].write_bytes(b"no video" * 1000)
    aged(chapters)
    done = batch(tmp_path)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "its part GH020007.mp4: it is not a video" in said
    chapters[1].unlink()
    done = batch(tmp_path)
    assert done.returncode == 0
    assert len(list((tmp_path / "out").glob("*.mkv"))) == 2
    gap = "GH020007.mp4, which comes {} it, is not there"
    for name, where in (("GH010007.mp4", "after"), ("GH030007.mp4", "before")):
        assert f"{name} may lack a part: {gap.format(where)}" in done.stderr
