"""What stands still with this program."""

import signal
import time

import anyio
import anyio.lowlevel
import pytest

from vhsbatch.process import suspension
from vhsbatch.process.suspension import patient, suspend, tell_children_by

pytestmark = pytest.mark.anyio


async def test_children_stop_first_and_go_on_last(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []
    monkeypatch.setattr(suspension, "_to_children", [])
    tell_children_by(happened.append)
    suspend(lambda: happened.append("this program"))
    assert happened == [signal.SIGSTOP, "this program", signal.SIGCONT]


async def test_a_limit_waits_while_everything_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspension, "_to_children", [])
    with anyio.move_on_after(5) as limited, anyio.move_on_after(5) as other, patient(limited):
        before_s = limited.deadline, other.deadline
        suspend(lambda: time.sleep(0.2))
        assert limited.deadline >= before_s[0] + 0.2
        assert other.deadline == before_s[1]
        await anyio.lowlevel.checkpoint()
