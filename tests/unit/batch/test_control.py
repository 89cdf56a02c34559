"""What a run tells other processes, and what they wish of it."""

from pathlib import Path

import anyio
import pytest

from vhsbatch.batch.control import Line, Live
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import ChangeLanes, Pause, Wish
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
    wished: list[Wish] = []
    told = LogLine(level="info", text="x\x1b")
    mailbox.put(told)
    mailbox.put(LogLine(level="debug", text="a command"))
    mailbox.put(progress(3))
    readings = DeviceReadings(devices=(DeviceReading(id="cpu", name="AMD EPYC"),), disks=())
    mailbox.put(readings)
    live = Live(tmp_path, "run")
    await live.open()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(live.keep, mailbox, wished.append)
            while line.news() == []:
                await anyio.sleep(0.01)
            line.wish(Pause())
            line.wish(ChangeLanes(by=2))
            while len(wished) < 2:
                await anyio.sleep(0.01)
            late = Line(tmp_path, "run")
            assert await news_of(late) == [told, progress(3), readings]
            assert late.news() == [progress(3), readings]
            mailbox.close()
    assert wished == [Pause(), ChangeLanes(by=2)]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_nonsense_is_no_wish(tmp_path: Path) -> None:
    mailbox = Mailbox()
    wished: list[Wish] = []
    folder = tmp_path / "wishes" / "run"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text('{"kind": "rm"}')
    (folder / "2.json").write_text('{"kind":"pause"}')
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(Live(tmp_path, "run").keep, mailbox, wished.append)
            while not wished:
                await anyio.sleep(0.01)
            mailbox.close()
    assert wished == [Pause()]


async def test_whoever_wishes_at_the_last_moment_is_heard_and_whoever_comes_later_told_so(
    tmp_path: Path,
) -> None:
    live, line = Live(tmp_path, "run"), Line(tmp_path, "run")
    wished: list[Wish] = []
    await live.open()
    line.wish(Pause())
    await live.last_call(wished.append)
    assert wished == [Pause()]
    # As there was one, the run may go on.
    line.wish(ChangeLanes(by=1))
    await live.last_call(wished.append)
    assert wished == [Pause(), ChangeLanes(by=1)]
    await live.last_call(wished.append)
    with pytest.raises(FileNotFoundError):
        line.wish(Pause())
    await live.last_call(wished.append)
    assert len(wished) == 2


async def test_a_wish_that_is_still_being_written_comes_too_late(tmp_path: Path) -> None:
    live = Live(tmp_path, "run")
    await live.open()
    (tmp_path / "wishes" / "run" / "1.77.new").write_text('{"kind":')
    await live.last_call(lambda wish: pytest.fail(str(wish)))
    with pytest.raises(FileNotFoundError):
        Line(tmp_path, "run").wish(Pause())


def test_a_run_that_says_nothing_has_no_news_and_takes_no_wish(tmp_path: Path) -> None:
    line = Line(tmp_path, "run")
    assert line.news() == []
    with pytest.raises(FileNotFoundError):
        line.wish(Pause())


async def test_a_folder_that_cannot_be_written_costs_the_run_nothing(tmp_path: Path) -> None:
    (tmp_path / "live").write_text("a file is in the way")
    mailbox = Mailbox()
    mailbox.put(progress(1))
    mailbox.close()
    with anyio.fail_after(20):
        live = Live(tmp_path, "run")
        await live.open()
        await live.keep(mailbox, lambda wish: None)
