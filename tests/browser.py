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
