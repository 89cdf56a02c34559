"""One child process: spawned under guard, read without blocking, stopped gracefully."""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import anyio
import anyio.lowlevel
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from vhsbatch.errors import ShortageError, StageFailure, ToolError
from vhsbatch.process.guard import IDLE_NICENESS, OOM_SCORE_ADJ
from vhsbatch.process.stop_signals import deadline
from vhsbatch.process.suspension import patient, tell_children_by
from vhsbatch.process.system import ASK, END, END_LEFT, creation_flags, signal_group

GRACE_S = 4.0
TAIL_LINES = 30
LINE_BYTES = 4096
_CALLBACK_ROUNDS = 3
# The system has no process or descriptor left: a moment later it may.
_SHORT = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_SHORT_WAITS_S = (0.1, 0.3, 1.0, 2.0)
# For the pipes to a child, and for what tells that it has ended.
_DESCRIPTORS = 12
# The keeper needs this to end everything that a command left running.
_KEEPER_S = 1.5
_GUARD = str(Path(__file__).with_name("guard.py"))
_KEEPER = str(Path(__file__).with_name("subreaper.py"))
_NEEDS_GUARD = sys.platform == "linux"
# The same as guard.py, after a setpriv that has set the death signal: $0 is the parent, $1 the niceness.
_SHELL_GUARD = (
    "/bin/sh",
    "-c",
    f"""[ "$PPID" = "$0" ] || {{ echo "parent is gone" >&2; exit 1; }}
    {{ read -r score && [ "$score" -lt {OOM_SCORE_ADJ} ] && echo {OOM_SCORE_ADJ} >/proc/self/oom_score_adj
    }} 2>/dev/null </proc/self/oom_score_adj
    niceness=$1; shift
    command -v "$1" >/dev/null || {{ echo "$1: No such file or directory" >&2; exit 127; }}
    if [ "$niceness" = 0 ]; then exec "$@"; fi
    if [ "$niceness" -ge {IDLE_NICENESS} ]; then class=3; else class="2 -n 7"; fi
    ionice -c $class -p $$ 2>/dev/null
    exec nice -n "$niceness" "$@" """,
)

# How many of the last commands to report when a video fails.
_COMMANDS = 12
_commands: ContextVar[deque[tuple[str, ...]] | None] = ContextVar("commands", default=None)

_children: ContextVar[set[int] | None] = ContextVar("children", default=None)

LineSink = Callable[[str], None]

# By each child what ends it at once.
_alive: dict[int, int] = {}


@contextmanager
def commands_kept() -> Iterator[Sequence[tuple[str, ...]]]:
    """The commands that are started meanwhile, by this task and by those that it starts; the last ones."""
    kept_here: deque[tuple[str, ...]] = deque(maxlen=_COMMANDS)
    token = _commands.set(kept_here)
    try:
        yield kept_here
    finally:
        _commands.reset(token)


@contextmanager
def children_known() -> Iterator[set[int]]:
    """The children that this task, and those that it starts, have at the moment."""
    children: set[int] = set()
    token = _children.set(children)
    try:
        yield children
    finally:
        _children.reset(token)


def guarded(argv: tuple[str, ...], *, niceness: int = 0) -> tuple[str, ...]:
    """The command that runs `argv` so that it cannot outlive this process."""
    if sys.platform == "win32" or (not _NEEDS_GUARD and niceness == 0):
        return argv
    parent = str(os.getpid())
    if (setpriv := _setpriv()) is not None:
        return (setpriv, "--pdeathsig", "KILL", *_SHELL_GUARD, parent, str(niceness), *argv)
    return (sys.executable, "-I", "-S", _GUARD, parent, str(niceness), *argv)


@cache
def _setpriv() -> str | None:
    """The program of util-linux that ties a process to its parent; None where it is not there.

    Each child is started through it, which costs a tenth of what starting an interpreter costs.
    """
    path = shutil.which("setpriv") if _NEEDS_GUARD else None
    # BusyBox has a program of this name that knows no signals.
    return path if path is not None and Path(path).resolve().name == "setpriv" else None


_setpriv()  # looked for here, where no event loop waits for a disk


