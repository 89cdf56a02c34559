"""Too few processes and threads for a while: a control group, or a user, that may have only so many."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import program
from clips import make_clip

pytestmark = pytest.mark.slow

# The two places of a control group's limit of processes.
_PARENTS = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
_NO_LIMIT = "max"


@contextmanager
def few_processes() -> Iterator[Path]:
    """A control group without a limit so far."""
    parent = next((path for path in _PARENTS if (path / "cgroup.procs").exists()), _PARENTS[1])
    group = parent / f"vhsbatch-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "pids.max").write_text(_NO_LIMIT)
    except OSError as error:
        if group.is_dir():
            group.rmdir()
        pytest.skip(f"a control group of our own needs root and a kernel that limits processes: {error}")
    try:
        yield group
    finally:
        group.rmdir()


def until(process: subprocess.Popen[str], *kinds: str) -> list[dict[str, Any]]:
    """A running program's events, up to one of these kinds."""
    seen: list[dict[str, Any]] = []
    assert process.stdout is not None
    for line in process.stdout:
        seen.append(program.events(line)[0])
        if seen[-1]["kind"] in kinds:
            return seen
    raise AssertionError(f"it ended without {kinds}: {process.communicate()[1]}")


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
def test_a_batch_waits_while_its_control_group_has_no_threads_left(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.dv", "-target", "ntsc-dv", scan="bff", seconds=1)
    with few_processes() as group:
        words = ("batch", "in", "out", "-r", "240", "--encoder", encoder, "--retries", "0", "--json")
        inside = ("sh", "-c", 'echo $$ > "$0"; exec "$@"', str(group / "cgroup.procs"))
        process = program.start_command([*inside, *program.COMMAND, *words], tmp_path)
        try:
            until(process, "job_planned")
            # A few for the programs that are started, and none for what they need.
            (group / "pids.max").write_text(str(int((group / "pids.current").read_text()) + 9))
            short = until(process, "batch_paused")
            (group / "pids.max").write_text(_NO_LIMIT)
            rest = until(process, "batch_finished")
            process.communicate(timeout=program.PATIENCE_S)
        finally:
            process.kill()
            process.wait()
            program.wait_until_gone(tmp_path)
    assert "more processes" in short[-1]["reason"]
    failed = [event for event in (*short, *rest) if event["kind"] == "segment_failed"]
    assert not any(event["counts_as_attempt"] for event in failed)
    assert process.returncode == 0
    assert "job_published" in [event["kind"] for event in rest]


def test_a_batch_waits_while_its_user_may_have_no_more_threads(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("prlimit") is None or shutil.which("setpriv") is None:
        pytest.skip("another user needs root, setpriv and prlimit")
    user = "61234"  # nobody else's
    # It may read what is root's, as this program may be.
    reads = "-all,+dac_override,+dac_read_search"
    as_user = (
        *("setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
        *("--inh-caps", reads, "--ambient-caps", reads),
    )
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.dv", "-target", "ntsc-dv", scan="bff", seconds=1)
    home = tmp_path / "home"
    home.mkdir()
    if subprocess.run([*as_user, *program.COMMAND, "presets"], cwd=home, check=False).returncode:
        pytest.skip("another user cannot run this program")
    words = ("batch", str(tmp_path / "in"), str(home / "out"), "-r", "240", "--retries", "0", "--json")
    process = program.start_command([*as_user, *program.COMMAND, *words], home)

    def limit(threads: str) -> None:
        command = [*as_user, "prlimit", "--pid", str(process.pid), f"--nproc={threads}:"]
        subprocess.run(command, check=True)

    try:
        until(process, "job_planned")
        own = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
        limit(str(own + 9))
        short = until(process, "batch_paused")
        limit("1000")
        rest = until(process, "batch_finished")
        process.communicate(timeout=program.PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        program.wait_until_gone(tmp_path)
    assert "more processes" in short[-1]["reason"]
    assert process.returncode == 0
    assert "job_published" in [event["kind"] for event in rest]
