"""The program itself, run as a user runs it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clips import FFMPEG

COMMAND = (sys.executable, "-m", "vhsbatch.cli")
# What takes longer hangs, on however busy a machine. What was to end within seconds has ended by the second.
PATIENCE_S, GONE_S = 300.0, 30.0
FAKE_FFMPEG = Path(__file__).parent / "fakes" / "ffmpeg"

_started: list[subprocess.Popen[str]] = []


def environment(home: Path) -> dict[str, str]:
    """This process's environment without anybody's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VHSBATCH_")}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "NO_COLOR": "1",
        # Whatever else the machine has to do, a test should not wait for it.
        "VHSBATCH_NICE": "0",
    }


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `vhs-upscale` to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(cwd),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def start(
    *arguments: str | Path, cwd: Path, variables: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Start `vhs-upscale` in a session of its own."""
    return start_command([*COMMAND, *map(str, arguments)], cwd, variables, **options)


def start_command(
    command: list[str], cwd: Path, variables: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Start a command in a session of its own, and with the environment of `vhs-upscale`."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**environment(cwd), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    _started.append(process)
    return process


def count_started() -> int:
    """How many programs tests have started so far and not ended through `end_later_than`."""
    return len(_started)


def end_later_than(count: int) -> None:
    """End what was started after so many: a test that failed left it behind, and no other should meet it."""
    while len(_started) > count:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def held_after_one_segment(gate: Path) -> dict[str, str]:
    """Variables with which the fake FFmpeg makes a first segment, and no other before the gate is there."""
    return {
        "FAKE_FFMPEG_REAL": FFMPEG,
        "FAKE_FFMPEG_FAULT": "wait",
        "FAKE_FFMPEG_STAGE": "later",
        "FAKE_FFMPEG_GATE": str(gate),
    }


def events(stdout: str) -> list[dict[str, Any]]:
    """What `--json` printed."""
    return [json.loads(line) for line in stdout.splitlines()]


def wait_for_event(process: subprocess.Popen[str], kind: str) -> dict[str, Any]:
    """Read a running program's events until there is one of `kind`."""
    assert process.stdout is not None
    others = []
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event["kind"] == kind:
            return event
        others.append(line)
    _, stderr = process.communicate()
    said = "".join(others[-5:]) + stderr
    raise AssertionError(f"it ended with {process.returncode} and without {kind}: {said}")


def ffmpeg_version() -> str:
    """What the embedded FFmpeg calls itself."""
    done = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[2]


def frame_digests(path: Path) -> str:
    """Digests of all decoded frames, of the sound too."""
    done = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-map", "0", "-f", "framemd5", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("#"))


def mean_level(path: Path) -> float:
    """The mean of the luma of a video, in steps of 8 bits."""
    done = subprocess.run(
        [FFMPEG, "-v", "error", "-i", path, "-vf", "format=gray", "-f", "rawvideo", "-"],
        capture_output=True,
        check=True,
    )
    return sum(done.stdout) / len(done.stdout)


def children(pid: int) -> list[int]:
    """The processes that `pid` has started, and theirs."""
    try:
        direct = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*direct, *(grandchild for child in direct for grandchild in children(child))]


def processes_working_in(folder: Path) -> list[int]:
    """Processes whose command lines name `folder`, this one apart."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                if os.fsencode(folder) in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # it has just ended
    return found


def wait_until_gone(folder: Path, *, within_s: float = GONE_S) -> None:
    """Wait until no process works in `folder` any more.

    Raises:
        AssertionError: one outlived the time.
    """
    deadline_s = time.monotonic() + within_s
    while left := processes_working_in(folder):
        assert time.monotonic() < deadline_s, f"still there: {left}"
        time.sleep(0.05)
