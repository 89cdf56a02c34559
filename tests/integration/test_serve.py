"""The interface as a page: who is let in, what a view may do, and what is left when it ends."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import anyio
import anyio.to_thread
import pyte
import pytest
from PIL import Image, ImageStat
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import make
import program
from browser import as_on_a_phone, chromium, complaints, requested
from vhsbatch.batch.control import Live
from vhsbatch.batch.leases import leasing
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import Command, Pause
from vhsbatch.events.events import BatchFinished
from vhsbatch.events.journal import STATE_FOLDER, Journal

pytestmark = pytest.mark.anyio

WEDDING, HARBOUR = make.job(1, "wedding 1994"), make.job(2, "harbour & <b>fair")


class Served:
    """A server that runs, and where it is.

    Attributes:
        process: the program.
        address: the page's address, without the token.
        token: what lets in.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.whole = process.stdout.readline().strip()
        assert self.whole, process.stderr and process.stderr.read()
        self.address, _, self.token = self.whole.partition("?token=")
        self.origin = self.address.rstrip("/")

    @property
    def views(self) -> list[int]:
        return program.children(self.process.pid)

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A browser that has opened the address."""
        async with aiohttp.ClientSession(self.address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.get("/", params={"token": self.token}) as answer:
                assert answer.status == 200
            yield session


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    process = program.start("serve", folder, "--port", "0", *options, cwd=folder.parent)
    try:
        yield Served(process)
    finally:
        process.kill()
        process.communicate()


async def write_ended(folder: Path) -> None:
    async with await Journal.create(folder / STATE_FOLDER / "journal", "1-a") as written:
        await written.append(make.batch_started(WEDDING, HARBOUR))
        await written.append(make.planned(make.plan(WEDDING)))
        await written.append(BatchFinished(at_s=9.0, run_id="run", outcome="interrupted", exit_code=130))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch that has ended."""
    folder = tmp_path_factory.mktemp("serve") / "out"
    anyio.run(write_ended, folder)
    return folder


@pytest.fixture(scope="module")
def served(out: Path) -> Iterator[Served]:
    """A server of the batch that has ended, with room for two views."""
    with serving(out, "--tabs", "2") as served:
        yield served


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[list[Command]]:
    """A batch that goes on and on; what is wished of it."""
    mailbox, commanded = Mailbox(), list[Command]()
    folder.mkdir(exist_ok=True)
    async with leasing(folder / STATE_FOLDER, "2-b", folder), anyio.create_task_group() as group:
        async with await Journal.create(folder / STATE_FOLDER / "journal", "2-b") as written:
            await written.append(make.batch_started(WEDDING, HARBOUR, run_id="2-b"))
            await written.append(make.planned(make.plan(WEDDING)))
            await written.append(make.started(make.plan(WEDDING)))
        live = Live(folder / STATE_FOLDER, "2-b")
        await live.open()
        group.start_soon(live.keep, mailbox, commanded.append)
        yield commanded
        mailbox.close()


class View:
    """A websocket to a view, and what it shows."""

    def __init__(self, opened: aiohttp.ClientWebSocketResponse) -> None:
        self._opened = opened
        self._screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def wait_for(self, words: str) -> None:
        with anyio.fail_after(program.PATIENCE_S):
            while words not in self.text:
                message = await self._opened.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, f"it ended without {words!r}:\n{self.text}"
                self._stream.feed(message.data)

    async def press(self, keys: str) -> None:
        await self._opened.send_json(["stdin", keys])

    async def finish(self) -> None:
        """Read to the end."""
        with anyio.fail_after(program.PATIENCE_S):
            async for _ in self._opened:
                pass


@asynccontextmanager
async def viewing(session: aiohttp.ClientSession, served: Served) -> AsyncIterator[View]:
    size = {"width": "120", "height": "40"}
    async with session.ws_connect("/view", params=size, headers={"Origin": served.origin}) as opened:
        yield View(opened)


async def wait_until(reached: Callable[[], bool]) -> None:
    with anyio.fail_after(program.PATIENCE_S):
        while not reached():
            await anyio.sleep(0.05)


async def test_nobody_is_let_in_without_the_token(served: Served) -> None:
    async with aiohttp.ClientSession(served.address) as stranger:

        async def status(path: str, **headers: str) -> int:
            async with stranger.get(path, headers=headers) as answer:
                assert "Set-Cookie" not in answer.headers
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                return answer.status

        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": served.origin}
        assert await status("/") == 403
        assert await status("/?token=") == 403
        assert await status(f"/?token={served.token[:-1]}") == 403
        assert await status(f"/page.js?token={served.token}") == 403
        assert await status("/terminal/js/textual.js") == 403
        assert await status("/view", **upgrade) == 403
        # A foreign name that points here knows neither the page nor the token's worth.
        assert await status(f"/?token={served.token}", Host="evil.example") == 403
    assert served.views == []


