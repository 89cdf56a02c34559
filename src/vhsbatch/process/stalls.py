"""Ends child processes that do nothing any more, whatever they are for.

What a child prints differs from program to program, so the system is asked: a child moves while it reads or
writes (a long pass that rewrites a file prints nothing), or computes. Where the system does not tell, all
children count as moving.
"""

import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
import psutil

from vhsbatch.errors import ChainError
from vhsbatch.process.process_limits import limit_error, refusals, refused_since
from vhsbatch.process.spawn import children_known
from vhsbatch.process.suspension import patient
from vhsbatch.process.system import children_of
from vhsbatch.process.threads import in_thread

# How often to look within the limit, and how seldom at most.
_LOOKS = 8
_LONGEST_LOOK_S = 10.0
# Waking up to find nothing to do takes less of the limit than this.
_LEAST_CPU = 0.01
# Who waits for a thread that was refused waits for ever: this is long enough to tell that from a slow disk.
_STARVED_S = 30.0


@dataclass(frozen=True, slots=True)
class Activity:
    """What some processes have done so far.

    Attributes:
        transferred: by each process the bytes that it has read and written.
        cpu_s: how long all of them have computed.
    """

    transferred: tuple[tuple[int, tuple[int, ...]], ...]
    cpu_s: float

    def has_moved_since(self, earlier: "Activity", limit_s: float) -> bool:
        """Whether they did something that counts; `limit_s` is how long they may do nothing."""
        return self.transferred != earlier.transferred or self.has_computed_since(earlier, limit_s)

    def has_computed_since(self, earlier: "Activity", limit_s: float) -> bool:
        """Whether they computed more than it takes to wake up."""
        same = [pid for pid, _ in self.transferred] == [pid for pid, _ in earlier.transferred]
        return not same or self.cpu_s - earlier.cpu_s > _LEAST_CPU * limit_s


@asynccontextmanager
async def no_stall(what: str, limit_s: float) -> AsyncIterator[None]:
    """End the children that are started in this block when none of them has moved for `limit_s` seconds.

    Args:
        what: what they do, for the error: ``joining``.
        limit_s: how long they may do nothing.

    Raises:
        ChainError: they were ended.
        ProcessLimitError: they were, and the system had refused processes or threads.
    """
    refused = await in_thread(refusals)

    async def watch(children: set[int], scope: anyio.CancelScope) -> None:
        last: Activity | None = None
        while True:
            now = await in_thread(activity, frozenset(children))
            if now is None or last is None or now.has_moved_since(last, limit_s):
                last = now
                scope.deadline = anyio.current_time() + limit_s
            await anyio.sleep(min(limit_s / _LOOKS, _LONGEST_LOOK_S))

    async with _ended_by(watch) as scope:
        yield
    if scope.cancelled_caught:
        if (limit := await in_thread(refused_since, refused)) is not None:
            raise limit_error(limit, f"{what} stood still")
        raise ChainError(
            f"{what}: nothing moved in {limit_s:g} s: it was stopped",
            fix="check the disks, and set stall_timeout_s higher if this machine is that slow",
        )


@asynccontextmanager
async def no_starvation(what: str, limit_s: float = _STARVED_S) -> AsyncIterator[None]:
    """End the children that are started in this block when they wait for threads that they never get.

    They compute nothing for `limit_s` seconds after the system has refused processes or threads. What they
    print does not count: a program may print its progress although there is none.

    Args:
        what: what they do, for the error: ``restoring``.
        limit_s: how long they may do nothing.

    Raises:
        ProcessLimitError: they were ended.
    """
    refused = await in_thread(refusals)
    limits: list[str] = []

    async def watch(children: set[int], scope: anyio.CancelScope) -> None:
        last: Activity | None = None
        since_s = anyio.current_time()
        while True:
            await anyio.sleep(limit_s / _LOOKS)
            now = await in_thread(activity, frozenset(children))
            if now is None or last is None or now.has_computed_since(last, limit_s):
                last, since_s = now, anyio.current_time()
            elif anyio.current_time() - since_s >= limit_s:
                if (limit := await in_thread(refused_since, refused)) is not None:
                    limits.append(limit)
                    scope.cancel()
                    return
                last = None

    async with _ended_by(watch) as scope:
        yield
    if scope.cancelled_caught and limits:
        raise limit_error(limits[0], f"{what} stood still")


@asynccontextmanager
async def _ended_by(
    watch: Callable[[set[int], anyio.CancelScope], Coroutine[None, None, None]],
) -> AsyncIterator[anyio.CancelScope]:
    """Let `watch` see the children that are started in this block, and cancel its scope."""
    failure: Exception | None = None
    with children_known() as children, anyio.CancelScope() as scope, patient(scope):
        async with anyio.create_task_group() as group:
            group.start_soon(watch, children, scope)
            # As it is, and not in the group of errors that a task group makes of it.
            try:
                yield scope
            except Exception as error:
                failure = error
            group.cancel_scope.cancel()
    if failure is not None and not scope.cancelled_caught:
        raise failure


def activity(children: frozenset[int]) -> Activity | None:
    """What processes and their descendants have done so far; None where none can be read."""
    transferred: dict[int, tuple[int, ...]] = {}
    cpu_s = 0.0
    for process in _families(children):
        with suppress(psutil.Error):  # it has ended
            cpu_s += sum(process.cpu_times()[:4])  # user and system, its own and of children that have ended
            transferred[process.pid] = _transferred(process)
    return Activity(tuple(sorted(transferred.items())), cpu_s) if transferred else None


def _families(children: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in children:
        with suppress(psutil.Error):
            yield psutil.Process(pid)
        yield from _families(children_of(pid))


def _transferred(process: psutil.Process) -> tuple[int, ...]:
    """Bytes read and written, through caches and on disks; nothing where the system does not tell."""
    if sys.platform == "darwin":
        return ()
    try:
        return tuple(process.io_counters())[2:]
    except psutil.Error:  # nobody may look into it
        return ()
