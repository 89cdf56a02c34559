"""Whether the system has refused processes or threads: the limits of control groups and of the user.

What a program says that gets no thread differs from program to program, and some hang without a word. So the
system is asked: a control group counts what it refuses, and the threads of a user can be counted.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from vhsbatch.errors import ChainError, ProcessLimitError

_MOUNT = Path("/sys/fs/cgroup")
# The files of a group; one of them has no limit where it says so.
_LIMIT, _EVENTS, _NO_LIMIT = "pids.max", "pids.events", "max"
# A chain that has failed has given its threads back: this near to the limit of the user, it had none left.
_CHAIN_THREADS = 64


def refusals(membership: Path = Path("/proc/self/cgroup"), mount: Path = _MOUNT) -> dict[Path, int]:
    """How many processes and threads each control group of this process has refused so far.

    Args:
        membership: the groups of the process.
        mount: where control groups are mounted.
    """
    counted: dict[Path, int] = {}
    with suppress(OSError):
        for line in membership.read_text(errors="replace").splitlines():
            for group in _groups(line, mount):
                with suppress(OSError, ValueError):
                    if (group / _LIMIT).read_text().strip() != _NO_LIMIT:
                        counted[group] = parse_refusals((group / _EVENTS).read_text())
    return counted


def _groups(line: str, mount: Path) -> Iterator[Path]:
    """The group that a line of a membership names, and those around it."""
    _, controllers, name = line.split(":", 2)
    if controllers not in ("", "pids"):
        return
    top = mount / controllers
    # In a container, the name may be that of another place: the top of what is mounted is its group there.
    for group in (top / name.lstrip("/"), *(top / name.lstrip("/")).parents):
        yield group
        if group == top:
            return


def parse_refusals(text: str) -> int:
    r"""The counter in a group's ``pids.events``.

    >>> parse_refusals("max 12\n")
    12
    """
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("max ")), 0)


def users_threads(proc: Path = Path("/proc")) -> tuple[int, int] | None:
    """How many threads this user has, and may have; None where no limit holds for them."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if os.geteuid() == 0 or limit == resource.RLIM_INFINITY or not (proc / "self/status").exists():
        return None
    return sum(_threads(path, os.getuid()) for path in proc.glob("[0-9]*/status")), limit


def _threads(status: Path, user: int) -> int:
    """The threads of a process, none if it belongs to another user."""
    try:
        words = dict(line.split(":", 1) for line in status.read_text(errors="replace").splitlines())
        return int(words["Threads"]) if int(words["Uid"].split()[0]) == user else 0
    except (OSError, KeyError, ValueError):  # it has ended
        return 0


def why_refused(
    before: Mapping[Path, int], after: Mapping[Path, int], user: tuple[int, int] | None
) -> str | None:
    """The limit for which work that has failed got no process or thread, in words. Pure.

    Args:
        before: what groups had refused when the work began.
        after: what they have refused now.
        user: the threads of the user, and the limit of them; None without one.

    Returns:
        None if neither limit explains the failure.
    """
    for group, count in after.items():
        if count > before.get(group, 0):
            return f"{group / _LIMIT} allows no more processes and threads"
    if user is not None and user[0] + _CHAIN_THREADS > user[1]:
        return f"this user may have {user[1]} processes and threads (ulimit -u), and has {user[0]}"
    return None


def limit_error(limit: str, failed: str, error: ChainError | None = None) -> ProcessLimitError:
    """The error of work that got no process or thread: what its stages say of it is misleading.

    Args:
        limit: which limit, as `refused_since` words it.
        failed: what became of the work, in words.
        error: what is known of its stages.
    """
    return ProcessLimitError(
        f"{limit}: {failed}",
        fix="close other programs, or raise the limit",
        culprit=None if error is None else error.culprit,
        stages=() if error is None else error.stages,
    )


def refused_since(before: Mapping[Path, int]) -> str | None:
    """The limit for which processes or threads were refused since `refusals` was asked; None without one."""
    return why_refused(before, refusals(), users_threads())
