"""A worker's folder, and what is left of those that were killed."""

import os
from pathlib import Path

import pytest

from vhsbatch.cluster.workdir import own_place
from vhsbatch.process.heartbeat import announce, this_process

pytestmark = pytest.mark.anyio


def left_by(parent: Path, name: str) -> tuple[Path, int]:
    """The folder of a worker, with something in it, and the lock that says that it lives."""
    folder = parent / f"vhsbatch-worker-{name}"
    lock = announce(this_process(name), folder.with_suffix(".json"))
    folder.mkdir()
    (folder / "copy.avi").touch()
    return folder, lock


async def test_it_is_private_and_goes_with_the_worker(tmp_path: Path) -> None:
    async with own_place(tmp_path) as folder:
        (folder / "copy.avi").touch()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


async def test_what_killed_workers_left_is_cleared_away(tmp_path: Path) -> None:
    living, lock = left_by(tmp_path, "living")
    dead, dead_lock = left_by(tmp_path, "dead")
    os.close(dead_lock)
    (tmp_path / "vhsbatch-else").mkdir()
    async with own_place(tmp_path):
        assert not dead.exists()
        assert living.exists()
    os.close(lock)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "vhsbatch-else",
        "vhsbatch-worker-living",
        "vhsbatch-worker-living.json",
    ]


async def test_a_failing_worker_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no scheduler"):
        async with own_place(tmp_path):
            raise OSError("no scheduler")
    assert list(tmp_path.iterdir()) == []
