"""One browser tab: an attached session, as a child process that lives as long as the tab."""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from anyio.streams.buffered import BufferedByteReceiveStream

from vhsbatch.formatting import plain
from vhsbatch.process.spawn import GRACE_S, Tail, read_lines, spawn
from vhsbatch.ui.web.protocol import HEADER_BYTES, READY, Size, is_end, parse_header

_LAST_WORDS = 8
_MOST_PRELUDE_BYTES = 64 * 2**10
# Leaves the screen that an application has for itself, and goes on below what stood there.
_PLAIN_SCREEN = "\x1b[?1049l\x1b[2J\x1b[H\x1b[?25l"

Draw = Callable[[bytes], Awaitable[None]]


async def show(command: tuple[str, ...], size: Size, said: AsyncIterator[bytes], draw: Draw) -> None:
    """Run an attached session until it ends, or until the browser is gone.

    A browser that reads slowly makes `draw` wait, and so the attached session; nothing else waits for it.

    Args:
        command: starts the attached session.
        size: of the browser's terminal.
        said: packets for the attached session.
        draw: takes what a terminal would be sent; an `OSError` of it says that the browser is gone.

    Raises:
        ToolError: the attached session cannot be started.
    """
    tail = Tail(_LAST_WORDS)
    async with spawn(command, stdin=subprocess.PIPE, env=_environment(size)) as process:
        async with anyio.create_task_group() as group:
            group.start_soon(read_lines, process.stderr, tail)
            group.start_soon(_tell, said, process.stdin, group.cancel_scope)
            await _draw(process.stdout, draw, group.cancel_scope)
            with anyio.move_on_after(GRACE_S):
                await process.wait()
            group.cancel_scope.cancel()
        if process.returncode and tail.lines:
            with suppress(OSError):
                await draw(words(*tail.lines))


def words(*lines: str) -> bytes:
    """Lines for the browser's terminal, in place of a picture."""
    return (_PLAIN_SCREEN + "\r\n".join(map(plain, lines))).encode(errors="replace")


def _environment(size: Size) -> Mapping[str, str]:
    """What makes Textual draw for a browser, whatever terminal the server was started in."""
    return {
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM": "xterm-256color",
        "TERM_PROGRAM": "",
        "COLUMNS": str(size.columns),
        "ROWS": str(size.rows),
    }


async def _tell(said: AsyncIterator[bytes], stdin: ByteSendStream | None, tab: anyio.CancelScope) -> None:
    """Pass on what the browser says; when it is gone, the tab is over."""
    if stdin is None:
        return
    try:
        async for packet in said:
            await stdin.send(packet)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return  # the attached session has ended; show what it drew last
    tab.cancel()


async def _draw(stdout: ByteReceiveStream | None, draw: Draw, tab: anyio.CancelScope) -> None:
    """Pass on what the attached session draws, until it ends or the browser is gone."""
    if stdout is None:
        return
    stream = BufferedByteReceiveStream(stdout)
    try:
        # Whatever was printed before is not meant for a browser.
        await stream.receive_until(READY, _MOST_PRELUDE_BYTES)
        while True:
            kind, length = parse_header(await stream.receive_exactly(HEADER_BYTES))
            content = await stream.receive_exactly(length)
            if kind == b"D":
                await draw(content)
            elif kind == b"M" and is_end(content):
                return
    except (anyio.IncompleteRead, anyio.DelimiterNotFound, ValueError):
        return
    except OSError:
        tab.cancel()
