"""Exec shim: ties the life of a child process to that of its parent, then becomes the child.

Run as a file by a bare interpreter: ``python -I -S guard.py PARENT_PID NICENESS PROGRAM [ARG ...]``.
A process that is joined to its neighbours by pipes does not notice when its parent is killed; on
Linux the kernel tells it (`prctl(2)`, PR_SET_PDEATHSIG), and the setting survives `execve`. Elsewhere
this file only sets the niceness.

A lower CPU priority lowers the disk priority too: the lowest of the usual priorities, and
with the greatest niceness only what nobody else wants.

Where memory runs out, the kernel is to end a child, whose work can be done again, and not the program
that knows of it: every child offers itself first.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
IOPRIO_WHO_PROCESS = 1
IOPRIO_BEST_EFFORT, IOPRIO_IDLE = 2, 3
# Who steps back as far as can be does so at the disks, too.
IDLE_NICENESS = 19
# Of 1000: what the kernel adds to the part of all memory that a process has.
OOM_SCORE_ADJ = 300


def main(argv: list[str]) -> None:
    """Set the death signal, the place in the kernel's list of victims and the niceness, then exec."""
    parent_pid, niceness, program = int(argv[1]), int(argv[2]), argv[3:]
    if sys.platform == "linux":
        import ctypes

        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
        if os.getppid() != parent_pid:  # the parent died before the signal was set
            sys.exit("parent is gone")
        _offer_oneself()
    if niceness and sys.platform != "win32":
        os.nice(niceness)
        if sys.platform == "linux":
            _step_back_from_disks(niceness)
    try:
        os.execvp(program[0], program)  # noqa: S606
    except OSError as error:
        print(f"{program[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(127)


def _step_back_from_disks(niceness: int) -> None:
    """Set the I/O priority (`ioprio_set(2)`), where its number is known."""
    import ctypes
    import platform

    number = IOPRIO_SET.get(platform.machine())
    if number is None:
        return  # the kernel takes it from the niceness then
    class_, level = (IOPRIO_IDLE, 0) if niceness >= IDLE_NICENESS else (IOPRIO_BEST_EFFORT, 7)
    ctypes.CDLL(None).syscall(number, IOPRIO_WHO_PROCESS, 0, class_ << 13 | level)


def _offer_oneself() -> None:
    try:
        with open("/proc/self/oom_score_adj", "r+", encoding="ascii") as file:  # noqa: PTH123
            if int(file.read()) < OOM_SCORE_ADJ:
                file.seek(0)
                file.write(str(OOM_SCORE_ADJ))
    except OSError:
        pass  # without /proc the kernel chooses by size alone


if __name__ == "__main__":
    main(sys.argv)
