"""A program that is stopped at its terminal (Ctrl-Z) stops with all of its children, and goes on with them.

Children have their own sessions, which a terminal's signals do not reach. What waits for a child with a
limit does not count the time for which all of them stood still.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from vhsbatch.process.system import GO_ON, HOLD

if TYPE_CHECKING:
    import anyio

# A stop that is meant for the process may come a moment after the call that asks for it.
_UNTIL_STOPPED_S = 0.02

_scopes: "set[anyio.CancelScope]" = set()
_to_children: list[Callable[[int], object]] = []


def tell_children_by(tell: Callable[[int], object]) -> None:
    """Have children stopped and continued by a function that signals all of them."""
    _to_children.append(tell)


def suspend(stop: Callable[[], object]) -> None:
    """Stop this process and its children; return when they go on.

    Args:
        stop: stops this process.
    """
    for tell in _to_children:
        tell(HOLD)
    began_s = time.monotonic()
    stop()
    time.sleep(_UNTIL_STOPPED_S)
    stopped_s = time.monotonic() - began_s
    for scope in list(_scopes):
        scope.deadline += stopped_s
    for tell in _to_children:
        tell(GO_ON)


def stop_with_children() -> None:
    """From now on, let Ctrl-Z stop the children too, unless it is ignored."""
    if sys.platform == "win32":  # it has no Ctrl-Z
        return
    if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
        signal.signal(signal.SIGTSTP, _on_stop)


def _on_stop(_number: int, _frame: FrameType | None) -> None:
    # To this thread: it must not run on until another one has been stopped.
    suspend(lambda: signal.raise_signal(HOLD))


@contextmanager
def patient(scope: "anyio.CancelScope") -> "Iterator[anyio.CancelScope]":
    """Let the deadline of a scope wait while this process is stopped."""
    _scopes.add(scope)
    try:
        yield scope
    finally:
        _scopes.discard(scope)
