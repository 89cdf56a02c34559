"""What a cluster's worker is called, and what its scheduler keeps."""

import errno
import itertools
import ssl

import anyio
import pytest
from distributed import Client, Scheduler
from distributed.comm.core import CommClosedError

from vhsbatch.cluster.address import Address
from vhsbatch.cluster.program import scheduler_at, why_not_let_in, worker_name
from vhsbatch.config.settings import Settings


def test_each_worker_of_a_machine_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASK_WORKER_NAME", raising=False)
    names = {worker_name("attic"), worker_name("attic")}
    assert len(names) == 2
    assert all(name.startswith("attic-") for name in names)


def test_a_worker_that_was_given_a_name_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_WORKER_NAME", "tapes-default-worker-4a5b6c")
    assert worker_name("attic") == "tapes-default-worker-4a5b6c"


def behind(*errors: BaseException) -> BaseException:
    """The first of `errors`, each of which was caused by the one after it."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def test_why_a_scheduler_lets_nobody_in() -> None:
    timed_out = OSError("Timed out trying to connect to tls://head:8786 after 10 s")
    unknown = ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)")
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert "same ca.pem" in why_not_let_in(behind(timed_out, CommClosedError("in"), unknown))
    assert why_not_let_in(behind(timed_out, CommClosedError("in"), refused)) == (
        "no scheduler there accepts it (Connection refused)"
    )


def _tasks_and_kept(dask_scheduler: Scheduler) -> tuple[int, int]:
    spans = dask_scheduler.extensions["spans"].spans.values()
    return len(dask_scheduler.tasks), sum(len(span.metadata["collections"]) for span in spans)


@pytest.mark.anyio
async def test_a_scheduler_keeps_nothing_of_a_task_for_ever() -> None:
    with anyio.fail_after(300):
        async with (
            scheduler_at(Address("tcp", "127.0.0.1", 0), Settings()) as address,
            Client(str(address), asynchronous=True, set_as_default=False) as client,
        ):
            futures = [client.submit(abs, -number, pure=False) for number in range(5)]
            tasks = 0
            while tasks < len(futures):
                tasks, kept = await client.run_on_scheduler(_tasks_and_kept)
                assert kept == 0
            for future in futures:
                future.release()
