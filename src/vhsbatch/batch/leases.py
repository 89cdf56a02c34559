"""Who makes which video, where several runs, on one machine or on several, share one output folder.

A run shows that it is alive by a file (`runs/RUN.json`) that it locks and whose time it renews. It takes
a video by a folder (`leases/VIDEO`) with one file in it, which is called as the run is; the lease of a
run that has died counts for nothing. What was published is marked (`made/VIDEO`), so that a run which
planned that video before does not make it once more.

Every file system, without hard links too, renames a folder at once or not at all, and never onto one
that holds something: so a lease is seen complete, and only one run can create it.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.errors import OutputFolderError, fix_of_folder
from vhsbatch.fs import files_in
from vhsbatch.process import heartbeat
from vhsbatch.process.heartbeat import LivingRun, announce, living, this_process
from vhsbatch.scheduling.claims import Completed, Free, Held, Standing

PUBLISHING = "publishing-"

# What a file system says of a folder that cannot get a name because something has it.
_IS_THERE = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR})
# A lease may be given back while another run looks who has it.
_ATTEMPTS = 10


class Leases:
    """The leases of one run.

    Attributes:
        own_file: shows that this run is alive.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = folder
        self._run = this_process(run_id)
        self.own_file = self._file_of_run(run_id)
        self._taken: set[str] = set()
        self._lock = -1
        self._marks_before: dict[str, int] = {}

    # --- the run ---------------------------------------------------------------------------------

    def begin(self, output: Path) -> None:
        """Announce this run, and clear away what dead ones left.

        Raises:
            OutputFolderError: the folder cannot be written.
        """
        try:
            for name in ("runs", "leases", "made"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            self._lock = announce(self._run, self.own_file)
            self._marks_before = _times_ns(self._folder / "made")
            self._clear_away()
        except OSError as error:
            raise OutputFolderError(
                f"cannot write to the output folder {output}: {error.strerror}",
                fix=fix_of_folder(error),
            ) from error

    def renew(self) -> None:
        """Show that this run is alive."""
        heartbeat.renew(self.own_file)
        self._lock = heartbeat.lock_again(self.own_file, self._lock)

    def end(self) -> None:
        """Give everything back; a folder that is away keeps it, and the next run clears it away."""
        with suppress(OSError):
            for job_id in list(self._taken):
                self.release(job_id, made=False)
            self._clear_away()
            self.own_file.unlink(missing_ok=True)
        with suppress(OSError):  # on a share that is away, this fails too
            os.close(self._lock)

    def others(self) -> tuple[str, ...]:
        """The other runs that are alive, in words."""
        living = (self._living(run_id) for run_id in self._ids_of_others())
        return tuple(run.in_words for run in living if run is not None)

    def _ids_of_others(self) -> list[str]:
        return [path.stem for path in files_in(self._folder / "runs", ".json") if path != self.own_file]

    def _clear_away(self) -> None:
        """Remove what dead runs left, and marks that nobody needs any more."""
        others = self._ids_of_others()
        dead = {run_id for run_id in others if self._living(run_id) is None}
        for run_id in dead:
            self._file_of_run(run_id).unlink(missing_ok=True)
        for draft in files_in(self._folder / "runs", ".new"):
            draft.unlink(missing_ok=True)
        living = {self._run.run_id, *others} - dead
        for path in (*files_in(self._folder / "live"), *files_in(self._folder / "commands")):
            if not any(path.name.startswith(run_id) for run_id in living):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in files_in(self._folder):
            if path.name.startswith(PUBLISHING) and path.name.removeprefix(PUBLISHING) not in living:
                shutil.rmtree(path, ignore_errors=True)
        for path in files_in(self._folder / "leases"):
            if "." in path.name and path.name.partition(".")[2] not in living:
                shutil.rmtree(path, ignore_errors=True)
        if living == {self._run.run_id}:
            for path in (self._folder / "made").iterdir():
                path.unlink(missing_ok=True)

    def _file_of_run(self, run_id: str) -> Path:
        return self._folder / "runs" / f"{run_id}.json"

    def _living(self, run_id: str) -> LivingRun | None:
        """A run, if it is alive."""
        return living(self._file_of_run(run_id), clock=self.own_file)

    # --- videos ----------------------------------------------------------------------------------

    def look(self, job_id: str) -> Standing:
        """Who has a video, without taking it."""
        if (mark := self._new_mark(job_id)) is not None:
            return Completed(mark)
        holder = self._holder(job_id)
        return Free() if holder is None else Held(holder.in_words)

    def take(self, job_id: str) -> Standing:
        """Take a video; `Free` says that it is this run's now."""
        lease = self._lease(job_id)
        for _ in range(_ATTEMPTS):
            if (holder := self._holder(job_id)) is not None:
                return Held(holder.in_words)
            if self._is_own(lease) or self._create(lease):
                break
        else:
            return Held("another run")
        self._taken.add(job_id)
        if (mark := self._new_mark(job_id)) is not None:
            self.release(job_id, made=False)
            return Completed(mark)
        return Free()

    def release(self, job_id: str, *, made: bool) -> None:
        """Give a video back; `made` says that its result has been published."""
        if job_id not in self._taken:
            return
        self._taken.discard(job_id)
        if made:
            # On a full disk the mark exists, but says less.
            with suppress(OSError):
                self._mark(job_id).write_text(self._run.in_words)
        with suppress(
            OSError
        ):  # a folder that is away keeps it: it counts for nothing when this run has ended
            _remove(self._lease(job_id), self._run.run_id)

    def owns(self, job_id: str) -> bool:
        """Whether the video is still this run's: another may have assumed this one dead."""
        return job_id in self._taken and self._is_own(self._lease(job_id))

    def _create(self, lease: Path) -> bool:
        """Create the lease, complete or not at all, in the place of one that has expired."""
        mine = lease.with_name(f"{lease.name}.{self._run.run_id}")
        mine.mkdir(exist_ok=True)
        try:
            (mine / self._run.run_id).touch()
            # Only what the dead one left goes: the lease may be another living run's by now.
            for run_id in _holders(lease):
                if self._living(run_id) is None:
                    _remove(lease, run_id)
            mine.rename(lease)
        except OSError as error:
            if error.errno not in _IS_THERE and not os.path.lexists(lease):
                raise
            return self._is_own(lease)  # a share may repeat what it has done already, and say that it failed
        finally:
            shutil.rmtree(mine, ignore_errors=True)
        return True

    def _holder(self, job_id: str) -> LivingRun | None:
        """The other run that has a video, if it is alive."""
        others = (run_id for run_id in _holders(self._lease(job_id)) if run_id != self._run.run_id)
        return next((run for run in map(self._living, others) if run is not None), None)

    def _is_own(self, lease: Path) -> bool:
        return self._run.run_id in _holders(lease)

    def _new_mark(self, job_id: str) -> str | None:
        """Who has published a video since this run began."""
        path = self._mark(job_id)
        try:
            is_new = path.stat().st_mtime_ns != self._marks_before.get(path.name)
            return path.read_text() if is_new else None
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
    runs = map(living, files_in(folder / "runs", ".json"))
    return {run.run_id for run in runs if run is not None}


def _holders(lease: Path) -> list[str]:
    """The run that a lease names; none where there is no lease."""
    try:
        return os.listdir(lease)  # noqa: PTH208 - names are wanted
    except OSError:
        with suppress(OSError):  # of an earlier version: a file with the name in it
            return [lease.read_text()]
        return []


def _remove(lease: Path, run_id: str) -> None:
    """Remove what a run has of a lease."""
    if lease.is_file():
        lease.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):
        (lease / run_id).unlink()
    with suppress(OSError):  # it is gone, or another run's
        lease.rmdir()


def _times_ns(folder: Path) -> dict[str, int]:
    """When each file in a folder was written; others may be removing them."""
    times = {}
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            times[path.name] = path.stat().st_mtime_ns
    return times


def _name(job_id: str) -> str:
    return hashlib.sha256(os.fsencode(job_id)).hexdigest()[:20]


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
            await anyio.sleep(heartbeat.RENEW_S)
            await anyio.to_thread.run_sync(leases.renew)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(keep)
            yield leases
            group.cancel_scope.cancel()
    finally:
        leases.end()
