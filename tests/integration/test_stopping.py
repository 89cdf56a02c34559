"""The time within which a program that was asked to stop ends, whatever does not answer."""

import signal
import subprocess
import sys
import time

STUCK = """
import time
import anyio.to_thread
from vhsbatch.process.stop_signals import deadline, run_until_stopped

def wait():
    print("at work", flush=True)
    time.sleep(60)

async def work():
    await anyio.to_thread.run_sync(wait)

deadline.switch_on()
run_until_stopped(work)
"""

BLOCKED = """
import time
from vhsbatch.process.stop_signals import deadline, run_until_stopped

async def work():
    print("at work", flush=True)
    time.sleep(60)

deadline.switch_on()
run_until_stopped(work)
"""


def ended(code: str, number: int) -> tuple[int, float, str]:
    """The exit code of a program that gets a signal, how long that took, and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    process.send_signal(number)
    sent_s = time.monotonic()
    _, said = process.communicate(timeout=30)
    return process.returncode, time.monotonic() - sent_s, said


def test_a_thread_that_waits_for_a_disk_is_not_waited_for() -> None:
    code, took_s, said = ended(STUCK, signal.SIGTERM)
    assert code == 143
    assert took_s < 5.5
    assert said.splitlines()[-1].startswith("vhs-upscale: ended without waiting")


def test_nor_is_a_loop_that_waits_itself() -> None:
    code, took_s, _ = ended(BLOCKED, signal.SIGHUP)
    assert code == 129
    assert took_s < 5.5
