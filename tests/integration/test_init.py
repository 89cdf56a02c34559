"""`init`: three questions, and the file that follows from the answers."""

import tomllib
from pathlib import Path

import program
from clips import make_clip
from terminal import terminal

WEB = ("-c:v", "libx264", "-c:a", "aac")


def test_the_answers_are_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.avi", "-c:v", "ffv1", seconds=1, size="96x64")
    with terminal("init", "in", cwd=tmp_path) as screen:
        screen.wait_for("in: 1 video, ")
        screen.wait_for("work at this machine")
        screen.press("perhaps\n")
        screen.wait_for("Answer yes or no.")
        screen.press("no\n")
        screen.wait_for("Enlarge with")
        screen.press("y\n")
        screen.wait_for("Where to tell you")
        screen.press("nowhere\n")
        screen.wait_for("nowhere is not an address")
        screen.press("\n")
        assert screen.finish() == 0
        assert "vhs-upscale batch in OUT --dry-run" in screen.text
    assert tomllib.loads((tmp_path / "vhsbatch.toml").read_text()) == {"nice": 0, "engine": "realesrgan"}


def test_nobody_is_asked_without_a_terminal_and_no_file_is_replaced(tmp_path: Path) -> None:
    done = program.run("init", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "vhsbatch.toml"
    before = file.read_text()
    assert tomllib.loads(before) == {"nice": 19, "engine": "ffmpeg"}
    again = program.run("init", "--yes", cwd=tmp_path)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "vhsbatch.toml exists" in again.stderr
    assert file.read_text() == before


def test_results_are_no_captures_and_parts_are_one(tmp_path: Path) -> None:
    captures, out = tmp_path / "in", tmp_path / "out"
    captures.mkdir()
    for number in (1, 2):
        make_clip(captures / f"GH0{number}0007.mp4", *WEB, seconds=1, size="96x64")
    made = program.run("batch", "in", "out", "-r", "120", "--engine", "ffmpeg", "--plain", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    result = out / "GH010007_joined_120p.mp4"
    for name in (result.name, f"{result.name}.json"):
        (captures / name).write_bytes((out / name).read_bytes())
    done = program.run("init", "in", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("in: 1 video, ")
    assert said[1].startswith("joined: GH010007.mp4 to GH020007.mp4 (2 files")
    assert said[2] == f"left out: {result.name} (a result of this program)"
    (tmp_path / "vhsbatch.toml").unlink()
    refused = program.run("init", "out", cwd=tmp_path)
    assert refused.returncode == 2
    assert "out is the output folder of a batch, not a folder of captures" in refused.stderr
    assert not (tmp_path / "vhsbatch.toml").exists()
