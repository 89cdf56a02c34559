"""What runs on other systems: here no more than that every module can be loaded there."""

import subprocess
import sys

import pytest

import program

# Libraries are loaded as they are on this system; only the modules of the program find another one, without
# what only POSIX systems have.
LOAD = """
import importlib, os, pkgutil, signal, sys, traceback
import vhsbatch
from importlib.abc import MetaPathFinder
system, posix_only = sys.argv[1], {"fcntl", "termios", "resource", "pty", "pwd", "grp"}
names = sorted(found.name for found in pkgutil.walk_packages(vhsbatch.__path__, "vhsbatch."))
names = [name for name in names if not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.startswith("vhsbatch.")]:
    del sys.modules[name]
sys.platform = system
if system == "win32":
    import ctypes, subprocess, types
    for name in posix_only:
        sys.modules[name] = None
    for module, missing in (
        (os, ("killpg", "fork", "nice", "statvfs", "uname", "getuid", "sysconf", "pwrite", "readv")),
        (os, ("O_NONBLOCK", "O_CLOEXEC", "sched_getaffinity")),
        (signal, ("SIGHUP", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGTSTP", "SIGPIPE", "SIGALRM", "setitimer")),
    ):
        for name in missing:
            vars(module).pop(name, None)
    signal.SIGBREAK, signal.CTRL_BREAK_EVENT = 21, 1
    subprocess.CREATE_NEW_PROCESS_GROUP, subprocess.IDLE_PRIORITY_CLASS = 0x200, 0x40
    subprocess.BELOW_NORMAL_PRIORITY_CLASS = 0x4000
failed = []
for name in names:
    try:
        importlib.import_module(name)
    except Exception:
        failed.append((name, traceback.format_exc(limit=-2)))
for name, why in failed:
    print(name, why)
print(len(names), "modules,", len(failed), "failed")
# What is left is the interpreter's own end, which needs what was taken away.
sys.stdout.flush()
os._exit(bool(failed))
"""
# It runs by itself, as a child, on POSIX systems only.
POSIX_ONLY = {"win32": ["vhsbatch.process.subreaper"], "darwin": []}


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_every_module_can_be_loaded(system: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, system],
        capture_output=True,
        text=True,
        timeout=program.PATIENCE_S,
        check=False,
    )
    lines = done.stdout.splitlines()
    failed = [line.split()[0] for line in lines if line.startswith("vhsbatch.")]
    assert failed == POSIX_ONLY[system], done.stdout + done.stderr
    assert int(lines[-1].split()[0]) > 250, done.stdout
