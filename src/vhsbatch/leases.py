"""Who makes which video, where several runs, on one machine or on several, share one output folder.

A run shows that it lives by a file (`runs/RUN.json`), which it locks and whose time it renews. It takes
a video by a file that names the run (`leases/VIDEO`) and that only one run can create; the lease of a
run that has died counts for nothing. What was published is marked (`made/VIDEO`), so that a run which
planned that video before does not make it once more.
"""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.errors import OutputFolderError
from vhsbatch.scheduling.claims import Free, Held, Made, Standing

RENEW_S = 20.0
# A host that has not been heard of for so long has died or lost the folder.
LOST_S = 120.0
PUBLISHING = "publishing-"


def _boot_id() -> str:
    """Tells this machine since its last start from every other, containers with one name too."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run's file says."""

    run_id: str
    host: str
    boot_id: str
    pid: int

    @property
    def in_words(self) -> str:
        return f"{self.host} (process {self.pid})"


class Leases:
    """The leases of one run."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = folder
        self._run = _Run(run_id, socket.gethostname(), _boot_id(), os.getpid())
        self._own_file = self._file_of_run(run_id)
        self._taken: set[str] = set()
        self._lock = -1
        self._started_ns = 0

    # --- the run ---------------------------------------------------------------------------------

    def begin(self, output: Path) -> None:
        """Announce this run, and clear away what dead ones left behind.

        Raises:
            OutputFolderError: the folder cannot be written.
        """
        try:
            for name in ("runs", "leases", "made"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            self._lock = self._announce()
            self._started_ns = self._own_file.stat().st_mtime_ns
        except OSError as error:
            raise OutputFolderError(
                f"cannot write to the output folder {output}: {error.strerror}",
                fix="choose another one, or change its permissions",
            ) from error
        self._clear_away()

    def _announce(self) -> int:
        """Create this run's file; the descriptor that holds its lock.

        It is locked before it has its name: a run that is seen without its lock is taken for dead.
        """
        draft = self._own_file.with_suffix(".new")
        while True:
            lock = os.open(draft, os.O_CREAT | os.O_RDWR, 0o666)
            with suppress(OSError):  # a file system without locks has its times
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(lock, json.dumps(asdict(self._run)).encode())
            try:
                draft.rename(self._own_file)
            except FileNotFoundError:  # another run has cleared it away, as what a dead one left
                os.close(lock)
            else:
                return lock

    def renew(self) -> None:
        """Show that this run is alive."""
        with suppress(OSError):  # a folder that is away for a moment
            os.utime(self._own_file)

    def end(self) -> None:
        """Give everything back."""
        for job_id in list(self._taken):
            self.release(job_id, made=False)
        self._clear_away()
        self._own_file.unlink(missing_ok=True)
        os.close(self._lock)

    def others(self) -> tuple[str, ...]:
        """The other runs that are alive, in words."""
        living = (self._living(run_id) for run_id in self._ids_of_others())
        return tuple(run.in_words for run in living if run is not None)

    def _ids_of_others(self) -> list[str]:
        return [path.stem for path in (self._folder / "runs").glob("*.json") if path != self._own_file]

    def _clear_away(self) -> None:
        """Remove what dead runs left, and marks that nobody needs any more."""
        others = self._ids_of_others()
        dead = {run_id for run_id in others if self._living(run_id) is None}
        for run_id in dead:
            self._file_of_run(run_id).unlink(missing_ok=True)
        for draft in (self._folder / "runs").glob("*.new"):
            draft.unlink(missing_ok=True)
        living = {self._run.run_id, *others} - dead
        for path in (*self._folder.glob("live/*"), *self._folder.glob("wishes/*")):
            if not any(path.name.startswith(run_id) for run_id in living):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in self._folder.glob(f"{PUBLISHING}*"):
            if path.name.removeprefix(PUBLISHING) not in living:
                shutil.rmtree(path, ignore_errors=True)
        if living == {self._run.run_id}:
            for path in (self._folder / "made").iterdir():
                path.unlink(missing_ok=True)

    def _file_of_run(self, run_id: str) -> Path:
        return self._folder / "runs" / f"{run_id}.json"

    def _living(self, run_id: str) -> _Run | None:
        """A run, if it is alive."""
        path = self._file_of_run(run_id)
        try:
            run = _Run(**json.loads(path.read_text()))
            renewed_s = path.stat().st_mtime
        except (OSError, ValueError, TypeError):
            return None
        if run.boot_id == self._run.boot_id and (locked := _is_locked(path)) is not None:
            return run if locked else None
        # Both times are the file system's: clocks of two machines differ.
        os.utime(self._own_file)
        return run if self._own_file.stat().st_mtime - renewed_s < LOST_S else None

    # --- videos ----------------------------------------------------------------------------------

    def look(self, job_id: str) -> Standing:
        """Who has a video, without taking it."""
        if (mark := self._new_mark(job_id)) is not None:
            return Made(mark)
        holder = self._holder(job_id)
        return Free() if holder is None or holder.run_id == self._run.run_id else Held(holder.in_words)

    def take(self, job_id: str) -> Standing:
        """Take a video; `Free` says that it is this run's now."""
        lease = self._lease(job_id)
        mine = lease.with_name(f"{lease.name}.{self._run.run_id}")
        mine.write_text(self._run.run_id)
        try:
            if (holder := self._holder(job_id)) is not None and holder.run_id != self._run.run_id:
                return Held(holder.in_words)
            if not self._link(mine, lease):
                return self.look(job_id)
        finally:
            mine.unlink(missing_ok=True)
        self._taken.add(job_id)
        if (mark := self._new_mark(job_id)) is not None:
            self.release(job_id, made=False)
            return Made(mark)
        return Free()

    def release(self, job_id: str, *, made: bool) -> None:
        """Give a video back; `made` says that its result has been published."""
        if job_id not in self._taken:
            return
        self._taken.discard(job_id)
        if made:
            self._mark(job_id).write_text(self._run.in_words)
        if self._is_own(self._lease(job_id)):
            self._lease(job_id).unlink(missing_ok=True)

    def owns(self, job_id: str) -> bool:
        """Whether the video is still this run's: another may have taken this one for dead."""
        return job_id in self._taken and self._is_own(self._lease(job_id))

    def _link(self, mine: Path, lease: Path) -> bool:
        """Create the lease, complete or not at all, in the place of one that has expired."""
        if self._is_own(lease):
            return True
        # Of several runs that find a lease expired, one moves it away.
        with suppress(FileNotFoundError):
            if lease.exists():
                expired = lease.with_name(f"{lease.name}.expired.{self._run.run_id}")
                lease.rename(expired)
                expired.unlink()
        try:
            lease.hardlink_to(mine)
        except FileExistsError:
            return False
        return True

    def _holder(self, job_id: str) -> _Run | None:
        try:
            return self._living(self._lease(job_id).read_text())
        except OSError:
            return None

    def _is_own(self, lease: Path) -> bool:
        try:
            return lease.read_text() == self._run.run_id
        except OSError:
            return False

    def _new_mark(self, job_id: str) -> str | None:
        """Who has published a video since this run began."""
        path = self._mark(job_id)
        try:
            return path.read_text() if path.stat().st_mtime_ns >= self._started_ns else None
        except OSError:
            return None

    def _lease(self, job_id: str) -> Path:
        return self._folder / "leases" / _name(job_id)

    def _mark(self, job_id: str) -> Path:
        return self._folder / "made" / _name(job_id)


