"""The interface can be read in the dark and in the light, in sixteen colours, and in none."""

import pytest
from colours import contrast, contrasts
from rich.color import Color
from rich.style import Style
from test_app import app_of, drawn, screen_text, settle

import scenes

pytestmark = pytest.mark.anyio

# What the guidelines for the web ask for of bold or large letters.
LEAST = 3.0


def test_contrast_is_counted_as_the_guidelines_do() -> None:
    white, black = Color.from_rgb(255, 255, 255), Color.from_rgb(0, 0, 0)
    assert contrast(Style(color=white, bgcolor=black), sixteen=False) == pytest.approx(21)
    assert contrast(Style(color=black, bgcolor=white, reverse=True), sixteen=False) == pytest.approx(21)
    grey = Color.from_rgb(119, 119, 119)
    assert contrast(Style(color=grey, bgcolor=white), sixteen=False) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("no_color", [False, True], ids=["colours", "no-color"])
@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
@pytest.mark.parametrize("name", ["running", "tape"])
async def test_everything_can_be_read(
    name: str, theme: str, no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    app, mailbox, _ = app_of(scenes.running(3) if name == "running" else scenes.tape())
    app.theme = theme
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(app, mailbox, pilot)
        for key in "13":
            await pilot.press(key)
            await drawn(app, pilot)
            for sixteen in (False, True):
                seen = list(contrasts(app, sixteen=sixteen))
                assert len(seen) > 20 or name == "tape"
                assert [(found, text) for found, text in seen if found < LEAST] == []
        if no_color:
            colours = {
                colour.get_truecolor()
                for strip in app.screen._compositor.render_strips()
                for segment in strip
                if segment.style is not None
                for colour in (segment.style.color, segment.style.bgcolor)
                if colour is not None
            }
            assert all(max(colour) - min(colour) <= 1 for colour in colours)


async def test_no_state_is_told_by_its_colour_alone() -> None:
    app, mailbox, _ = app_of(scenes.running(3))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, mailbox, pilot)
        words = " ".join(screen_text(app).split())
        for told in ("1 done", "3 running", "2 waiting", "1 failed", "1 skipped", "Failed 1", "22%"):
            assert told in words
