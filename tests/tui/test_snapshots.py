"""The comparison of before and after, driven by keys."""

from typing import Any

import pytest
from test_app import app_of, drawn, screen_text, settle, worked
from textual.pilot import Pilot

import scenes
from vhsbatch.ui.tui.app import BatchApp
from vhsbatch.ui.tui.snapshots import SnapshotScreen, presets_line
from vhsbatch.ui.tui.wipe import Wipe

pytestmark = pytest.mark.anyio

BROWN, GREEN, BLUE = (128, 64, 0), (0, 128, 0), (0, 0, 255)


async def opened(app: BatchApp, mailbox: scenes.SlowMailbox, pilot: Pilot[Any]) -> Wipe:
    """The comparison of the first video, with a boundary that stays in the middle."""
    await settle(app, mailbox, pilot)
    await pilot.press("v", "left")
    await shown(app, pilot)
    wipe = app.screen.query_one(Wipe)
    wipe.move(0.5)
    await pilot.pause()
    return wipe


async def shown(app: BatchApp, pilot: Pilot[Any]) -> None:
    await worked(app, app.screen)
    await drawn(app, pilot)


def asked_for(app: BatchApp) -> list[tuple[int, str | None]]:
    assert isinstance(app._snapshots, scenes.Pictures)
    return app._snapshots.asked_for


def colours(wipe: Wipe) -> list[tuple[int, int, int]]:
    """The colours of a line, from left to right, each once where it is repeated."""
    seen: list[tuple[int, int, int]] = []
    for segment in wipe.render_line(2):
        if segment.text == "▀" and segment.style is not None and segment.style.color is not None:
            colour = segment.style.color.get_truecolor()
            if not seen or max(abs(a - b) for a, b in zip(seen[-1], colour, strict=True)) > 8:
                seen.append((colour.red, colour.green, colour.blue))
    return seen


def close_to(colour: tuple[int, int, int]) -> object:
    return pytest.approx(colour, abs=8)


async def test_left_of_the_boundary_is_before_and_right_of_it_after() -> None:
    app, mailbox, commands = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        wipe = await opened(app, mailbox, pilot)
        text = screen_text(app)
        assert "birthday.dv   at 0:08" in text  # 500 of 59.94 frames a second
        assert "0 as planned" in text
        assert text.count("▀") > 500
        assert colours(wipe) == [close_to(BROWN), close_to(GREEN)]
        await pilot.press(*["left"] * 11)
        assert colours(wipe) == [close_to(GREEN)]
        await pilot.press(*["right"] * 21)
        assert colours(wipe) == [close_to(BROWN)]
        await pilot.press("s")  # what else keys mean, they do not mean here
        await pilot.press("q")
        await pilot.pause()
        assert app.is_running
        assert commands.commands == []


async def test_the_boundary_moves_by_itself_until_a_key_moves_it() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("v")
        screen = app.screen
        assert isinstance(screen, SnapshotScreen)
        await worked(app, screen)
        wipe = screen.query_one(Wipe)
        places: set[float] = set()
        while len(places) < 3:
            places.add(wipe.position)
            await pilot.pause(0.05)
        await pilot.press("right")
        at = wipe.position
        screen._step()
        assert wipe.position == at
        await pilot.press("space")
        screen._step()
        assert wipe.position != at


async def test_presets_by_number_and_in_turn() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        wipe = await opened(app, mailbox, pilot)
        await pilot.press("1")
        await shown(app, pilot)
        assert colours(wipe) == [close_to(BROWN), close_to(BLUE)]
        assert "after, auto" in screen_text(app)
        await pilot.press("n", "n", "n", "p", "9")
        await shown(app, pilot)
        # Before the first, as before as planned, comes the last; there is no ninth.
        assert "after, vhs" in screen_text(app)
        assert asked_for(app)[0] == (500, "auto")
        asked = len(asked_for(app))
        await pilot.press("1")
        await shown(app, pilot)
        assert len(asked_for(app)) == asked  # it has been made


async def test_any_moment() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, mailbox, pilot)
        for keys, at in (
            (("up",), "at 0:18"),
            (("down", "down"), "at 0:00"),
            (("pageup",), "at 0:05"),
            (("t", *"1:30", "enter"), "at 1:30"),
            (("t", *"never", "enter"), "at 1:30"),
            (("t", "escape", "pageup", "pageup", "pageup"), "at 1:40"),
        ):
            await pilot.press(*keys)
            await shown(app, pilot)
            assert at in screen_text(app), keys
        assert [each.message for each in app._notifications] == [
            "the moment never: is not a time (write it as 90, 1:30 or 1:02:03.5)"
        ]
        assert isinstance(app.screen, SnapshotScreen)


async def test_what_is_not_there_is_said() -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        await pilot.press("down", "v")
        await shown(app, pilot)
        assert "not ready yet" in screen_text(app)


async def test_only_what_the_boundary_crosses_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    app, mailbox, _ = app_of(scenes.running(2))
    async with app.run_test(size=(80, 24)) as pilot:
        wipe = await opened(app, mailbox, pilot)
        drawn_regions: list[int] = []
        monkeypatch.setattr(wipe, "refresh", lambda *regions: drawn_regions.extend(r.width for r in regions))
        wipe.move(0.5)
        assert drawn_regions == []
        wipe.move(0.55)
        assert len(drawn_regions) == 1
        assert drawn_regions[0] <= 4


def test_more_presets_than_keys() -> None:
    line = presets_line([None, *(f"preset{number}" for number in range(1, 12))], 2, 40)
    first, second, *others = line.plain.split("\n")
    assert first == "0 as planned  1 preset1  2 preset2"
    assert second == "3 preset3  4 preset4  5 preset5"
    assert others[-1].endswith("preset9  preset10  preset11")
    assert [line.plain[span.start : span.end] for span in line.spans if span.style] == ["2 preset2"]
