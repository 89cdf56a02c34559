"""How a process shows by a file that it lives, to others on this machine and on those that share its folder.

It locks the file, and renews its time. On this machine the lock says whether it lives; elsewhere, and where
a file system has no locks, the time does.
"""

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

RENEW_S = 20.0
# Who has not been heard of for so long has died, or lost the folder.
LOST_S = 120.0


@dataclass(frozen=True, slots=True)
class Living:
    """What such a file says.

    Attributes:
        run_id: what the process does.
        host: the name of its machine.
        boot_id: tells that machine since its last start from every other.
        pid: its number there.
    """

    run_id: str
    host: str
    boot_id: str
    pid: int

    @property
    def in_words(self) -> str:
        """The process, for a user."""
        return f"{self.host} (process {self.pid})"

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, on this machine since its last start."""
        return self.boot_id == _boot_id()


def this_process(run_id: str) -> Living:
    """What this process says of itself."""
    return Living(run_id, socket.gethostname(), _boot_id(), os.getpid())


def announce(living: Living, path: Path) -> int:
    """Create the file; the descriptor that holds its lock.

    It is locked before it has its name: one that is seen without its lock is taken for dead.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_suffix(".new")
    while True:
        lock = os.open(draft, os.O_CREAT | os.O_RDWR, 0o666)
        with suppress(OSError):  # a file system without locks has its times
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(lock, json.dumps(asdict(living)).encode())
        try:
            draft.rename(path)
        except FileNotFoundError:  # another one has cleared it away, as what a dead one left
            os.close(lock)
        else:
            return lock


def renew(path: Path) -> None:
    """Show that this process still lives."""
    with suppress(OSError):  # a folder that is away for a moment
        os.utime(path)


def living(path: Path, *, clock: Path | None = None) -> Living | None:
    """Who shows by a file that it lives; None if there is no such file, or its process is dead.

    Args:
        path: the file.
        clock: a file beside it that is this process's own: clocks of two machines differ, and so its time
            is set to read the file system's.
    """
    try:
        found = Living(**json.loads(path.read_text()))
        renewed_s = path.stat().st_mtime
    except (OSError, ValueError, TypeError):
        return None
    if found.is_here and (locked := _is_locked(path)) is not None:
        return found if locked else None
    now_s = time.time()
    if clock is not None:
        os.utime(clock)
        now_s = clock.stat().st_mtime
    return found if now_s - renewed_s < LOST_S else None


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
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
