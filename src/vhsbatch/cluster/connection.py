"""The head's connection to a scheduler."""

from collections.abc import Callable
from typing import Any

from distributed import Client

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.dask import security
from vhsbatch.config import Settings

CONNECT_S = 10.0

Hear = Callable[[dict[str, Any]], None]


class Connection:
    """A client of the scheduler; another one takes its place after the scheduler was away."""

    def __init__(self, address: Address, settings: Settings, *, topic: str, hear: Hear) -> None:
        """Create a connection, which `open` opens.

        Args:
            address: the scheduler's.
            settings: certificates.
            topic: what the machines say there is heard.
            hear: takes each message.
        """
        self.address = address
        self._security = security(address, settings)
        self._topic = topic
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
        self.client.subscribe_topic(self._topic, lambda event: self._hear(event[1]))

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
