"""Leases of several runs on one folder; each run is an object here, as each has a file of its own."""

import errno
import fcntl
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vhsbatch.batch import leases as module
from vhsbatch.batch.leases import Leases
from vhsbatch.errors import OutputFolderError
from vhsbatch.process.heartbeat import LOST_S
from vhsbatch.scheduling.claims import Completed, Free, Held

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
    assert isinstance(two.take("a"), Completed)
    assert isinstance(two.look("a"), Completed)
    assert not two.owns("a")
    one.end()
    assert isinstance(two.take("a"), Completed)
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


def test_a_run_whose_disk_was_away_and_is_mounted_again_lives(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    one = begun(folder, "one")
    assert one.take("a") == Free()
    away = folder.rename(tmp_path / "away")
    one.renew()
    shutil.copytree(away, folder)
    one.renew()
    two = begun(folder, "two")
    assert isinstance(two.take("a"), Held)
    one.end()
    two.end()


def test_what_dead_runs_left_is_cleared_away(tmp_path: Path) -> None:
    dead, living = begun(tmp_path, "dead"), begun(tmp_path, "living")
    for name in ("dead", "living", "long-gone"):
        (tmp_path / f"{module.PUBLISHING}{name}").mkdir()
        (tmp_path / f"{module.PUBLISHING}{name}" / "a.part").touch()
    for name in ("dead", "living"):
        (tmp_path / "leases" / f"0123.{name}").mkdir()
        (tmp_path / "leases" / f"0123.{name}" / name).touch()
    kill(dead)
    begun(tmp_path, "new")
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["0123.living"]
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


def refuse(*_arguments: object, **_options: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_file_system_without_links_and_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module_of, name in ((os, "link"), (os, "chmod"), (fcntl, "flock")):
        monkeypatch.setattr(module_of, name, refuse)
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    assert one.take("a") == Free()
    assert isinstance(two.take("a"), Held)
    one.release("a", made=False)
    assert two.take("a") == Free()
    # Nobody can tell from a lock that this run of this machine is dead: its time says it.
    kill(two)
    assert isinstance(one.take("a"), Held)
    os.utime(tmp_path / "runs" / "two.json", (0, 0))
    assert one.take("a") == Free()


@pytest.mark.parametrize("expired", [False, True])
def test_of_many_runs_that_want_a_video_one_gets_it(*, expired: bool, tmp_path: Path) -> None:
    runs = [begun(tmp_path, f"run{number}") for number in range(8)]
    with ThreadPoolExecutor(len(runs)) as threads:
        for job_id in map(str, range(20)):
            if expired:
                dead = begun(tmp_path, f"dead{job_id}")
                dead.take(job_id)
                kill(dead)
            answers = list(threads.map(lambda run, job_id=job_id: run.take(job_id), runs))
            assert sum(answer == Free() for answer in answers) == 1
            assert [run.owns(job_id) for run in runs] == [answer == Free() for answer in answers]


def test_what_takes_an_expired_lease_away_leaves_that_of_the_run_that_was_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, slow, fast = (begun(tmp_path, name) for name in ("dead", "slow", "fast"))
    dead.take("a")
    kill(dead)
    remove = module._remove

    def be_overtaken(lease: Path, run_id: str) -> None:
        monkeypatch.setattr(module, "_remove", remove)
        assert fast.take("a") == Free()
        remove(lease, run_id)

    monkeypatch.setattr(module, "_remove", be_overtaken)
    assert isinstance(slow.take("a"), Held)
    assert fast.owns("a")


def test_the_lease_of_an_earlier_version_counts(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    two._lease("a").write_text("one")
    assert isinstance(two.take("a"), Held)
    kill(one)
    assert two.take("a") == Free()


def test_a_mark_counts_whatever_the_clock_says(tmp_path: Path) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    one.release("a", made=True)
    os.utime(two._mark("a"), (0, 0))  # the clock was set back meanwhile
    assert isinstance(two.take("a"), Completed)


def test_a_time_in_the_future_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    file = pretend_elsewhere(tmp_path, "one")
    # Written before the clock was set back: as it is not renewed, the run is dead.
    day_s = 86400
    os.utime(file, (time.time() + day_s, time.time() + day_s))
    assert isinstance(two.take("a"), Held)
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + LOST_S - 1)
    assert isinstance(two.take("a"), Held)
    os.utime(file, (time.time() + 2 * day_s, time.time() + 2 * day_s))
    assert isinstance(two.take("a"), Held)
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 2 * LOST_S - 2)
    assert isinstance(two.take("a"), Held)
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 2 * LOST_S)
    assert two.take("a") == Free()


def test_a_run_whose_file_only_it_may_read_lives_by_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = begun(tmp_path, "one"), begun(tmp_path, "two")
    one.take("a")
    file = tmp_path / "runs" / "one.json"
    read = Path.read_text

    def locked(path: Path, **options: str) -> str:
        if path == file:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path, **options)

    monkeypatch.setattr(Path, "read_text", locked)
    assert isinstance(two.take("a"), Held)
    os.utime(file, (0, 0))
    assert two.take("a") == Free()
