"""Stopping a batch, and going on with it."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import program
from clips import make_clip

# Eight segments of a second each, of a picture that keeps two cores busy for a few seconds.
PRESET = '[short]\ninherits = "vhs"\nsegment_s = 1\n'
OPTIONS = ("-p", "short", "-r", "480", "--parallel", "2")


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("tapes")
    return [
        make_clip(folder / f"tape{number}.dv", "-target", "ntsc-dv", scan="bff", seconds=4)
        for number in (1, 2)
    ]


@pytest.fixture
def place(tmp_path: Path, tapes: list[Path]) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    (tmp_path / "presets.toml").write_text(PRESET)
    for tape in tapes:
        os.link(tape, tmp_path / "in" / tape.name)
    return tmp_path


def interrupted(place: Path, *signals: int) -> subprocess.CompletedProcess[str]:
    """A batch that gets `signals` when its first segment is finished."""
    process = program.start("batch", "in", "out", *OPTIONS, "--json", cwd=place)
    program.wait_for_event(process, "segment_finished")
    started_s = time.monotonic()
    for number in signals:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert time.monotonic() - started_s < program.GONE_S
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_gracefully_and_resume_goes_on(number: int, exit_code: int, place: Path) -> None:
    stopped = interrupted(place, number)
    assert stopped.returncode == exit_code, stopped.stderr
    last = program.events(stopped.stdout)[-1]
    assert (last["kind"], last["outcome"]) == ("batch_finished", "interrupted")
    program.wait_until_gone(place)
    assert {path.name for path in (place / "out").iterdir()} == {".vhsbatch", "report.html"}

    again = program.run("batch", "in", "out", "-r", "120", "--max-count", "1", cwd=place)
    assert (
        "an unfinished batch is in out (2 videos left): vhs-upscale batch in out --resume continues it"
        in again.stderr
    )


@pytest.mark.slow
def test_resume_makes_no_finished_segment_again_and_gives_the_same_frames(place: Path) -> None:
    stopped = interrupted(place, signal.SIGINT)
    finished = _count(stopped.stdout, "segment_finished") + 1  # the one that was waited for
    done = program.run("batch", "in", "out", "--resume", "--parallel", "2", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    assert _count(done.stdout, "segment_finished") == 8 - finished
    whole = program.run("batch", "in", "whole", *OPTIONS, cwd=place)
    assert whole.returncode == 0, whole.stderr
    for name in ("tape1_480p.mp4", "tape2_480p.mp4"):
        assert program.frame_digests(place / "out" / name) == program.frame_digests(place / "whole" / name)


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(place: Path) -> None:
    stopped = interrupted(place, signal.SIGINT, signal.SIGINT)
    assert stopped.returncode == 130
    program.wait_until_gone(place)


@pytest.mark.slow
def test_ctrl_z_stops_every_process_and_they_go_on_together(place: Path) -> None:
    process = program.start("batch", "in", "out", *OPTIONS, "--json", cwd=place)
    program.wait_for_event(process, "segment_started")
    process.send_signal(signal.SIGTSTP)
    own = [process.pid, *program.children(process.pid)]
    deadline_s = time.monotonic() + program.PATIENCE_S
    while any(state not in "TZ" for state in map(_state, own)):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0
    assert _count(out, "segment_failed") == 0


def _state(pid: int) -> str:
    """What the system says of a process: R, S, T for stopped, Z for ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("folder", ["in", "out"])
def test_a_folder_that_is_away_for_a_while_is_waited_for(folder: str, place: Path) -> None:
    process = program.start("batch", "in", "out", *OPTIONS, "--json", cwd=place)
    program.wait_for_event(process, "segment_finished")
    (place / folder).rename(place / "away")
    told = program.wait_for_event(process, "job_held" if folder == "in" else "batch_paused")
    assert "is away" in told["reason"]
    assert not (place / folder).exists()
    (place / "away").rename(place / folder)
    out, _ = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0
    assert _count(out, "job_published") == 2


@contextmanager
def too_few_files(pid: int) -> Iterator[None]:
    """A running program may open no more files than it has."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (opened, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_a_shortage_is_waited_for_and_costs_no_attempt(place: Path) -> None:
    process = program.start("batch", "in", "out", *OPTIONS, "--retries", "0", "--json", cwd=place)
    program.wait_for_event(process, "segment_finished")
    with too_few_files(process.pid):
        paused = program.wait_for_event(process, "batch_paused")
    assert "Too many open files" in paused["reason"]
    out, err = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0, err
    assert _count(out, "job_published") == 2


def test_nohup_survives_its_terminal(place: Path) -> None:
    def ignore_hangup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    once = (*OPTIONS, "--max-count", "1", "--json")
    process = program.start("batch", "in", "out", *once, cwd=place, preexec_fn=ignore_hangup)
    program.wait_for_event(process, "segment_started")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0


@pytest.mark.slow
def test_nobody_reading_does_not_end_the_work(place: Path) -> None:
    process = program.start("batch", "in", "out", *OPTIONS, "--max-count", "1", cwd=place)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=program.PATIENCE_S) == 0
    assert (place / "out" / "tape1_480p.mp4").is_file()


@pytest.mark.slow
def test_running_segments_are_finished_if_that_is_asked_for(place: Path) -> None:
    process = program.start("batch", "in", "out", *OPTIONS, "--drain", "--json", cwd=place)
    program.wait_for_event(process, "segment_started")
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 143, stderr
    started = _count(stdout, "segment_started") + 1
    assert _count(stdout, "segment_finished") == started <= 2


@pytest.mark.slow
def test_two_runs_on_one_folder_make_each_video_once(place: Path) -> None:
    one = program.start("batch", "in", "out", *OPTIONS, "--json", cwd=place)
    program.wait_for_event(one, "segment_started")
    two = program.start("batch", "in", "out", *OPTIONS, "--skip-existing", "--json", cwd=place)
    stdouts = [process.communicate(timeout=program.PATIENCE_S)[0] for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], stdouts
    published = [
        event["job_id"]
        for stdout in stdouts
        for event in program.events(stdout)
        if event["kind"] == "job_published"
    ]
    assert sorted(published) == ["tape1_480p.mp4", "tape2_480p.mp4"]
    assert sum(_count(stdout, "segment_finished") for stdout in stdouts) == 8


@pytest.mark.slow
def test_a_run_takes_over_from_one_that_was_killed(place: Path) -> None:
    # Both know the same FFmpeg, which makes only the first run wait: the second has time to ask.
    with (place / "vhsbatch.toml").open("a") as settings:
        settings.write(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    held_up = program.held_after_one_segment(place / "gate")
    arguments = ("batch", "in", "out", *OPTIONS, "--max-count", "1", "--json")
    one = program.start(*arguments, cwd=place, variables=held_up)
    program.wait_for_event(one, "segment_finished")
    two = program.start(*arguments, cwd=place, variables={**held_up, "FAKE_FFMPEG_FAULT": ""})
    program.wait_for_event(two, "job_held")
    one.kill()
    one.communicate(timeout=program.PATIENCE_S)
    stdout, stderr = two.communicate(timeout=program.PATIENCE_S)
    assert two.returncode == 0, stderr
    # What the dead run had finished was taken over, not made again: a fact without a start.
    assert _count(stdout, "segment_finished") == 4
    assert _count(stdout, "segment_started") < 4


def _count(stdout: str, kind: str) -> int:
    return sum(event["kind"] == kind for event in program.events(stdout))
