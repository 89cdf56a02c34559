"""Files for machines that share no folder with the head: what they lack is copied to them, block by block.

A worker asks for a block in a message, and the head hands it over; what the worker has made is fetched in
blocks too. All of it goes the way of Dask's own messages, so no other connection is needed.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from vhsbatch.errors import ChainError
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan

BLOCK_BYTES = 4 * 2**20
_ANSWER_S = 60.0


def files_of(plan: JobPlan) -> dict[str, Path]:
    """The files that a segment is made from, with the names by which a machine asks for them. Pure."""
    files = {"source": plan.info.path}
    if plan.preset.colour.lut is not None:
        files["lut"] = plan.preset.colour.lut
    if plan.upscaling is not None:
        files |= {"param": plan.upscaling.param, "weights": plan.upscaling.weights}
    return files


def is_source(path: Path, info: MediaInfo) -> bool:
    """Whether `path` is the source that was probed on another machine."""
    try:
        status = path.stat()
    except OSError:
        return False
    # A file system may keep times less exactly than the head's does.
    same_time = abs(status.st_mtime_ns - info.modified_ns) < 2 * 10**9
    return status.st_size == info.size_bytes and same_time


def read_block(path: Path, offset: int) -> bytes:
    """A block of a file; empty at its end."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(BLOCK_BYTES)


def append_block(path: Path, block: bytes) -> None:
    """Add a block to a file, which only its owner can read."""
    if not path.exists():
        path.touch(mode=0o600)
    with path.open("ab") as file:
        file.write(block)


# Asks the head: what is wanted, for which task.
Ask = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class _Copy:
    path: Path
    users: int = 0
    complete: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Copies:
    """The head's files that this machine has copied; those that nobody uses make room for others."""

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
        self._copies: dict[str, _Copy] = {}
        self._awaited: dict[str, asyncio.Future[bytes]] = {}

    @asynccontextmanager
    async def borrowed(self, key: str, name: str, original: Path) -> AsyncIterator[Path]:
        """A copy of a file, for as long as it is needed.

        Args:
            key: the task that needs it.
            name: by which name the head knows it.
            original: where the head has it.

        Raises:
            ChainError: the head does not send it.
        """
        copy = self._copies.pop(str(original), None) or self._new(original)
        self._copies[str(original)] = copy  # the last one is the one that was used last
        copy.users += 1
        try:
            async with copy.lock:
                await self._complete(copy, key, name)
            yield copy.path
        finally:
            copy.users -= 1
            self._make_room()

    def _new(self, original: Path) -> _Copy:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The ending tells FFmpeg which formats are meant.
        return _Copy(self._folder / f"{uuid.uuid4().hex}{original.suffix}")

    async def _complete(self, copy: _Copy, key: str, name: str) -> None:
        """Fetch what is missing; another task may have begun it."""
        while not copy.complete:
            offset = copy.path.stat().st_size if copy.path.exists() else 0
            block = await self._block(key, name, offset)
            if block:
                await anyio.to_thread.run_sync(append_block, copy.path, block)
            else:
                copy.complete = True

    async def _block(self, key: str, name: str, offset: int) -> bytes:
        token = uuid.uuid4().hex
        answer = self._awaited[token] = asyncio.get_running_loop().create_future()
        self._ask({"key": key, "want": name, "offset": offset, "token": token})
        try:
            return await asyncio.wait_for(answer, _ANSWER_S)
        except TimeoutError as error:
            raise ChainError(f"the head has sent nothing for {_ANSWER_S:g} s") from error
        finally:
            del self._awaited[token]

    def take(self, token: str, block: bytes | None) -> None:
        """Take a block that was asked for; None if the head cannot read it."""
        answer = self._awaited.get(token)
        if answer is None or answer.done():
            return
        if block is None:
            answer.set_exception(ChainError("the head cannot read the source any more"))
        else:
            answer.set_result(block)

    def _make_room(self) -> None:
        idle = [name for name, copy in self._copies.items() if not copy.users]
        for name in idle[: max(0, len(idle) - self._kept)]:
            with contextlib.suppress(OSError):
                self._copies.pop(name).path.unlink(missing_ok=True)
