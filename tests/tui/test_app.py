"""The interface, driven by keys and by canned events."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

import scenes
from vhsbatch.model.events import Event, Fact
from vhsbatch.tui.app import BatchApp
from vhsbatch.tui.summary import StopQuestion, SummaryScreen

pytestmark = pytest.mark.anyio

Scene = tuple[list[Fact], list[Event]]
SIZES = [(80, 24), (120, 40), (200, 60)]


def app_of(scene: Scene) -> tuple[BatchApp, scenes.SlowMailbox, scenes.Commands]:
    facts, telemetry = scene
    mailbox = scenes.SlowMailbox()
    for event in (*facts, *telemetry):
        mailbox.put(event)
    commands = scenes.Commands(mailbox)
    app = BatchApp(scenes.state_of(facts), mailbox, commands, clock=lambda: scenes.NOW_S)
    return app, mailbox, commands


async def settle(app: BatchApp, mailbox: scenes.SlowMailbox, pilot: Pilot[Any]) -> None:
    await mailbox.drained.wait()
    app._redraw()
    await pilot.pause()


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
    app, mailbox, _ = app_of(scenes.ended("complete"))
    async with app.run_test() as pilot:
        mailbox.close()
        await summary_shown(app, pilot)
        shown = screen_text(app)
        assert "Batch complete" in shown
        assert "truncated: 2.2 s of 4.0 s are there" in shown
        await pilot.press("enter")
        await pilot.pause()
    assert not app.is_running


async def test_no_escape_sequence_of_a_name_reaches_the_terminal() -> None:
    app, mailbox, _ = app_of(scenes.running(4))
    async with app.run_test(size=(160, 40)) as pilot:
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
            "4": "no hardware encoder works",
            "1": "Becomes",
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
        if keys:
            await pilot.press(*keys)
        await pilot.pause()

    return before


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "name", ["start", "running-1", "running-3", "running-8", "verifying", "question", "finished", "failed"]
)
def test_screens(name: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    scene, keys = {
        "start": (scenes.start(), ()),
        "running-1": (scenes.running(1), ()),
        "running-3": (scenes.running(3), ()),
        "running-8": (scenes.running(8), ()),
        "verifying": (scenes.verifying(), ()),
        "question": (scenes.running(2), ("q",)),
        "finished": (scenes.running(2), ("2",)),
        "failed": (scenes.running(2), ("3",)),
    }[name]
    app, mailbox, _ = app_of(scene)
    assert snap_compare(app, terminal_size=size, run_before=run_before(app, mailbox, *keys))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("outcome", ["complete", "interrupted"])
def test_summary_screens(outcome: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    app, mailbox, _ = app_of(scenes.ended(outcome))

    async def before(pilot: Pilot[Any]) -> None:
        mailbox.close()
        await summary_shown(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)
