"""What a run tells other processes, and what they wish of it."""

from pathlib import Path

import anyio
import pytest

from vhsbatch.batch.control import Line, Live
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import ChangeLanes, Command, Pause
from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, LogLine, Progress

pytestmark = pytest.mark.anyio


def progress(frames: int) -> Progress:
    return Progress(
        lane=1, job_id="a", stage="segment", segment=0, done_frames=frames, total_frames=9, frames_per_s=1.5
    )


async def news_of(line: Line) -> list[object]:
    while not (news := line.news()):
        await anyio.sleep(0.01)
    return list(news)


async def test_what_goes_on_is_told_and_wishes_are_taken_in_their_order(tmp_path: Path) -> None:
    mailbox, line = Mailbox(), Line(tmp_path, "run")
    commanded: list[Command] = []
    told = LogLine(level="info", text="x\x1b")
    mailbox.put(told)
    mailbox.put(LogLine(level="debug", text="a command"))
    mailbox.put(progress(3))
    readings = DeviceReadings(devices=(DeviceReading(id="cpu", name="AMD EPYC"),), disks=())
    mailbox.put(readings)
    live = Live(tmp_path, "run")
    await live.open()
    with anyio.fail_after(300):
        async with anyio.create_task_group() as group:
            group.start_soon(live.keep, mailbox, commanded.append)
            while line.news() == []:
                await anyio.sleep(0.01)
            line.command(Pause())
            line.command(ChangeLanes(by=2))
            while len(commanded) < 2:
                await anyio.sleep(0.01)
            late = Line(tmp_path, "run")
            assert await news_of(late) == [told, progress(3), readings]
            assert late.news() == [progress(3), readings]
            mailbox.close()
    assert commanded == [Pause(), ChangeLanes(by=2)]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_nonsense_is_no_wish(tmp_path: Path) -> None:
    mailbox = Mailbox()
    commanded: list[Command] = []
    folder = tmp_path / "commands" / "run"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text('{"kind": "rm"}')
    (folder / "2.json").write_text('{"kind":"pause"}')
    with anyio.fail_after(300):
        async with anyio.create_task_group() as group:
            group.start_soon(Live(tmp_path, "run").keep, mailbox, commanded.append)
            while not commanded:
                await anyio.sleep(0.01)
            mailbox.close()
    assert commanded == [Pause()]


async def test_whoever_wishes_at_the_last_moment_is_heard_and_whoever_comes_later_told_so(
    tmp_path: Path,
) -> None:
    live, line = Live(tmp_path, "run"), Line(tmp_path, "run")
    commanded: list[Command] = []
    await live.open()
    line.command(Pause())
    await live.last_call(commanded.append)
    assert commanded == [Pause()]
    # As there was one, the run may go on.
    line.command(ChangeLanes(by=1))
    await live.last_call(commanded.append)
    assert commanded == [Pause(), ChangeLanes(by=1)]
    await live.last_call(commanded.append)
    with pytest.raises(FileNotFoundError):
        line.command(Pause())
    await live.last_call(commanded.append)
    assert len(commanded) == 2


async def test_a_wish_that_is_still_being_written_comes_too_late(tmp_path: Path) -> None:
    live = Live(tmp_path, "run")
    await live.open()
    (tmp_path / "commands" / "run" / "1.77.new").write_text('{"kind":')
    await live.last_call(lambda command: pytest.fail(str(command)))
    with pytest.raises(FileNotFoundError):
        Line(tmp_path, "run").command(Pause())


def test_a_run_that_says_nothing_has_no_news_and_takes_no_wish(tmp_path: Path) -> None:
    line = Line(tmp_path, "run")
    assert line.news() == []
    with pytest.raises(FileNotFoundError):
        line.command(Pause())


async def test_a_folder_that_cannot_be_written_costs_the_run_nothing(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file is in the way")
    mailbox = Mailbox()
    mailbox.put(progress(1))
    mailbox.close()
    with anyio.fail_after(300):
        live = Live(tmp_path, "run")
        await live.open()
        await live.keep(mailbox, lambda command: None)
