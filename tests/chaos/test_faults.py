"""Child processes that fail in every way that they know, under the real program."""

import os
import subprocess
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip

pytestmark = [pytest.mark.slow, pytest.mark.sampled]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    make_clip(
        tmp_path / "in" / "tape.avi", "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=1, size="96x64"
    )
    return tmp_path


def batch(
    place: Path, fault: str, *options: str, once: bool = False, settings: str = ""
) -> subprocess.CompletedProcess[str]:
    words = ("batch", "in", "out", "-r", "120", "--parallel", "2", *options)
    return run(place, fault, *words, once=once, settings=settings)


def run(
    place: Path, fault: str, *words: str, once: bool = False, settings: str = ""
) -> subprocess.CompletedProcess[str]:
    (place / "vhsbatch.toml").write_text(f'ffmpeg = "{program.FAKE_FFMPEG}"\n{settings}')
    environment = {
        **program.environment(place),
        "FAKE_FFMPEG_REAL": FFMPEG,
        "FAKE_FFMPEG_FAULT": fault,
        **({"FAKE_FFMPEG_ONCE": str(place / "happened")} if once else {}),
    }
    return subprocess.run(
        [*program.COMMAND, *words],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )


@pytest.mark.parametrize("fault", ["crash", "short"])
def test_what_happens_once_is_tried_again(fault: str, place: Path) -> None:
    done = batch(place, fault, "--json", once=True)
    assert done.returncode == 0, done.stderr
    (failed,) = [event for event in program.events(done.stdout) if event["kind"] == "segment_failed"]
    cause = {"crash": "was killed by SIGSEGV", "short": "segment 1 has 3 frames instead of 60"}[fault]
    assert cause in failed["reason"]
    right = program.run("batch", "in", "right", "-r", "120", "--config", os.devnull, cwd=place)
    assert right.returncode == 0, right.stderr
    made, whole = place / "out" / "tape_120p.mp4", place / "right" / "tape_120p.mp4"
    assert program.frame_digests(made) == program.frame_digests(whole)


@pytest.mark.parametrize("fault", ["crash", "short", "full-disk"])
def test_what_happens_always_fails_the_video_with_one_reason(fault: str, place: Path) -> None:
    done = batch(place, fault, "--retries", "1")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines.count("[1/1] FAILED: tape.avi") == 1
    reason = lines[lines.index("[1/1] FAILED: tape.avi") + 1]
    causes = {"crash": "SIGSEGV", "short": "3 frames instead of 60", "full-disk": "No space left on device"}
    assert causes[fault] in reason
    assert {path.name for path in (place / "out").iterdir()} == {".vhsbatch", "report.html"}


@pytest.mark.parametrize("fault", ["flood", "not-utf8"])
def test_what_children_say_does_no_harm(fault: str, place: Path) -> None:
    done = batch(place, fault, "--verbose")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "\x1b[31m" not in done.stderr + done.stdout


@pytest.mark.parametrize("fault", ["hang", "deaf"])
def test_what_hangs_is_stopped_and_tried_again(fault: str, place: Path) -> None:
    done = batch(place, fault, once=True, settings="stall_timeout_s = 3.0\n")
    assert done.returncode == 0, done.stderr
    program.wait_until_gone(place)


STAGES = {
    "measure": "measuring: nothing moved in 4 s",
    "loudness": "measuring loudness: nothing moved in 4 s",
    "join": "joining: nothing moved in 4 s",
    "verify": "verifying: nothing moved in 4 s",
}
# The slow fault takes twice as long, without a word.
LOUD = "remember = false\npresets = ['loud.toml']\n"
STALLS = f"stall_timeout_s = 4.0\n{LOUD}"


