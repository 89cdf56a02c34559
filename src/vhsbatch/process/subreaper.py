"""Runs a command of the user's, and ends whatever it leaves running.

Run as a file by a bare interpreter: ``python -I -S subreaper.py PARENT_PID PROGRAM [ARG ...]``. On Linux the
processes of a command belong to this one wherever they go (`prctl(2)`, PR_SET_CHILD_SUBREAPER): those that
have left their session too are ended with the command, or when the parent dies.

The command's standard error is read here, so that one that floods it, or that leaves it to a process in the
background, holds nobody up; its end is passed on. SIGTERM asks the command to end, SIGHUP ends it at once.
"""

import contextlib
import os
import select
import signal
import sys
import time

if sys.platform == "win32":
    raise ImportError("this program runs on POSIX systems only")

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE_S = 2.0
_PATIENCE_S = 1.0
_TAIL_BYTES = 4096
_HEARD = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP)


def main(argv: list[str]) -> None:
    """Run the command; end as it ended."""
    parent_pid, program = int(argv[1]), argv[2:]
    woken = _listen()
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)
        if os.getppid() != parent_pid:
            sys.exit("parent is gone")
    said, stderr = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(program, stderr)
    os.close(stderr)
    # What the command need not read any more must not be kept for it.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    status, tail = _attend(pid, woken, said)
    _end_descendants()
    while select.select([said], [], [], 0)[0] and (chunk := os.read(said, 2**16)) and len(chunk) < 2**16:
        tail = (tail + chunk)[-_TAIL_BYTES:]
    with contextlib.suppress(OSError):
        os.write(2, tail)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        _die_of(-code)
    os._exit(code)


def _listen() -> int:
    """What can be read when a signal has come: its number."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in _HEARD:
        signal.signal(number, lambda *_: None)
    return woken


def _become(program: list[str], stderr: int) -> None:
    try:
        for number in _HEARD:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(stderr, 2)
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        os.write(2, f"{program[0]}: {error.strerror}\n".encode(errors="replace"))
    finally:
        os._exit(127)


def _attend(pid: int, woken: int, said: int) -> tuple[int, bytes]:
    """How the command ended, and what it said last on standard error."""
    tail, end_s, readable = b"", float("inf"), [woken, said]
    while True:
        patience_s = None if end_s == float("inf") else max(0.0, end_s - time.monotonic())
        ready = select.select(readable, [], [], patience_s)[0]
        if said in ready:
            chunk = os.read(said, 2**16)
            tail = (tail + chunk)[-_TAIL_BYTES:]
            if not chunk:
                readable.remove(said)
        for number in os.read(woken, 64) if woken in ready else b"":
            if number == signal.SIGTERM and end_s == float("inf"):
                end_s = time.monotonic() + GRACE_S
                _signal(_descendants(os.getpid()), signal.SIGTERM)
            elif number == signal.SIGHUP:
                end_s = 0.0
        if time.monotonic() >= end_s:
            _signal(_descendants(os.getpid()), signal.SIGKILL)
            end_s = time.monotonic() + 0.1  # until all of them, and what they began meanwhile, are gone
        while (ended := _reap()) is not None:
            if ended[0] == pid:
                return ended[1], tail


def _reap() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def _end_descendants() -> None:
    """End what is left, and what comes to this process as its parents end."""
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s and (left := _descendants(os.getpid())):
        _signal(left, signal.SIGKILL)
        while _reap() is not None:
            pass
        time.sleep(0.01)


def _descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on; without /proc nobody knows of any."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdecimal, os.listdir("/proc")):  # noqa: PTH208
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                    state, parent = file.read().rpartition(b") ")[2].split()[:2]
                if state != b"Z":
                    children.setdefault(int(parent), []).append(int(name))
    found = children.get(pid, [])
    for descendant in found:  # it grows meanwhile
        found.extend(children.get(descendant, ()))
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def _die_of(number: int) -> None:
    """End by the signal that ended the command, without a core dump."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    main(sys.argv)
