"""The terminal interface of the real program, through real batches."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import program
from clips import FFMPEG, make_clip
from terminal import WITHOUT_COLOUR, Terminal, terminal

pytestmark = [pytest.mark.slow]

BATCH = ("batch", "in", "out", "-r", "120", "--parallel", "2", "--no-report")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two short tapes, and an FFmpeg that makes no segment before the gate is opened."""
    (tmp_path / "in").mkdir()
    for number in (1, 2):
        make_clip(
            *(tmp_path / "in" / f"tape{number}.avi", "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le"),
            seconds=1,
            size="96x64",
        )
    (tmp_path / "vhsbatch.toml").write_text(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    return tmp_path


def gated(place: Path) -> dict[str, str]:
    return {
        **WITHOUT_COLOUR,
        "FAKE_FFMPEG_REAL": FFMPEG,
        "FAKE_FFMPEG_FAULT": "wait",
        "FAKE_FFMPEG_GATE": str(place / "gate"),
    }


def open_gate(place: Path) -> None:
    (place / "gate").touch()


def resume(place: Path) -> None:
    """Go on with the batch to its end, without faults."""
    done = program.run("batch", "in", "out", "--resume", "--config", os.devnull, "--no-report", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (place / "out" / "tape1_120p.mp4").is_file()


def left_as_it_was(screen: Terminal, before: list[Any]) -> str:
    """What stays on the terminal, which has to be as it was."""
    assert screen.is_as_it_was, sorted(screen.modes)
    assert screen.attributes() == before
    return screen.written.rpartition(b"\x1b[?1049l")[2].decode()


def test_keys_and_sizes_from_the_first_lane_to_the_summary(place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_for("Worker 2")
        assert screen.attributes() != before
        assert {1049, 1000, 2004} <= screen.modes
        assert 25 not in screen.modes
        screen.wait_for("tape2.avi")
        screen.press("5")
        screen.wait_for("segment started")
        for columns, lines in ((80, 24), (200, 60), (20, 5), (100, 30)):
            screen.resize(columns, lines)
            screen.wait_for("vhsbatch")
        screen.press("1")
        screen.wait_for("tape1.avi")
        screen.press("i")
        screen.wait_for("ffv1")
        screen.press("\x1b")
        open_gate(place)
        screen.wait_for("Batch complete")
        screen.press("q")
        assert screen.finish() == 0
        after = left_as_it_was(screen, before)
    # What stays on the terminal is the result.
    assert "BATCH PROCESSING COMPLETE" in after
    assert "Successful:   2" in after


def test_before_and_after_before_any_segment_is_finished(place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_until(lambda: screen.text.count("starting") == 2, "two workers at the gate")
        screen.press("v")
        screen.wait_for("after, as planned")
        screen.wait_for("▀│▀")  # the boundary, between the pictures
        assert "not ready yet" not in screen.text
        screen.press("7")
        screen.wait_for("after, vhs_heavy")
        screen.wait_for("at 0:00")
        assert "not ready yet" not in screen.text
        # The frame at work is beside the list where there is room.
        screen.press("\x1b")
        screen.resize(200, 70)
        screen.wait_for("Before │ after at 0:00")
        screen.press("?")
        screen.wait_for("Show every key and what it does")
        screen.press("\x1b")
        open_gate(place)
        screen.wait_for("Batch complete")
        # Whatever closes the summary shows the lists, not the shell.
        screen.press("\r")
        screen.wait_for("Finished 2")
        screen.press("q")
        assert screen.finish() == 0
        left_as_it_was(screen, before)
    program.wait_until_gone(place)


def test_q_asks_and_y_stops_and_resume_goes_on(place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_for("Worker 1")
        screen.press("q")
        screen.wait_for("Stop this batch?")
        screen.press("y")
        assert screen.finish() == 130
        assert "Left:         2" in left_as_it_was(screen, before)
    program.wait_until_gone(place)
    open_gate(place)
    resume(place)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(number: signal.Signals, place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_for("Worker 1")
        os.kill(screen.process.pid, number)
        assert screen.finish() == 128 + number
        assert "BATCH PROCESSING INTERRUPTED" in left_as_it_was(screen, before)
    program.wait_until_gone(place)


def test_a_closed_terminal_stops_the_batch_and_loses_nothing(place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        screen.wait_for("Worker 1")
        screen.close()
        assert screen.process.wait(timeout=program.PATIENCE_S) == 128 + signal.SIGHUP
    program.wait_until_gone(place)
    open_gate(place)
    resume(place)


def broken(module: str, name: str) -> tuple[str, ...]:
    """The program with a defect: a function of a module that fails when it is called the third time."""
    script = f"""
import importlib, itertools, sys
from vhsbatch import cli
module, calls = importlib.import_module({module!r}), itertools.count(1)
real = module.{name}
def fails(*arguments, **options):
    if next(calls) >= 3:
        raise KeyError("injected")
    return real(*arguments, **options)
module.{name} = fails
cli.main(sys.argv[1:])
"""
    return (sys.executable, "-c", script)


def test_a_defect_of_the_interface_leaves_the_batch_to_go_on_in_lines(place: Path) -> None:
    command = broken("vhsbatch.ui.tui.overview", "overview_text")
    with terminal(*BATCH, cwd=place, command=command, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_for("a defect of this program: KeyError: 'injected'")
        open_gate(place)
        assert screen.finish() == 0
        after = left_as_it_was(screen, before)
    assert "Traceback" not in after
    assert "Successful:   2" in after


def test_a_defect_of_the_batch_gives_the_terminal_back(place: Path) -> None:
    command = broken("vhsbatch.scheduling.scheduler", "next_work")
    with terminal(*BATCH, cwd=place, command=command, variables=gated(place)) as screen:
        before = screen.attributes()
        assert screen.finish() == 1
        after = left_as_it_was(screen, before)
    assert "vhs-upscale: a defect of this program: KeyError: 'injected'" in after
    assert "Traceback" not in after
    program.wait_until_gone(place)


def test_a_terminal_that_takes_nothing_does_not_slow_the_work(place: Path) -> None:
    with terminal(*BATCH, cwd=place, variables=gated(place)) as screen:
        before = screen.attributes()
        screen.wait_for("Worker 1")
        # Nobody reads from here on. Each size is drawn whole, which soon fills every buffer on the way.
        for number in range(80):
            screen.resize(*((150, 50), (149, 49))[number % 2])
            time.sleep(0.05)
        open_gate(place)
        made = [place / "out" / f"tape{number}_120p.mp4" for number in (1, 2)]
        deadline_s = time.monotonic() + program.PATIENCE_S
        while not all(path.is_file() for path in made):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert program.run("verify", "out", "--config", os.devnull, cwd=place).returncode == 0
        # When it takes something again, everything is drawn anew.
        screen.wait_for("Batch complete")
        screen.press("q")
        assert screen.finish() == 0
        left_as_it_was(screen, before)


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "latin-1"}])
def test_a_terminal_that_cannot_draw_gets_lines(variables: dict[str, str], place: Path) -> None:
    open_gate(place)
    with terminal(*BATCH, cwd=place, variables={**gated(place), **variables}) as screen:
        assert screen.finish() == 0
    assert b"\x1b" not in screen.written
    assert b"Successful:   2" in screen.written


def test_another_terminal_shows_and_steers_the_batch_and_its_last_state(place: Path) -> None:
    batch = program.start(*BATCH, "--json", cwd=place, variables=gated(place))
    try:
        program.wait_for_event(batch, "segment_started")
        with terminal("attach", "out", cwd=place) as screen:
            before = screen.attributes()
            screen.wait_for("Worker 1")
            screen.press("p")
            screen.wait_for("paused: by the user")
            screen.press("q")
            assert screen.finish() == 0
            left_as_it_was(screen, before)
        assert batch.poll() is None
        with terminal("attach", "out", cwd=place) as screen:
            screen.wait_for("paused: by the user")
            screen.press("x")
            screen.wait_for("Stop this batch?")
            screen.press("y")
            screen.wait_for("ended: interrupted")
            screen.press("q")
            assert screen.finish() == 0
        batch.communicate(timeout=program.PATIENCE_S)
    finally:
        batch.kill()
        batch.wait()
    assert batch.returncode == 130


def test_attach_without_a_terminal_says_what_to_do(place: Path) -> None:
    (place / "out").mkdir()
    refused = program.run("attach", "out", cwd=place)
    assert refused.returncode == 2
    assert "attach needs a terminal: standard input" in refused.stderr
    assert "'vhs-upscale log out'" in refused.stderr
