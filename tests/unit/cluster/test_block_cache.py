"""The head's files on another machine: what is needed of them is sent, once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from vhsbatch.cluster import block_cache as module
from vhsbatch.cluster import files
from vhsbatch.cluster.block_cache import BlockCache
from vhsbatch.cluster.files import Block, proven_block
from vhsbatch.errors import ChainError, MachineLostError

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 3)


class Head:
    """Answers from files of its own, at once unless it is slow."""

    def __init__(self, *, slow: bool = False) -> None:
        self.asked: list[int] = []
        self.unanswered: list[dict[str, Any]] = []
        self.slow = slow
        self.on_the_way: Callable[[Block], Block] = lambda block: block
        self.block_cache: BlockCache

    def ask(self, message: dict[str, Any]) -> None:
        self.asked.append(message["block"])
        self.unanswered.append(message)
        if not self.slow:
            self.answer()

    def answer(self) -> None:
        message = self.unanswered.pop()
        path = Path(message["want"])
        block = proven_block(path, message["block"]) if path.exists() else None
        self.block_cache.take(message["token"], block if block is None else self.on_the_way(block))


def head_and_copies(folder: Path, *, kept: int = 1, slow: bool = False) -> tuple[Head, BlockCache]:
    head = Head(slow=slow)
    head.block_cache = BlockCache(folder / "copies", head.ask, kept=kept)
    return head, head.block_cache


def tape(folder: Path, name: str = "tape.avi", content: bytes = b"12345678") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def test_only_the_blocks_that_are_needed_are_sent(tmp_path: Path) -> None:
    head, block_cache = head_and_copies(tmp_path)
    original = tape(tmp_path)
    with block_cache.borrowed(original, "k", str(original), ".avi") as borrowed_file:
        assert [await borrowed_file.block(number) for number in (2, 0, 2, 7)] == [b"78", b"123", b"78", b""]
    assert head.asked == [2, 0, 7]


async def test_a_whole_file_is_sent_once_for_all_who_need_it(tmp_path: Path) -> None:
    head, block_cache = head_and_copies(tmp_path)
    original = tape(tmp_path)
    contents = []

    async def use(key: str) -> None:
        with block_cache.borrowed(original, key, str(original), ".avi") as borrowed_file:
            path = await borrowed_file.whole()
            assert path.suffix == ".avi"
            contents.append(path.read_bytes())

    async with anyio.create_task_group() as group:
        group.start_soon(use, "a")
        group.start_soon(use, "b")
    assert contents == [b"12345678"] * 2
    assert sorted(head.asked) == [0, 1, 2]


async def test_whoever_waits_for_a_block_gets_it_when_the_first_is_stopped(tmp_path: Path) -> None:
    head, block_cache = head_and_copies(tmp_path, slow=True)
    original = tape(tmp_path)
    blocks = []

    async def use(key: str, scope: anyio.CancelScope) -> None:
        with scope, block_cache.borrowed(original, key, str(original), ".avi") as borrowed_file:
            blocks.append(await borrowed_file.block(0))

    first, second = anyio.CancelScope(), anyio.CancelScope()
    async with anyio.create_task_group() as group:
        group.start_soon(use, "first", first)
        group.start_soon(use, "second", second)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        assert [message["key"] for message in head.unanswered] == ["first", "second"]
        head.answer()
    assert blocks == [b"123"]


async def test_those_that_nobody_uses_make_room(tmp_path: Path) -> None:
    _, block_cache = head_and_copies(tmp_path, kept=1)
    for name in ("one.avi", "two.avi", "three.avi"):
        original = tape(tmp_path, name, name.encode())
        with block_cache.borrowed(original, "k", str(original), ".avi") as borrowed_file:
            await borrowed_file.whole()
    (left,) = (tmp_path / "copies").iterdir()
    assert left.read_bytes() == b"three.avi"


async def test_a_source_that_has_gone_is_said(tmp_path: Path) -> None:
    _, block_cache = head_and_copies(tmp_path)
    with block_cache.borrowed("gone", "k", str(tmp_path / "gone.avi"), ".avi") as borrowed_file:
        missing = borrowed_file.block(0)
        with pytest.raises(ChainError, match="cannot read"):
            await missing


@pytest.mark.parametrize("arrived", [b"", b"12", b"124", b"1234"])
async def test_a_block_that_is_not_what_was_sent_is_refused(arrived: bytes, tmp_path: Path) -> None:
    head, block_cache = head_and_copies(tmp_path)
    head.on_the_way = lambda block: replace(block, data=arrived)
    original = tape(tmp_path)
    with block_cache.borrowed(original, "k", str(original), ".avi") as borrowed_file:
        with pytest.raises(ChainError, match="changed on its way"):
            await borrowed_file.block(0)
        head.on_the_way = lambda block: block
        assert await borrowed_file.block(0) == b"123"


async def test_a_block_that_the_disk_has_lost_is_sent_again(tmp_path: Path) -> None:
    head, block_cache = head_and_copies(tmp_path)
    original = tape(tmp_path)
    with block_cache.borrowed(original, "k", str(original), ".avi") as borrowed_file:
        await borrowed_file.block(1)
        (copy,) = (tmp_path / "copies").iterdir()
        copy.write_bytes(b"123x56")
        assert await borrowed_file.block(1) == b"456"
    assert head.asked == [1, 1]


async def test_a_head_that_is_silent_is_no_failure_of_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANSWER_S", 0.01)
    _, block_cache = head_and_copies(tmp_path, slow=True)
    with block_cache.borrowed("tape", "k", "tape", ".avi") as borrowed_file:
        silent = borrowed_file.block(0)
        with pytest.raises(MachineLostError, match="sent nothing"):
            await silent


def test_a_block_that_nobody_awaits_is_dropped(tmp_path: Path) -> None:
    _, block_cache = head_and_copies(tmp_path)
    block_cache.take("unknown", None)
