"""The report in a real browser, of a real batch."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

import program
from browser import as_on_a_phone, chromium, complaints, requested, widest
from clips import make_clip

MPEG2 = ("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "4", "-c:a", "mp2")
NAME = "a <img src=x onerror=document.title='pwned'> %41 \"q\" ü#?.mpg"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    captures = folder / "in"
    captures.mkdir()
    make_clip(captures / "clip.mpg", *MPEG2, seconds=1).rename(captures / NAME)
    (captures / "torn.avi").write_text("no video\n")
    done = program.run("batch", "in", "out", "-r", "480", "--engine", "ffmpeg", "--no-tui", cwd=folder)
    assert done.returncode == 1, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium("--window-size=1280,1000") as opened:
        yield opened


def test_the_slider_uncovers_the_picture_and_nothing_is_fetched(out: Path, browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = out / "report.html"
    browser.get(page.as_uri())
    (slider,) = browser.find_elements(By.CSS_SELECTOR, ".pair input")
    before = browser.find_element(By.CSS_SELECTOR, ".pair .before")
    assert browser.execute_script(
        "return [...document.images].map(image => [image.naturalWidth, image.naturalHeight])"
    ) == [[640, 480], [640, 480]]

    def uncovered() -> str:
        return str(before.value_of_css_property("clip-path"))

    assert uncovered() == "inset(0px 50% 0px 0px)"
    slider.send_keys(Keys.HOME)
    assert uncovered() == "inset(0px 100% 0px 0px)"
    slider.send_keys(Keys.END)
    assert uncovered() == "inset(0px 0% 0px 0px)"
    # By mouse: a quarter of the picture's width from the left.
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).move_to_element_with_offset(slider, -slider.size["width"] // 4, 0).click().perform()
    cut = float(slider.get_attribute("value"))
    assert 20 < cut < 30

    assert browser.title == "out: restored videos"
    names = [heading.text for heading in browser.find_elements(By.TAG_NAME, "h2")]
    assert names == ["torn.avi", NAME]
    link = browser.find_element(By.CSS_SELECTOR, "article a").get_attribute("href")
    assert link == (out / NAME.replace(".mpg", "_480p.mp4")).as_uri()

    addresses = requested(browser)
    assert addresses
    assert {address.partition(":")[0] for address in addresses} <= {"file", "data"}
    assert complaints(browser) == []


def test_nothing_is_cut_off_on_a_phone(out: Path) -> None:
    with chromium() as browser:
        as_on_a_phone(browser)
        browser.get((out / "report.html").as_uri())
        assert browser.execute_script("return innerWidth") == 390
        assert widest(browser) <= 390


def test_stills_are_of_the_same_moment(out: Path) -> None:
    (before,) = (out / ".vhsbatch" / "snapshots").glob("*-before.jpg")
    (after,) = (out / ".vhsbatch" / "snapshots").glob("*-after.jpg")
    # Away from fine detail: the moving parts of the picture are where they were.
    size = (40, 30)
    with Image.open(before) as first, Image.open(after) as second:
        assert first.size == second.size == (640, 480)
        difference = ImageChops.difference(first.resize(size, 1), second.resize(size, 1))
    assert max(ImageStat.Stat(difference).mean) < 6


def test_a_page_that_is_no_report_is_left_alone(out: Path, tmp_path: Path) -> None:
    own = tmp_path / "out" / "report.html"
    own.parent.mkdir()
    own.write_text("<html>mine</html>")
    options = ("-r", "120", "--engine", "ffmpeg", "--no-tui", "--pattern", "torn*")
    done = program.run("batch", out.parent / "in", "out", *options, cwd=tmp_path)
    assert own.read_text() == "<html>mine</html>"
    assert "report.html is not written: a different file with that name exists" in done.stderr


def test_a_pipe_in_the_place_of_the_report_does_not_hold_up_the_batch(out: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "report.html")
    options = ("-r", "120", "--engine", "ffmpeg", "--no-tui", "--pattern", "torn*")
    done = program.run("batch", out.parent / "in", "out", *options, cwd=tmp_path)
    assert "report.html is not written: it is not a regular file" in done.stderr


def test_it_can_be_left_out(out: Path, tmp_path: Path) -> None:
    options = ("-r", "120", "--engine", "ffmpeg", "--no-tui", "--pattern", "torn*", "--no-report")
    program.run("batch", out.parent / "in", "out", *options, cwd=tmp_path)
    assert not (tmp_path / "out" / "report.html").exists()
