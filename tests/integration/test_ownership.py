"""Whose files are whose: sources, results, and what lies under a result's name, by the command line."""

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import program
from clips import make_clip

FAST = ("-r", "120", "--engine", "ffmpeg", "--no-tui", "--parallel", "1", "--no-report")
KEPT = "already made with these settings; --overwrite makes them again"


def digests(*folders: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, seconds in (("short", 0.2), ("long", 0.4)):
        make_clip(
            folder / f"{name}.mkv",
            *("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le"),
            scan="progressive",
            seconds=seconds,
            size="96x64",
        )
    return folder


def put(clip: Path, *paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(clip, path)


def published(stdout: str) -> list[str]:
    return [event["job_id"] for event in program.events(stdout) if event["kind"] == "job_published"]


def test_the_same_command_again_keeps_what_it_has_made(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "in" / "a.mkv", tmp_path / "in" / "b.mkv")
    first = program.run("batch", "in", "out", *FAST, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    before = digests(tmp_path / "in", tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.mp4")}
    again = program.run("batch", "in", "out", *FAST, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert f"kept 2 results {KEPT}" in again.stderr
    looked = program.run("batch", "in", "out", *FAST, "--dry-run", cwd=tmp_path)
    assert looked.stdout.count("kept: already made with these settings") == 2
    assert "In all: nothing to do" in looked.stdout
    for option in ("--resume", "--skip-existing"):
        looked = program.run("batch", "in", "out", *FAST, "--dry-run", option, cwd=tmp_path)
        assert looked.stdout.count("kept: already restored, as the journal proves") == 2, option
    # Neither swapped folders nor a result alone make results into captures.
    swapped = program.run("batch", "out", "in", *FAST, cwd=tmp_path)
    assert swapped.returncode == 2
    assert "input and output are swapped" in swapped.stderr
    alone = program.run("upscale", "out/a_120p.mp4", "-o", "x.mp4", *FAST[:4], cwd=tmp_path)
    assert alone.returncode == 2
    assert "is a result of this program, made of" in alone.stderr
    assert digests(tmp_path / "in", tmp_path / "out") == before
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.mp4")} == times
    # Other settings are made again, with a word.
    other = program.run("batch", "in", "out", *FAST, "--crf", "40", "--max-count", "1", cwd=tmp_path)
    assert other.returncode == 0, other.stderr
    assert "restored before with different settings or tools: restored again" in other.stderr
    assert (
        digests(tmp_path / "out")[str(tmp_path / "out/a_120p.mp4")]
        != before[str(tmp_path / "out/a_120p.mp4")]
    )


def test_another_tape_of_the_same_name_is_refused_or_left_to_its_own(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "day1" / "tape.mkv")
    put(clips / "long.mkv", tmp_path / "day2" / "tape.mkv", tmp_path / "day2" / "other.mkv")
    assert program.run("batch", "day1", "out", *FAST, cwd=tmp_path).returncode == 0
    master = digests(tmp_path / "out")
    done = program.run("batch", "day2", "out", *FAST, "--skip-existing", cwd=tmp_path)
    assert done.returncode == 1
    assert "SUCCESS: other.mkv" in done.stdout or "Processing: other.mkv" in done.stdout
    for name in ("day2/tape.mkv", "out/tape_120p.mp4", "day1/tape.mkv"):
        assert str(tmp_path / name) in done.stdout
    assert digests(tmp_path / "out").items() >= master.items()
    # The refusal has not made anybody forget whose master it is.
    again = program.run("batch", "day1", "out", *FAST, cwd=tmp_path)
    assert f"kept 1 result {KEPT}" in again.stderr
    forced = program.run("batch", "day2", "out", *FAST, "--overwrite", "--pattern", "tape*", cwd=tmp_path)
    assert forced.returncode == 0, forced.stderr
    assert (
        digests(tmp_path / "out")[str(tmp_path / "out/tape_120p.mp4")]
        != master[str(tmp_path / "out/tape_120p.mp4")]
    )


@pytest.mark.parametrize("command", ["batch", "upscale"])
def test_a_file_of_ones_own_is_replaced_only_where_that_is_said(
    command: str, clips: Path, tmp_path: Path
) -> None:
    put(clips / "short.mkv", tmp_path / "in" / "a.mkv")
    (tmp_path / "out").mkdir()
    own = tmp_path / "out" / "a_120p.mp4"
    own.write_bytes(b"mine")
    words = ("batch", "in", "out") if command == "batch" else ("upscale", "in/a.mkv", "-o", "out/a_120p.mp4")
    options = FAST if command == "batch" else FAST[:5]
    for more in ((), ("--resume",)):
        refused = program.run(*words, *options, *more, cwd=tmp_path)
        assert refused.returncode == 2
        assert f"{own} exists, and this program did not make it" in refused.stderr
        assert "--overwrite" in refused.stderr
    assert own.read_bytes() == b"mine"
    assert not (tmp_path / "out" / ".vhsbatch").exists()
    done = program.run(*words, *options, "--overwrite", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert own.read_bytes() != b"mine"
    # A record of that name is somebody's, too.
    own.unlink()
    own.with_name("a_120p.mp4.json").write_text("[]")
    refused = program.run(*words, *options, cwd=tmp_path)
    assert "is not a record of this program" in refused.stderr


def test_a_source_that_changed_is_made_again_and_one_that_was_touched_is_not(
    clips: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in" / "a.mkv"
    put(clips / "short.mkv", source)
    assert program.run("batch", "in", "out", *FAST, cwd=tmp_path).returncode == 0
    os.utime(source, (1_000_000_000, 1_000_000_000))
    touched = program.run("batch", "in", "out", *FAST, cwd=tmp_path)
    assert f"kept 1 result {KEPT}" in touched.stderr
    shutil.copytree(tmp_path / "in", tmp_path / "moved")
    moved = program.run("batch", "moved", "out", *FAST, "--skip-existing", cwd=tmp_path)
    assert "already restored, as the journal proves" in moved.stdout
    put(clips / "long.mkv", source)
    changed = program.run("batch", "in", "out", *FAST, "--skip-existing", "--json", cwd=tmp_path)
    assert published(changed.stdout) == ["a_120p.mp4"]
    assert "the source has changed since it was restored" in changed.stdout


def test_a_second_source_of_a_stem_gets_the_longer_name(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "in" / "tape.mkv")
    # Beside the sources, a capture is called like a result.
    put(clips / "long.mkv", tmp_path / "in" / "tape_480p.mkv")
    assert program.run("batch", "in", "in", *FAST, cwd=tmp_path).returncode == 0
    put(clips / "long.mkv", tmp_path / "in" / "Tape.avi")
    done = program.run("batch", "in", "in", *FAST, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert published(done.stdout) == ["Tape.avi_120p.mp4"]
    assert "tape_120p.mp4 and 1 more (a result of this program)" in done.stdout


def test_two_runs_at_once_never_mix_up_two_tapes(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "day1" / "tape.mkv")
    put(clips / "long.mkv", tmp_path / "day2" / "tape.mkv")
    runs = [program.start("batch", day, "out", *FAST, "--json", cwd=tmp_path) for day in ("day1", "day2")]
    ended = [(run.communicate(timeout=program.PATIENCE_S), run.returncode) for run in runs]
    made = [published(out) for (out, _err), _code in ended]
    assert sorted(made) == [[], ["tape_120p.mp4"]], ended
    (lost,) = (index for index, names in enumerate(made) if not names)
    (out, err), code = ended[lost]
    assert code in (1, 2)
    for name in ("day1/tape.mkv", "day2/tape.mkv", "out/tape_120p.mp4"):
        assert str(tmp_path / name) in out + err


WATCHING = ("--settle", "0.5", "--json", "-r", "120", "--engine", "ffmpeg", "--no-report")


def made_while_watching(process: subprocess.Popen[str]) -> str:
    """The next result, once its batch is over."""
    made: str = program.wait_for_event(process, "job_published")["job_id"]
    program.wait_for_event(process, "batch_finished")
    return made


def ended(process: subprocess.Popen[str]) -> str:
    """What a watching program has said, after it was stopped."""
    process.send_signal(signal.SIGTERM)
    return process.communicate(timeout=program.PATIENCE_S)[1]


def test_watch_leaves_alone_what_is_in_the_way_and_goes_on_once_it_is_gone(
    clips: Path, tmp_path: Path
) -> None:
    put(clips / "short.mkv", tmp_path / "in" / "a.mkv", tmp_path / "in" / "b.mkv")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_120p.mp4").write_bytes(b"mine")
    with program.start("watch", "in", "out", *WATCHING, cwd=tmp_path) as process:
        assert made_while_watching(process) == "b_120p.mp4"
        put(clips / "short.mkv", tmp_path / "in" / "c.mkv")
        assert made_while_watching(process) == "c_120p.mp4"
        assert (tmp_path / "out" / "a_120p.mp4").read_bytes() == b"mine"
        (tmp_path / "out" / "a_120p.mp4").rename(tmp_path / "mine.mp4")
        assert made_while_watching(process) == "a_120p.mp4"
        err = ended(process)
    assert err.count("a.mkv waits") == 1
    assert "this program did not make it" in err
    assert "--overwrite" in err


def test_watch_restores_the_others_where_one_result_would_replace_a_capture(
    clips: Path, tmp_path: Path
) -> None:
    tapes = tmp_path / "tapes"
    put(clips / "short.mkv", tapes / "a.mkv", tapes / "b.mkv", tapes / "a_120p.mp4")
    capture = (tapes / "a_120p.mp4").read_bytes()
    with program.start("watch", "tapes", "tapes", *WATCHING, cwd=tmp_path) as process:
        made = {program.wait_for_event(process, "job_published")["job_id"] for _ in range(2)}
        assert made == {"a_120p_120p.mp4", "b_120p.mp4"}
        program.wait_for_event(process, "batch_finished")
        assert (tapes / "a_120p.mp4").read_bytes() == capture
        (tapes / "a_120p.mp4").rename(tmp_path / "elsewhere.mp4")
        assert made_while_watching(process) == "a_120p.mp4"
        err = ended(process)
    assert err.count("a.mkv waits") == 1
    assert "is a source and would be overwritten" in err
    assert "--suffix" in err


def test_watch_goes_on_once_a_changed_result_that_it_had_to_read_is_gone(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "in" / "a.mkv")
    made = program.run("batch", "in", "out", *FAST, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    result = tmp_path / "out" / "a_120p.mp4"
    changed = bytearray(result.read_bytes())
    changed[-1] ^= 1
    result.write_bytes(changed)
    os.utime(result, (1_000_000_000, 1_000_000_000))
    with program.start("watch", "in", "out", *WATCHING, cwd=tmp_path) as process:
        failed = program.wait_for_event(process, "job_failed")
        assert "has changed since this program made it" in failed["reason"]
        program.wait_for_event(process, "batch_finished")
        assert result.read_bytes() == changed
        result.rename(tmp_path / "elsewhere.mp4")
        assert made_while_watching(process) == "a_120p.mp4"
        ended(process)


def test_comparisons_replace_only_comparisons(clips: Path, tmp_path: Path) -> None:
    put(clips / "short.mkv", tmp_path / "a.mkv")
    words = ("test-presets", "a.mkv", "-o", "cmp", "--presets", "clean", "-r", "120", "--engine", "ffmpeg")
    for _ in range(2):
        done = program.run(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    own = tmp_path / "cmp" / "clip1_comparison.mp4"
    own.write_bytes(b"mine")
    refused = program.run(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert f"{own} exists, and this program did not make it" in refused.stderr
    assert own.read_bytes() == b"mine"