def kept(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs `argv`, the user's command, and ends everything it leaves running."""
    if sys.platform == "win32":  # what is left ends with this program
        return argv
    return (sys.executable, "-I", "-S", _KEEPER, str(os.getpid()), *argv)


@asynccontextmanager
async def spawn(
    argv: tuple[str, ...],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    niceness: int = 0,
    keep: bool = False,
    pass_fds: Sequence[int] = (),
) -> AsyncIterator[Process]:
    """Run `argv` in its own session; on leaving, for whatever reason, it is gone.

    Args:
        argv: program and arguments; no shell is involved.
        stdin: a file descriptor, `subprocess.PIPE` or `subprocess.DEVNULL`.
        stdout: a file descriptor, `subprocess.PIPE` or `subprocess.DEVNULL`.
        env: variables added to the environment.
        niceness: added to the niceness of this process.
        keep: whether it is the user's command, which may leave other processes running.
        pass_fds: further descriptors of this process that it gets, under the same numbers.

    Raises:
        ToolError: the program cannot be started.
        ShortageError: nor can any other be at present.
    """
    environment = None if env is None else {**os.environ, **env}

    async def start() -> Process:
        _expect_descriptors()
        return await anyio.open_process(
            guarded(kept(argv) if keep else argv, niceness=niceness),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
            creationflags=creation_flags(niceness),
            pass_fds=pass_fds,
        )

    if (commands := _commands.get()) is not None:
        commands.append(argv)
    process = await _started(start, argv[0])
    _alive[process.pid] = END_LEFT if keep else END
    known = _children.get()
    if known is not None:
        known.add(process.pid)
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            await stop(process, grace_s=GRACE_S)
            await process.aclose()
            # The event loop lets go of the pipes in callbacks of callbacks. Were it closed before they
            # ran, which may be at once, the interpreter would complain of what is still open.
            for _ in range(_CALLBACK_ROUNDS):
                await anyio.lowlevel.checkpoint()
        del _alive[process.pid]
        if known is not None:
            known.discard(process.pid)


async def _started(start: Callable[[], Awaitable[Process]], program: str) -> Process:
    """Start a program, trying again for a moment where the system is short of something.

    Raises:
        ToolError: the program cannot be started.
        ShortageError: the shortage lasts.
    """
    for wait_s in (*_SHORT_WAITS_S, None):
        cause: Exception
        try:
            return await start()
        except OSError as error:
            if error.errno not in _SHORT:
                fix = "vhs-upscale doctor says what works here"
                raise ToolError(f"cannot start {program}: {error.strerror}", fix=fix) from error
            reason, cause = error.strerror, error
        except RuntimeError as error:  # the thread that waits for it
            reason, cause = str(error), error
        if wait_s is None:
            raise ShortageError(
                f"cannot start {program}: {reason}",
                fix="close other programs, or raise the limits of processes and open files",
            ) from cause
        await anyio.sleep(wait_s)
    raise AssertionError


def _expect_descriptors() -> None:
    """See that there are enough descriptors: one that lacks half-way leaves a process nobody knows of.

    Raises:
        OSError: there are not.
    """
    taken: list[int] = []
    try:
        taken.extend(os.dup(2) for _ in range(_DESCRIPTORS))
    finally:
        for descriptor in taken:
            os.close(descriptor)


async def stop(process: Process, *, grace_s: float) -> None:
    """Ask the process to end, and make it end after `grace_s` seconds."""
    if process.returncode is not None:
        return
    last = _alive.get(process.pid, END)
    steps: list[tuple[int, float]] = [(ASK, deadline.grace_s(grace_s))]
    if last != END:
        steps.append((last, _KEEPER_S))
    for number, patience_s in steps:
        signal_group(process.pid, number)
        with anyio.move_on_after(patience_s):
            await process.wait()
            return
    signal_group(process.pid, END)
    await process.wait()


def alive() -> frozenset[int]:
    """The children of this process that run at the moment."""
    return frozenset(_alive)


def kill_all() -> None:
    """End every child of this process at once, without grace."""
    for pid, number in list(_alive.items()):
        signal_group(pid, number)


def _signal_all(number: int) -> None:
    for pid in {*_alive, *_just_started()}:
        signal_group(pid, number)


def _just_started() -> Iterator[int]:
    """Children of this thread, with those that are being started at the moment, where the system tells."""
    with contextlib.suppress(OSError):
        path = Path(f"/proc/self/task/{threading.get_native_id()}/children")
        yield from map(int, path.read_text(encoding="ascii").split())


deadline.before_force(kill_all)
tell_children_by(_signal_all)


async def read_lines(stream: ByteReceiveStream | None, sink: LineSink) -> None:
    """Give every line of `stream` to `sink`; overlong lines come in pieces, bad UTF-8 is replaced.

    Carriage returns end lines too, since progress bars of native libraries use them.
    """
    if stream is None:
        return
    pending = b""
    try:
        async for chunk in stream:
            *lines, pending = (pending + chunk).replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                _sink_line(line, sink)
            if len(pending) > LINE_BYTES:
                _sink_line(pending, sink)
                pending = b""
    except anyio.ClosedResourceError:
        pass
    _sink_line(pending, sink)


def _sink_line(line: bytes, sink: LineSink) -> None:
    for start in range(0, len(line), LINE_BYTES):
        if (piece := line[start : start + LINE_BYTES]).strip():
            sink(piece.decode("utf-8", "replace"))


class Tail:
    """The last lines that a child printed on stderr."""

    def __init__(self, lines: int = TAIL_LINES) -> None:
        self._lines: deque[str] = deque(maxlen=lines)

    def __call__(self, line: str) -> None:
        """Take a line in."""
        self._lines.append(line)

    @property
    def lines(self) -> tuple[str, ...]:
        """Oldest first."""
        return tuple(self._lines)


def describe_exit(exit_code: int) -> str:
    """How a process ended, in words.

    >>> describe_exit(-11)
    'was killed by SIGSEGV'
    >>> describe_exit(234)
    'failed with exit code 234'
    """
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"failed with exit code {exit_code}"


class Finished:
    """How a child that was run to its end ended.

    Attributes:
        exit_code: negative for a signal.
        stdout: all of its standard output.
        stderr_tail: its last lines on stderr.
    """

    def __init__(self, exit_code: int, stdout: bytes, stderr_tail: tuple[str, ...]) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr_tail = stderr_tail

    @property
    def last_words(self) -> str:
        """What it said last, or else how it ended."""
        return self.stderr_tail[-1] if self.stderr_tail else describe_exit(self.exit_code)

    def failure(self, stage: str, command: tuple[str, ...]) -> StageFailure:
        """The same as a value for an error."""
        return StageFailure(
            stage=stage, command=command, exit_code=self.exit_code, stderr_tail=self.stderr_tail
        )


async def run(
    argv: tuple[str, ...],
    *,
    stdin: int = subprocess.DEVNULL,
    timeout_s: float | None = None,
    env: Mapping[str, str] | None = None,
    max_stdout_bytes: int = 64 * 2**20,
    tail_lines: int = TAIL_LINES,
    niceness: int = 0,
) -> Finished:
    """Run `argv` to its end and collect its output.

    Raises:
        ToolError: it cannot be started.
        TimeoutError: it did not end within `timeout_s`; it has been stopped.
    """
    tail = Tail(tail_lines)
    stdout = b""
    with anyio.fail_after(timeout_s) as scope, patient(scope):
        async with spawn(argv, stdin=stdin, env=env, niceness=niceness) as process:
            async with anyio.create_task_group() as group:
                group.start_soon(read_lines, process.stderr, tail)
                if process.stdout is not None:
                    stdout = await _read_all(process.stdout, max_stdout_bytes)
            exit_code = await process.wait()
    return Finished(exit_code, stdout, tail.lines)


async def run_told(argv: tuple[str, ...], told: bytes, *, timeout_s: float, niceness: int = 0) -> Finished:
    """Run a command of the user's own to its end, with `told` on its standard input.

    What it writes on standard output is thrown away, and what it leaves running is ended with it.

    Raises:
        ToolError: it cannot be started.
        TimeoutError: it did not end within `timeout_s`; it has been stopped.
    """
    tail = Tail()
    spawning = spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, niceness=niceness, keep=True)
    with anyio.fail_after(timeout_s) as scope, patient(scope):
        async with spawning as process, anyio.create_task_group() as group:
            group.start_soon(_feed, process, told)
            await read_lines(process.stderr, tail)
            exit_code = await process.wait()
            group.cancel_scope.cancel()
    return Finished(exit_code, b"", tail.lines)


async def _feed(process: Process, told: bytes) -> None:
    """Give a process its standard input; one that does not read it, or closes it, may."""
    if process.stdin is not None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            await process.stdin.send(told)
            await process.stdin.aclose()


async def _read_all(stream: ByteReceiveStream, limit_bytes: int) -> bytes:
    """Everything that the stream holds, up to `limit_bytes`; what comes after is read and dropped."""
    buffered = BufferedByteReceiveStream(stream)
    parts: list[bytes] = []
    size = 0
    async for chunk in buffered:
        if size < limit_bytes:
            parts.append(chunk[: limit_bytes - size])
            size += len(parts[-1])
    return b"".join(parts)