@pytest.fixture
def staged(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (place / "loud.toml").write_text("[loud]\naudio = { loudness_lufs = -18.0 }\n")
    monkeypatch.setenv("FAKE_FFMPEG_SCRATCH", str(place / "scratch"))
    return place


@pytest.mark.parametrize("stage", STAGES)
def test_what_hangs_at_any_stage_is_stopped_and_named(
    stage: str, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FFMPEG_STAGE", stage)
    done = batch(staged, "hang", "-p", "loud", "--retries", "0", settings=STALLS)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    reason = lines[lines.index("[1/1] FAILED: tape.avi") + 1]
    assert STAGES[stage] in reason
    assert "stall_timeout_s" in reason
    program.wait_until_gone(staged)
    monkeypatch.setenv("FAKE_FFMPEG_STAGE", "")
    again = batch(staged, "", "-p", "loud", settings=LOUD)
    assert again.returncode == 0, again.stderr


MEASURE = {
    "analyze": ("analyze", "in/tape.avi"),
    "dry-run": ("batch", "in", "out", "--dry-run"),
    "auto-detect": ("batch", "in", "out", "--dry-run", "--auto-detect"),
    "test-presets": ("test-presets", "in/tape.avi", "-o", "cmp", "--presets", "clean"),
}


@pytest.mark.parametrize("command", MEASURE)
def test_every_command_that_measures_ends_when_that_hangs(
    command: str, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FFMPEG_STAGE", "measure")
    done = run(staged, "hang", *MEASURE[command], settings=STALLS)
    assert done.returncode == 1, done.stderr
    said = done.stdout + done.stderr
    assert STAGES["measure"] in said
    assert "stall_timeout_s" in said
    assert "Traceback" not in said
    program.wait_until_gone(staged)


@pytest.mark.parametrize("stage", STAGES)
def test_what_writes_without_a_word_at_any_stage_is_left_alone(
    stage: str, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_FFMPEG_STAGE", stage)
    done = batch(staged, "slow", "-p", "loud", "--retries", "0", once=True, settings=STALLS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (staged / "scratch").stat().st_size == 4 * 16  # the fault did happen


def test_a_source_that_changes_meanwhile_is_never_half_processed(place: Path) -> None:
    source = place / "in" / "tape.avi"
    process = program.start("batch", "in", "out", "-r", "720", "--json", cwd=place)
    before = program.wait_for_event(process, "job_planned")["plan"]["fingerprint"]
    program.wait_for_event(process, "segment_started")
    with source.open("ab") as file:
        file.write(b"more")
    stdout, stderr = process.communicate(timeout=program.PATIENCE_S)
    assert process.returncode == 0, stderr
    events = program.events(stdout)
    (again,) = [number for number, event in enumerate(events) if event["kind"] == "job_retried"]
    (after,) = [event["plan"]["fingerprint"] for event in events if event["kind"] == "job_planned"]
    (published,) = [event for event in events[again:] if event["kind"] == "job_published"]
    assert published["fingerprint"] == after != before
    made = [event for event in events[again:] if event["kind"] == "segment_finished"]
    assert {event["fingerprint"] for event in made} == {after}


def test_a_model_that_spoils_a_video_fails_it_after_every_way(place: Path) -> None:
    # It repeats pixels and has no white, of which the picture that it was tried on has little.
    (place / "dark.param").write_text(
        "7767517\n3 3\n"
        "Input in 0 1 data\n"
        "Interp nearest 1 1 data a 0=1 1=2.0 2=2.0\n"
        "Clip dark 1 1 a output 0=0.0 1=0.7\n"
    )
    (place / "dark.bin").touch()
    done = program.run(
        *("batch", "in", "out", "-r", "120", "--model", "dark.param", "--device", "cpu", "--json"),
        cwd=place,
    )
    assert done.returncode == 1, done.stderr
    failed = [event for event in program.events(done.stdout) if event["kind"] == "segment_failed"]
    assert [event["by_model"] for event in failed] == [True, True, True]
    (given_up,) = [event for event in program.events(done.stdout) if event["kind"] == "job_failed"]
    assert "frame 1 came out wrong: " in given_up["reason"]
    assert {path.name for path in (place / "out").iterdir()} == {".vhsbatch", "report.html"}
