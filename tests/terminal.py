"""The program in a real terminal: what is on the screen, what the keys do, and what is left behind."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

import program

COLUMNS, LINES = 100, 30
# They would hide the terminal's own size, and what it shows.
_HIDING = ("COLUMNS", "LINES", "NO_COLOR", "TMUX")
_MODE = re.compile(rb"\x1b\[\?(\d+)([hl])")
_KEYBOARD = re.compile(rb"\x1b\[>\d*u")
# What a terminal that nobody has changed has switched on: line wrap, and the cursor.
_ON_AT_FIRST = {7, 25}

# What a terminal says when it is asked, here one that shows no pictures.
ANSWERS = {b"\x1b[c": b"\x1b[?6c"}
# Sixels, and pictures by kitty's protocol: the screen that is looked at knows neither.
_PICTURE = re.compile(rb"\x1b[P_][^\x1b]*\x1b\\")
_PICTURE_BEGINS = (b"\x1bP", b"\x1b_")
_BEGUN_PICTURE = re.compile(rb"\x1b(?:[P_][^\x1b]*\x1b?)?\Z")
WITHOUT_COLOUR: Mapping[str, str] = {"NO_COLOR": "1"}


class Terminal:
    """A program at one end of a pseudo-terminal, and a test at the other.

    Attributes:
        process: the program.
        written: all that it wrote.
        pictures: the control sequences that hold pictures, or parts of them.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        descriptor: int,
        size: tuple[int, int] = (COLUMNS, LINES),
        answers: Mapping[bytes, bytes] = ANSWERS,
    ) -> None:
        self.process = process
        self.written = b""
        self.pictures: list[bytes] = []
        self._undrawn = b""
        self._descriptor = descriptor
        self._answers = answers
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self._screen.display)

    @property
    def modes(self) -> set[int]:
        """The private modes that are switched on."""
        on = set(_ON_AT_FIRST)
        for mode, switch in _MODE.findall(self.written):
            (on.add if switch == b"h" else on.discard)(int(mode))
        return on

    @property
    def is_as_it_was(self) -> bool:
        """Whether every mode, that of the keyboard too, is as before the program."""
        keyboard = len(_KEYBOARD.findall(self.written)) - self.written.count(b"\x1b[<u")
        return self.modes == _ON_AT_FIRST and keyboard == 0

    def wait_for(self, text: str) -> None:
        """Wait until `text` is on the screen.

        Raises:
            AssertionError: it did not come in time.
        """
        self.wait_until(lambda: text in self.text, text)

    def wait_until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something that comes from the program.

        Raises:
            AssertionError: it did not come in time.
        """
        deadline_s = time.monotonic() + program.PATIENCE_S
        while not happened():
            assert time.monotonic() < deadline_s, f"no {what!r} on the screen:\n{self.text}"
            assert self._read(), f"it ended without {what!r}:\n{self.text}"

    def finish(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(timeout=program.PATIENCE_S)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._descriptor, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As when somebody pulls at the window's corner."""
        _set_size(self._descriptor, columns, lines)
        self._screen.resize(lines, columns)

    def attributes(self) -> list[object]:
        """How the terminal treats what is typed and printed."""
        return termios.tcgetattr(self._descriptor)

    def close(self) -> None:
        """As when somebody closes the window."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> bool:
        readable, _, _ = select.select([self._descriptor], [], [], 1.0)
        if not readable:
            return self.process.poll() is None
        try:
            received = os.read(self._descriptor, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.written += received
        for question, answer in self._answers.items():
            if question in received:
                os.write(self._descriptor, answer)
        self._draw(received)
        return received != b""

    def _draw(self, received: bytes) -> None:
        """Draw all but pictures, which can be large and come in many parts."""
        text = self._undrawn + received
        is_within = self._undrawn.startswith(_PICTURE_BEGINS) and b"\x1b" not in received[:-1]
        if not is_within or received.startswith(b"\\"):
            self.pictures += _PICTURE.findall(text)
            text = _PICTURE.sub(b"", text)
            begun = _BEGUN_PICTURE.search(text)
            end = len(text) if begun is None else begun.start()
            self._stream.feed(text[:end])
            text = text[end:]
        self._undrawn = text


@contextmanager
def terminal(
    *arguments: str,
    cwd: Path,
    command: Sequence[str] = program.COMMAND,
    size: tuple[int, int] = (COLUMNS, LINES),
    answers: Mapping[bytes, bytes] = ANSWERS,
    variables: Mapping[str, str] = WITHOUT_COLOUR,
) -> Iterator[Terminal]:
    """The program in a terminal of its own; it is killed at the end if it still runs."""
    own, theirs = pty.openpty()
    _set_size(own, *size)
    before = termios.tcgetattr(own)
    kept = {name: value for name, value in program.environment(cwd).items() if name not in _HIDING}
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=cwd,
        env={**kept, "TERM": "xterm-256color", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # The terminal becomes the new session's own, so that closing it hangs up, and resizing is told.
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
    )
    os.close(theirs)
    opened = Terminal(process, own, size, answers)
    try:
        assert opened.attributes() == before
        yield opened
    finally:
        opened.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=program.PATIENCE_S)


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
