"""`--dry-run`: what is printed, and what it costs to say how long the work will take."""

import json
from pathlib import Path

import pytest

import program
from clips import make_clip

SMALL = (
    "batch",
    "in",
    "out",
    "-p",
    "clean",
    "-r",
    "120",
    "--engine",
    "ffmpeg",
    "--encoder",
    "libx264",
    "--dry-run",
)
INTRA = ("-c:v", "mpeg2video", "-qscale:v", "2", "-c:a", "mp2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two captures of one kind, and one of another size, which breaks off."""
    (tmp_path / "in").mkdir()
    for name, scan in (("a.mkv", "tff"), ("b.mkv", "bff")):
        make_clip(tmp_path / "in" / name, *INTRA, scan=scan, seconds=1, size="160x120")
    broken = make_clip(tmp_path / "in" / "c.avi", *INTRA, seconds=1, size="176x144")
    broken.write_bytes(broken.read_bytes()[:200_000])
    return tmp_path


def test_videos_are_listed_in_order_and_equal_ones_share_a_trial(folder: Path) -> None:
    done = program.run(*SMALL, cwd=folder)
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("[")] == [
        "[1/3] a.mkv -> a_120p.mp4",
        "[2/3] b.mkv -> b_120p.mp4",
        "[3/3] c.avi -> c_120p.mp4",
    ]
    assert sum("of one worker" in line for line in lines) == 2
    assert sum(line.startswith("  would fail: ") for line in lines) == 1
    assert lines[-1].startswith("In all: about ")
    assert done.stderr.count("trying a few frames") == 1
    assert done.returncode == 1
    assert not (folder / "out").exists()
    # What was tried is remembered.
    again = program.run(*SMALL, cwd=folder)
    assert "trying" not in again.stderr
    assert sum("of one worker" in line for line in again.stdout.splitlines()) == 2


def test_results_that_are_kept_are_no_work(folder: Path) -> None:
    (folder / "in" / "c.avi").unlink()
    settings = SMALL[3:-1]
    made = program.run("upscale", "in/a.mkv", "-o", "out/a_120p.mp4", *settings, "--no-tui", cwd=folder)
    assert made.returncode == 0, made.stderr
    for option in ((), ("--skip-existing",)):
        done = program.run(*SMALL, *option, cwd=folder)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[lines.index("[1/2] a.mkv -> a_120p.mp4") + 1].startswith("  kept: ")
        assert sum("of one worker" in line for line in lines) == 1  # the other one's


def test_json_is_json_only(folder: Path) -> None:
    done = program.run(*SMALL, "--json", cwd=folder)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["kind"] for event in events if event["kind"] != "log"]
    assert kinds == ["job_planned", "job_planned", "job_failed", "batch_predicted"]
    assert [event["job_id"] for event in events if event["kind"].startswith("job_")] == [
        "a_120p.mp4",
        "b_120p.mp4",
        "c_120p.mp4",
    ]
    assert all(event["at_s"] > 0 for event in events)
    assert done.stderr == ""