async def test_the_token_is_exchanged_for_a_cookie_that_scripts_and_other_sites_cannot_use(
    served: Served,
) -> None:
    async with aiohttp.ClientSession(served.address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/", params={"token": served.token}) as answer:
            (cookie,) = answer.headers.getall("Set-Cookie")
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert served.token not in cookie
            assert answer.headers["Refresh"] == "0; url=./"
            assert served.token not in await answer.text()
        async with session.get("/") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Security-Policy"].startswith(
                "default-src 'none'; script-src 'self'"
            )
            assert answer.headers["Cache-Control"] == "no-store"
            page = await answer.text()
            assert "<title>out - vhs-upscale</title>" in page
            assert "//" not in page
        for path in (
            "/terminal/",
            "/terminal/..%2fserver.py",
            "/download/key",
            "/page.html.j2",
            "/../server.py",
        ):
            async with session.get(path) as answer:
                assert answer.status in {403, 404}, path


async def test_only_its_own_page_opens_a_view(served: Served) -> None:
    async with served.admitted() as session:
        for origin in ("http://evil.example", "null", f"{served.origin}0", None):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect("/view", headers={} if origin is None else {"Origin": origin})
            assert refused.value.status == 403
        host = {"Origin": "http://evil.example", "Host": "evil.example"}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/view", headers=host)
        assert refused.value.status == 403
        assert served.views == []
        async with viewing(session, served) as view:
            await view.wait_for("wedding 1994.dv")
            await view.wait_for("ended: interrupted")
            assert len(served.views) >= 1
        await wait_until(lambda: served.views == [])


@pytest.mark.parametrize(("options", "expected"), [((), []), (("--control",), [Pause()])])
async def test_a_view_only_looks_unless_it_was_asked_to_steer(
    tmp_path: Path, options: tuple[str, ...], expected: list[Command]
) -> None:
    async with running(tmp_path / "out") as commanded:
        with serving(tmp_path / "out", *options) as served:
            async with served.admitted() as session, viewing(session, served) as view:
                await view.wait_for("wedding 1994.dv")
                await view.press("p+s>")
                await view.press("/")
                await view.wait_for("words in the name")
                if expected:
                    await wait_until(lambda: bool(commanded))
                    assert "(viewing)" not in view.text
                else:
                    # The screen comes in pieces, and its first line may be in the last one.
                    await view.wait_for("(viewing)")
                    assert list((tmp_path / "out" / STATE_FOLDER / "commands").rglob("*.json")) == []
    assert commanded[:1] == expected


async def test_there_are_no_more_views_than_may_be_and_one_that_closes_makes_room(served: Served) -> None:
    async with served.admitted() as session, viewing(session, served) as first:
        await first.wait_for("wedding 1994.dv")
        async with viewing(session, served), viewing(session, served) as third:
            await third.wait_for("2 views of this batch are open, which is the limit (--tabs)")
            await third.finish()
        async with viewing(session, served) as fourth:
            await fourth.wait_for("wedding 1994.dv")
            await fourth.press("q")
            await fourth.finish()
    await wait_until(lambda: served.views == [])


