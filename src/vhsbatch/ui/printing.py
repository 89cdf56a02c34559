"""How a batch is printed, whatever it looks like: events become words at once, written in a thread."""

import os
import sys
from collections.abc import Callable
from typing import Protocol, TextIO

import anyio
import anyio.to_thread

from vhsbatch.events.bus import Mailbox
from vhsbatch.events.events import Event


class Printer(Protocol):
    """A way to print a batch: what is to be said is put down at once, and written when there is time."""

    def show(self, event: Event) -> None:
        """Put down what is to be said of one event."""
        ...

    def close(self) -> None:
        """Put down the end."""
        ...

    def write(self) -> None:
        """Write what was put down; this can take as long as a reader takes.

        Raises:
            OSError: nobody reads any more, or a disk is full.
        """
        ...


async def print_events(
    mailbox: Mailbox, printer: Printer, *, unwritable: Callable[[OSError], None] | None = None
) -> None:
    """Print everything until the batch is over.

    It is written in a thread: while a reader takes nothing (a terminal that was stopped, a pager), the
    batch goes on, and the mailbox keeps the newest. Where nobody reads any more (a closed terminal, the
    end of a pipe), it goes on in silence.

    Args:
        mailbox: what happens.
        printer: how it is said.
        unwritable: what is done when something cannot be written, instead of printing nothing more.
    """
    while True:
        try:
            events = await mailbox.receive()
        except anyio.EndOfStream:
            break
        for event in events:
            printer.show(event)
        await _write(printer, unwritable or _mute)
    printer.close()
    await _write(printer, unwritable or _mute)


async def _write(printer: Printer, unwritable: Callable[[OSError], None]) -> None:
    try:
        await anyio.to_thread.run_sync(printer.write, abandon_on_cancel=True)
    except OSError as error:
        unwritable(error)


def _mute(_error: OSError) -> None:
    """Nothing more can be printed, and the interpreter must not fail over it on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Lines:
    """Text for several streams, in the order in which it was put down."""

    def __init__(self) -> None:
        """Nothing is put down yet."""
        self._waiting: list[tuple[TextIO, str]] = []

    def put(self, stream: TextIO, text: str) -> None:
        """Put `text` down for `stream`."""
        self._waiting.append((stream, text))

    def write(self) -> None:
        """Write what is queued; may wait for the reader."""
        waiting, self._waiting = self._waiting, []
        streams: list[TextIO] = []
        for stream, text in waiting:
            # What is said on two streams is seen in its order.
            if streams and streams[-1] is not stream:
                streams[-1].flush()
            stream.write(text)
            streams.append(stream)
        if streams:
            streams[-1].flush()
