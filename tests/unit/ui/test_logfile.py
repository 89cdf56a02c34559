"""The log file: everything that happens, in files that do not grow for ever."""

import os
from pathlib import Path

import pytest

import make
from vhsbatch.errors import UsageError
from vhsbatch.events.events import JobFailed
from vhsbatch.events.telemetry import LogLine, Progress
from vhsbatch.ui import logfile
from vhsbatch.ui.logfile import LogFilePrinter


def test_facts_and_lines_have_times_and_levels_and_progress_is_left_out(tmp_path: Path) -> None:
    plan = make.plan()
    printer = LogFilePrinter(tmp_path / "batch.log")
    printer.show(make.batch_started(plan.job))
    printer.show(LogLine(level="debug", text="a command\nof two lines"))
    printer.show(
        Progress(
            lane=1,
            job_id=plan.job.id,
            stage="segment",
            segment=0,
            done_frames=1,
            total_frames=2,
            frames_per_s=1.0,
        )
    )
    printer.show(JobFailed(at_s=1.0, job_id=plan.job.id, reason="torn"))
    printer.close()
    printer.write()
    lines = [line.split(maxsplit=2)[2] for line in (tmp_path / "batch.log").read_text().splitlines()]
    assert lines == [
        "INFO    batch started",
        "DEBUG   a command\\nof two lines",
        f"WARNING job failed: {plan.job.id} (torn)",
    ]


def test_it_is_rotated_and_five_old_ones_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logfile, "_BYTES", 1000)
    printer = LogFilePrinter(tmp_path / "batch.log")
    for number in range(200):
        printer.show(LogLine(level="info", text=f"line {number:03}"))
        printer.write()
    printer.close()
    printer.write()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["batch.log", *(f"batch.log.{number}" for number in range(1, 6))]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert (tmp_path / "batch.log").read_text().endswith("line 199\n")


def test_a_full_disk_is_no_stack_trace(capfd: pytest.CaptureFixture[str]) -> None:
    printer = LogFilePrinter(Path("/dev/full"))
    printer.show(LogLine(level="info", text="line"))
    printer.close()
    with pytest.raises(OSError, match="No space left"):
        printer.write()
    assert capfd.readouterr().err == ""


def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--log-file .*: Is a directory \(name a file"):
        LogFilePrinter(tmp_path)


@pytest.mark.parametrize("name", ["tape.AVI", "new.mp4", ".vhsbatch/x.log", "notes.txt", "link.log", "a.log"])
def test_only_a_log_is_written_to(name: str, tmp_path: Path) -> None:
    (tmp_path / ".vhsbatch").mkdir()
    (tmp_path / "tape.AVI").write_bytes(b"RIFF")
    (tmp_path / "notes.txt").write_text("mine\n")
    (tmp_path / "link.log").hardlink_to(tmp_path / "tape.AVI")
    (tmp_path / "a.log.3").write_text("what a.log would be rotated to\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="--log-file"):
        LogFilePrinter(tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_log_is_continued(tmp_path: Path) -> None:
    for _ in range(2):
        printer = LogFilePrinter(tmp_path / "batch.log")
        printer.show(LogLine(level="info", text="said"))
        printer.close()
        printer.write()
    assert (tmp_path / "batch.log").read_text().count("said") == 2


@pytest.mark.parametrize("name", ["log", "log.2"])
def test_a_pipe_is_refused_without_waiting_for_its_other_end(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="is no regular file"):
        LogFilePrinter(tmp_path / "log")


def test_a_link_to_a_video_that_is_to_come_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "tape.avi")
    with pytest.raises(UsageError, match="is a video's name"):
        LogFilePrinter(tmp_path / "log")
    assert not (tmp_path / "tape.avi").exists()
