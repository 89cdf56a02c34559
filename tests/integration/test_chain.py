"""Chains of real child processes, each a short Python program."""

import os
import signal
import sys
import time
from pathlib import Path

import anyio
import pytest

from vhsbatch.errors import ChainError, ToolError
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.process.spawn import run, spawn

pytestmark = pytest.mark.anyio

COPY = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
COUNT = "import sys; print(len(sys.stdin.buffer.read()))"


def stage(name: str, program: str, *arguments: str) -> StageSpec:
    return StageSpec(name=name, argv=(sys.executable, "-S", "-c", program, *arguments))


async def outcome(*stages: StageSpec) -> tuple[list[str], list[tuple[str, str]]]:
    stdout: list[str] = []
    stderr: list[tuple[str, str]] = []
    await run_chain(stages, on_stdout=stdout.append, on_stderr=lambda *line: stderr.append(line))
    return stdout, stderr


async def test_bytes_flow_from_the_first_stage_to_the_last() -> None:
    source = stage("decode", "import sys; sys.stdout.buffer.write(bytes(5_000_000))")
    stdout, _ = await outcome(source, stage("upscale", COPY), stage("encode", COUNT))
    assert stdout == ["5000000"]


async def test_the_parent_keeps_no_pipe_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    await outcome(stage("decode", "print('x')"), stage("encode", COUNT))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


READ_ALL = """
from vhsbatch.process.feeds import open_feeds
feeds = open_feeds()
print([len(feed.read()) for feed in reversed(feeds)])
"""


def fed(*feeds: StageSpec) -> StageSpec:
    return StageSpec(name="merge", argv=(sys.executable, "-c", READ_ALL), feeds=feeds)


async def test_a_stage_reads_several_programs_at_once() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    feeds = [
        stage(f"decode {size}", f"import sys; sys.stdout.buffer.write(bytes({size}))")
        for size in (3_000_000, 5)
    ]
    stdout, _ = await outcome(fed(*feeds))
    assert stdout == ["[5, 3000000]"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_a_program_that_feeds_a_stage_is_named_if_it_fails() -> None:
    with pytest.raises(ChainError, match="decode 2 failed with exit code 1: no such tape"):
        await outcome(
            fed(stage("decode 1", "print('x')"), stage("decode 2", "import sys; sys.exit('no such tape')")),
            stage("encode", COUNT),
        )


async def test_the_stage_that_failed_first_is_named_and_not_its_victims() -> None:
    endless = stage("decode", "import sys\nwhile True: sys.stdout.buffer.write(bytes(65536))")
    broken = stage("upscale", "import sys; sys.stdin.buffer.read(10); sys.exit('out of memory on device 0')")
    with pytest.raises(ChainError) as caught:
        await outcome(endless, broken, stage("encode", COUNT))
    assert caught.value.cause == "upscale failed with exit code 1: out of memory on device 0"
    assert [failure.stage for failure in caught.value.stages] == ["decode", "upscale", "encode"]


async def test_a_stage_that_is_killed_is_told_from_one_that_fails() -> None:
    with pytest.raises(ChainError, match="upscale was killed by SIGSEGV"):
        await outcome(
            stage("decode", "print('x')"),
            stage("upscale", "import os; os.kill(os.getpid(), 11)"),
            stage("encode", COUNT),
        )


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ChainError, match="No such file or directory"):
        await outcome(StageSpec(name="encode", argv=("/no/such/program",)))


async def test_a_flood_of_bad_bytes_on_stderr_is_survived() -> None:
    flood = "import sys\nfor _ in range(3000): sys.stderr.buffer.write(b'\\xff\\r' + b'x' * 9999)"
    _, stderr = await outcome(stage("encode", flood))
    assert all(len(line) <= 5000 for _, line in stderr)
    assert any("\ufffd" in line for _, line in stderr)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"


async def pids_of(stderr: list[tuple[str, str]], count: int) -> list[int]:
    with anyio.fail_after(300):
        while len(stderr) < count:
            await anyio.sleep(0.01)
    return [int(line) for _, line in stderr]


SLEEP = "import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)"


