"""What differs between operating systems: signals, groups of processes, priorities and locks of files.

On Linux all of it is tested. What is here for Windows follows its documentation and has not been tried.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

# Exit codes, where signals end processes, of one that was killed, and of one that wrote to nobody.
KILLED, BROKEN_PIPE = -9, -13

# Whoever steps back as far as can be.
_IDLE_NICENESS = 19


def children_of(pid: int) -> list[int]:
    """The children of a process; none of one that has ended.

    On Linux the kernel tells them. Elsewhere all processes of the machine are looked through.
    """
    children: list[int] = []
    if sys.platform == "linux":
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children += map(int, path.read_text(encoding="ascii").split())
    else:
        import psutil

        with contextlib.suppress(psutil.Error):
            children += [child.pid for child in psutil.Process(pid).children()]
    return children


if sys.platform == "win32":
    import ctypes
    import subprocess
    from ctypes import wintypes

    import psutil

    TO_STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGBREAK})
    ASK, END, END_LEFT, HOLD, GO_ON = (signal.CTRL_BREAK_EVENT, -9, -9, -19, -18)

    def signal_group(pid: int, number: int) -> None:
        """Ask a child and all that it has started to end, end them, hold them, or let them go on."""
        if number == ASK:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
            return
        action = {END: "kill", HOLD: "suspend", GO_ON: "resume"}[number]
        with contextlib.suppress(psutil.Error):
            child = psutil.Process(pid)
            for process in (child, *child.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    getattr(process, action)()

    def creation_flags(niceness: int) -> int:
        """A group of its own, which can be asked to end, and a lower priority where that is wanted."""
        if niceness >= _IDLE_NICENESS:
            return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS
        priority = subprocess.BELOW_NORMAL_PRIORITY_CLASS if niceness else 0
        return subprocess.CREATE_NEW_PROCESS_GROUP | priority

    class _JobLimits(ctypes.Structure):
        """JOBOBJECT_EXTENDED_LIMIT_INFORMATION: only its flags are set."""

        _fields_ = (
            ("times", ctypes.c_int64 * 2),
            ("flags", wintypes.DWORD),
            ("sizes", ctypes.c_size_t * 2),
            ("processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("classes", wintypes.DWORD * 2),
            ("transfers", ctypes.c_uint64 * 6),
            ("memory", ctypes.c_size_t * 4),
        )

    _EXTENDED_LIMITS, _KILL_ON_CLOSE = 9, 0x2000

    def end_children_with_this_process() -> None:
        """Put this process into a job whose processes end when its last handle, which is ours, is closed."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.CreateJobObjectW.argtypes = (wintypes.LPVOID, wintypes.LPCWSTR)
        kernel.SetInformationJobObject.argtypes = (
            wintypes.HANDLE,
            ctypes.c_int,
            wintypes.LPVOID,
            wintypes.DWORD,
        )
        kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
        job = kernel.CreateJobObjectW(None, None)
        limits = _JobLimits(flags=_KILL_ON_CLOSE)
        size = ctypes.sizeof(limits)
        if not (
            job
            and kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size)
            and kernel.AssignProcessToJobObject(job, kernel.GetCurrentProcess())
        ):
            raise ctypes.WinError(ctypes.get_last_error())

    def lock(descriptor: int, *, shared: bool) -> None:
        """Lock an open file, without waiting.

        Raises:
            BlockingIOError: another process has locked it.
            OSError: it cannot be locked.
        """
        import portalocker

        kind = portalocker.LockFlags.SHARED if shared else portalocker.LockFlags.EXCLUSIVE
        try:
            portalocker.lock(descriptor, kind | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.AlreadyLocked as error:
            raise BlockingIOError(str(error)) from error
        except portalocker.LockException as error:
            raise OSError(str(error)) from error

else:
    import fcntl

    TO_STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    # The last but one: ends all that a command of the user's has left running.
    ASK, END, END_LEFT = signal.SIGTERM, signal.SIGKILL, signal.SIGHUP
    HOLD, GO_ON = signal.SIGSTOP, signal.SIGCONT

    def signal_group(pid: int, number: int) -> None:
        """Signal the whole session of a child, so that no grandchild is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, number)

    def creation_flags(niceness: int) -> int:
        """What a child is created with: the guard sets its niceness."""
        del niceness
        return 0

    def end_children_with_this_process() -> None:
        """Nothing: each child has a guard."""

    def lock(descriptor: int, *, shared: bool) -> None:
        """Lock an open file, without waiting.

        Raises:
            BlockingIOError: another process has locked it.
            OSError: it cannot be locked.
        """
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
