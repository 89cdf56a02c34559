"""The program in a real terminal: what is on the screen, and what the keys do."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

import program
from clips import make_clip

pytestmark = pytest.mark.slow

_PATIENCE_S = 60.0
COLUMNS, LINES = 100, 30


class Terminal:
    """A program at one end of a pseudo-terminal, and this test at the other."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self.written = b""
        self._descriptor = descriptor
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self._screen.display)

    def wait_for(self, text: str) -> None:
        """Wait until `text` is on the screen.

        Raises:
            AssertionError: it did not come in time.
        """
        deadline_s = time.monotonic() + _PATIENCE_S
        while text not in self.text:
            assert time.monotonic() < deadline_s, f"no {text!r} on the screen:\n{self.text}"
            assert self._read(), f"it ended without {text!r}:\n{self.text}"

    def finish(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(timeout=_PATIENCE_S)

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

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
        self._stream.feed(received)
        return received != b""


@contextmanager
def terminal(*arguments: str, cwd: Path) -> Iterator[Terminal]:
    own, theirs = pty.openpty()
    environment = {
        **program.environment(cwd),
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "LINES": str(LINES),
    }
    process = subprocess.Popen(
        [*program.COMMAND, *arguments],
        cwd=cwd,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        # The terminal becomes the new session's own, so that closing it hangs up.
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
    )
    os.close(theirs)
    opened = Terminal(process, own)
    try:
        yield opened
    finally:
        opened.close()
        if process.poll() is None:
            process.kill()
        process.wait(timeout=_PATIENCE_S)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.dv", "-target", "ntsc-dv", scan="bff", seconds=3)
    return tmp_path


def test_from_the_first_lane_to_the_summary(place: Path) -> None:
    with terminal("batch", "in", "out", "-r", "240", "--parallel", "2", cwd=place) as screen:
        screen.wait_for("Worker 1")
        screen.wait_for("tape.dv")
        screen.wait_for("Batch complete")
        screen.press("q")
        assert screen.finish() == 0
    # What stays on the terminal is the result.
    after = screen.written.rpartition(b"\x1b[?1049l")[2].decode()
    assert "BATCH PROCESSING COMPLETE" in after
    assert "Successful:   1" in after


def test_q_asks_and_y_stops_and_resume_goes_on(place: Path) -> None:
    with terminal("batch", "in", "out", "-r", "1080", cwd=place) as screen:
        screen.wait_for("fps")
        screen.press("q")
        screen.wait_for("Stop this batch?")
        screen.press("y")
        assert screen.finish() == 130
    program.wait_until_gone(place)
    assert b"Left:         1" in screen.written
    done = program.run("batch", "in", "out", "--resume", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (place / "out" / "tape_1080p.mp4").is_file()


def test_a_closed_terminal_stops_the_batch_and_loses_nothing(place: Path) -> None:
    with terminal("batch", "in", "out", "-r", "1080", cwd=place) as screen:
        screen.wait_for("fps")
        screen.close()
        assert screen.process.wait(timeout=_PATIENCE_S) == 128 + signal.SIGHUP
    program.wait_until_gone(place)
    done = program.run("batch", "in", "out", "--resume", cwd=place)
    assert done.returncode == 0, done.stderr


def test_another_terminal_shows_and_steers_the_batch_and_its_last_state(place: Path) -> None:
    batch = program.start("batch", "in", "out", "-r", "1080", "--json", cwd=place)
    try:
        program.wait_for_event(batch, "segment_started")
        with terminal("attach", "out", cwd=place) as screen:
            screen.wait_for("Worker 1")
            screen.press("p")
            # From here on the batch cannot end by itself.
            screen.wait_for("paused: by the user")
            screen.press("q")
            assert screen.finish() == 0
        assert batch.poll() is None
        with terminal("attach", "out", cwd=place) as screen:
            screen.wait_for("paused: by the user")
            screen.press("x")
            screen.wait_for("Stop this batch?")
            screen.press("y")
            screen.wait_for("ended: interrupted")
            screen.press("q")
            assert screen.finish() == 0
        batch.communicate(timeout=_PATIENCE_S)
    finally:
        batch.kill()
        batch.wait()
    assert batch.returncode == 130


def test_attach_without_a_terminal_says_what_to_do(place: Path) -> None:
    (place / "out").mkdir()
    refused = program.run("attach", "out", cwd=place)
    assert refused.returncode == 2
    assert (
        "attach needs a terminal: standard input is none (vhs-upscale log out prints what happened)"
        in refused.stderr
    )
