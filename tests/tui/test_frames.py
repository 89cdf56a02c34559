"""The frame at work beside the list: when it is drawn, and when not."""

from typing import Any

import pytest
from test_app import app_of, drawn, pictured, screen_text, settle
from textual.pilot import Pilot

import scenes
from vhsbatch.events.job_state import JobState
from vhsbatch.events.telemetry import LogLine
from vhsbatch.restore.snapshot import Snapshot
from vhsbatch.ui.tui.app import BatchApp

pytestmark = pytest.mark.anyio


class Counted(scenes.Pictures):
    """Keeps which videos pictures were made of."""

    made: list[str]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "made", [])

    async def make(self, job: JobState, at_work_on: int | None, *, asked: bool = False) -> Snapshot | None:
        self.made.append(job.job.source.name)
        assert not asked
        return await super().make(job, at_work_on)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def counted(app: BatchApp) -> tuple[Counted, Clock]:
    pictures, clock = Counted(), Clock()
    app._frames._snapshots, app._frames._clock = pictures, clock
    return pictures, clock


async def looked(app: BatchApp, pilot: Pilot[Any]) -> None:
    app._redraw()
    await pictured(app)
    await pilot.pause()


@pytest.mark.parametrize("size", [(160, 60), (200, 60), (120, 60)], ids=str)
async def test_the_frame_at_work_is_beside_the_list(size: tuple[int, int]) -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=size) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        assert screen_text(app).count("▀") > 100
        assert "Before │ after at 0:08, birthday.dv" in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 30), (120, 40), (160, 40), (100, 60)], ids=str)
async def test_no_frame_where_there_is_no_room(size: tuple[int, int]) -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    pictures, _ = counted(app)
    async with app.run_test(size=size) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        assert "▀" not in screen_text(app)
        assert pictures.made == []


@pytest.mark.parametrize("size", [(120, 40), (120, 60), (160, 48), (200, 60)], ids=str)
async def test_it_leaves_the_description_its_lines(size: tuple[int, int]) -> None:
    app, mailbox, _ = app_of(scenes.running(3))
    async with app.run_test(size=size) as pilot:
        await settle(app, mailbox, pilot)
        for _ in range(4):
            await drawn(app, pilot)
            column = app.query_one("#beside").size.height
            if app._frames.display:
                assert app._video.max_scroll_y == 0
            else:
                assert column - app._video.all_lines < 8
            await pilot.press("down")


async def test_it_makes_room_when_more_is_to_be_said() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)
        assert "▀" in screen_text(app)
        for number in range(6):
            app._take(LogLine(level="info", text=f"word {number} " * 12, job_id="tape1_1080p.mp4"))
        await drawn(app, pilot)
        assert "▀" not in screen_text(app)
        await pilot.press("down")
        await drawn(app, pilot)
        assert "▀" in screen_text(app)


async def test_it_is_refreshed_gently_and_follows_the_selection() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    pictures, clock = counted(app)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        await looked(app, pilot)
        assert pictures.made == ["birthday.dv"]
        clock.now_s += 4.9
        await looked(app, pilot)
        assert len(pictures.made) == 1
        clock.now_s += 0.2
        await looked(app, pilot)
        assert len(pictures.made) == 2
        await pilot.press("down")
        await looked(app, pilot)
        assert len(pictures.made) == 3
        assert pictures.made[-1] != "birthday.dv"
        assert "Before at 0:" in screen_text(app)


async def test_a_picture_that_takes_long_is_made_less_often() -> None:
    app, mailbox, _ = app_of(scenes.running(1))
    pictures, clock = counted(app)
    make = pictures.make

    async def slowly(job: JobState, at_work_on: int | None, *, asked: bool = False) -> Snapshot | None:
        clock.now_s += 3
        return await make(job, at_work_on, asked=asked)

    object.__setattr__(pictures, "make", slowly)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        clock.now_s += 59
        await looked(app, pilot)
        assert len(pictures.made) == 1
        clock.now_s += 2
        await looked(app, pilot)
        assert len(pictures.made) == 2


async def test_it_is_off_over_a_slow_line() -> None:
    app, mailbox, _ = app_of(scenes.running(1))
    pictures, clock = counted(app)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        clock.now_s += 0.5
        app.on_cursor_position()
        assert not app._frames.line_is_slow
        clock.now_s += 60
        await looked(app, pilot)
        clock.now_s += 2  # until the terminal has all of the picture
        app.on_cursor_position()
        await pilot.pause()
        assert "The line to this terminal is slow: v shows pictures." in screen_text(app)
        clock.now_s += 600
        await looked(app, pilot)
        assert len(pictures.made) == 2


async def test_it_is_off_on_another_machine_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    app, mailbox, _ = app_of(scenes.running(1))
    _, clock = counted(app)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        clock.now_s += 6
        await looked(app, pilot)
        assert app._frames.line_is_slow


async def test_nothing_is_made_below_another_screen() -> None:
    app, mailbox, _ = app_of(scenes.running(1))
    pictures, clock = counted(app)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await looked(app, pilot)
        await pilot.press("i")
        clock.now_s += 60
        await looked(app, pilot)
        assert len(pictures.made) == 1
