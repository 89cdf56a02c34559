"""How a process shows by a file that it is alive, to all machines that share its folder.

The process locks the file and keeps renewing its modification time. On this machine the lock shows whether
it is alive; on others, and on file systems without locks, the time does. An impossible time (a clock was set
back) shows nothing: then watch whether the file is renewed.
"""

import json
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vhsbatch.fs import is_open_as
from vhsbatch.process.system import lock

RENEW_S = 20.0
# A process silent for this long has died, or lost the folder.
LOST_S = 120.0


@dataclass(frozen=True, slots=True)
class LivingRun:
    """What such a file says.

    Attributes:
        run_id: what the process does.
        host: the name of its machine.
        boot_id: tells that machine since its last start from every other.
        pid: its number there.
        locked: whether it holds the lock of the file: not every file system has locks.
    """

    run_id: str
    host: str
    boot_id: str
    pid: int
    locked: bool = True

    @property
    def in_words(self) -> str:
        """The process, for a user."""
        return f"{self.host} (process {self.pid})"

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, on this machine since its last start."""
        return self.boot_id == _boot_id()


def this_process(run_id: str) -> LivingRun:
    """What this process says of itself."""
    return LivingRun(run_id, socket.gethostname(), _boot_id(), os.getpid())


def announce(living: LivingRun, path: Path) -> int:
    """Create the file; the descriptor that holds its lock.

    It is locked before it has its name: one that is seen without its lock is taken for dead.

    Raises:
        OSError: it cannot be written.
    """
    # Windows renames no file that is open.
    draft = path if sys.platform == "win32" else path.with_suffix(".new")
    while True:
        descriptor = os.open(draft, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            lock(descriptor, shared=False)
        except OSError:  # a file system without locks has its times
            living = replace(living, locked=False)
        os.write(descriptor, json.dumps(asdict(living)).encode())
        try:
            if draft != path:
                draft.rename(path)
        except FileNotFoundError:  # another one has cleared it away, as what a dead one left
            os.close(descriptor)
        else:
            return descriptor


def renew(path: Path) -> None:
    """Show that this process is still alive."""
    with suppress(OSError):  # a folder that is away for a moment
        os.utime(path)


def lock_again(path: Path, descriptor: int) -> int:
    """The descriptor that holds the lock from here on.

    Where the folder was away and is mounted again, the one that was opened before holds nothing.
    """
    if is_open_as(path, descriptor):
        return descriptor
    try:
        again = os.open(path, os.O_RDWR)
    except OSError:  # it is still away
        return descriptor
    with suppress(OSError):
        lock(again, shared=False)
    with suppress(OSError):
        os.close(descriptor)
    return again


def living(path: Path, *, clock: Path | None = None) -> LivingRun | None:
    """The live process that a file belongs to; None if there is no such file, or the process is dead.

    Args:
        path: the file.
        clock: a file beside it that is this process's own: clocks of two machines differ, and so its time
            is set to read the file system's.
    """
    try:
        found = _read(path)
        renewed_ns = path.stat().st_mtime_ns
    except (OSError, ValueError, TypeError):
        return None
    if found.is_here and found.locked and (locked := _is_locked(path)) is not None:
        return found if locked else None
    now_s = time.time()
    if clock is not None:
        with suppress(OSError):  # the folder has just gone
            os.utime(clock)
            now_s = clock.stat().st_mtime
    age_s = now_s - renewed_ns / 1e9
    if age_s < -LOST_S:
        age_s = _watched_s(path, renewed_ns)
    return found if age_s < LOST_S else None


def _read(path: Path) -> LivingRun:
    """What a file says.

    Raises:
        OSError, ValueError, TypeError: it cannot be read, or is damaged.
    """
    try:
        return LivingRun(**json.loads(path.read_text()))
    except PermissionError:
        # On a share a lock may keep others from reading: the time says whether it is alive.
        return LivingRun(path.stem, "another machine", "", 0, locked=False)


# The time of each file that is in the future, and since when this process knows it.
_seen: dict[Path, tuple[int, float]] = {}


def _watched_s(path: Path, renewed_ns: int) -> float:
    """For how long a file has not been renewed, as far as this process has seen it."""
    now_s = time.monotonic()
    known_ns, since_s = _seen.get(path, (None, now_s))
    if known_ns != renewed_ns:
        since_s = now_s
    _seen[path] = renewed_ns, since_s
    return now_s - since_s


def _boot_id() -> str:
    """Tells this machine since its last start from every other, containers with one name too."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _is_locked(path: Path) -> bool | None:
    """Whether a process of this machine holds the file; None where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        # Shared, so that two that look do not take each other for the process.
        lock(descriptor, shared=True)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
