"""Waiting for a disk in a thread, if one can be started."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


async def in_thread(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Do in a thread what may wait for a disk; without one, where the system has none left.

    For what a batch cannot go on without: it must not end for want of a thread.
    """
    try:
        return await anyio.to_thread.run_sync(work, *arguments)
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
    return work(*arguments)
