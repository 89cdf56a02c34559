"""Make screenshots of a real batch, over captures that the script makes, in the real interface.

    scripts/screenshots

The captures are tapes, made as scripts/make_captures.py makes its own, of pictures in docs/quality and of a
portrait that comes with textual-image, in the public domain. They go to docs/pictures: the terminal
interface as SVG; the browser page and the report as PNG, if there is a Chromium.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import anyio.to_thread
from textual.app import App
from textual.pilot import Pilot

from vhsbatch import cli
from vhsbatch.batch.session import Session
from vhsbatch.cli import display
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.figures import figures
from vhsbatch.ui.printing import print_events
from vhsbatch.ui.tui.app import BatchApp
from vhsbatch.ui.tui.summary import SummaryScreen
from vhsbatch.ui.tui.wipe import Wipe

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from make_captures import CAPTURES, make_capture  # noqa: E402

from browser import chromium  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
# Where they are made stands in a picture.
SCRATCH = Path(tempfile.gettempdir()) / "tapes"
# All that a large terminal shows, the smallest that is usual, and one for a single thing.
LARGE, SMALL, SIZE = (140, 46), (80, 24), (104, 30)
PORTRAIT = Path(str(resources.files("textual_image"))) / "gracehopper.jpg"
QUALITY = ROOT / "docs" / "quality"
# The left of the three pictures in a file there.
ORIGINAL = "crop=316:236:2:24"
# What is on each tape: a picture, the part of it, and for how many seconds.
SCENES = {
    "birthday.dv": (PORTRAIT, "crop=517:388:0:0", 8.0),
    "holiday.mpg": (QUALITY / "bunny-tape.jpg", ORIGINAL, 3.0),
    "garden.mp4": (QUALITY / "fair-tape.jpg", ORIGINAL, 3.0),
    "wedding.mkv": (QUALITY / "portraits-tape_worn.jpg", ORIGINAL, 2.5),
}
# So that these short tapes have several segments.
SEGMENT_S = 1
WORKERS = 2
COMMAND = ("batch", "captures", "restored", "-r", "480", "--parallel", str(WORKERS))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# What an SVG of Textual would fetch from elsewhere; every machine has some font of even width.
_FETCHED = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def photograph(app: App[None], name: str) -> None:
    """Keep what is on the screen."""
    svg = _FETCHED.sub("", app.export_screenshot(title=" ".join(("vhs-upscale", *COMMAND))))
    # Each export has identifiers of its own, which would be a change every time.
    (prefix,) = set(re.findall(r'class="(terminal-\d+)-matrix"', svg))
    (PICTURES / f"screen-{name}.svg").write_text(svg.replace(prefix, f"screen-{name}"), encoding="utf-8")
    print(f"screenshots: {name}", file=sys.stderr)


async def until(pilot: Pilot[None], happened: Callable[[], bool]) -> None:
    """Wait for the batch, however slow the machine is."""
    while not happened():
        await pilot.pause(0.2)
    await pilot.pause(1.0)


async def watch(session: Session, mailbox: Mailbox) -> None:
    """In the place of the terminal: the interface, with somebody who presses keys and takes pictures."""
    app = BatchApp(session.state, mailbox, session, snapshots=session.snapshots)
    state = session.state

    def part_done() -> float:
        return figures(state, app._progress, time.time()).part  # noqa: SLF001

    def has_pictures() -> bool:
        return all(wipe.has_both for wipe in app.screen.query(Wipe))

    async with app.run_test(size=LARGE) as pilot:
        # The pane is refreshed in its own time: the picture is to be of a moment that has been made.
        await until(pilot, lambda: part_done() > 0.4 and has_pictures())
        photograph(app, "batch")
        await pilot.resize_terminal(*SMALL)
        await pilot.pause(2.0)
        photograph(app, "small")
        await pilot.resize_terminal(*SIZE)
        await pilot.press("v", "left")
        await until(pilot, has_pictures)
        app.screen.query_one(Wipe).move(0.5)
        await pilot.pause(1.0)
        photograph(app, "compare")
        await pilot.press("escape", "i")
        await pilot.pause(1.0)
        photograph(app, "details")
        await pilot.press("escape", "q")
        await pilot.pause(1.0)
        photograph(app, "question")
        await pilot.press("n")
        await anyio.to_thread.run_sync(photograph_page)
        await until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        photograph(app, "summary")
        await pilot.press("q")
    await print_events(mailbox, Nobody())


def make_tapes(folder: Path) -> None:
    """The captures, of pictures over which the camera wanders."""
    folder.mkdir()
    for capture in CAPTURES:
        picture, part, seconds = SCENES[capture.name]
        wide, high = 720, capture.height
        scene = (
            f"movie={picture}:format_name=image2:format_opts=framerate={capture.field_rate},"
            f"loop=-1:1,setpts=N,"
            f"{part},scale={wide + 80}:{high + 60}:flags=lanczos,"
            f"crop={wide}:{high}:x='40+38*sin(t)':y='30+28*cos(0.7*t)'"
        )
        make_capture(dataclasses.replace(capture, scene=scene, seconds=seconds), folder)
        (folder / f"{capture.name}.toml").write_text(f"segment_s = {SEGMENT_S}\n", encoding="ascii")


def photograph_page() -> None:
    """The page for browsers, of the batch that runs."""
    if CHROMIUM is None:
        print("screenshots: no page.png without a Chromium", file=sys.stderr)
        return
    server = subprocess.Popen(
        (sys.executable, "-m", "vhsbatch.cli", "serve", "restored", "--port", "0"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = next(line for line in server.stdout if "token=" in line).split()[-1]
        with chromium("--window-size=1100,700", "--hide-scrollbars", "--disable-3d-apis") as browser:
            browser.get(address)
            deadline_s = time.monotonic() + 60
            # Without 3D the terminal's text is in the page.
            while "Worker 1" not in browser.execute_script("return document.body.innerText").replace(
                "\xa0", " "
            ):
                assert time.monotonic() < deadline_s, "the page shows nothing"
                time.sleep(0.5)
            time.sleep(2.0)
            browser.save_screenshot(str(PICTURES / "page.png"))
    finally:
        server.terminate()
        server.communicate()
    print("screenshots: page", file=sys.stderr)


class Nobody:
    """Nothing is printed of the batch."""

    def show(self, event: object) -> None:
        """See `Printer`."""

    def close(self) -> None:
        """See `Printer`."""

    def write(self) -> None:
        """See `Printer`."""


def photograph_report(report: Path) -> None:
    """The report, as a browser shows it."""
    if CHROMIUM is None:
        print("screenshots: no report.png without a Chromium", file=sys.stderr)
        return
    subprocess.run(
        [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--window-size=1100,1000", f"--screenshot={PICTURES / 'report.png'}", report.as_uri()),
        ],
        check=True,
        capture_output=True,
    )
    print("screenshots: report", file=sys.stderr)


def main() -> int:
    """Make all pictures."""
    # Settings of the user who runs this must not show in the pictures.
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        os.environ.pop(name, None)
    SCRATCH.mkdir()
    try:
        os.chdir(SCRATCH)
        for kind in ("CONFIG", "CACHE", "STATE"):
            os.environ[f"XDG_{kind}_HOME"] = str(SCRATCH / ".home")
        make_tapes(Path("captures"))
        display.interfaces = lambda *_arguments, **_options: [watch]
        code = cli.run(COMMAND)
        photograph_report(Path("restored/report.html").resolve())
    finally:
        os.chdir(ROOT)
        shutil.rmtree(SCRATCH)
    # One of the captures is damaged.
    return 0 if code == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
