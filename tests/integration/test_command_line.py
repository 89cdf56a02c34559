"""What is said without any work: help, lists, settings, and refusals of wrong values."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import program
from clips import make_clip
from vhsbatch import __version__

COMMANDS = [
    *(
        "batch",
        "watch",
        "upscale",
        "test-presets",
        "analyze",
        "verify",
        "log",
        "presets",
        "completion",
        "doctor",
        "config",
    ),
]


def test_help_names_every_command(tmp_path: Path) -> None:
    done = program.run("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(re.search(rf"^│ {command} ", done.stdout, re.MULTILINE) for command in COMMANDS), done.stdout


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("config", "show")])
def test_help_imports_nothing_heavy(command: tuple[str, ...], tmp_path: Path) -> None:
    script = (
        "import sys; from vhsbatch.cli import run; run(sys.argv[1:]); "
        "print(','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command, "--help"],
        cwd=tmp_path,
        env=program.environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split(","))
    assert loaded.isdisjoint({"anyio", "asyncio", "av", "ffmpeg", "ncnn", "numpy", "pydantic", "textual"})


def test_version(tmp_path: Path) -> None:
    assert program.run("--version", cwd=tmp_path).stdout == f"{__version__}\n"


# Each: options of `batch`, and the line that refuses them.
REFUSALS = [
    (
        ("--parallel", "0"),
        "--parallel 0: must be a whole number of at least 1, 'auto', or a range such as 1..4",
    ),
    (
        ("--parallel", "many"),
        "--parallel many: must be a whole number of at least 1, 'auto', or a range such as 1..4",
    ),
    (("--crf", "99"), "--crf 99: must be 0 to 51 for the default encoder"),
    (("--crf", "70", "--encoder", "libsvtav1"), "--crf 70: must be 1 to 63 for libsvtav1"),
    (("-r", "1081"), "-r 1081: must be a multiple of 2"),
    (("-r", "10"), "-r 10: must be greater than or equal to 120"),
    (("-p", "vsh"), "there is no preset 'vsh' (did you mean 'vhs'?"),
    (
        ("--encoder", "libx263"),
        "--encoder libx263: not one of the choices (did you mean 'libx265'? allowed: auto, libx264",
    ),
    (("--engine", "waifu"), 'Invalid value "waifu" for --engine'),
    (("--max-count", "0"), "--max-count 0 leaves nothing to do (give 1 or more)"),
    (("--suffix", "a/b"), "--suffix 'a/b' cannot be part of a file name"),
    (("--pattern", "*.xyz"), "no videos in in match *.xyz"),
    (("--device", "7", "--engine", "realesrgan"), "--device 7: there is no such Vulkan device"),
    (("--device", "gpu"), "--device gpu: must be 'auto', 'cpu' or the number of a Vulkan device"),
    (("--model", "no.param"), "no.param is not there (give a .param file with its .bin beside it)"),
    (
        ("--runtime", "ncnn", "--engine", "ffmpeg"),
        "--runtime ncnn is the network's, and --engine ffmpeg uses",
    ),
    (("--config", "no.toml"), "no.toml"),
    (("--no-such-option",), "Unknown option: --no-such-option."),
    (("--auto-detect", "-p", "vhs"), "--auto-detect chooses the preset, and --preset vhs names one"),
    (("--aspect", "wide"), "--aspect wide: must be a ratio of width to height (for example 4:3 or 16:9)"),
    (("--field-order", "top"), 'Invalid value "top" for --field-order'),
    (("--replan",), "--replan says how to go on, and nothing says that (add --resume)"),
]


@pytest.mark.parametrize(("options", "line"), REFUSALS, ids=[" ".join(row[0]) for row in REFUSALS])
def test_wrong_values_are_refused_in_one_line(options: tuple[str, ...], line: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.avi", "-c:v", "ffv1", seconds=0.1, size="64x48")
    done = program.run("batch", "in", "out", *options, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("vhs-upscale: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = program.run("batch", "nowhere", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "nowhere" in done.stderr


def test_an_output_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.avi", "-c:v", "ffv1", seconds=0.1, size="64x48")
    (tmp_path / "file").touch()
    done = program.run("batch", "in", "file/out", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith("vhs-upscale: cannot write to the output folder")


def test_presets_are_listed_and_shown(tmp_path: Path) -> None:
    listed = program.run("presets", cwd=tmp_path)
    assert listed.returncode == 0
    assert "vhs_archive" in listed.stdout
    (tmp_path / "vhsbatch.toml").write_text('presets = ["mine.toml"]\n')
    (tmp_path / "mine.toml").write_text('[mine]\ninherits = "vhs"\nsharpen = { amount = 0.9 }\n')
    shown = program.run("presets", "mine", cwd=tmp_path)
    assert "amount = 0.9" in shown.stdout
    # What is shown is a presets file.
    (tmp_path / "copy.toml").write_text(shown.stdout.replace("[mine", "[copy"))
    (tmp_path / "vhsbatch.toml").write_text('presets = ["copy.toml"]\n')
    copy = program.run("presets", "copy", cwd=tmp_path)
    assert copy.stdout == shown.stdout.replace("[mine", "[copy")


def test_settings_say_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "vhsbatch.toml").write_text("retries = 5\n")
    done = program.run("config", "show", cwd=tmp_path)
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in done.stdout.splitlines()}
    assert lines["retries"][0] == "5"
    assert "vhsbatch.toml" in lines["retries"][1]
    assert lines["engine"] == ["auto", "default"]


def test_a_wrong_setting_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "vhsbatch.toml").write_text("retires = 5\n")
    done = program.run("config", "show", cwd=tmp_path)
    assert done.returncode == 2
    assert "vhsbatch.toml" in done.stderr
    assert "retires" in done.stderr
    assert "retries" in done.stderr


@pytest.mark.slow
def test_doctor_says_what_works_and_how_to_mend_the_rest(tmp_path: Path) -> None:
    done = program.run("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert all(re.match(r"(ok|none|warn|fail) +\S", line) for line in lines)
    for subject in ("Python", "PyAV", "FFmpeg", "filters", "encoder libx264", "models", "machine"):
        assert any(line.startswith(f"ok    {subject}") for line in lines), subject
    assert all(" -> " in line for line in lines if line.startswith("warn"))


def test_doctor_fails_without_an_ffmpeg(tmp_path: Path) -> None:
    (tmp_path / "vhsbatch.toml").write_text('ffmpeg = "no-such-ffmpeg"\n')
    done = program.run("doctor", cwd=tmp_path)
    assert done.returncode == 3
    fix = "leave the setting 'ffmpeg' out to use the embedded one"
    assert f"fail  FFmpeg: FFmpeg 'no-such-ffmpeg' is not there or cannot be executed -> {fix}" in done.stdout
