"""The QTGMC worker program, failing in every way that it knows, in the middle of a segment."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import program
from clips import make_clip

pytestmark = [pytest.mark.slow, pytest.mark.sampled]

FAKE = Path(__file__).parents[1] / "fakes" / "qtgmc"
OPTIONS = ("-r", "120", "--engine", "ffmpeg", "--deinterlace", "qtgmc", "--json")

CAUSES = {
    "crash": "deinterlace was killed by SIGSEGV",
    "deaf": "no frame in 4 s: the chain was stopped",
    "frozen": "frame 6 came out wrong: it is the one before once more",
    "short": "5 frames of 60 came out",
}


def environment(folder: Path, fault: str) -> dict[str, str]:
    return {
        **program.environment(folder),
        "PYTHONPATH": str(FAKE),
        "FAKE_QTGMC_FAULT": fault,
        "FAKE_QTGMC_ONCE": str(folder / "happened"),
    }


def make_tape(folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "vhsbatch.toml").write_text("stall_timeout_s = 4.0\n")
    clip = folder / "in" / "tape.avi"
    make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=1, size="96x64")


def restored(folder: Path, name: str, fault: str = "") -> list[dict[str, Any]]:
    """The events of a batch into the folder `name`."""
    done = subprocess.run(
        [*program.COMMAND, "batch", "in", name, *OPTIONS],
        cwd=folder,
        env=environment(folder, fault),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    return program.events(done.stdout)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The frames of a run in which nothing failed."""
    folder = tmp_path_factory.mktemp("whole")
    make_tape(folder)
    restored(folder, "out")
    return program.frame_digests(folder / "out" / "tape_120p.mp4")


@pytest.mark.parametrize("fault", CAUSES)
def test_a_fault_costs_an_attempt_and_nothing_else(fault: str, whole: str, tmp_path: Path) -> None:
    make_tape(tmp_path)
    events = restored(tmp_path, "out", fault)
    (failed,) = [event for event in events if event["kind"] == "segment_failed"]
    assert CAUSES[fault] in failed["reason"]
    program.wait_until_gone(tmp_path)
    assert program.frame_digests(tmp_path / "out" / "tape_120p.mp4") == whole


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    make_tape(tmp_path)
    running = subprocess.Popen(
        [*program.COMMAND, "batch", "in", "out", *OPTIONS],
        cwd=tmp_path,
        env=environment(tmp_path, "hang"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline_s = time.monotonic() + program.PATIENCE_S
        while not (tmp_path / "happened").exists():
            assert running.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        children = program.children(running.pid)
        assert any(is_worker(pid) for pid in children)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    deadline_s = time.monotonic() + program.GONE_S
    while left := [pid for pid in children if is_worker(pid)]:
        assert time.monotonic() < deadline_s, f"still there: {left}"
        time.sleep(0.05)


def is_worker(pid: int) -> bool:
    try:
        return b"qtgmc_worker.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