async def test_cancelling_ends_every_stage() -> None:
    stderr: list[tuple[str, str]] = []
    async with anyio.create_task_group() as group:
        group.start_soon(
            lambda: run_chain(
                (stage("decode", SLEEP), stage("encode", SLEEP)),
                on_stdout=lambda _: None,
                on_stderr=lambda *line: stderr.append(line),
            )
        )
        pids = await pids_of(stderr, 2)
        group.cancel_scope.cancel()
    assert not any(is_alive(pid) for pid in pids)


async def test_a_stage_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vhsbatch.process.spawn.GRACE_S", 0.2)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
    stderr: list[tuple[str, str]] = []
    async with anyio.create_task_group() as group:
        group.start_soon(
            lambda: run_chain(
                (stage("encode", stubborn),),
                on_stdout=lambda _: None,
                on_stderr=lambda *line: stderr.append(line),
            )
        )
        (pid,) = await pids_of(stderr, 1)
        group.cancel_scope.cancel()
    assert not is_alive(pid)


async def test_run_collects_output_and_stops_at_its_time_limit() -> None:
    finished = await run((sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"))
    assert (finished.exit_code, finished.stdout, finished.stderr_tail) == (0, b"out\n", ("err",))
    with pytest.raises(TimeoutError):
        await run((sys.executable, "-c", "import time; time.sleep(60)"), timeout_s=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: the death signal of prctl(2)")
@pytest.mark.parametrize("guard", ["setpriv", "python"])
async def test_a_guarded_child_is_nice_and_offers_itself_when_memory_runs_out(
    guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if guard == "python":
        monkeypatch.setattr("vhsbatch.process.spawn._setpriv", lambda: None)
    look = "import os, pathlib; print(os.nice(0), pathlib.Path('/proc/self/oom_score_adj').read_text())"
    done = await run((sys.executable, "-S", "-c", look, "an argument", "-n"), niceness=3)
    assert done.stdout.split() == [str(os.nice(0) + 3).encode(), b"300"]


@pytest.mark.parametrize("guard", ["setpriv", "python"])
async def test_a_guarded_child_of_a_parent_that_is_gone_does_not_start(
    guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if guard == "python":
        monkeypatch.setattr("vhsbatch.process.spawn._setpriv", lambda: None)
    monkeypatch.setattr("os.getpid", lambda: 2**22)
    done = await run(("true",))
    assert (done.exit_code, done.stderr_tail) == (1, ("parent is gone",))


async def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import anyio, sys\n"
        "from vhsbatch.process.spawn import spawn\n"
        "async def main():\n"
        "    async with spawn((sys.executable, '-c', sys.argv[1])) as child:\n"
        "        print(child.pid, flush=True)\n"
        "        await anyio.sleep(60)\n"
        "anyio.run(main)\n"
    )
    async with spawn((sys.executable, str(parent), "import time; time.sleep(60)")) as process:
        assert process.stdout is not None
        child = int(await process.stdout.receive())
        assert is_alive(child)
        os.kill(process.pid, signal.SIGKILL)
        deadline_s = time.monotonic() + 30
        while is_alive(child) and time.monotonic() < deadline_s:
            await anyio.sleep(0.01)
        assert not is_alive(child)


@pytest.fixture
def without_setpriv(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without util-linux."""
    monkeypatch.setattr("vhsbatch.process.spawn._setpriv", lambda: None)


async def test_a_missing_folder_for_a_program_is_a_tool_error(
    monkeypatch: pytest.MonkeyPatch, without_setpriv: None
) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(ToolError, match="cannot start"):
        await run(("true",))


PRIORITIES = """
import ctypes, os, platform
number = {"x86_64": 252, "aarch64": 31}[platform.machine()]
value = ctypes.CDLL(None).syscall(number, 1, 0)
print(os.nice(0), value >> 13, value & 7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="I/O priorities are Linux's")
@pytest.mark.parametrize(("niceness", "priority"), [(0, None), (10, "2 7"), (19, "3")])
async def test_who_steps_back_does_so_at_the_disks_too(niceness: int, priority: str | None) -> None:
    before = (await run((sys.executable, "-c", PRIORITIES))).stdout.decode().split()
    after = (await run((sys.executable, "-c", PRIORITIES), niceness=niceness)).stdout.decode().split()
    assert int(after[0]) == min(19, int(before[0]) + niceness)
    # The class that waits until nobody else reads has no levels.
    assert " ".join(after[1:]).startswith(priority or " ".join(before[1:]))
