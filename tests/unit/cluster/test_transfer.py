"""Files that are copied from the head, block by block."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from vhsbatch.cluster import transfer
from vhsbatch.cluster.transfer import Copies, read_block
from vhsbatch.errors import ChainError

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "BLOCK_BYTES", 3)


class Head:
    """Answers at once, from files of its own."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.copies: Copies

    def ask(self, message: dict[str, Any]) -> None:
        self.asked.append(message["offset"])
        path = Path(message["want"])
        self.copies.take(message["token"], read_block(path, message["offset"]) if path.exists() else None)


def head_and_copies(folder: Path, *, kept: int = 1) -> tuple[Head, Copies]:
    head = Head()
    head.copies = Copies(folder / "copies", head.ask, kept=kept)
    return head, head.copies


async def test_a_copy_is_made_once_for_all_who_need_it(tmp_path: Path) -> None:
    original = tmp_path / "tape.avi"
    original.write_bytes(b"12345678")
    head, copies = head_and_copies(tmp_path)
    contents = []

    async def use(key: str) -> None:
        async with copies.borrowed(key, str(original), original) as path:
            assert path.suffix == ".avi"
            contents.append(path.read_bytes())

    async with anyio.create_task_group() as group:
        group.start_soon(use, "a")
        group.start_soon(use, "b")
    assert contents == [b"12345678"] * 2
    assert head.asked == [0, 3, 6, 8]


async def test_those_that_nobody_uses_make_room(tmp_path: Path) -> None:
    _, copies = head_and_copies(tmp_path, kept=1)
    for name in ("one.avi", "two.avi", "three.avi"):
        original = tmp_path / name
        original.write_bytes(name.encode())
        async with copies.borrowed("k", str(original), original):
            pass
    (left,) = (tmp_path / "copies").iterdir()
    assert left.read_bytes() == b"three.avi"


async def test_a_source_that_has_gone_is_said(tmp_path: Path) -> None:
    _, copies = head_and_copies(tmp_path)
    with pytest.raises(ChainError, match="cannot read"):
        async with copies.borrowed("k", str(tmp_path / "gone.avi"), tmp_path / "gone.avi"):
            pass


def test_a_block_that_nobody_awaits_is_dropped(tmp_path: Path) -> None:
    _, copies = head_and_copies(tmp_path)
    copies.take("unknown", b"late")