def living_runs(folder: Path) -> set[str]:
    """The runs in a state folder that are alive, as far as one can tell without taking part.

    Args:
        folder: the state folder of an output folder.
    """
    alive = set()
    for path in (folder / "runs").glob("*.json"):
        with suppress(OSError, ValueError, TypeError):
            run = _Run(**json.loads(path.read_text()))
            locked = _is_locked(path) if run.boot_id == _boot_id() else None
            if locked or (locked is None and time.time() - path.stat().st_mtime < LOST_S):
                alive.add(run.run_id)
    return alive


def _name(job_id: str) -> str:
    return hashlib.sha256(os.fsencode(job_id)).hexdigest()[:20]


def _is_locked(path: Path) -> bool | None:
    """Whether a process of this machine holds the file; None where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        # Shared, so that two that look do not take each other for the run.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


@asynccontextmanager
async def leasing(state_folder: Path, run_id: str, output: Path) -> AsyncIterator[Leases]:
    """Leases for as long as a run lasts.

    Raises:
        OutputFolderError: the output folder cannot be written.
    """
    leases = Leases(state_folder, run_id)
    await anyio.to_thread.run_sync(leases.begin, output)

    async def keep() -> None:
        while True:
            await anyio.sleep(RENEW_S)
            await anyio.to_thread.run_sync(leases.renew)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(keep)
            yield leases
            group.cancel_scope.cancel()
    finally:
        leases.end()
