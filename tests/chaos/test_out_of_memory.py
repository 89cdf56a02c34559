"""Memory that really runs out: a control group of our own, in which the kernel kills."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip

pytestmark = pytest.mark.slow

# The two places of a control group's memory limit.
_LIMITS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
    (Path("/sys/fs/cgroup"), "memory.max"),
)
# A group would swap instead of running out, where there is swap: its limit of memory and swap, or of swap.
_SWAP = (("memory.memsw.limit_in_bytes", 1), ("memory.swap.max", 0))


@contextmanager
def little_memory(mib: int) -> Iterator[Path]:
    """A control group that may take so much; yields where processes join it."""
    parent, limit = next((pair for pair in _LIMITS if (pair[0] / "cgroup.procs").exists()), _LIMITS[1])
    group = parent / f"vhsbatch-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(mib * 2**20))
        for name, share in _SWAP:
            if (group / name).exists():
                (group / name).write_text(str(share * mib * 2**20))
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"a control group of our own needs root and a kernel that limits memory: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def test_a_batch_that_runs_out_of_memory_goes_on_with_a_lane_less(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "meeting").mkdir()
    (tmp_path / "vhsbatch.toml").write_text(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    for number in (1, 2):
        make_clip(tmp_path / "in" / f"tape{number}.dv", "-target", "ntsc-dv", scan="bff", seconds=1)
    hungry = {
        "FAKE_FFMPEG_REAL": FFMPEG,
        "FAKE_FFMPEG_FAULT": "hog",
        "FAKE_FFMPEG_GATE": str(tmp_path / "meeting"),
        "FAKE_FFMPEG_MIB": "300",
    }
    # This program and one such encoder have room there, two have not.
    with little_memory(600) as joins:
        done = subprocess.run(
            [
                *("sh", "-c", 'echo $$ > "$0"; exec "$@"', joins, *program.COMMAND),
                *("batch", "in", "out", "-r", "240", "--parallel", "2", "--json"),
            ],
            cwd=tmp_path,
            env={**program.environment(tmp_path), **hungry},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    events = program.events(done.stdout)
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    failed = [event for event in events if event["kind"] == "segment_failed"]
    assert failed, "memory was not short"
    assert all(event["reason"].startswith("out of memory: the system ended encode") for event in failed)
    assert not failed[0]["counts_as_attempt"]
    (changed,) = [event for event in events if event["kind"] == "lanes_changed"]
    assert (changed["lanes"], changed["reason"]) == (1, "the system ran out of memory")
