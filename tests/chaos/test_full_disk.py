"""A disk that is really full: a small file system of our own."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import program
from clips import make_clip

pytestmark = [pytest.mark.slow, pytest.mark.sampled]


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """Mount a file system of `size` on `folder`; yields what gives it another size."""

    def mount(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mount", *options, "tmpfs", folder], capture_output=True, text=True, check=False
        )

    folder.mkdir()
    done = mount("-t", "tmpfs", "-o", f"size={size}")
    if done.returncode != 0:
        pytest.skip(f"a file system of our own needs root: {done.stderr.strip()}")
    try:
        yield lambda size: mount("-o", f"remount,size={size}").check_returncode()
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Write a file that takes the last byte of a disk."""
    rest = folder / "rest"
    with rest.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(2**20))
    return rest


@pytest.mark.parametrize("full", ["from the beginning", "in the middle"])
def test_a_full_disk_fails_nothing_and_the_batch_goes_on_when_there_is_room(
    full: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number in (1, 2):
        make_clip(tmp_path / "in" / f"tape{number}.dv", "-target", "ntsc-dv", scan="bff", seconds=1)
    least = 16 if full == "from the beginning" else 1
    (tmp_path / "vhsbatch.toml").write_text(f"min_free_mib = {least}\nstall_timeout_s = 60.0\n")
    with small_disk(tmp_path / "out", "4m") as resize:
        process = program.start(
            *("batch", "in", "out", "-r", "720", "--crf", "4", "--parallel", "2", "--json"), cwd=tmp_path
        )
        paused = program.wait_for_event(process, "batch_paused")
        assert paused["reason"].startswith("only ")
        assert os.statvfs(tmp_path / "out").f_bavail < 4 * 2**20 // 4096
        resize("400m")
        stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
        assert process.returncode == 0, stdout[-3000:] + stderr
        kinds = [event["kind"] for event in program.events(stdout)]
        assert "batch_continued" in kinds
        assert "job_failed" not in kinds
        assert program.run("verify", "out", cwd=tmp_path).returncode == 0


def test_what_ends_while_there_is_not_one_byte_left_is_told_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in (1, 2, 3):
        make_clip(tmp_path / "in" / f"tape{number}.dv", "-target", "ntsc-dv", scan="bff", seconds=1)
    (tmp_path / "vhsbatch.toml").write_text("min_free_mib = 1\n")
    with small_disk(tmp_path / "out", "40m"):
        process = program.start(
            *("batch", "in", "out", "-r", "720", "--parallel", "1", "--json"), cwd=tmp_path
        )
        # The others have to be planned while the disk is full.
        program.wait_for_event(process, "segment_started")
        rest = fill(tmp_path / "out")
        program.wait_for_event(process, "segment_failed")
        rest.unlink()
        stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0, stdout[-3000:] + stderr
    kinds = [event["kind"] for event in program.events(stdout)]
    assert "job_failed" not in kinds
    assert kinds.count("job_published") == 3
