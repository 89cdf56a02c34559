import os
import socket
from pathlib import Path

import pytest

from vhsbatch.integrations.systemd import ServiceManager


@pytest.mark.parametrize(
    ("environ", "address", "alive_every_s"),
    [
        ({"NOTIFY_SOCKET": "/run/x"}, "/run/x", None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}, "/run/x", 15.0),
        (
            {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": str(os.getpid())},
            "/run/x",
            2.5e-6,
        ),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}, "@x", None),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, "@x", None),
    ],
)
def test_the_environment_says_who_listens(
    environ: dict[str, str], address: str, alive_every_s: float | None
) -> None:
    manager = ServiceManager.of_environment(environ)
    assert manager is not None
    assert (manager.address, manager.alive_every_s) == (address, alive_every_s)


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_that_we_know_nobody_listens(environ: dict[str, str]) -> None:
    assert ServiceManager.of_environment(environ) is None


@pytest.mark.parametrize("abstract", [False, True])
def test_ready_is_said_once(abstract: bool, tmp_path: Path) -> None:
    name = f"vhsbatch-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name if abstract else name)
        manager = ServiceManager("@" + name if abstract else name)
        manager.ready("1 of 2")
        manager.ready("2 of 2")
        assert listener.recv(4096) == b"READY=1\nSTATUS=1 of 2"
        assert listener.recv(4096) == b"STATUS=2 of 2"


def test_nobody_there_is_no_failure(tmp_path: Path) -> None:
    ServiceManager(str(tmp_path / "gone")).ready("1 of 2")
