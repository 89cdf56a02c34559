"""A batch of another process, by its journal and by what is told live."""

from pathlib import Path

import anyio
import pytest

import make
from vhsbatch.batch.attached import AttachedSession
from vhsbatch.batch.control import Live
from vhsbatch.batch.leases import leasing
from vhsbatch.errors import OutputFolderError, UsageError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import Command, Pause
from vhsbatch.events.events import BatchFinished, Event, Fact
from vhsbatch.events.job_state import Phase
from vhsbatch.events.journal import STATE_FOLDER, Journal, sealed
from vhsbatch.events.serialize import dump
from vhsbatch.events.telemetry import Progress

pytestmark = pytest.mark.anyio

PLAN = make.plan(segments=2)
FIRST = (make.batch_started(PLAN.job), make.planned(PLAN), make.started(PLAN), make.finished(PLAN))
ENDED = BatchFinished(at_s=9.0, run_id="run", outcome="interrupted", exit_code=130)


async def journal(folder: Path, name: str, *facts: Fact) -> None:
    """Another process's journal."""
    async with await Journal.create(folder / STATE_FOLDER / "journal", name) as written:
        for fact in facts:
            await written.append(fact)


def journal_file(folder: Path) -> Path:
    """That of the first run."""
    return folder / STATE_FOLDER / "journal" / "r0000001.jsonl"


async def seen(viewer: AttachedSession, count: int) -> list[Event]:
    events: list[Event] = []
    with anyio.fail_after(300):
        async for event in viewer:
            events.append(event)
            if len(events) == count:
                break
    return events


def test_a_folder_without_a_journal_has_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing has been restored"):
        AttachedSession(tmp_path, read_only=False)


async def test_the_last_state_of_a_batch_that_has_ended(tmp_path: Path) -> None:
    await journal(tmp_path, "1-a", *FIRST, ENDED)
    viewer = AttachedSession(tmp_path, read_only=False)
    assert viewer.state.jobs[PLAN.job.id].finished_frames == 30
    assert (viewer.steerable, viewer.standing) == (False, "   ended: interrupted")
    assert await seen(viewer, 5) == [*FIRST, ENDED]


async def test_a_run_that_died_does_nothing_any_more(tmp_path: Path) -> None:
    await journal(tmp_path, "1-a", *FIRST, make.started(PLAN, 1))
    viewer = AttachedSession(tmp_path, read_only=False)
    assert viewer.state.jobs[PLAN.job.id].running == {}
    assert viewer.state.count(Phase.RUNNING) == 0
    assert viewer.state.count(Phase.PLANNED) == 1
    assert viewer.state.jobs[PLAN.job.id].finished_frames == 30
    assert [job.job.id for job in viewer.state.turns.begun()] == [PLAN.job.id]
    assert viewer.standing == "   not running"


async def test_what_an_earlier_run_finished_counts_only_where_that_was_resumed(tmp_path: Path) -> None:
    await journal(tmp_path, "1-a", *FIRST)
    await journal(tmp_path, "2-b", make.batch_started(PLAN.job), make.planned(PLAN))
    assert AttachedSession(tmp_path, read_only=False).state.jobs[PLAN.job.id].finished == {}
    await journal(tmp_path, "3-c", *FIRST)
    resumed = make.batch_started(PLAN.job, resumed=True)
    await journal(tmp_path, "4-d", resumed, make.planned(PLAN))
    assert AttachedSession(tmp_path, read_only=False).state.jobs[PLAN.job.id].finished_frames == 30


async def test_a_torn_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    await journal(tmp_path, "1-a", *FIRST[:2])
    path, line = journal_file(tmp_path), sealed(dump(FIRST[2]))
    whole = path.read_bytes()
    path.write_bytes(whole + line[:20])
    viewer = AttachedSession(tmp_path, read_only=False)
    assert viewer.state.jobs[PLAN.job.id].phase is Phase.PLANNED
    path.write_bytes(whole + line)
    assert await seen(viewer, 3) == [*FIRST[:3]]


async def test_a_running_batch_is_followed_steered_and_left_for_the_next(tmp_path: Path) -> None:
    state_folder = tmp_path / STATE_FOLDER
    mailbox, commanded = Mailbox(), list[Command]()
    told = Progress(
        lane=1,
        job_id=PLAN.job.id,
        stage="segment",
        segment=0,
        done_frames=7,
        total_frames=30,
        frames_per_s=2.5,
    )
    async with leasing(state_folder, "1-a", tmp_path):
        await journal(tmp_path, "1-a", make.batch_started(PLAN.job, run_id="1-a"), *FIRST[1:3])
        await journal(tmp_path, "2-b", make.batch_started(PLAN.job, run_id="2-b"))
        viewer = AttachedSession(tmp_path, read_only=False)
        assert viewer.state.run_id == "1-a"
        assert viewer.steerable
        assert not AttachedSession(tmp_path, read_only=True).steerable
        live = Live(state_folder, "1-a")
        await live.open()
        async with anyio.create_task_group() as group:
            group.start_soon(live.keep, mailbox, commanded.append)
            mailbox.put(told)
            assert told in await seen(viewer, 4)
            viewer.command(Pause())
            while not commanded:
                await anyio.sleep(0.01)
            with journal_file(tmp_path).open("ab") as file:
                file.write(sealed(dump(FIRST[3])))
            assert FIRST[3] in await seen(viewer, 2)
            mailbox.close()
    assert commanded == [Pause()]
    with anyio.fail_after(300):
        async for _ in viewer:
            if viewer.state.run_id == "2-b":
                break
    assert not viewer.steerable


async def test_a_batch_takes_wishes_until_its_end_and_not_for_as_long_as_its_process_lives(
    tmp_path: Path,
) -> None:
    async with leasing(tmp_path / STATE_FOLDER, "1-a", tmp_path):
        await journal(tmp_path, "1-a", *FIRST)
        viewer = AttachedSession(tmp_path, read_only=False)
        assert viewer.steerable
        # The folder for wishes goes in the instant in which a batch ends.
        with pytest.raises(UsageError, match=r"has just ended \(vhs-upscale log .* prints what happened"):
            viewer.command(Pause())
        with journal_file(tmp_path).open("ab") as file:
            file.write(sealed(dump(ENDED)))
        assert ENDED in await seen(viewer, 5)
        assert (viewer.steerable, viewer.standing) == (False, "   ended: interrupted")


async def test_a_folder_that_cannot_be_written_to_cannot_be_steered(tmp_path: Path) -> None:
    async with leasing(tmp_path / STATE_FOLDER, "1-a", tmp_path):
        await journal(tmp_path, "1-a", *FIRST)
        (tmp_path / STATE_FOLDER / "commands").write_text("a file is in the way")
        with pytest.raises(OutputFolderError, match=r"cannot be controlled: Not a directory \(run it as"):
            AttachedSession(tmp_path, read_only=False).command(Pause())
