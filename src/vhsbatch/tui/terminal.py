"""A terminal that may be closed while it is drawn on."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO


class Forgiving:
    """A stream whose writes never fail: where the terminal has gone, nobody sees them anyway."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text` if that can still be done."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush if that can still be done."""
        try:
            self._stream.flush()
        except OSError:
            return

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the stream was a terminal."""
        return self._stream.isatty()


@contextmanager
def forgiving_terminal() -> Iterator[None]:
    """Let writes to a terminal that has been closed succeed.

    Textual draws on ``sys.__stderr__`` in a thread, which dies of the first write that fails; the
    application would then wait for that thread for ever.
    """
    stderr = sys.__stderr__
    if stderr is None:
        yield
        return
    sys.__stderr__ = Forgiving(stderr)  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stderr__ = stderr  # type: ignore[misc]


def continue_only_after_stop() -> None:
    """Let only a program that was stopped by its terminal be continued by it.

    A terminal that is closed hangs up and then says "continue", upon which Textual would set itself up
    a second time beside the first, and never end.
    """
    stop, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not callable(stop) or not callable(go_on):
        return
    stopped = False

    def on_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        stop(number, frame)

    def on_continue(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            stopped = False
            go_on(number, frame)

    signal.signal(signal.SIGTSTP, on_stop)
    signal.signal(signal.SIGCONT, on_continue)
