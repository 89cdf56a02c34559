"""The head's connection to a scheduler."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from distributed import Client
from distributed.client import ClosedClientError

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.dask import security
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError

CONNECT_S = 10.0
# Connecting has its own timeout, which ends first: a client that is cancelled while it connects is neither
# open nor closed.
_OPEN_S = CONNECT_S + 5
_CLOSE_S = 2.0

Hear = Callable[[dict[str, Any]], None]


class _Client(Client):
    """A client that ends with its connection.

    Dask's would connect again by itself, without its topics and after its tasks were given up.
    """

    async def _reconnect(self) -> None:
        await self._close()


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

    async def open_first(self) -> None:
        """Connect for the first time.

        Raises:
            ToolError: nobody answers.
        """
        try:
            await self.open()
        except OSError as error:
            raise ToolError(
                f"no scheduler answers at {self.address}: {error}",
                fix="start one there: vhs-upscale scheduler; and a worker on each machine",
            ) from error

    async def open(self) -> None:
        """Connect.

        Raises:
            OSError: nobody answers.
        """
        client: type[Client] = _Client
        self.client = client(
            str(self.address),
            asynchronous=True,
            security=self._security,
            timeout=CONNECT_S,
            set_as_default=False,
            name="vhsbatch",
        )
        try:
            async with asyncio.timeout(_OPEN_S):
                await self.client
        except BaseException:
            await self.close()
            raise
        for topic, hear in self._hear.items():
            self.client.subscribe_topic(topic, lambda event, hear=hear: hear(event[1]))

    async def close(self) -> None:
        """Disconnect: tasks that are not done are wanted no more."""
        client = self.client
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                # The other side cannot be told where nothing arrives any more.
                await client.close()
        if client.scheduler_comm is not None:
            client.scheduler_comm.abort()
        client.status = "closed"

    @property
    def is_open(self) -> bool:
        """Whether what is said now has a way to the scheduler."""
        comm = self.client.scheduler_comm
        return self.client.status == "running" and comm is not None and not comm.closed()

    async def identity(self) -> dict[str, Any]:
        """The scheduler's identity and workers; reconnects if the connection is lost.

        Raises:
            OSError: it does not answer. Then the connection is closed: of one that was silent nobody knows
                what has arrived.
        """
        if not self.is_open:
            await self.close()
            await self.open()
        if (scheduler := self.client.scheduler) is None:
            raise ConnectionError("not connected")
        try:
            async with asyncio.timeout(CONNECT_S):
                identity: dict[str, Any] = await scheduler.identity(n_workers=-1)
        except OSError:
            await self.close()
            raise
        return identity

    async def say(self, topic: str, message: dict[str, Any]) -> None:
        """Say something to all who listen to a topic, if the scheduler is there."""
        if self.is_open:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(CONNECT_S):
                    await self.client.log_event(topic, message)

    async def ask(self, function: Callable[..., Any], *arguments: Any, worker: str, within_s: float) -> Any:
        """What `function` says on a worker; the exception, if it raises one.

        Raises:
            OSError: the scheduler does not answer, or the worker is gone.
        """
        answer = (await self.ask_all(function, *arguments, workers=[worker], within_s=within_s))[worker]
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def ask_all(
        self, function: Callable[..., Any], *arguments: Any, workers: list[str], within_s: float
    ) -> dict[str, Any]:
        """What `function` says on each of several workers; the exception, where it raises one.

        Raises:
            OSError: the scheduler does not answer.
        """
        if not self.is_open:
            raise ConnectionError("the connection to the cluster was lost")
        async with asyncio.timeout(within_s):
            said: dict[str, Any] = await self.client.run(
                function, *arguments, workers=workers, on_error="return"
            )
        return said

    def submit(self, function: Callable[..., Any], argument: Any, **how: Any) -> Any:
        """A future of a task.

        Raises:
            OSError: there is no way to the scheduler.
        """
        if not self.is_open:
            raise ConnectionError("the connection to the cluster was lost")
        try:
            return self.client.submit(function, argument, pure=False, **how)
        except ClosedClientError as error:
            raise ConnectionError("the connection to the cluster was lost") from error
