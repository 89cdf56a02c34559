"""What counts as moving, on a made-up /proc."""

from pathlib import Path

from vhsbatch.process.stalls import Activity, activity

ENTRY = "7 (a name) with) S 1 7 7 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0"


def process(proc: Path, pid: int, *, ticks: int = 0, written: int = 0, children: str = "") -> None:
    task = proc / str(pid) / "task" / str(pid)
    task.mkdir(parents=True, exist_ok=True)
    (task / "children").write_text(children)
    (proc / str(pid) / "stat").write_text(ENTRY.format(ticks=ticks))
    (proc / str(pid) / "io").write_text(f"rchar: 0\nwchar: {written}\nread_bytes: 0\nwrite_bytes: 0\n")


def seen(proc: Path) -> Activity:
    found = activity(frozenset({7}), proc)
    assert found is not None
    return found


def test_what_does_nothing_has_not_moved(tmp_path: Path) -> None:
    process(tmp_path, 7)
    assert not seen(tmp_path).has_moved_since(seen(tmp_path), 900)


def test_bytes_of_a_descendant_count(tmp_path: Path) -> None:
    process(tmp_path, 7, children="8 ")
    process(tmp_path, 8)
    before = seen(tmp_path)
    process(tmp_path, 8, written=1)
    assert seen(tmp_path).has_moved_since(before, 900)


def test_computing_counts_and_waking_up_does_not(tmp_path: Path) -> None:
    process(tmp_path, 7)
    before = seen(tmp_path)
    process(tmp_path, 7, ticks=2)
    assert not seen(tmp_path).has_moved_since(before, 900)
    process(tmp_path, 7, ticks=100_000)
    assert seen(tmp_path).has_moved_since(before, 900)


def test_nothing_is_known_of_no_process(tmp_path: Path) -> None:
    assert activity(frozenset(), tmp_path) is None
    assert activity(frozenset({7}), tmp_path) is None
