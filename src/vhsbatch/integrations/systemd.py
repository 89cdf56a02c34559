"""What a service manager is told: ready, how far, stopping, and that the program is alive.

The protocol of `sd_notify(3)`: datagrams of lines to the socket that the environment names.
"""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import anyio

from vhsbatch.batch.session import Session
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.describe import progress_line
from vhsbatch.events.events import BatchStarted
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.formatting import plain

_LOOK_EVERY_S = 1.0
# Windows has none, and no such manager.
_AF_UNIX = getattr(socket, "AF_UNIX", socket.AF_INET)
_STATUS_EVERY_S = 5.0


@dataclass(slots=True)
class ServiceManager:
    """Talks to the service manager; where it does not listen any more, nobody is told.

    Attributes:
        address: of its socket; an abstract one begins with ``@``.
        alive_every_s: how often it wants to hear from us, None where it does not watch.
    """

    address: str
    alive_every_s: float | None = None
    _ready: bool = field(default=False)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """The service manager that started this process; None if none did."""
        address = environ.get("NOTIFY_SOCKET", "")
        if sys.platform == "win32" or not address.startswith(("/", "@")):
            return None
        limit, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        watched = limit.isdecimal() and int(limit) > 0 and pid in ("", str(os.getpid()))
        # Twice in the time after which it would lose patience.
        return cls(address, int(limit) / 2e6 if watched else None)

    def tell(self, *lines: str) -> None:
        """Send lines such as ``READY=1``."""
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(_AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto("\n".join(lines).encode("utf-8", "replace"), name)

    def ready(self, status: str) -> None:
        """Say that the service does what it is there for; only the first time says READY."""
        self.tell(*(() if self._ready else ("READY=1",)), f"STATUS={status}")
        self._ready = True

    async def stay_alive(self) -> None:
        """Say again and again that this process is not stuck; it ends by being cancelled."""
        if self.alive_every_s is None:
            return
        while True:
            self.tell("WATCHDOG=1")
            await anyio.sleep(self.alive_every_s)

    async def follow(self, session: Session, mailbox: Mailbox) -> None:
        """Tell of a batch until it is over."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.stay_alive)
            progress: dict[int, Progress] = {}
            group.start_soon(self._tell_status, session, progress)
            async for event in mailbox:
                match event:
                    case Progress():
                        progress[event.lane] = event
                    case BatchStarted():
                        self.ready(_status(session.state, progress))
                    case _:
                        pass
            self.tell(f"STATUS={_status(session.state, progress)}")
            group.cancel_scope.cancel()

    async def _tell_status(self, session: Session, progress: Mapping[int, Progress]) -> None:
        since_s, told = 0.0, ""
        while session.stopped_by is None:
            await anyio.sleep(_LOOK_EVERY_S)
            since_s += _LOOK_EVERY_S
            if since_s >= _STATUS_EVERY_S and (now := _status(session.state, progress)) != told:
                since_s, told = 0.0, now
                self.tell(f"STATUS={now}")
        self.tell("STOPPING=1", "STATUS=stopping; finished segments are kept")


def _status(state: BatchState, progress: Mapping[int, Progress]) -> str:
    return plain(progress_line(state, progress, time.time()))
