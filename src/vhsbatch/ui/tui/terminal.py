"""A terminal that may be closed, or stopped, while it is drawn on."""

import asyncio
import io
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TextIO

import anyio.to_thread
from rich.console import Console
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.app import App

from vhsbatch.process.suspension import suspend
from vhsbatch.ui.tui.graphics import learn_what_the_terminal_shows

# A terminal that took nothing for this long, while this many characters wait, is redrawn when it takes
# something again. One that is just slow may take its time: a snapshot can be megabytes.
_PATIENCE_S = 2.0
_MOST_WAITING = 200_000
_MOST_WAITING_AT_ALL = 64_000_000
_WRITTEN_AT_ONCE_BYTES = 4096
# What switches a terminal's modes is short, and has to reach it; anything longer is a picture.
_LONGEST_SWITCH = 32
_FRAMES_A_PICTURE = (SYNC_START, SYNC_END)
# The last part of a picture in kitty's protocol; without it, all that follows would be taken for parts.
_LAST_PART = re.compile(r"_G[^;]*\bm=0\b")
_LONGEST_HEAD = 64


class PatientTerminal:
    """A stream whose writes neither fail nor wait.

    A thread passes on what was written. Where the terminal has gone, nobody sees it anyway; where it
    takes nothing, the pictures that wait are dropped, and `on_gap` is called when it takes some again.
    """

    def __init__(self, stream: TextIO) -> None:
        """Create a stream.

        Args:
            stream: the terminal.
        """
        self.on_gap: Callable[[], object] = lambda: None
        self._stream = stream
        self._waiting: list[str] = []
        self._waiting_chars = 0
        self._news = threading.Condition()
        self._busy = self._has_gap = self._gone = False
        self._took_s = time.monotonic()
        threading.Thread(target=self._pass_on, name="terminal", daemon=True).start()

    def write(self, text: str) -> int:
        """Put `text` down to be written."""
        with self._news:
            most = _MOST_WAITING if self._takes_nothing() else _MOST_WAITING_AT_ALL
            if self._waiting_chars + len(text) > most:
                self._waiting = list(filter(_has_to_arrive, self._waiting))
                self._waiting_chars = sum(map(len, self._waiting))
                self._has_gap = True
            if not self._has_gap or _has_to_arrive(text):
                self._waiting.append(text)
                self._waiting_chars += len(text)
            self._news.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Whether the stream was a terminal."""
        return self._stream.isatty()

    def finish(self) -> None:
        """Wait until all is written, unless the terminal takes nothing."""
        with self._news:
            while (self._waiting or self._busy) and not (self._gone or self._takes_nothing()):
                self._news.wait(_PATIENCE_S)

    def _takes_nothing(self) -> bool:
        return self._busy and time.monotonic() - self._took_s > _PATIENCE_S

    def _pass_on(self) -> None:
        while True:
            with self._news:
                self._busy = False
                self._news.notify_all()
                self._news.wait_for(lambda: self._waiting)
                text, self._waiting, self._waiting_chars = "".join(self._waiting), [], 0
                had_gap, self._has_gap = self._has_gap, False
                self._busy, self._took_s = True, time.monotonic()
            try:
                self._write(text)
            except OSError:
                self._gone = True
            if had_gap and not self._gone:
                self.on_gap()

    def _write(self, text: str) -> None:
        """Past Python's own buffer, for which the end of the program would wait."""
        data = memoryview(text.encode(self._stream.encoding, "replace"))
        while data and not self._gone:
            try:
                data = data[os.write(self._stream.fileno(), data[:_WRITTEN_AT_ONCE_BYTES]) :]
                self._took_s = time.monotonic()
            except BlockingIOError:  # another program has made the terminal one that does not wait
                select.select([], [self._stream.fileno()], [])


def _has_to_arrive(text: str) -> bool:
    is_switch = len(text) <= _LONGEST_SWITCH and text not in _FRAMES_A_PICTURE
    return is_switch or _LAST_PART.search(text[:_LONGEST_HEAD]) is not None


@contextmanager
def patient_terminal() -> Iterator[PatientTerminal | None]:
    """Let no application be stopped by its terminal, whether that has been closed or takes nothing.

    Textual draws on ``sys.__stderr__`` in a thread, which dies of the first write that fails, and
    whose queue is short: the application, and all that runs beside it, would wait without end.
    """
    stderr = sys.__stderr__
    # Without a terminal what is drawn goes down a pipe, to a browser.
    if stderr is None or not stderr.isatty():
        yield None
        return
    patient = PatientTerminal(stderr)
    stdout = sys.__stdout__
    # Textual draws on the one, and what shows pictures on the other.
    sys.__stderr__ = sys.__stdout__ = patient  # type: ignore[misc, assignment]
    try:
        yield patient
    finally:
        sys.__stderr__, sys.__stdout__ = stderr, stdout  # type: ignore[misc]
        patient.finish()


async def run_in_terminal(app: App[None]) -> Exception | None:
    """Run an application that no terminal can stop.

    Returns:
        what it broke down with, instead of a stack trace on the terminal; None if it did not.
    """
    loop = asyncio.get_running_loop()
    said = io.StringIO()
    app.error_console = Console(file=said)

    def draw_anew() -> None:
        with suppress(RuntimeError):  # it has ended meanwhile
            loop.call_soon_threadsafe(app.refresh)

    await anyio.to_thread.run_sync(learn_what_the_terminal_shows)
    with patient_terminal() as terminal:
        if terminal is not None:
            terminal.on_gap = draw_anew
        await app.run_async()
    error = app._exception  # noqa: SLF001 - there is no other way to learn of it
    if error is None and said.getvalue():
        error = RuntimeError("the terminal interface failed")
        error.add_note(said.getvalue())
    return error


def continue_only_after_stop() -> None:
    """Let only a program that was stopped by its terminal be continued by it; its children stop with it.

    A terminal that is closed hangs up and then says "continue", upon which Textual would set itself up
    a second time beside the first, and never end.
    """
    if sys.platform == "win32":  # no terminal stops a program there
        return
    stop, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not callable(stop) or not callable(go_on):
        return
    stopped = False

    def on_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        suspend(lambda: stop(number, frame))

    def on_continue(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            stopped = False
            go_on(number, frame)

    signal.signal(signal.SIGTSTP, on_stop)
    signal.signal(signal.SIGCONT, on_continue)
