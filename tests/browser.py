"""A real browser for tests, without windows."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """Chromium with a log of what it requests and what goes wrong; the test is skipped without one."""
    if _CHROMIUM is None or _DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", *arguments):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def as_on_a_phone(browser: Any) -> None:
    """Make the window as wide as most phones: 390 pixels."""
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)


def widest(browser: Any) -> float:
    """The right edge of what is furthest to the right on the page, in pixels."""
    edges = "[...document.body.querySelectorAll('*')].map(each => each.getBoundingClientRect().right)"
    return float(browser.execute_script(f"return Math.max(...{edges}, document.documentElement.scrollWidth)"))


def requested(browser: Any) -> list[str]:
    """What was requested since this was last asked: the addresses, those of websockets too."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ] + [message["params"]["url"] for message in messages if message["method"] == "Network.webSocketCreated"]


def complaints(browser: Any) -> list[str]:
    """What the browser found wrong."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
