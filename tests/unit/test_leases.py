"""Leases of several runs on one folder; each run is an object here, as each has a file of its own."""

import fcntl
import json
import os
from pathlib import Path

import pytest

from vhsbatch import leases as module
from vhsbatch.errors import OutputFolderError
from vhsbatch.leases import Leases
from vhsbatch.liveness import LOST_S
from vhsbatch.scheduling.claims import Free, Held, Made

OUT = Path("out")


def begun(folder: Path, name: str) -> Leases:
    run = Leases(folder, name)
    run.begin(OUT)
    return run


def kill(run: Leases) -> None:
    """As the kernel does: its lock goes, its files stay."""
    os.close(run._lock)
    run._lock = os.open(os.devnull, os.O_RDONLY)


def pretend_elsewhere(folder: Path, name: str) -> Path:
    """Let a run be of another machine, whose locks say nothing here."""
    file = folder / "runs" / f"{name}.json"
    content = json.loads(file.read_text()) | {"boot_id": "another", "host": "there", "pid": 7}
    file.write_text(json.dumps(content))
    return file


def test_a_video_is_one_runs_at_a_time(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    assert one.take("a") == Free()
    assert one.take("a") == Free()
    assert isinstance(two.take("a"), Held)
    assert isinstance(two.look("a"), Held)
    assert one.owns("a")
    assert not two.owns("a")
    assert two.take("b") == Free()
    one.release("a", made=False)
    assert two.take("a") == Free()
    one.end()
    two.end()


def test_a_run_that_begins_while_another_does_makes_none_of_its_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, second = fcntl.flock, list[Leases]()

    def begin_another_before_the_lock(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        second.append(begun(tmp_path, "two"))
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", begin_another_before_the_lock)
    one = begun(tmp_path, "one")
    assert one.take("a") == Free()
    assert isinstance(second[0].take("a"), Held)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["one.json", "two.json"]


def test_what_was_published_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    one.release("a", made=True)
    assert isinstance(two.take("a"), Made)
    assert isinstance(two.look("a"), Made)
    assert not two.owns("a")
    one.end()
    assert isinstance(two.take("a"), Made)
    two.end()
    # A run that begins afterwards has planned with it there, and may want it anew.
    assert begun(tmp_path, "three").take("a") == Free()


def test_a_run_may_make_its_own_video_again(tmp_path: Path) -> None:
    one = begun(tmp_path, "one")
    one.take("a")
    one.release("a", made=False)
    assert one.take("a") == Free()


def test_the_lease_of_a_dead_process_counts_for_nothing(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    kill(one)
    assert two.look("a") == Free()
    assert two.take("a") == Free()
    assert not one.owns("a")
    assert two.others() == ()


def test_the_lease_of_a_host_that_is_not_heard_of_expires(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    file = pretend_elsewhere(tmp_path, "one")
    assert two.take("a") == Held("there (process 7)")
    assert two.others() == ("there (process 7)",)
    long_ago_s = file.stat().st_mtime - LOST_S - 1
    os.utime(file, (long_ago_s, long_ago_s))
    assert two.take("a") == Free()
    assert not one.owns("a")
    # When it comes back, it must not touch what is another's now.
    one.release("a", made=False)
    assert two.owns("a")


def test_a_run_that_renews_itself_lives(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    file = pretend_elsewhere(tmp_path, "one")
    os.utime(file, (0, 0))
    one.renew()
    assert isinstance(two.take("a"), Held)


def test_what_dead_runs_left_is_cleared_away(tmp_path: Path) -> None:
    dead, living = begun(tmp_path, "dead"), begun(tmp_path, "living")
    for name in ("dead", "living", "long-gone"):
        (tmp_path / f"{module.PUBLISHING}{name}").mkdir()
        (tmp_path / f"{module.PUBLISHING}{name}" / "a.part").touch()
    kill(dead)
    begun(tmp_path, "new")
    left = sorted(path.name for path in tmp_path.glob(f"{module.PUBLISHING}*"))
    assert left == [f"{module.PUBLISHING}living"]
    assert not (tmp_path / "runs" / "dead.json").exists()
    living.end()


def test_damaged_files_hold_nothing(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    (tmp_path / "runs" / "one.json").write_text("{")
    assert two.take("a") == Free()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputFolderError, match="cannot write to the output folder out"):
        begun(tmp_path / "file", "one")
