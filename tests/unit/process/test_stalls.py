"""What counts as moving, of made-up processes."""

import psutil
import pytest

from vhsbatch.process import stalls
from vhsbatch.process.stalls import Activity, activity


class Process:
    """A process, as psutil describes it; one that is not in the table has ended."""

    table: dict[int, "Process"] = {}  # noqa: RUF012 - replaced by each test

    def __init__(self, pid: int) -> None:
        if pid not in self.table:
            raise psutil.NoSuchProcess(pid)
        self.pid = pid
        self.__dict__.update(self.table[pid].__dict__)

    @classmethod
    def made(cls, pid: int, *, cpu_s: float = 0, written: int = 0, children: tuple[int, ...] = ()) -> None:
        process = object.__new__(cls)
        process.__dict__.update(pid=pid, cpu_s=cpu_s, written=written, below=children)
        cls.table[pid] = process

    def cpu_times(self) -> tuple[float, ...]:
        return (self.cpu_s, 0.0, 0.0, 0.0, 99.0)

    def io_counters(self) -> tuple[int, ...]:
        return (5, 5, 0, 0, 0, self.written)

    cpu_s: float
    written: int
    below: tuple[int, ...]


def children_of(pid: int) -> tuple[int, ...]:
    return Process.table[pid].below if pid in Process.table else ()


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "Process", Process)
    monkeypatch.setattr(
        stalls, "children_of", lambda pid: Process.table[pid].below if pid in Process.table else ()
    )
    monkeypatch.setattr(Process, "table", {})


def seen() -> Activity:
    found = activity(frozenset({7}))
    assert found is not None
    return found


def test_what_does_nothing_has_not_moved() -> None:
    Process.made(7)
    assert not seen().has_moved_since(seen(), 900)


def test_bytes_of_a_descendant_count() -> None:
    Process.made(8)
    Process.made(7, children=(8,))
    before = seen()
    Process.made(8, written=1)
    assert seen().has_moved_since(before, 900)


def test_computing_counts_and_waking_up_does_not() -> None:
    Process.made(7)
    before = seen()
    Process.made(7, cpu_s=0.02)
    assert not seen().has_moved_since(before, 900)
    Process.made(7, cpu_s=1000)
    assert seen().has_moved_since(before, 900)


def test_bytes_that_nobody_may_look_at_leave_the_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Process) -> tuple[int, ...]:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(Process, "io_counters", refused)
    Process.made(7)
    before = seen()
    assert not seen().has_moved_since(before, 900)
    Process.made(7, cpu_s=1000)
    assert seen().has_moved_since(before, 900)


def test_nothing_is_known_of_no_process() -> None:
    assert activity(frozenset()) is None
    assert activity(frozenset({7})) is None
