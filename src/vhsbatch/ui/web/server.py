"""The server: one page, what it is made of, and a websocket for each view.

From textual-serve, which has a page too, only the browser terminal and its font are used:
its own server lets everybody in, fetches a font from elsewhere, and obeys an application that wants files
to be downloaded.
"""

import importlib.resources
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread
import jinja2
from aiohttp import WSCloseCode, WSMsgType, web

from vhsbatch.crash_report import defect_in_a_line
from vhsbatch.errors import VhsBatchError
from vhsbatch.process.spawn import GRACE_S
from vhsbatch.ui.web import tab
from vhsbatch.ui.web.access import HEADERS, Access, new_token
from vhsbatch.ui.web.protocol import Size, from_browser

_PAGE = Path(__file__).with_name("page")
_HEARTBEAT_S = 30.0
_MESSAGE_BYTES = 256 * 2**10
# A tab that is reloaded closes its view while it opens the next one.
_FREE_WITHIN_S = 3.0
_CLOSE_WITHIN_S = 1.0

_STRANGER = (
    "Open the whole address that 'vhs-upscale serve' printed: it contains a token, and this one does not.\n"
)
_OTHER_NAME = (
    "This server does not answer to that name. Behind a proxy, start it with --public-url ADDRESS.\n"
)
_OTHER_PAGE = "Only this server's own page may open a view.\n"
# A page that sends itself on, unlike an answer that redirects, is this site's own, to which a browser
# then gives the cookie wherever the link to it stood.
_ADMITTED = (
    '<!doctype html><html lang="en"><title>vhs-upscale</title><link rel="icon" href="data:,">'
    '<a href="./">Go on</a></html>'
)


@dataclass(slots=True, kw_only=True)
class Site:
    """What is served.

    Attributes:
        access: whom to let in.
        viewer: the command that starts an attached session.
        title: of the page.
        most_tabs: how many views there may be at a time.
        report: takes a line about what went wrong in the server itself.
    """

    access: Access
    viewer: tuple[str, ...]
    title: str
    most_tabs: int
    report: Callable[[str], None]
    _once: set[str] = field(default_factory=set)
    _tabs: set[anyio.CancelScope] = field(default_factory=set)
    _disk_space: anyio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Room for all views."""
        self._disk_space = anyio.Semaphore(self.most_tabs)

    def once(self) -> str:
        """A token that lets one browser in, for a command line, which others on this machine can read."""
        token = new_token()
        self._once.add(token)
        return token

    def application(self) -> web.Application:
        """The routes, every one of them protected by the token."""
        terminal = importlib.resources.files("textual_serve") / "static"
        application = web.Application(middlewares=[self._admit])
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/view", self._view),
                web.get("/page.css", self._file),
                web.get("/page.js", self._file),
                web.static("/terminal", Path(str(terminal))),
            ]
        )
        application.on_response_prepare.append(_forbid)
        application.on_shutdown.append(self._end_tabs)
        return application

    # --- who is let in ---------------------------------------------------------------------------

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not self.access.knows_host(request.headers.get("Host", "")):
            return web.Response(status=403, text=_OTHER_NAME)
        if request.path == "/" and "token" in request.query:
            return self._exchange(request.query["token"])
        if not self.access.is_cookie(request.cookies):
            return web.Response(status=403, text=_STRANGER)
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:
            self.report(await anyio.to_thread.run_sync(defect_in_a_line, error))
            raise web.HTTPInternalServerError from error

    def _exchange(self, token: str) -> web.Response:
        """A cookie for the token, which then no address shows any more."""
        if token in self._once:
            self._once.remove(token)
        elif not self.access.is_token(token):
            return web.Response(status=403, text=_STRANGER)
        public = self.access.public
        response = web.Response(text=_ADMITTED, content_type="text/html", headers={"Refresh": "0; url=./"})
        name, value = self.access.cookie
        response.set_cookie(
            name,
            value,
            path=f"{public.path}/" if public is not None else "/",
            secure=self.access.is_encrypted,
            httponly=True,
            samesite="Strict",
        )
        return response

    # --- what they see ---------------------------------------------------------------------------

    async def _page(self, _request: web.Request) -> web.Response:
        page = await anyio.Path(_PAGE / "page.html.j2").read_text(encoding="utf-8")
        template = jinja2.Template(page, autoescape=True, undefined=jinja2.StrictUndefined)
        return web.Response(text=template.render(title=self.title), content_type="text/html")

    async def _file(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE / request.path.lstrip("/"))

    async def _view(self, request: web.Request) -> web.StreamResponse:
        """A view of the batch, as long as the websocket is open."""
        if not self.access.knows_origin(request.headers.get("Origin"), request.headers["Host"]):
            return web.Response(status=403, text=_OTHER_PAGE)
        try:
            size = Size.of(request.query.get("width", "80"), request.query.get("height", "24"))
        except ValueError:
            return web.Response(status=400, text="width and height are numbers of cells.\n")
        browser = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_MESSAGE_BYTES)
        await browser.prepare(request)
        with anyio.CancelScope() as scope:
            self._tabs.add(scope)
            try:
                await self._show(browser, size)
            finally:
                self._tabs.discard(scope)
        # A browser that does not read would not answer.
        with anyio.move_on_after(_CLOSE_WITHIN_S, shield=True):
            await browser.close(code=WSCloseCode.GOING_AWAY, drain=False)
        return browser

    async def _show(self, browser: web.WebSocketResponse, size: Size) -> None:
        with anyio.move_on_after(_FREE_WITHIN_S) as waiting:
            await self._disk_space.acquire()
        if waiting.cancelled_caught:
            await _draw_words(
                browser, f"{self.most_tabs} views of this batch are open, which is the limit (--tabs)."
            )
            return
        try:
            await tab.show(self.viewer, size, _said(browser), browser.send_bytes)
        except VhsBatchError as error:
            await _draw_words(browser, str(error))
        finally:
            self._disk_space.release()

    async def _end_tabs(self, _application: web.Application) -> None:
        for scope in self._tabs:
            scope.cancel()


@asynccontextmanager
async def serving(site: Site, listening: socket.socket) -> AsyncIterator[None]:
    """Serve; on leaving, every view has ended.

    Args:
        site: what is served.
        listening: a socket that is bound; it is closed in the end.
    """
    # It would write stack traces for whatever strangers send; what concerns the user is reported.
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL + 1)
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=GRACE_S + _CLOSE_WITHIN_S)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()


async def _forbid(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _said(browser: web.WebSocketResponse) -> AsyncIterator[bytes]:
    """What the browser says to its attached session, until it is gone or says nonsense."""
    async for message in browser:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            packet = from_browser(message.data)
        except ValueError:
            return
        if packet:
            yield packet


async def _draw_words(browser: web.WebSocketResponse, line: str) -> None:
    with suppress(OSError):
        await browser.send_bytes(tab.words(line))
