"""How much space is free, whatever folders and shares do meanwhile."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from vhsbatch.scheduling.disk_space import DiskSpace, free_for


def refusing(folder: Path, number: int) -> Callable[[Path], SimpleNamespace]:
    """What asks for free space, and fails for one folder."""

    def usage(path: Path) -> SimpleNamespace:
        if path == folder:
            raise OSError(number, "refused", str(path))
        return SimpleNamespace(free=1000)

    return usage


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE, errno.EIO, errno.ENOTCONN])
def test_a_folder_that_goes_while_it_is_asked_counts_as_the_one_above(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(shutil, "disk_usage", refusing(out, number))
    assert free_for(out) == (tmp_path, 1000)
    assert DiskSpace((out,), least_bytes=1).lack() is None
    assert DiskSpace((out,), least_bytes=1001).lack() is not None


@pytest.mark.parametrize(
    ("number", "is_away"),
    [(errno.ENOTCONN, True), (errno.EIO, True), (errno.EMFILE, False), (errno.EACCES, False)],
)
def test_a_disk_is_asked_and_not_what_is_remembered_of_it(
    number: int, is_away: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that was just pulled out: for a second, a file's attributes are still told."""

    def scandir(path: object) -> None:
        raise OSError(number, "says the disk", str(path))

    mark = tmp_path / "mark"
    mark.touch()
    disks = DiskSpace((tmp_path,), least_bytes=0, marks=(tmp_path, mark))
    assert disks.away() is None
    monkeypatch.setattr("os.scandir", scandir)
    assert (disks.away() is not None) == is_away


def test_a_mark_that_cannot_be_asked_for_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a share whose server has restarted."""

    def stat(path: object, **_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    mark = tmp_path / "mark"
    monkeypatch.setattr("os.stat", stat)
    monkeypatch.setattr(Path, "stat", stat)
    why = DiskSpace((tmp_path,), least_bytes=0, marks=(mark,)).away()
    assert why is not None
    assert "is away" in why
