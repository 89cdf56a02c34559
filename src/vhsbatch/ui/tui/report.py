"""Opens the report in the user's browser, from within an interface that has the terminal to itself."""

import subprocess
import sys
from pathlib import Path

_WITHIN_S = 30.0
# A browser that would draw on the terminal is none here. What the others say must not get there either, so
# this runs in a program of its own.
_OPEN = """
import os, sys, webbrowser
browser = webbrowser.get()
in_terminal = os.path.basename(browser.name) in ("www-browser", "links", "elinks", "lynx", "w3m")
sys.exit(in_terminal or not browser.open(sys.argv[1]))
"""


def open_report(page: Path) -> bool:
    """Open a page; False if there is no browser outside the terminal."""
    try:
        done = subprocess.run(
            (sys.executable, "-c", _OPEN, page.resolve().as_uri()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_WITHIN_S,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
