"""What the head of a run has done on a machine: functions that Dask runs inside its workers."""

import pickle
import platform
from typing import Any

import anyio.to_thread
from distributed import Worker, get_worker

from vhsbatch import __version__
from vhsbatch.cluster.files import Block
from vhsbatch.cluster.protocol import Answer, Order, SegmentResult, as_values
from vhsbatch.cluster.worker_plugin import PLUGIN, SegmentWorker
from vhsbatch.config.sources import load_settings
from vhsbatch.errors import VhsBatchError


async def join(version: str, offer: bytes, dask_worker: Worker) -> dict[str, Any]:
    """Ask a machine whether it helps a run; an `Answer` as plain values.

    Args:
        version: the version of the run's program; only the same one is sure to understand the offer.
        offer: an `Offer`, pickled.
        dask_worker: the worker, which Dask adds.
    """
    if version != __version__:
        return as_values(_another_version(version))
    if PLUGIN not in dask_worker.plugins:
        await dask_worker.plugin_add(_plugin(), name=PLUGIN)
    # The scheduler, which passes it on, could send anything else in its place.
    return as_values(await _worker_of(dask_worker).answer(pickle.loads(offer)))  # noqa: S301


async def inspect(version: str, offer: bytes, dask_worker: Worker) -> dict[str, Any]:
    """Ask a machine whether it would help a run, and change nothing there; see `join`."""
    if version != __version__:
        return as_values(_another_version(version))
    if PLUGIN in dask_worker.plugins:
        worker = _worker_of(dask_worker)
    else:
        worker = _plugin()
        worker.setup(dask_worker)
    return as_values(await worker.inspect(pickle.loads(offer)))  # noqa: S301  # as in `join`


def _another_version(version: str) -> Answer:
    refusal = f"it has vhsbatch {__version__}, and the batch is made with vhsbatch {version}"
    return Answer(machine=platform.node(), slots=0, refusal=refusal)


def _plugin() -> SegmentWorker:
    """For a Dask worker that somebody else started: its settings are those of its environment."""
    return SegmentWorker(platform.node(), load_settings({}))


async def make(order: Order) -> SegmentResult | VhsBatchError | None:
    """The task: one attempt at one segment."""
    return await _worker_of(get_worker()).make(order)


async def take(token: str, block: Block | None, dask_worker: Worker) -> None:
    """Hand a machine a block that it has asked for; None if there is none."""
    _worker_of(dask_worker).block_cache.take(token, block)


async def block(part: str, number: int, dask_worker: Worker) -> bytes:
    """A block of a segment that a machine has made; empty past its end."""
    return await anyio.to_thread.run_sync(_worker_of(dask_worker).block, part, number)


async def drop(part: str, dask_worker: Worker) -> None:
    """Let a machine remove a segment that has been fetched."""
    _worker_of(dask_worker).drop(part)


def _worker_of(worker: Worker) -> SegmentWorker:
    plugin = worker.plugins[PLUGIN]
    if not isinstance(plugin, SegmentWorker):
        raise TypeError(f"the plugin {PLUGIN} of this worker is something else")
    return plugin
