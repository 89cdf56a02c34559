"""A source that lies on another machine, for an FFmpeg on this one: what it reads is fetched meanwhile.

FFmpeg asks for ranges of bytes by HTTP on the loopback address. It sees the file as if it were here, so
that it makes the same frames of it, and only the parts that it looks at are sent.
"""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from vhsbatch.cluster import files
from vhsbatch.errors import ChainError
from vhsbatch.model.source import Served

_LOOPBACK = "127.0.0.1"
_CONNECTIONS = Path("/proc/net/tcp")
# Data in flight when FFmpeg seeks is wasted.
_UNREAD_BYTES = 2**18

Block = Callable[[int], Awaitable[bytes]]


@dataclass(slots=True)
class _Source:
    """A file.

    Attributes:
        size_bytes: its size.
        block: gives a block by its number.
        failure: why a block could not be fetched.
    """

    size_bytes: int
    block: Block
    failure: ChainError | None = None

    async def whole_block(self, number: int) -> bytes:
        """A block, which has the length that it has in the file.

        Raises:
            ChainError: it could not be fetched, or is too short.
        """
        block = await self.block(number)
        if len(block) != files.block_bytes(number, self.size_bytes):
            raise ChainError(f"a part of the source is {len(block)} bytes long, which is too short")
        return block


class SourceServer:
    """Hands out sources on the loopback address, each under a name that nobody can guess."""

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self._server: HTTPServer | None = None
        self._port = 0

    def _start(self) -> None:
        sockets = bind_sockets(0, _LOOPBACK)
        for socket in sockets:
            socket.setsockopt(SOL_SOCKET, SO_SNDBUF, _UNREAD_BYTES)
        application = Application(
            [("/([^/]+)/.*", _Handler, {"sources": self._sources})], log_function=_silent
        )
        self._server = HTTPServer(application)
        self._server.add_sockets(sockets)
        self._port = sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop()

    @asynccontextmanager
    async def serving(self, block: Block, *, size_bytes: int, suffix: str) -> AsyncIterator[Served]:
        """Where a source can be read meanwhile.

        Args:
            block: gives a block of it by its number, and raises `ChainError` if it cannot.
            size_bytes: its size.
            suffix: the ending of its name.

        Raises:
            ChainError: a block could not be fetched, whatever FFmpeg made of that.
        """
        if self._server is None:
            self._start()
        token = secrets.token_urlsafe()
        source = self._sources[token] = _Source(size_bytes, block)
        try:
            yield Served(f"http://{_LOOPBACK}:{self._port}/{token}/source{suffix}")
        except ChainError as error:
            raise (source.failure or error) from error
        finally:
            del self._sources[token]
        if source.failure is not None:
            raise source.failure


class _Handler(RequestHandler):
    """Answers one request: from some byte to the end, as far as FFmpeg reads it."""

    def initialize(self, sources: dict[str, _Source]) -> None:
        self._sources = sources

    def prepare(self) -> None:
        """Turn others away who are logged in here: they can read the address in FFmpeg's command line."""
        stream = cast("HTTP1Connection", self.request.connection).stream
        uid = owner_of(_CONNECTIONS, port=stream.socket.getpeername()[1])
        if uid is not None and sys.platform != "win32" and uid != os.getuid():
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def on_finish(self) -> None:
        """Note a request that was refused: FFmpeg may go on without what it asked for."""
        source = self._sources.get(self.path_args[0]) if self.path_args else None
        if source is not None and source.failure is None and self.get_status() != HTTPStatus.PARTIAL_CONTENT:
            source.failure = ChainError(f"a part of the source could not be read: HTTP {self.get_status()}")

    async def get(self, token: str) -> None:
        source = self._sources.get(token)
        if source is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        start, stop = _range(self.request.headers.get("Range", "bytes=0-"), source.size_bytes)
        self.set_status(HTTPStatus.PARTIAL_CONTENT)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Range", f"bytes {start}-{stop - 1}/{source.size_bytes}")
        self.set_header("Content-Length", stop - start)
        try:
            await self.flush()
            for number in range(start // files.BLOCK_BYTES, (stop - 1) // files.BLOCK_BYTES + 1):
                block = await source.whole_block(number)
                first_byte = number * files.BLOCK_BYTES
                self.write(block[max(0, start - first_byte) : stop - first_byte])
                await self.flush()
        except StreamClosedError:
            pass  # FFmpeg has read enough
        except ChainError as error:
            source.failure = error
            cast("HTTP1Connection", self.request.connection).close()


def _range(header: str, size_bytes: int) -> tuple[int, int]:
    """The bytes that a `Range` asks for, as start and stop."""
    unit, _, wanted = header.partition("=")
    first, dash, last = wanted.partition("-")
    if unit.strip() != "bytes" or not dash or not first.strip().isdecimal():
        raise HTTPError(HTTPStatus.BAD_REQUEST)
    start = int(first)
    stop = min(size_bytes, int(last) + 1) if last.strip().isdecimal() else size_bytes
    if start >= stop:
        raise HTTPError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    return start, stop


def owner_of(connections: Path, *, port: int) -> int | None:
    """The user whose program has a TCP port of this machine; None where that cannot be told.

    Args:
        connections: what the kernel says of all connections: a file of Linux.
        port: the port.
    """
    try:
        lines = connections.read_text().splitlines()[1:]
    except OSError:
        return None
    # sl, local address and port, remote ones, state, queues, timer, retransmissions, user …
    owners = (line.split()[7] for line in lines if line.split()[1].endswith(f":{port:04X}"))
    return next(map(int, owners), None)


def _silent(handler: RequestHandler) -> None:
    """Requests are no news."""