async def test_a_browser_that_does_not_read_holds_up_nobody_and_nothing(tmp_path: Path) -> None:
    await write_ended(tmp_path / "out")
    with serving(tmp_path / "out") as served:
        async with served.admitted() as session:
            cookie = "; ".join(f"{kept.key}={kept.value}" for kept in session.cookie_jar)
            where = urlsplit(served.address)
            stuck = socket.create_connection((where.hostname, where.port))
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.sendall(
                f"GET /view?width=500&height=200 HTTP/1.1\r\nHost: {where.netloc}\r\n"
                f"Origin: {served.origin}\r\nCookie: {cookie}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            for columns in range(100):  # each of them has the whole picture drawn anew
                said = json.dumps(["resize", {"width": 400 + columns, "height": 200}]).encode()
                stuck.sendall(bytes((0x81, 0x80 | len(said), 0, 0, 0, 0)) + said)
            async with viewing(session, served) as view:
                await view.wait_for("wedding 1994.dv")
            served.process.send_signal(signal.SIGTERM)
            assert await anyio.to_thread.run_sync(served.process.wait, program.PATIENCE_S) == 0
            stuck.close()
    program.wait_until_gone(tmp_path)


async def test_nothing_is_left_of_a_server_that_was_killed(tmp_path: Path) -> None:
    await write_ended(tmp_path / "out")
    with serving(tmp_path / "out") as served:
        async with served.admitted() as session, viewing(session, served) as view:
            await view.wait_for("wedding 1994.dv")
            os.kill(served.process.pid, signal.SIGKILL)
            await view.finish()
    program.wait_until_gone(tmp_path)


async def test_a_folder_without_a_batch_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with serving(tmp_path / "out") as served:
        async with served.admitted() as session:
            async with viewing(session, served) as view:
                await view.wait_for("nothing has been restored")
                await view.finish()
            async with running(tmp_path / "out"), viewing(session, served) as view:
                await view.wait_for("wedding 1994.dv")
            served.process.send_signal(signal.SIGINT)
            assert await anyio.to_thread.run_sync(served.process.wait, program.PATIENCE_S) == 0


def test_what_cannot_be_served_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    refused = program.run("serve", "missing", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith("vhs-upscale: missing does not exist (")
    assert refused.stderr.count("\n") == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = program.run("serve", "out", "--port", port, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"vhs-upscale: port {port} is in use (")
    assert refused.stderr.count("\n") == 1


def test_beyond_this_machine_it_warns(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with serving(tmp_path / "out", "--host", "0.0.0.0") as served:
        served.process.terminate()
        _, said = served.process.communicate(timeout=program.PATIENCE_S)
    assert "warning: others in this network can reach it, and the token travels unencrypted" in said
    assert "ssh -L" in said


@pytest.mark.slow
async def test_a_real_browser_shows_the_batch_and_asks_nobody_else(tmp_path: Path) -> None:
    async with running(tmp_path / "out") as commanded:
        with serving(tmp_path / "out") as served:
            await anyio.to_thread.run_sync(_look_around, served, tmp_path)
            await wait_until(lambda: served.views == [])
    assert commanded == []


async def test_a_phone_shows_whole_lines(tmp_path: Path) -> None:
    async with running(tmp_path / "out"):
        with serving(tmp_path / "out") as served:
            await anyio.to_thread.run_sync(_look_on_a_phone, served)


def _look_on_a_phone(served: Served) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    with chromium("--disable-3d-apis", "--hide-scrollbars") as browser:
        as_on_a_phone(browser)
        browser.get(served.whole)

        def shown(_: object) -> str:
            return str(browser.execute_script("return document.body.innerText")).replace("\xa0", " ")

        # A worker's line has its video and how far it is, and the list has the columns that matter.
        WebDriverWait(browser, program.PATIENCE_S).until(
            lambda opened: all(words in shown(opened) for words in ("starting", "Length", "harbour &"))
        )
        screen = browser.find_element(By.CLASS_NAME, "xterm-screen").rect
        assert screen["x"] + screen["width"] <= 390


def _look_around(served: Served, folder: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    # Without WebGL the terminal's text is in the page, where it can be read. In a wider window there would be
    # a pane beside the list, and names would be shortened.
    with chromium("--window-size=1000,800", "--disable-3d-apis") as browser:

        def wait_for(words: str, *, gone: bool = False) -> None:
            def is_so(_: object) -> bool:
                shown = str(browser.execute_script("return document.body.innerText"))
                return (words in shown.replace("\xa0", " ")) is not gone

            WebDriverWait(browser, program.PATIENCE_S).until(is_so, words)

        browser.get(served.whole)
        wait_for("wedding 1994.dv")
        wait_for("harbour & <b>fair.dv")
        wait_for("(viewing)")
        assert browser.current_url == served.address
        assert browser.title == "out - vhs-upscale"
        assert browser.get_cookies()[0]["httpOnly"] is True
        assert browser.execute_script("return document.cookie") == ""
        assert browser.execute_script("return document.fonts.check('15px \"Roboto Mono\"')")
        # Keys, which nobody had to click for.
        ActionChains(browser).send_keys("px").perform()
        ActionChains(browser).send_keys("i").perform()
        wait_for("fields: interlaced")
        browser.save_screenshot(str(folder / "page.png"))
        assert complaints(browser) == []
        ActionChains(browser).send_keys(Keys.ESCAPE).perform()
        wait_for("fields: interlaced", gone=True)
        ActionChains(browser).send_keys("q").perform()
        wait_for("This view has ended.")
        browser.find_element(By.LINK_TEXT, "Open it again").click()
        wait_for("wedding 1994.dv")
        addresses = requested(browser)
        assert f"ws{served.address.removeprefix('http')}view" in {
            each.partition("?")[0] for each in addresses
        }
        assert {urlsplit(each).netloc for each in addresses if not each.startswith("data:")} == {
            urlsplit(served.address).netloc
        }
    with Image.open(folder / "page.png") as shot:
        assert min(ImageStat.Stat(shot.convert("L")).stddev) > 5
