"""Completion in real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import program


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder in which `vhs-upscale` is a command, with a preset of the user's own."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "vhs-upscale"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m vhsbatch.cli "$@"\n')
    command.chmod(0o755)
    own = tmp_path / ".config" / "vhsbatch"
    own.mkdir(parents=True)
    (own / "presets.toml").write_text('[vhs_mine]\ninherits = "vhs"\n')
    return tmp_path


def offered(shell: str, script: str, home: Path) -> list[str]:
    """What the shell prints that runs `script`, with the completion script in ``complete``."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    made = program.run("completion", shell, cwd=home)
    assert made.returncode == 0, made.stderr
    (home / "complete").write_text(made.stdout)
    environment = program.environment(home)
    done = subprocess.run(
        [shell, "-c", script],
        cwd=home,
        env={**environment, "PATH": f"{home / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


BASH = """
source ./complete
complete_line() {{
    COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
    function=$(complete -p vhs-upscale | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    $function vhs-upscale "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
    printf '%s\\n' "${{COMPREPLY[@]}}"
}}
complete_line
"""


def test_bash_completes_commands_options_and_presets(home: Path) -> None:
    assert "batch" in offered("bash", BASH.format(words="vhs-upscale ba"), home)
    assert "--parallel" in offered("bash", BASH.format(words="vhs-upscale batch --par"), home)
    presets = offered("bash", BASH.format(words="vhs-upscale batch IN OUT --preset vhs_"), home)
    assert {"vhs_heavy", "vhs_mine"} <= set(presets)


def test_fish_completes_presets(home: Path) -> None:
    script = "source ./complete; complete -C '{}'"
    presets = offered("fish", script.format("vhs-upscale batch IN OUT -p vhs_"), home)
    assert {"vhs_heavy", "vhs_mine"} <= set(presets)
    assert "watch" in offered("fish", script.format("vhs-upscale wa"), home)


def test_zsh_finds_the_script(home: Path) -> None:
    # Completion itself needs a line editor; whether the script is taken is what can be asked.
    script = (
        "mkdir functions; cp complete functions/_vhs-upscale; fpath=($PWD/functions $fpath); "
        "autoload -Uz compinit; compinit -u -d ./dump; print -r -- $_comps[vhs-upscale]; "
        "zsh -n ./complete"
    )
    assert offered("zsh", script, home) == ["_vhs-upscale"]


def test_a_shell_that_is_not_known_is_refused(tmp_path: Path) -> None:
    done = program.run("completion", "tcsh", cwd=tmp_path)
    assert done.returncode == 2
    assert "tcsh" in done.stderr
