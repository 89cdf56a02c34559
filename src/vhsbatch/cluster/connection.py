"""The head's connection to a scheduler."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from distributed import Client

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.dask import security
from vhsbatch.config import Settings

CONNECT_S = 10.0

Hear = Callable[[dict[str, Any]], None]


class Connection:
    """A client of the scheduler; another one takes its place after the scheduler was away."""

    def __init__(self, address: Address, settings: Settings, *, hear: Mapping[str, Hear]) -> None:
        """Create a connection, which `open` opens.

        Args:
            address: the scheduler's.
            settings: certificates.
            hear: takes each message, by its topic.
        """
        self.address = address
        self._security = security(address, settings)
        self._hear = hear
        self.client: Client

    async def open(self) -> None:
        """Connect.

        Raises:
            OSError: nobody answers.
        """
        self.client = Client(
            str(self.address),
            asynchronous=True,
            security=self._security,
            timeout=CONNECT_S,
            set_as_default=False,
            name="vhsbatch",
        )
        await self.client
        for topic, hear in self._hear.items():
            self.client.subscribe_topic(topic, lambda event, hear=hear: hear(event[1]))

    async def close(self) -> None:
        """Disconnect: tasks that are not done are wanted no more."""
        await self.client.close()

    async def identity(self) -> dict[str, Any]:
        """Who the scheduler is, and its workers.

        Raises:
            OSError: it does not answer.
        """
        if self.client.status == "closed":
            await self.open()
        if self.client.scheduler is None:
            raise ConnectionError("not connected")
        identity: dict[str, Any] = await self.client.scheduler.identity(n_workers=-1)
        return identity

    async def say(self, topic: str, message: dict[str, Any]) -> None:
        """Say something to all who listen to a topic, if the scheduler is there."""
        if self.client.status == "running":
            with contextlib.suppress(OSError):
                async with asyncio.timeout(CONNECT_S):
                    await self.client.log_event(topic, message)

    async def ask(self, function: Callable[..., Any], *arguments: Any, worker: str) -> Any:
        """What `function` says on a worker; the exception, if it raises one.

        Raises:
            OSError: the scheduler does not answer, or the worker is gone.
        """
        said = await self.client.run(function, *arguments, workers=[worker], on_error="return")
        answer = said[worker]
        if isinstance(answer, OSError):
            raise answer
        return answer
