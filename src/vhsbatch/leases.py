"""Who makes which video, where several runs, on one machine or on several, share one output folder.

A run shows that it lives by a file (`runs/RUN.json`), which it locks and whose time it renews. It takes
a video by a file that names the run (`leases/VIDEO`) and that only one run can create; the lease of a
run that has died counts for nothing. What was published is marked (`made/VIDEO`), so that a run which
planned that video before does not make it once more.
"""

import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch import liveness
from vhsbatch.errors import OutputFolderError, fix_of_folder
from vhsbatch.liveness import Living, announce, living, this_process
from vhsbatch.scheduling.claims import Free, Held, Made, Standing

PUBLISHING = "publishing-"


class Leases:
    """The leases of one run.

    Attributes:
        own_file: what shows that this run lives.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        self._folder = folder
        self._run = this_process(run_id)
        self.own_file = self._file_of_run(run_id)
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
            self._lock = announce(self._run, self.own_file)
            self._started_ns = self.own_file.stat().st_mtime_ns
        except OSError as error:
            raise OutputFolderError(
                f"cannot write to the output folder {output}: {error.strerror}",
                fix=fix_of_folder(error),
            ) from error
        self._clear_away()

    def renew(self) -> None:
        """Show that this run is alive."""
        liveness.renew(self.own_file)

    def end(self) -> None:
        """Give everything back."""
        for job_id in list(self._taken):
            self.release(job_id, made=False)
        self._clear_away()
        self.own_file.unlink(missing_ok=True)
        os.close(self._lock)

    def others(self) -> tuple[str, ...]:
        """The other runs that are alive, in words."""
        living = (self._living(run_id) for run_id in self._ids_of_others())
        return tuple(run.in_words for run in living if run is not None)

    def _ids_of_others(self) -> list[str]:
        return [path.stem for path in (self._folder / "runs").glob("*.json") if path != self.own_file]

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

    def _living(self, run_id: str) -> Living | None:
        """A run, if it is alive."""
        return living(self._file_of_run(run_id), clock=self.own_file)

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
            # On a full disk the mark is there, and says less.
            with suppress(OSError):
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

    def _holder(self, job_id: str) -> Living | None:
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
    runs = map(living, (folder / "runs").glob("*.json"))
    return {run.run_id for run in runs if run is not None}


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
            await anyio.sleep(liveness.RENEW_S)
            await anyio.to_thread.run_sync(leases.renew)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(keep)
            yield leases
            group.cancel_scope.cancel()
    finally:
        leases.end()
