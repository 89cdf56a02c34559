"""What a cluster's worker is called."""

import pytest

from vhsbatch.cluster.program import worker_name


def test_each_worker_of_a_machine_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASK_WORKER_NAME", raising=False)
    names = {worker_name("attic"), worker_name("attic")}
    assert len(names) == 2
    assert all(name.startswith("attic-") for name in names)


def test_a_worker_that_was_given_a_name_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_WORKER_NAME", "tapes-default-worker-4a5b6c")
    assert worker_name("attic") == "tapes-default-worker-4a5b6c"
