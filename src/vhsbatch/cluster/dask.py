"""How Dask is used: its settings, its certificates, its silence."""

import logging
import warnings
from collections.abc import Iterable
from typing import Any

import dask
from distributed import Security
from distributed.scheduler import DEFAULT_EXTENSIONS, TaskState
from distributed.spans import SpanMetadata, SpansSchedulerExtension
from distributed.versions import VersionMismatchWarning

from vhsbatch.cluster.address import Address
from vhsbatch.config.settings import Settings

# Dask asks for at least 11 s; in this time a cut link is noticed on both sides.
_LOST_S = 11

# Only what differs from Dask's own choices.
_CONFIG = {
    "distributed.comm.timeouts.connect": "10s",
    "distributed.comm.timeouts.tcp": f"{_LOST_S}s",
    # A segment is a child process: there is nothing in this one to profile.
    "distributed.worker.profile.enabled": False,
    # Each connection and topic would keep its last messages, whole tasks among them, which nobody reads.
    "distributed.admin.low-level-log-length": 10,
    # Readings of its own process for its web pages: two a second, of which it would keep an hour.
    "distributed.admin.system-monitor.log-length": 10,
}


class _Spans(SpansSchedulerExtension):
    """Dask's account of what ran when, without what each task came from.

    It would keep a dictionary a task for as long as the scheduler runs, which nobody reads.
    """

    def observe_tasks(
        self, tss: Iterable[TaskState], code: tuple[Any, ...], span_metadata: SpanMetadata
    ) -> dict[Any, dict[Any, Any]]:
        """See `SpansSchedulerExtension`."""
        del span_metadata
        return super().observe_tasks(tss, code, SpanMetadata(collections=[]))


# What a scheduler does beside scheduling.
EXTENSIONS = DEFAULT_EXTENSIONS | {"spans": _Spans}


def configure() -> None:
    """Set Dask up, once in a process, and let it not write into the terminal."""
    dask.config.set(_CONFIG)
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # What must be the same everywhere is compared when a machine is asked.
    warnings.simplefilter("ignore", VersionMismatchWarning)


def security(address: Address, settings: Settings) -> Security | None:
    """The certificates for an address; every role has the same one."""
    if address.protocol != "tls":
        return None
    cert, key = str(settings.tls_cert), str(settings.tls_key)
    return Security(
        require_encryption=True,
        tls_ca_file=str(settings.tls_ca),
        **{
            f"tls_{role}_{kind}": path
            for role in ("client", "scheduler", "worker")
            for kind, path in (("cert", cert), ("key", key))
        },
    )
