"""The time within which a program that was asked to stop ends, whatever does not answer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import program
from clips import make_clip

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
    _, said = process.communicate(timeout=program.PATIENCE_S)
    return process.returncode, time.monotonic() - sent_s, said


def test_a_thread_that_waits_for_a_disk_is_not_waited_for() -> None:
    code, took_s, said = ended(STUCK, signal.SIGTERM)
    assert code == 143
    assert took_s < program.GONE_S
    assert said.splitlines()[-1].startswith("vhs-upscale: ended without waiting")


def test_nor_is_a_loop_that_waits_itself() -> None:
    code, took_s, _ = ended(BLOCKED, signal.SIGHUP)
    assert code == 129
    assert took_s < program.GONE_S


# As a share that hangs does: a signal does not end the wait, and Python hears of none meanwhile.
HUNG = """
import contextlib, ctypes
from vhsbatch.process.stop_signals import deadline, run_until_stopped

async def work():
    hang()

def hang():
    lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(64)
    lock(mutex)
    with contextlib.suppress(KeyboardInterrupt):  # it may come before it hangs
        print("at work", flush=True)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            lock(mutex)

deadline.switch_on()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the mutex of this system")
@pytest.mark.parametrize("how", ["hang()", "run_until_stopped(work)"])
def test_nor_is_a_main_thread_that_hears_of_no_signal(how: str) -> None:
    code, took_s, said = ended(HUNG + how, signal.SIGINT)
    assert code == 130
    assert took_s < program.GONE_S
    assert said.splitlines()[-1].startswith("vhs-upscale: ended without waiting")


BEHIND_A_SHELL = """
import signal, sys
import anyio
from vhsbatch.process.stop_signals import deadline, run_until_stopped

async def work():
    print("at work", flush=True)
    try:
        await anyio.sleep(60)
    finally:
        print("cleared away", file=sys.stderr, flush=True)

signal.signal(signal.SIGINT, signal.SIG_IGN)
deadline.switch_on()
try:
    run_until_stopped(work)
except KeyboardInterrupt:
    sys.exit(128 + deadline.asked_by)
"""


def test_work_in_the_background_is_cancelled_although_ctrl_c_is_ignored_there() -> None:
    code, _, said = ended(BEHIND_A_SHELL, signal.SIGTERM)
    assert (code, said) == (143, "cleared away\n")


# A command of the user's that hangs, and does not listen.
HANG = "sh -c 'trap : TERM INT HUP; touch at-work; sleep 77; sleep 77'"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures, two of which name pipes for what is read, and a result that takes minutes to read."""
    place = tmp_path_factory.mktemp("stopping")
    (place / "in").mkdir()
    for name in ("a", "b", "c"):
        make_clip(place / "in" / f"{name}.avi", "-c:v", "ffv1", seconds=0.2, size="64x48")
    done = program.run("batch", "in", "out", "-r", "120", "--pattern", "a*", "--no-report", cwd=place)
    assert done.returncode == 0, done.stderr
    os.truncate(place / "out" / "a_120p.mp4", 2**38)
    os.mkfifo(place / "in" / "b.avi.toml")
    os.mkfifo(place / "pipe.cube")
    (place / "in" / "c.avi.toml").write_text('[colour]\nlut = "../pipe.cube"\n')
    return place


def is_in_a_hook(place: Path, _: int) -> bool:
    return (place / "at-work").exists()


def reads_the_result(place: Path, pid: int) -> bool:
    result = os.fspath(place / "out" / "a_120p.mp4")
    return any(os.path.realpath(entry) == result for entry in Path(f"/proc/{pid}/fd").iterdir())


def is_up(_: Path, pid: int) -> bool:
    """Whether it has a socket that it listens or connects with."""
    # One that is closed meanwhile leads nowhere.
    links = (os.path.realpath(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())
    return any("socket:" in link for link in links)


WAITING: list[tuple[str, tuple[str, ...], Callable[[Path, int], bool]]] = [
    ("hooks", ("batch", "in", "new", "-r", "120", "--on-video", HANG, "--on-batch", HANG), is_in_a_hook),
    ("verify", ("verify", "out"), reads_the_result),
    ("scheduler", ("scheduler", "tcp://127.0.0.1:0"), is_up),
    ("worker", ("worker", "tcp://127.0.0.1:9", "--engine", "ffmpeg"), is_up),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("arguments", "is_at_it"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING]
)
def test_every_program_ends_in_time_whatever_it_waits_for(
    arguments: tuple[str, ...], is_at_it: Callable[[Path, int], bool], number: int, place: Path
) -> None:
    (place / "at-work").unlink(missing_ok=True)
    process = program.start(*arguments, cwd=place)
    while not is_at_it(place, process.pid):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    sent_s = time.monotonic()
    _, said = process.communicate(timeout=program.PATIENCE_S)
    assert time.monotonic() - sent_s < program.GONE_S
    assert "Traceback" not in said
    if arguments[0] in ("batch", "verify"):
        assert process.returncode == 128 + number
