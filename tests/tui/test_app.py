"""The interface, driven by keys and by canned events."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from textual.dom import DOMNode
from textual.pilot import Pilot

import make
import scenes
from vhsbatch.errors import UsageError
from vhsbatch.events.commands import (
    ChangeLanes,
    Command,
    Continue,
    Move,
    Pause,
    Prioritise,
    Retry,
    Skip,
    Stop,
)
from vhsbatch.events.events import (
    PAUSED_BY_USER,
    BatchFinished,
    BatchPaused,
    Event,
    Fact,
    JobFailed,
    JobSkipped,
)
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import duration, roughly
from vhsbatch.ui.tui import actions
from vhsbatch.ui.tui.app import BatchApp
from vhsbatch.ui.tui.controls import CONTROLS
from vhsbatch.ui.tui.keys import key_lines
from vhsbatch.ui.tui.summary import StopQuestion, SummaryScreen, summary_text
from vhsbatch.ui.tui.wipe import Wipe

pytestmark = pytest.mark.anyio

Scene = tuple[list[Fact], list[Event]]
SIZES = [(80, 24), (120, 40), (200, 60)]


# A notice goes after five seconds, in which a busy machine may do nothing else.
BatchApp.NOTIFICATION_TIMEOUT = 3600.0


def app_of(scene: Scene) -> tuple[BatchApp, scenes.SlowMailbox, scenes.Commands]:
    facts, telemetry = scene
    mailbox = scenes.SlowMailbox()
    for event in (*facts, *telemetry):
        mailbox.put(event)
    commands = scenes.Commands(mailbox)
    app = BatchApp(
        scenes.state_of(facts), mailbox, commands, snapshots=scenes.Pictures(), clock=lambda: scenes.NOW_S
    )
    return app, mailbox, commands


async def settle(app: BatchApp, mailbox: scenes.SlowMailbox, pilot: Pilot[Any]) -> None:
    await mailbox.drained.wait()
    app._redraw()
    await pilot.pause()


async def drawn(app: BatchApp, pilot: Pilot[Any]) -> None:
    """Wait until nothing moves any more: tables measure their columns only when they are idle,
    and pictures are made beside drawing.
    """
    before, now = "", screen_text(app)
    while now != before:
        app._redraw()
        await pilot.pause(0.1)
        await pictured(app)
        await pilot.pause()
        before, now = now, screen_text(app)


async def worked(app: BatchApp, node: DOMNode) -> None:
    """Wait until what a part of the screen does beside drawing is done; the listener is never done."""
    if workers := [each for each in app.workers if each.node is node]:
        await app.workers.wait_for_complete(workers)


async def pictured(app: BatchApp) -> None:
    """Wait until the map and the picture of the selected video are drawn, or there is no room for one."""
    laid_out = anyio.Event()
    app._beside.call_after_refresh(laid_out.set)
    await laid_out.wait()
    await worked(app, app._tape)
    await worked(app, app._frames)


async def summary_shown(app: BatchApp, pilot: Pilot[Any]) -> None:
    """Wait until the summary is drawn, however slow the machine is."""
    while not (isinstance(app.screen, SummaryScreen) and "Total videos" in screen_text(app)):
        await pilot.pause(0.05)


def screen_text(app: BatchApp) -> str:
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()
    )


def asks_to_stop(app: BatchApp) -> bool:
    return isinstance(app.screen, StopQuestion)


async def test_q_asks_and_n_goes_on() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test() as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("q")
        assert asks_to_stop(app)
        await pilot.press("n")
        assert not asks_to_stop(app)
        assert commands.stopped_by is None


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (("p",), [Pause()]),
        (("+",), [ChangeLanes(by=1)]),
        (("-",), [ChangeLanes(by=-1)]),
        (("s",), [Skip(job_id="tape1_1080p.mp4")]),
        (("down", "down", "u"), [Move(job_id="tape6_1080p.mp4", by=-1)]),
        (("down", "down", "d"), [Move(job_id="tape6_1080p.mp4", by=1)]),
        (("down", "down", ">"), [Prioritise(job_id="tape6_1080p.mp4", by=1)]),
        (("down", "down", "<"), [Prioritise(job_id="tape6_1080p.mp4", by=-1)]),
        (("3", "r"), [Retry(job_id="tape4_1080p.mp4")]),
        (("4", "r"), [Retry(job_id="tape5_1080p.mp4")]),
        (("2", "r"), []),
        (("3", "s", "u", ">"), []),  # they mean something for what waits
        (("r",), []),
        (("q", "y"), [Stop()]),
        (("q", "d"), [Stop(drain=True)]),
        (("x", "n"), []),
        (("q", "escape"), []),
    ],
)
async def test_a_key_is_a_command(keys: tuple[str, ...], asked: list[Command]) -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        app.focus_list()
        await pilot.press(*keys)
        await pilot.pause()
        assert commands.commands == asked


async def test_a_wish_that_cannot_be_passed_on_is_told() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    commands.refusal = UsageError("the batch in out has just ended", fix="vhs-upscale log out")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("p")
        await pilot.pause()
        (told,) = app._notifications
        assert told.message == "the batch in out has just ended (vhs-upscale log out)"


async def test_a_paused_batch_goes_on_by_the_same_key() -> None:
    facts, telemetry = scenes.running(2)
    facts.append(BatchPaused(at_s=9, reason=PAUSED_BY_USER))
    app, mailbox, commands = app_of((facts, telemetry))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        assert "paused: by the user" in screen_text(app)
        await pilot.press("p")
        assert commands.commands == [Continue()]


async def test_what_cannot_be_steered_has_no_keys_for_it() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    commands.steerable = commands.owns = False
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("p", "+", "s", "x")
        assert commands.commands == []
        assert "Pause" not in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
    assert not app.is_running


async def test_closing_the_view_lets_the_batch_go_on() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test() as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("q", "l")
        await pilot.pause()
    assert not app.is_running
    assert commands.stopped_by is None


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("p Pause", Pause()),
        ("u/d Move", Move(job_id="wedding_1080p.mp4", by=-1)),
        ("+/- Workers", ChangeLanes(by=1)),
    ],
)
async def test_the_footer_takes_clicks(word: str, command: Command) -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        lines = screen_text(app).splitlines()
        (line,) = (number for number, text in enumerate(lines) if word in text)
        await pilot.click(offset=(lines[line].index(word), line))
        await pilot.pause()
        assert [type(each) for each in commands.commands] == [type(command)]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_key_is_in_the_footer_at_any_width(width: int) -> None:
    lines = [line.plain for line in key_lines(CONTROLS, width)]
    assert all(len(line) <= width for line in lines)
    for words in (
        "q Quit",
        "p Pause",
        "+/- Workers",
        "u/d Move",
        ">/< Priority",
        "1/2/3/4/5 Lists",
        "? Help",
        "x Stop",
    ):
        assert words in "  ".join(lines)
    assert len(lines) == {60: 3, 80: 2, 120: 2}[width]


async def test_every_action_is_in_the_command_palette() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        titles: set[str] = set()
        for tab in "1234":
            await pilot.press(tab)
            await pilot.pause()
            titles |= {command.title for command in app.get_system_commands(app.screen)}
        assert titles == {control.title for control in CONTROLS} | {"Theme"}
        await pilot.press("1", "ctrl+p")
        await pilot.pause()
        await pilot.press(*"pause or")
        while not commands.commands:
            await pilot.press("enter")
            await pilot.pause(0.1)
        assert commands.commands == [Pause()]


async def test_finding_narrows_the_lists_and_the_log() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("slash", *"school", "enter")
        await pilot.pause()
        shown = screen_text(app)
        assert "school play.dv" in shown
        assert "wedding.mkv" not in shown
        await pilot.press("escape")
        await pilot.pause()
        assert "wedding.mkv" in screen_text(app)


async def test_the_list_and_the_lane_say_the_same_at_once() -> None:
    (plan,) = (each for each in scenes.plans(4) if len(each.segments) == 1)
    app, mailbox, _ = app_of(([make.batch_started(plan.job), make.planned(plan), make.started(plan)], []))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        for done in (500, 5000, 17777):
            app._take(scenes.progress(plan, 1, done))
            app._redraw()
            await pilot.pause()
            shown = screen_text(app)
            assert shown.count(f"{done / plan.frames:.0%} ") == 3, shown  # the batch, the lane, the list
            left_s = (plan.frames - done) / 24.6
            assert shown.count(f" {duration(left_s)} ") == 2
            assert f"in {roughly(left_s)} " in shown


async def test_the_selected_video_is_described_beside_the_list() -> None:
    app, mailbox, _ = app_of(scenes.running(3))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, mailbox, pilot)
        app.focus_list()
        await drawn(app, pilot)
        shown = screen_text(app)
        for words in ("worker 1: segment 1, 17%, 24.6 fps", "0 of 2 segments finished", "1440x1080 libx264"):
            assert words in shown, shown
        await pilot.press("down")
        await drawn(app, pilot)
        assert "worker 2: segment 1, 25%, 49.2 fps" in screen_text(app)
        await pilot.press("3")
        await drawn(app, pilot)
        assert "Why" in screen_text(app)
        # The log has no selection: the last one stays.
        await pilot.press("5")
        await drawn(app, pilot)
        assert "Why" in screen_text(app)


@pytest.mark.parametrize(
    ("size", "pane", "tape"),
    [
        ((80, 24), False, False),
        ((119, 35), False, False),
        ((80, 36), False, True),
        ((120, 35), True, False),
        ((160, 24), True, True),
    ],
)
async def test_a_larger_screen_shows_more(size: tuple[int, int], pane: bool, tape: bool) -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=size) as pilot:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)
        shown = screen_text(app)
        assert ("Checks" in shown) is pane
        assert ("0 of 2 segments   " in shown) is tape
        assert ("Frames per second" in shown) is tape


async def test_the_map_follows_the_work_and_the_selection() -> None:
    app, mailbox, _ = app_of(scenes.tape(segments=12))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)
        shown = screen_text(app)
        assert "4 of 12 segments" in shown
        assert "damaged or missing" in shown
        app._state.apply(make.finished(app._state.jobs["tape1_1080p.mp4"].plan or scenes.plans(1)[0], 4))
        app._redraw()
        await pilot.pause()
        assert "5 of 12 segments" in screen_text(app)


async def test_a_list_without_videos_says_what_to_do() -> None:
    app, mailbox, _ = app_of(scenes.start())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        for key, words in (("2", "1 shows what runs"), ("3", "Nothing failed"), ("4", "s skips the video")):
            await pilot.press(key)
            await drawn(app, pilot)
            assert words in screen_text(app)
            await pilot.press("down", "enter", "i", "s")
            assert app.selected is None


async def test_a_list_is_moved_through_by_keys_and_clicks() -> None:
    app, mailbox, _ = app_of(scenes.running(8))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        app.focus_list()
        await pilot.press("end")
        await pilot.pause()
        assert app.selected is not None
        last = app.selected.job
        assert any(line.startswith(f" {last.index} ") for line in screen_text(app).splitlines())
        await pilot.press("up", "home")
        await pilot.pause()
        assert app.selected.job.id == "tape1_1080p.mp4"
        await pilot.press("pagedown")
        await pilot.pause()
        assert app.selected.job.id not in ("tape1_1080p.mp4", last.id)
        await pilot.press("home")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        (line,) = (y for y, text in enumerate(lines) if text.startswith(" 3 "))
        await pilot.click(offset=(8, line))
        await pilot.pause()
        assert app.selected.job.id == "tape3_1080p.mp4"


async def test_o_opens_the_report_or_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Path] = []
    works = True

    def open_it(page: Path) -> bool:
        opened.append(page)
        return works

    monkeypatch.setattr(actions, "open_report", open_it)
    app, mailbox, commands = app_of(scenes.ended("complete"))
    commands.report = tmp_path / "report.html"
    async with app.run_test(size=(120, 40)) as pilot:
        mailbox.close()
        await summary_shown(app, pilot)
        assert "o opens the report" in screen_text(app)
        await pilot.press("o")
        await pilot.pause()
        assert opened == []
        commands.report.write_text("")
        await pilot.press("o")
        while not opened:
            await pilot.pause(0.05)
        works = False
        await pilot.press("enter", "o")
        while len(app._notifications) < 2:
            await pilot.pause(0.05)
        assert opened == [commands.report] * 2
        assert [told.message for told in app._notifications] == [
            "there is no report yet: it is written when the batch ends",
            f"no browser can be opened here; the report is {commands.report}",
        ]


async def test_the_log_says_when_it_happened_and_not_when_it_was_heard_of() -> None:
    app, mailbox, _ = app_of(scenes.running(1))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        app._take(LogLine(level="info", text="long ago", at_s=86400.0))
        assert app._logged[-1][1] == f"{time.strftime('%H:%M:%S', time.localtime(86400.0))}  long ago"


async def test_the_log_of_one_video() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("3", "l")
        await pilot.pause()
        shown = screen_text(app)
        assert "job failed: tape4_1080p.mp4" in shown
        assert "no hardware encoder works" not in shown


async def test_details_of_one_video() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("i")
        await pilot.pause()
        shown = screen_text(app)
        for words in (
            "interlaced, bottom field first (DV)",
            "sound: pcm_s16le, 48000 Hz, 2 channels, 0:10",
            "preset vhs",
            "0 of 2 finished, 1 running",
            "segment started 1: tape1_1080p.mp4",
        ):
            assert words in shown, shown
        await pilot.press("escape", "3", "i")
        await pilot.pause()
        assert "failed: truncated: 2.2 s of 4.0 s are there" in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
        assert app.is_running


async def test_details_follow_their_video() -> None:
    (plan,) = (each for each in scenes.plans(4) if len(each.segments) == 1)
    app, mailbox, _ = app_of(([make.batch_started(plan.job)], []))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "Plan" not in screen_text(app)
        for fact in (make.planned(plan), make.started(plan)):
            app._state.apply(fact)
        app._take(LogLine(level="info", text="the deck was cold", job_id=plan.job.id))
        app._redraw()
        await pilot.pause()
        shown = screen_text(app)
        assert "0 of 1 finished, 1 running" in shown
        assert "the deck was cold" in shown


async def test_no_pictures_where_there_is_no_room_or_nothing_makes_them() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(59, 20)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("v")
        await drawn(app, pilot)
        assert [notification.message for notification in app._notifications] == [
            "pictures need 60 columns and 16 lines"
        ]
    app, mailbox, _ = app_of(scenes.running(2))
    app._snapshots = None
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("v")
        await drawn(app, pilot)
        assert "View" not in screen_text(app)


async def test_an_error_is_copied_with_what_the_programs_said(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    app, mailbox, _ = app_of(scenes.running(2))
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("3", "c")
        await pilot.pause()
    assert len(copied) == 1
    assert "truncated: 2.2 s of 4.0 s are there" in copied[0]


async def test_the_cursor_stays_on_its_video_when_the_list_changes() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        app.focus_list()
        await pilot.press("down", "down")
        assert app.selected is not None
        before = app.selected.job.id
        app._state.apply(JobSkipped(at_s=1, job_id="tape1_1080p.mp4", reason="by the user"))
        app._redraw()
        await pilot.pause()
        assert app.selected.job.id == before


async def test_q_and_y_stop_the_batch_and_leave_when_it_has_stopped() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test() as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("q", "y")
        assert commands.stopped_by is not None
        await pilot.pause()
    assert app.return_code == 0
    assert not app.is_running


async def test_ctrl_c_twice_stops_too() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test() as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("ctrl+c")
        assert isinstance(app.screen, StopQuestion)
        await pilot.press("ctrl+c")
        assert commands.stopped_by is not None


async def test_the_summary_stays_until_it_is_closed() -> None:
    app, mailbox, commands = app_of(scenes.ended("complete"))
    async with app.run_test() as pilot:
        mailbox.close()
        await summary_shown(app, pilot)
        shown = screen_text(app)
        assert "Batch complete" in shown
        assert "truncated: 2.2 s of 4.0 s are there" in shown
        # The batch took ten minutes, of which it was predicted after thirty seconds.
        assert "9:10 (8:30 to 11:10); it took 9% more" in shown
        assert "out/report.html" in shown
        # The lists and details can be looked at; what steers does nothing any more.
        await pilot.press("enter", "3", "i")
        await pilot.pause()
        assert "failed: truncated: 2.2 s of 4.0 s are there" in screen_text(app)
        await pilot.press("escape", "3", "r", "p", "x")
        await pilot.pause()
        assert app.is_running
        assert commands.commands == []
        assert "Retry" not in screen_text(app)
        await pilot.press("q")
        await pilot.pause()
    assert not app.is_running


async def test_q_closes_the_summary_and_the_program() -> None:
    app, mailbox, _ = app_of(scenes.ended("complete"))
    async with app.run_test() as pilot:
        mailbox.close()
        await summary_shown(app, pilot)
        await pilot.press("q")
        await pilot.pause()
    assert not app.is_running


@pytest.mark.parametrize(
    ("failed", "outcome", "title", "style"),
    [
        (False, "complete", "Batch complete\n", "bold green"),
        (True, "complete", "Batch complete, 1 failed\n", "bold red"),
        (True, "interrupted", "Batch interrupted\n", "bold yellow"),
    ],
)
def test_the_title_of_a_summary_is_green_only_where_nothing_failed(
    failed: bool, outcome: Literal["complete", "interrupted"], title: str, style: str
) -> None:
    (plan,) = scenes.plans(1)
    facts: list[Fact] = [make.batch_started(plan.job)]
    facts += [JobFailed(at_s=1, job_id=plan.job.id, reason="no")] if failed else []
    facts += [BatchFinished(at_s=2, run_id="run", outcome=outcome, exit_code=int(failed))]
    text = summary_text(scenes.state_of(facts))
    assert text.plain.startswith(title)
    assert text.spans[0].style == style


async def test_a_question_mark_shows_every_key() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        shown = screen_text(app)
        assert all(" ".join(control.text.split()[:4]) in shown for control in CONTROLS)
        await pilot.press("question_mark")
        await pilot.pause()
        assert CONTROLS[1].text not in screen_text(app)


async def test_skipped_videos_have_a_list_of_their_own() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("2")
        await drawn(app, pilot)
        shown = screen_text(app)
        assert "Finished 1" in shown
        assert "Skipped 1" in shown
        assert "already restored" not in shown
        await pilot.press("4")
        await drawn(app, pilot)
        assert "already restored, as the journal proves" in screen_text(app)


async def test_no_escape_sequence_of_a_name_reaches_the_terminal() -> None:
    app, mailbox, _ = app_of(scenes.running(4))
    async with app.run_test(size=(300, 40)) as pilot:
        await settle(app, mailbox, pilot)
        shown = screen_text(app)
        assert "\x1b" not in shown
        assert "\\x1b[31m" in shown
        assert "[Kamera 2" in shown


async def test_each_list_has_its_key() -> None:
    app, mailbox, _ = app_of(scenes.running(1))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, mailbox, pilot)
        for key, expected in {
            "2": "700.0 MiB",
            "3": "truncated: 2.2 s",
            "4": "already restored",
            "5": "no hardware encoder works",
            "1": "Length",
        }.items():
            await pilot.press(key)
            await pilot.pause()
            assert expected in screen_text(app), key


SnapCompare = Callable[..., bool]


def run_before(
    app: BatchApp, mailbox: scenes.SlowMailbox, *keys: str
) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def before(pilot: Pilot[Any]) -> None:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)  # nothing is made below another screen
        if keys:
            await pilot.press(*keys)
            await drawn(app, pilot)
        for wipe in app.screen.query(Wipe):
            wipe.move(0.5)

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "name",
    [
        *("start", "running-1", "running-3", "running-8", "verifying", "tape"),
        *("question", "finished", "failed", "details", "stills", "attached", "help"),
    ],
)
def test_screens(name: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    scene, keys = {
        "start": (scenes.start(), ()),
        "running-1": (scenes.running(1), ()),
        "running-3": (scenes.running(3), ()),
        "running-8": (scenes.running(8), ()),
        "verifying": (scenes.verifying(), ()),
        "tape": (scenes.tape(), ()),
        "question": (scenes.running(2), ("q",)),
        "finished": (scenes.running(2), ("2",)),
        "failed": (scenes.running(2), ("3",)),
        "details": (scenes.running(2), ("i",)),
        "stills": (scenes.running(2), ("v", "left")),
        "help": (scenes.running(2), ("question_mark",)),
        "attached": (scenes.running(3), ()),
    }[name]
    app, mailbox, commands = app_of(scene)
    if name == "attached":
        commands.steerable = commands.owns = False
        commands.standing = "   (viewing)"
    assert snap_compare(app, terminal_size=size, run_before=run_before(app, mailbox, *keys))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("outcome", ["complete", "interrupted"])
def test_summary_screens(outcome: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    app, mailbox, _ = app_of(scenes.ended(outcome))

    async def before(pilot: Pilot[Any]) -> None:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)
        mailbox.close()
        await summary_shown(app, pilot)
        await drawn(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_lines_fit_on_a_phone() -> None:
    app, mailbox, _ = app_of(scenes.running(3))
    async with app.run_test(size=(72, 60)) as pilot:
        await settle(app, mailbox, pilot)
        await drawn(app, pilot)
        lines = screen_text(app).splitlines()
        (counts,) = (number for number, line in enumerate(lines) if "3 running" in line)
        # The bar is below the counts, and the machine's line below that.
        assert "elapsed" in lines[counts + 1]
        assert "busy" in lines[counts + 2]
        assert any("Worker 1  birthday.dv " in line for line in lines)
