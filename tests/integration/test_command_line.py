"""What is said without any work: help, lists, settings, and refusals of wrong values."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import program
from vhsbatch import __version__

COMMANDS = [
    *(
        "attach",
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
        "models",
        "scheduler",
        "serve",
        "steer",
        "worker",
    ),
]


def test_help_names_every_command(tmp_path: Path) -> None:
    done = program.run("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(re.search(rf"^│ {command} ", done.stdout, re.MULTILINE) for command in COMMANDS), done.stdout


def loaded_by(cwd: Path, command: str) -> set[str]:
    """The packages that are there after some Python."""
    script = f"import sys; {command}; print(','.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env=program.environment(cwd),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split(","))


def test_help_imports_no_command(tmp_path: Path) -> None:
    heavy = {"asyncio", "av", "ffmpeg", "ncnn", "numpy", "pydantic", "textual"}
    names = "{name for name in sys.modules if name.startswith('vhsbatch.cli.')}"
    assert loaded_by(tmp_path, "from vhsbatch.cli import run; run(['--help'])").isdisjoint(heavy)
    script = f"import sys; from vhsbatch.cli import run; run(['--help']); print(','.join(sorted({names})))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    own = done.stdout.splitlines()[-1].split(",")
    assert own == [
        "vhsbatch.cli.app",
        "vhsbatch.cli.help",
        "vhsbatch.cli.program",
        "vhsbatch.cli.usage_errors",
    ]


# One process for all commands: what one of them loads stays.
def test_the_help_of_commands_imports_no_part_that_only_work_needs(tmp_path: Path) -> None:
    commands = [*((name,) for name in COMMANDS), ("config", "show"), ("models", "check")]
    ask = f"from vhsbatch.cli import run; [run((*command, '--help')) for command in {commands}]"
    loaded = loaded_by(tmp_path, ask)
    assert loaded.isdisjoint({"PIL", "av", "distributed", "jinja2", "ncnn", "numpy", "textual"})


def test_who_restores_waits_for_no_part_that_only_its_children_need(tmp_path: Path) -> None:
    parts = ("batch.run", "batch.request", "cli.configure", "cli.display", "cli.integrations", "cli.resume")
    loaded = loaded_by(tmp_path, f"import {', '.join(f'vhsbatch.{part}' for part in parts)}")
    assert loaded.isdisjoint({"PIL", "av", "distributed", "jinja2", "ncnn", "numpy", "textual"})


def test_who_types_the_program_alone_is_told_what_to_type_first(tmp_path: Path) -> None:
    done = program.run(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert 8 <= len(lines) <= 12
    assert max(map(len, lines)) <= 80
    commands = [line.split()[1] for line in lines if line.startswith("  vhs-upscale")]
    assert set(commands) <= set(COMMANDS)
    assert "batch" in commands


@pytest.mark.parametrize("command", ["batch", "watch", "upscale"])
def test_help_shows_what_most_people_need_and_help_all_the_rest(command: str, tmp_path: Path) -> None:
    short, everything = (program.run(command, flag, cwd=tmp_path).stdout for flag in ("--help", "--help-all"))

    def options(text: str) -> set[str]:
        return set(re.findall(r"^│ [ *]*(--[a-z-]+)", text, re.MULTILINE))

    assert {"--preset", "--resolution", "--encoder", "--dry-run"} & options(everything) <= options(short)
    assert 8 <= len(options(short)) <= 16
    assert len(options(everything)) > 40
    assert "--max-pixels" in options(everything) - options(short)
    assert short.count("  vhs-upscale ") == 3
    assert "[default: " in short
    assert f"vhs-upscale {command} --help-all shows all options." in short
    # No example has an option that does not exist.
    examples = [line for line in short.splitlines() if line.startswith("  vhs-upscale ")]
    assert {word for line in examples for word in line.split() if word.startswith("--")} <= options(short)


def test_version(tmp_path: Path) -> None:
    assert program.run("--version", cwd=tmp_path).stdout == f"{__version__}\n"


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


def test_doctor_fails_without_an_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VK_DRIVER_FILES", os.devnull)  # a device in software takes its time to be tried out
    (tmp_path / "vhsbatch.toml").write_text('ffmpeg = "no-such-ffmpeg"\n')
    done = program.run("doctor", cwd=tmp_path)
    assert done.returncode == 3
    fix = "leave the setting 'ffmpeg' out to use the embedded one"
    assert f"fail  FFmpeg: FFmpeg 'no-such-ffmpeg' is not there or cannot be executed -> {fix}" in done.stdout
