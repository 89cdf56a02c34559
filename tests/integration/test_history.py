"""What a folder's results are worth when its journal or a record is damaged."""

import os
import shutil
from pathlib import Path

import pytest

import program
from clips import make_clip

OPTIONS = ("-r", "240", "--engine", "ffmpeg", "--parallel", "1", "--no-tui")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which two videos were restored."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "in").mkdir()
    for name in ("one", "two"):
        clip = folder / "in" / f"{name}.avi"
        make_clip(clip, "-c:v", "ffv1", "-g", "1", "-an", seconds=0.5, size="160x120", scan="progressive")
    done = program.run("batch", "in", "out", *OPTIONS, cwd=folder)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same folder, to be damaged; times of sources are kept."""
    shutil.copytree(made / "out", tmp_path / "out")
    (tmp_path / "in").symlink_to(made / "in")
    return tmp_path


def journal(folder: Path) -> Path:
    return folder / "out" / ".vhsbatch" / "journal"


def damage(folder: Path, how: str) -> None:
    (path,) = journal(folder).iterdir()
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    published = max(number for number, line in enumerate(lines) if b'"kind":"job_published"' in line)
    match how:
        case "a byte":
            lines[published] = lines[published].replace(b'"size_bytes":', b'"size_bytes": 1')
        case "everything":
            lines = [os.urandom(len(content)) + b"\n"]
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("how", ["a byte", "everything"])
def test_a_damaged_journal_locks_nothing(how: str, folder: Path) -> None:
    damage(folder, how)
    results = {path: path.read_bytes() for path in (folder / "out").glob("*.mp4")}
    verified = program.run("verify", "out", cwd=folder)
    assert (verified.returncode, verified.stderr.count("\n")) == (0, 1), verified.stdout
    assert "the journal out/.vhsbatch/journal was read without " in verified.stderr
    assert "2 of 2 results are what their records say" in verified.stdout
    log = program.run("log", "out", cwd=folder)
    assert log.returncode == (2 if how == "everything" else 0)
    assert "Traceback" not in log.stderr
    again = program.run("batch", "in", "out", *OPTIONS, "--resume", cwd=folder)
    assert again.returncode == 0, again.stdout
    assert "was read without" in again.stderr
    assert {path: path.read_bytes() for path in results} == results


def test_verify_needs_no_journal_and_goes_on_behind_a_broken_record(folder: Path) -> None:
    shutil.rmtree(folder / "out" / ".vhsbatch")
    (folder / "out" / "one_240p.mp4.json").write_text('{"format":')
    verified = program.run("verify", "out", cwd=folder)
    assert verified.returncode == 1
    assert "DAMAGED one_240p.mp4: one_240p.mp4.json is not a record" in verified.stdout
    assert "OK      two_240p.mp4" in verified.stdout
