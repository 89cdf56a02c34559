"""Ctrl-C while the program is still being loaded."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import program

# Interrupts itself at the moment at which it begins to load a module.
INTERRUPTED = """
import os, signal, sys
moment = sys.argv.pop(1)
def hook(event, arguments):
    if event == "import" and arguments[0] == moment:
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
from vhsbatch.__main__ import main
main()
"""
MOMENTS = ("vhsbatch.process.stop_signals", "vhsbatch.cli", "cyclopts", "vhsbatch.cli.program")


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupt_ends_it_without_a_stack_trace(moment: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, moment, "--help"],
        env=program.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )
    # A shell shows it as exit code 130.
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
