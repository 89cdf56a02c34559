"""Real file systems in images, mounted by the kernel where it knows them, else by a driver in user space."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import program

KINDS = ("vfat", "exfat", "ntfs")
_MAKE = {
    "vfat": ["mkfs.vfat", "-F", "32"],
    "exfat": ["mkfs.exfat"],
    "ntfs": ["mkfs.ntfs", "-F", "-Q", "-q"],
}
# This needs a device; for the other a file will do. There is none for FAT: fusefat 0.1a loses what is in a
# folder that it renames, and what it should append to a short file.
_OF_A_DEVICE = {"exfat": ["mount.exfat-fuse"]}
_OF_A_FILE = {"ntfs": ["ntfs-3g", "-o", "windows_names"]}
_CONNECTIONS = Path("/sys/fs/fuse/connections")
_CLONE_NEWNS = 0x00020000


@dataclass(slots=True)
class Disk:
    """A disk with a file system of its own.

    Attributes:
        kind: of the file system.
        image: the file that holds all of it.
        place: where it is mounted.
        by: what mounted it.
    """

    kind: str
    image: Path
    place: Path
    by: str = ""
    _device: str = field(default="", repr=False)

    def mount(self) -> None:
        """Mount it; the test is skipped where nothing here can."""
        self.place.mkdir(exist_ok=True)
        said = []
        for command in self._commands():
            done = _run([*command, os.fspath(self.place)])
            if done is None and os.path.ismount(self.place):
                self.by = command[0]
                return
            said.append(f"{command[0]}: {done}")
        self._detach()
        pytest.skip(f"{self.kind} cannot be mounted here: {'; '.join(said)}")

    def _commands(self) -> Iterator[list[str]]:
        image = os.fspath(self.image)
        if self.kind in _OF_A_FILE:
            yield [*_OF_A_FILE[self.kind], image]
            return
        yield ["mount", "-t", self.kind, "-o", "loop", image]
        said: list[str] = []
        if self.kind in _OF_A_DEVICE and _run(["losetup", "-f", "--show", image], said) is None:
            self._device = said[0]
            yield [*_OF_A_DEVICE[self.kind], self._device]

    def unmount(self) -> None:
        """Unmount it, as a user does who takes it out; it may be in use."""
        drivers = self.drivers()
        if _run(["umount", os.fspath(self.place)]) is not None:
            _run(["umount", "-l", os.fspath(self.place)])
        # What it has to write, it writes before it ends.
        deadline_s = time.monotonic() + program.GONE_S
        while any(Path(f"/proc/{pid}").exists() for pid in drivers) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        self._detach()

    def pull_out(self) -> None:
        """Let it be gone, as a share whose server dies: what is open on it fails."""
        for pid in self.drivers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _run(["umount", "-l", os.fspath(self.place)])
        self._detach()

    def hang(self) -> None:
        """Let nothing on it be answered any more; the test is skipped where the kernel serves it."""
        drivers = self.drivers()
        if not drivers:
            pytest.skip("the kernel serves this file system, and cannot be stopped")
        waiting = self._waiting_file()
        while True:
            for pid in drivers:
                os.kill(pid, signal.SIGSTOP)
            # Who waits for a question that the driver has already taken cannot be killed: Linux waits it out.
            if int(waiting.read_text()) == 0:
                return
            self.answer()
            time.sleep(0.01)

    def _waiting_file(self) -> Path:
        """How many questions are asked of its driver and not answered yet, as the kernel tells."""
        number = self.place.stat().st_dev
        connection = _CONNECTIONS / str(os.major(number) << 20 | os.minor(number))
        if not connection.exists():
            _run(["mount", "-t", "fusectl", "none", os.fspath(_CONNECTIONS)])
        return connection / "waiting"

    def answer(self) -> None:
        """Let it answer again."""
        for pid in self.drivers():
            os.kill(pid, signal.SIGCONT)

    def drivers(self) -> list[int]:
        """The processes that serve it; none where the kernel does."""
        names = (os.fsencode(self.image), os.fsencode(self._device or self.image))
        found = []
        for pid in program.processes_working_in(self.place):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if any(name in words for name in names):
                    found.append(pid)
        return found

    def _detach(self) -> None:
        if self._device:
            _run(["losetup", "-d", self._device])
            self._device = ""


@contextmanager
def disk(kind: str, folder: Path, *, size_mib: int = 2048) -> Iterator[Disk]:
    """A new disk, mounted; whatever happens, it is unmounted at the end."""
    _own_mounts()
    image = folder / f"{kind}.image"
    with image.open("wb") as file:
        file.truncate(size_mib * 2**20)
    if (error := _run([*_MAKE[kind], os.fspath(image)])) is not None:
        pytest.skip(f"{_MAKE[kind][0]}: {error}")
    made = Disk(kind, image, folder / kind)
    try:
        made.mount()
        yield made
    finally:
        made.answer()
        if os.path.ismount(made.place):
            made.unmount()
        image.unlink()


def _own_mounts() -> None:
    """Let nobody else see what this process mounts, where that can be had."""
    with suppress(OSError, AttributeError):
        if ctypes.CDLL(None).unshare(_CLONE_NEWNS) == 0:
            _run(["mount", "--make-rprivate", "/"])


def _run(command: list[str], said: list[str] | None = None) -> str | None:
    """Run a command; why it failed, None if it did not."""
    try:
        # A driver that goes on in the background must not hold a pipe open.
        with (Path(os.devnull)).open("w") as nowhere:
            output = subprocess.PIPE if said is not None else nowhere
            done = subprocess.run(command, stdout=output, stderr=nowhere, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if said is not None:
        said += done.stdout.split()
    return None if done.returncode == 0 else f"it ended with {done.returncode}"
