"""What stands between an application and its terminal."""

import io
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from vhsbatch.ui.tui.terminal import PatientTerminal, patient_terminal


def test_without_a_terminal_streams_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is drawn for a browser goes down the pipe that is standard output.
    stdout, stderr = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "__stdout__", stdout)
    monkeypatch.setattr(sys, "__stderr__", stderr)
    with patient_terminal() as terminal:
        assert terminal is None
        assert id(sys.__stdout__) == id(stdout)
        assert id(sys.__stderr__) == id(stderr)


@pytest.fixture
def terminal() -> Iterator[tuple[PatientTerminal, int]]:
    """A terminal, and the end from which what is written can be read."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        yield PatientTerminal(stream), reader
        # Nobody reads any more, which ends what still waits.
        os.close(reader)


def read(reader: int, count: int) -> bytes:
    received = b""
    while len(received) < count:
        received += os.read(reader, 65536)
    return received


def test_a_slow_terminal_gets_a_still_of_megabytes(terminal: tuple[PatientTerminal, int]) -> None:
    patient, reader = terminal
    gaps: list[None] = []
    patient.on_gap = lambda: gaps.append(None)
    parts = [f"{number:04d}" * 1000 for number in range(500)]
    for part in parts:
        patient.write(part)
    assert read(reader, 2_000_000).decode() == "".join(parts)
    patient.finish()
    assert not gaps


def test_one_that_takes_nothing_misses_pictures_and_is_drawn_anew(
    terminal: tuple[PatientTerminal, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient, reader = terminal
    drawn_anew = threading.Event()
    patient.on_gap = drawn_anew.set
    monkeypatch.setattr("vhsbatch.ui.tui.terminal._PATIENCE_S", 0.05)
    patient.write("a" * 100_000)  # more than a pipe holds
    time.sleep(0.2)
    last_part = f"\x1b_Gi=1,m=0,f=100;{'c' * 4000}\x1b\\"
    for text in ("b" * 300_000, "\x1b[?1049l", last_part, "b" * 1000):
        patient.write(text)
    expected = "a" * 100_000 + "\x1b[?1049l" + last_part
    assert read(reader, len(expected)).decode() == expected
    assert drawn_anew.wait(10)
