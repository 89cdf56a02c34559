"""`serve`: the interface as a page for browsers."""

import errno
import functools
import importlib.util
import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

import anyio
import anyio.to_thread

from vhsbatch.batch.attached import expect_output_folder
from vhsbatch.errors import ToolError, UsageError
from vhsbatch.fs import read_regular
from vhsbatch.process.stop_signals import receive_signals, run_until_stopped
from vhsbatch.ui.text import say, show_line
from vhsbatch.ui.web.access import Access, is_loopback, new_token, parse_public_url, parse_token

if TYPE_CHECKING:
    from vhsbatch.ui.web.server import Site

_ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104
_LAST_PORT = 65535
_TOKEN_FILE_BYTES = 2**20
_PARTS = ("aiohttp", "textual_serve")


def serve(
    output_folder: Path,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    control: bool = False,
    token_file: Path | None = None,
    public_url: str | None = None,
    tabs: int = 8,
    open: bool = False,  # noqa: A002
) -> int:
    """Show the running or last batch of an output folder in web browsers.

    Args:
        output_folder: Folder of results.
        host: Address to listen on. Beyond this machine the page travels unencrypted. [default: 127.0.0.1]
        port: Port to listen on. 0 uses a free one. [default: 8765]
        control: Let browsers control the batch.
        token_file: Keep the access token in this file, instead of making a new one each time.
        public_url: Address of the page behind a reverse proxy, for example https://tapes.example.org/.
        tabs: Browser tabs that may be open at the same time. [default: 8]
        open: Open the page in a browser.
    """
    _expect_web()
    expect_output_folder(output_folder)
    if tabs < 1:
        raise UsageError(f"--tabs {tabs}: must be at least 1")
    public = parse_public_url(public_url) if public_url is not None else None
    token = new_token() if token_file is None else token_of(token_file)
    from vhsbatch.ui.web.server import Site

    folder = output_folder.resolve()
    site = Site(
        access=Access(token=token, names=_names(host), public=public),
        viewer=_viewer(folder, control=control),
        title=f"{folder.name} - vhs-upscale",
        most_tabs=tabs,
        report=say,
    )
    listening = listen(host, port)
    run_until_stopped(
        functools.partial(
            _serve,
            site,
            listening,
            address_of(host, listening, public),
            control=control,
            private=is_loopback(host) or site.access.is_encrypted,
            open_browser=open,
        )
    )
    return 0


def token_of(path: Path) -> str:
    """The token that a file holds; one is put there if the file is missing.

    Raises:
        UsageError: others may read it, or it holds no token, or cannot be used.
    """
    try:
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(f"{new_token()}\n")
        mode = path.stat().st_mode
        text = read_regular(path, limit_bytes=_TOKEN_FILE_BYTES).decode("ascii", errors="replace")
    except OSError as error:
        raise UsageError(
            f"--token-file {path}: {error.strerror}", fix="name a file that you may read and write"
        ) from error
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"--token-file {path} can be read by others",
            fix=f"chmod 600 {path}; where a disk knows no permissions, keep it on another",
        )
    token = parse_token(text)
    if token is None:
        raise UsageError(
            f"--token-file {path} holds no token of at least 20 letters, digits, '-' or '_'",
            fix="remove it, and one is made",
        )
    return token


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound there.

    Raises:
        UsageError: that is not possible.
    """
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"--port {port}: a port is a number from 0 to {_LAST_PORT}")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        what = getattr(error, "strerror", None) or error
        raise UsageError(f"--host {host}: {what}", fix="give an address of this machine") from error
    listening = socket.socket(family, kind, protocol)
    try:
        # A port that was used a moment ago can be used again.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        # Of two that are bound to a port, the second one to listen there is told.
        listening.listen()
    except OSError as error:
        listening.close()
        raise _refused(error, host, port) from error
    return listening


def _refused(error: OSError, host: str, port: int) -> UsageError:
    match error.errno:
        case errno.EADDRINUSE:
            return UsageError(
                f"port {port} is in use", fix="end what uses it, or take --port 0, which chooses a free one"
            )
        case errno.EACCES:
            return UsageError(f"port {port} is for the administrator alone", fix="take one above 1023")
        case errno.EADDRNOTAVAIL:
            return UsageError(f"{host} is no address of this machine", fix="leave --host out")
        case _:
            return UsageError(f"cannot listen at {host}, port {port}: {error.strerror}")


def address_of(host: str, listening: socket.socket, public: SplitResult | None) -> str:
    """The page's address, which ends in a slash."""
    if public is not None:
        return f"{public.geturl()}/"
    name = socket.gethostname() if host in _ANYWHERE else host
    return f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}/"


def _names(host: str) -> frozenset[str]:
    """The names under which browsers may ask for the page; of this machine too if others can reach it."""
    own = () if is_loopback(host) else (socket.gethostname(), socket.getfqdn())
    return frozenset(name.lower() for name in (host, *own) if name)


def _viewer(folder: Path, *, control: bool) -> tuple[str, ...]:
    attach = (sys.executable, "-P", "-m", "vhsbatch.cli", "attach", str(folder))
    return attach if control else (*attach, "--read-only")


async def _serve(
    site: "Site",
    listening: socket.socket,
    address: str,
    *,
    control: bool,
    private: bool,
    open_browser: bool,
) -> None:
    from vhsbatch.ui.web.server import serving

    with receive_signals() as signals:
        async with serving(site, listening):
            show_line(f"{address}?token={site.access.token}")
            say(
                "Anyone with this address can control the batch. Stop with Ctrl-C."
                if control
                else "Anyone with this address can watch; --control lets them control the batch. "
                "Stop with Ctrl-C."
            )
            if not private:
                say(_warning(listening.getsockname()[1]))
            if open_browser and not await anyio.to_thread.run_sync(
                open_in_browser, f"{address}?token={site.once()}"
            ):
                say("no browser could be opened here: open the address yourself")
            async for _ in signals:
                break


def _warning(port: int) -> str:
    tunnel = f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
    return (
        "warning: others in this network can reach it, and the token travels unencrypted. Safer: leave "
        f"--host out and forward the port with '{tunnel}', or put a reverse proxy with a certificate before "
        "it (--public-url)"
    )


def open_in_browser(address: str) -> bool:
    """Open the page in a browser; False where there is none that has windows."""
    import webbrowser

    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        return False
    return webbrowser.open(address)


def _expect_web() -> None:
    if any(importlib.util.find_spec(part) is None for part in _PARTS):
        raise ToolError(
            "a page for browsers needs packages that are not installed",
            fix="pip install aiohttp textual-serve",
        )
