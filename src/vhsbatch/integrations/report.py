"""`OUT/report.html`: one file with every video of the folder, before and after, for people to look at."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.session import Session
from vhsbatch.errors import VhsBatchError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import BatchStarted, Fact, JobPublished
from vhsbatch.events.job_state import JobState, Phase
from vhsbatch.events.journal import REPORT, STATE_FOLDER, read_journal
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.ffmpeg.snapshot_commands import snapshot_size
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.fs import open_regular, publish
from vhsbatch.integrations.report_snapshots import Snapshots
from vhsbatch.restore.record import record_beside

NAME = REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Makes snapshots of each video as it is published, and the report when the batch has ended.

    Attributes:
        folder: the output folder.
        ffmpeg: the FFmpeg program, None for the embedded one.
        niceness: how much the priority of snapshots is lowered.
        written: set when there will be no other report of this batch.
    """

    folder: Path
    ffmpeg: str | None
    niceness: int
    written: anyio.Event = field(default_factory=anyio.Event)

    async def follow(self, session: Session, mailbox: Mailbox) -> None:
        """Follow the batch to its end; a report that cannot be written is reported in one line."""
        written = False
        try:
            snapshots = Snapshots(
                folder=self.folder / STATE_FOLDER / "snapshots",
                ffmpeg=(await ffmpeg_tool(self.ffmpeg)).path,
                niceness=self.niceness,
            )
            async for event in mailbox:
                if isinstance(event, JobPublished) and not session.hurried:
                    plan = session.state.jobs[event.job_id].plan
                    if plan is not None:
                        await snapshots.make(plan)
                elif event.kind == "batch_finished":
                    await self._write(session.state, snapshots)
                    written = True
        except (OSError, VhsBatchError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            session.tell(LogLine(level="warning", text=f"{self.folder / NAME} is not written: {reason}"))
        finally:
            session.report = Path(session.state.output) / NAME if written else None
            self.written.set()

    async def _write(self, state: BatchState, snapshots: Snapshots) -> None:
        from vhsbatch.integrations.report_page import MARK, render

        final = self.folder / NAME
        if await anyio.to_thread.run_sync(_is_foreign, final, MARK):
            raise VhsBatchError("a different file with that name exists", fix="move it away")
        facts = await anyio.to_thread.run_sync(
            lambda: list(read_journal(self.folder / STATE_FOLDER / "journal"))
        )
        earlier = {id_: job for id_, job in published(facts).items() if job.job.output.is_file()}

        page = await anyio.to_thread.run_sync(functools.partial(render, state, earlier, _Beside(snapshots)))
        temporary = anyio.Path(self.folder / STATE_FOLDER / f"{state.run_id}.{NAME}")
        try:
            await temporary.write_text(page, encoding="utf-8")
            await publish(Path(temporary), final)
        finally:
            await temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What lies beside the results."""

    snapshots: Snapshots

    def pictures(self, job: JobState) -> tuple[Path, Path, tuple[int, int]] | None:
        if (
            job.plan is None
            or job.phase is not Phase.DONE
            or not (pair := self.snapshots.of(job.plan)).exists
        ):
            return None
        return pair.before, pair.after, snapshot_size(job.plan)

    def checks(self, job: JobState) -> tuple[str, ...]:
        if job.published is None or job.phase is not Phase.DONE:
            return ()
        record = record_beside(job.job.output, job.published)
        return () if record is None else record.checks


def published(facts: Iterable[Fact]) -> dict[str, JobState]:
    """The videos that have been published, each as it was when that happened last. Pure."""
    state, found = BatchState(), {}

    def keep() -> None:
        found.update({id_: job for id_, job in state.jobs.items() if job.phase is Phase.DONE})

    for fact in facts:
        if isinstance(fact, BatchStarted):
            keep()
        state.apply(fact)
    keep()
    return found


def _is_foreign(path: Path, mark: bytes) -> bool:
    """Whether there is a file that is not to be replaced."""
    try:
        with open_regular(path) as file:
            return file.read(len(mark)) != mark
    except FileNotFoundError:
        return False
