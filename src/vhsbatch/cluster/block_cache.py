"""The head's files on a machine that shares no folder with it: each block is sent once, when it is needed.

A worker asks for a block in a message, and the head hands it over. All of it goes the way of Dask's own
messages, so no other connection is needed.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import anyio
import anyio.to_thread

from vhsbatch.cluster import files
from vhsbatch.cluster.files import Block, digest, read_block, write_block
from vhsbatch.errors import ChainError, MachineLostError

_ANSWER_S = 60.0

# Asks the head: what is wanted, for which task.
Ask = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class _Copy:
    """A file, of which the blocks in `present` are there, each with its digest."""

    path: Path
    present: dict[int, str] = field(default_factory=dict)
    locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    users: int = 0


class BlockCache:
    """The head's files of which this machine has parts; those that nobody uses make room for others."""

    def __init__(self, folder: Path, ask: Ask, *, kept: int) -> None:
        """Create a store.

        Args:
            folder: where copies go.
            ask: sends a message to the head.
            kept: how many copies are kept that nobody uses at the moment.
        """
        self._folder = folder
        self._ask = ask
        self._kept = kept
        self._block_cache: dict[Hashable, _Copy] = {}
        self._awaited: dict[str, asyncio.Future[Block]] = {}

    @contextmanager
    def borrowed(self, identity: Hashable, key: str, name: str, suffix: str) -> Iterator["BorrowedFile"]:
        """A file of the head's, for as long as a task needs it.

        Args:
            identity: the same for all tasks that need the same file in the same state.
            key: the task.
            name: by which name the head knows the file.
            suffix: the ending of its name, which says what is in it.
        """
        copy = self._block_cache.pop(identity, None) or self._new(suffix)
        self._block_cache[identity] = copy  # the last one is the one that was used last
        copy.users += 1
        try:
            yield BorrowedFile(copy, lambda number: self._fetch(key, name, number))
        finally:
            copy.users -= 1
            self._evict()

    def _new(self, suffix: str) -> _Copy:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _Copy(self._folder / f"{uuid.uuid4().hex}{suffix}")

    async def _fetch(self, key: str, name: str, number: int) -> Block:
        token = uuid.uuid4().hex
        answer = self._awaited[token] = asyncio.get_running_loop().create_future()
        self._ask({"key": key, "want": name, "block": number, "token": token})
        try:
            return await asyncio.wait_for(answer, _ANSWER_S)
        except TimeoutError as error:
            # It was asked by way of the scheduler, which may have lost that: no fault of the video.
            raise MachineLostError(f"the head has sent nothing for {_ANSWER_S:g} s") from error
        finally:
            del self._awaited[token]

    def take(self, token: str, block: Block | None) -> None:
        """Take a block that was asked for; None if the head cannot read it."""
        answer = self._awaited.get(token)
        if answer is None or answer.done():
            return
        if block is None:
            answer.set_exception(ChainError("the head cannot read the source any more"))
        else:
            answer.set_result(block)

    def _evict(self) -> None:
        idle = [identity for identity, copy in self._block_cache.items() if not copy.users]
        for identity in idle[: max(0, len(idle) - self._kept)]:
            with contextlib.suppress(OSError):
                self._block_cache.pop(identity).path.unlink(missing_ok=True)


class BorrowedFile:
    """A file of the head's that a task may read."""

    def __init__(self, copy: _Copy, fetch: Callable[[int], Any]) -> None:
        """Create a loan of what is in `copy`; `fetch` brings what is not."""
        self._copy = copy
        self._fetch = fetch

    @property
    def sent_bytes(self) -> int:
        """How much of it has been sent, in whole blocks."""
        return len(self._copy.present) * files.BLOCK_BYTES

    async def block(self, number: int) -> bytes:
        """A block, counted from 0; the last one is shorter, empty if there is none.

        Raises:
            ChainError: the head does not send it.
        """
        copy = self._copy
        # If a fetch is cancelled, the next task that waits for the block takes over.
        async with copy.locks.setdefault(number, asyncio.Lock()):
            if number in copy.present:
                kept = await anyio.to_thread.run_sync(read_block, copy.path, number)
                if digest(kept) == copy.present[number]:
                    return kept
                del copy.present[number]  # the disk has lost it: it is sent again
            block: Block = await self._fetch(number)
            if not block.is_whole:
                raise ChainError("a part of the source has changed on its way from the head")
            await anyio.to_thread.run_sync(write_block, copy.path, number, block.data)
            copy.present[number] = block.sha256
            return block.data

    async def whole(self) -> Path:
        """The whole file.

        Raises:
            ChainError: the head does not send it.
        """
        number = 0
        while len(await self.block(number)) == files.BLOCK_BYTES:
            number += 1
        return self._copy.path
