"""The server in this process, with viewers that say what they should not."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from vhsbatch.cli.serve import listen
from vhsbatch.ui.web.access import Access, parse_public_url
from vhsbatch.ui.web.server import Site, serving

pytestmark = pytest.mark.anyio

TOKEN = "t" * 43
READY = "import sys; out = sys.stdout.buffer; out.write(b'printed before\\n__GANGLION__\\n')"
SAY = "say = lambda kind, what: out.write(kind + len(what).to_bytes(4, 'big') + what)"


def viewer(*lines: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", "\n".join((READY, SAY, *lines)))


@asynccontextmanager
async def site(
    command: tuple[str, ...], reported: list[str], *, public: str | None = None
) -> AsyncIterator[tuple[Site, str, aiohttp.ClientSession]]:
    """A site, where it is, and a browser that has not been there yet."""
    known = parse_public_url(public) if public is not None else None
    served = Site(
        access=Access(token=TOKEN, public=known),
        viewer=command,
        title="<b>out & about",
        most_tabs=2,
        report=reported.append,
    )
    listening = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with (
        serving(served, listening),
        aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        yield served, address, browser


async def status(browser: aiohttp.ClientSession, path: str, **headers: str) -> int:
    async with browser.get(path, headers=headers) as answer:
        return answer.status


async def shown(command: tuple[str, ...]) -> tuple[list[aiohttp.WSMsgType], bytes]:
    """What a browser is sent of a viewer until it ends: the kinds of messages, and the picture."""
    reported = list[str]()
    async with site(command, reported) as (_, address, browser):
        assert await status(browser, f"/?token={TOKEN}") == 200
        async with browser.ws_connect("/view", headers={"Origin": address}) as view:
            messages = [message async for message in view]
    assert reported == []
    return [message.type for message in messages], b"".join(
        message.data for message in messages if message.type is aiohttp.WSMsgType.BINARY
    )


async def test_a_viewer_cannot_make_a_browser_open_pages_or_fetch_files() -> None:
    kinds, picture = await shown(
        viewer(
            """say(b"M", b'{"type": "open_url", "url": "https://evil.example", "new_tab": true}')""",
            """say(b"M", b'{"type": "deliver_file_start", "key": "k", "path": "/etc/passwd"}')""",
            """say(b"P", b"t13:deliver_chunk")""",
            """say(b"X", b"?")""",
            """say(b"D", b"a picture")""",
            """say(b"M", b'{"type": "exit"}')""",
            """say(b"D", b"after its end")""",
        )
    )
    assert kinds == [aiohttp.WSMsgType.BINARY]
    assert picture == b"a picture"


async def test_why_a_viewer_has_ended_is_shown_in_its_place() -> None:
    _, picture = await shown(viewer("""say(b"D", b"a picture")""", """sys.exit("was\\nvery \\x1b[31mold")"""))
    assert picture.startswith(b"a picture")
    assert picture.endswith(b"was\r\nvery \\x1b[31mold")
    _, picture = await shown((sys.executable, "-I", "-c", "raise SystemExit('no terminal')"))
    assert picture.endswith(b"no terminal")


async def test_a_viewer_that_speaks_another_language_is_ended() -> None:
    assert await shown(viewer("""out.write(b"D" + b"\\xff" * 100)""", "out.flush()", "sys.stdin.read()")) == (
        [],
        b"",
    )


async def test_a_token_for_a_command_line_is_good_once() -> None:
    async with site(viewer(), []) as (served, _, browser):
        once = served.once()
        assert await status(browser, f"/?token={once}") == 200
        assert await status(browser, "/") == 200
        assert await status(browser, f"/?token={once}") == 403


async def test_behind_a_proxy_the_cookie_is_of_its_path_and_never_sent_unencrypted() -> None:
    async with site(viewer(), [], public="https://films.example.org/tapes") as (_, _, browser):
        asked = {"Host": "films.example.org"}
        async with browser.get(f"/?token={TOKEN}", headers=asked) as answer:
            (cookie,) = answer.headers.getall("Set-Cookie")
        assert "Secure" in cookie
        assert "Path=/tapes/" in cookie
        given = cookie.partition(";")[0]
        assert await status(browser, "/", Cookie=given, **asked) == 200
        origins = {"https://films.example.org": 101, "http://films.example.org.evil.example": 403}
        for origin, expected in origins.items():
            try:
                async with browser.ws_connect("/view", headers={"Origin": origin, "Cookie": given}):
                    answered = 101
            except aiohttp.WSServerHandshakeError as error:
                answered = error.status
            assert answered == expected


async def test_the_title_is_words_and_nonsense_is_refused() -> None:
    async with site(viewer(), []) as (_, address, browser):
        assert await status(browser, f"/?token={TOKEN}") == 200
        async with browser.get("/") as answer:
            assert "<title>&lt;b&gt;out &amp; about</title>" in await answer.text()
        assert await status(browser, "/view?width=wide", Origin=address) == 400
        assert await status(browser, "/view", Origin="http://[") == 403
        assert await status(browser, "/elsewhere") == 404
        async with browser.ws_connect("/view", headers={"Origin": address}) as view:
            await view.send_str('["deliver_chunk_request", {"key": "k", "size": 1}]')
            assert (await view.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_defect_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    async def fail(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(Site, "_page", fail)
    reported = list[str]()
    async with site(viewer(), reported) as (_, _, browser):
        assert await status(browser, f"/?token={TOKEN}") == 200
        assert await status(browser, "/") == 500
    (details,) = tmp_path.rglob("defect-*.txt")
    assert reported == [f"a defect of this program: KeyError: 'lost' (please report it, with {details})"]
