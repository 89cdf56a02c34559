"""What stands between an application and its terminal."""

import io
import sys

import pytest

from vhsbatch.tui.terminal import patient_terminal


def test_without_a_terminal_streams_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is drawn for a browser goes down the pipe that is standard output.
    stdout, stderr = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", stdout)
    monkeypatch.setattr(sys, "__stderr__", stderr)
    with patient_terminal() as terminal:
        assert terminal is None
        assert id(sys.__stdout__) == id(stdout)
        assert id(sys.__stderr__) == id(stderr)
