"""The standard streams in every state: closed, full, read no further, without the letters needed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import program


def run_in_shell(line: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line, in which ``$VHS`` is the program."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=cwd,
        env={**program.environment(cwd), "VHS": " ".join(program.COMMAND), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "exit_code", "stderr"),
    [
        # 128 + SIGPIPE, as of any other program whose reader has gone.
        ("$VHS presets | true", 141, ""),
        ("$VHS completion bash | true", 141, ""),
        # What draws the help says it in its own way.
        ("$VHS batch --help | true", 1, ""),
        ("$VHS presets >/dev/full", 1, "cannot print: No space left on device (give standard output another"),
        ("$VHS presets >&-", 0, ""),
        ("$VHS presets vsh 2>&-", 2, ""),
        ("$VHS presets vsh 2>/dev/full", 2, ""),
        ("$VHS presets <&- >&- 2>&-", 0, ""),
    ],
)
def test_nobody_listens(line: str, exit_code: int, stderr: str, tmp_path: Path) -> None:
    if "|" in line:  # the reader has gone before anything is said
        line = line.replace("$VHS", "(sleep 0.2; $VHS").replace(" |", ") |")
    done = run_in_shell(line, tmp_path)
    assert done.returncode == exit_code, done.stderr
    assert stderr in done.stderr
    assert done.stderr.count("\n") == (1 if stderr else 0), done.stderr


def test_what_a_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    done = run_in_shell("$VHS analyze 'Zürich → \x1b[31m.avi'", tmp_path, PYTHONIOENCODING="latin-1")
    assert done.returncode == 2
    assert "\\u2192 \\x1b[31m.avi does not exist" in done.stderr


def test_a_name_that_is_no_utf_8_is_told_of(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.avi")
    (tmp_path / name).touch()
    done = program.run("analyze", name, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("vhs-upscale: caf\\udce9.avi: it is empty (0 bytes)")


def test_a_defect_is_one_line_that_says_where_its_details_are(tmp_path: Path) -> None:
    script = (
        "import sys; from vhsbatch import cli; import vhsbatch.cli.presets as presets; "
        "presets.load_presets = lambda files: {}['gone']; "
        "cli.main(sys.argv[1:])"
    )
    environment = {**program.environment(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", script, "presets"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (details,) = (tmp_path / "state").rglob("defect-*.txt")
    assert done.returncode == 1
    assert done.stdout == ""
    expected = f"vhs-upscale: a defect of this program: KeyError: 'gone' (please report it, with {details})\n"
    assert done.stderr == expected
    assert "Traceback (most recent call last)" in details.read_text()
    assert "in presets" in details.read_text()


def signalled_while_loaded(number: signal.Signals, tmp_path: Path, *, first_process: bool) -> tuple[int, str]:
    """Exit code of a program that gets a signal while it is loaded, and all that it printed."""
    script = f"""
import os, sys
pid = os.getpid()
if {first_process}:
    os.getpid = lambda: 1
class Finger:
    def find_spec(self, name, path=None, target=None):
        if name == "cyclopts":
            os.kill(pid, {number.value})
sys.meta_path.insert(0, Finger())
from vhsbatch.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "presets"],
        cwd=tmp_path,
        env=program.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_ctrl_c_while_it_is_loaded_is_no_stack_trace(tmp_path: Path) -> None:
    ended = signalled_while_loaded(signal.SIGINT, tmp_path, first_process=False)
    assert ended == (-signal.SIGINT, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_process_of_a_container_ends_by_itself(number: signal.Signals, tmp_path: Path) -> None:
    # It could not die by a signal: the system gives it none that it does not handle.
    assert signalled_while_loaded(number, tmp_path, first_process=True) == (128 + number, "")
