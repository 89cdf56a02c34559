"""Completion in real shells."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import make
import program
from vhsbatch.batch.leases import Leases
from vhsbatch.events.events import JobFailed
from vhsbatch.events.journal import STATE_FOLDER, Journal

# A terminal from which what is waited for does not come.
_TIMEOUT_S = 300


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


def offered(shell: str, script: str, home: Path, *, installed: Path | None = None) -> list[str]:
    """What the shell prints that runs `script`, with the completion script in ``complete``.

    Args:
        installed: the completion script, instead of what the program prints.
    """
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    if installed is None:
        made = program.run("completion", shell, cwd=home)
        assert made.returncode == 0, made.stderr
    (home / "complete").write_text(made.stdout if installed is None else installed.read_text())
    environment = program.environment(home)
    done = subprocess.run(
        [shell, "-c", script],
        cwd=home,
        env={**environment, "PATH": f"{home / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
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


FISH = "source ./complete; complete -C '{words}'"


def test_fish_completes_presets(home: Path) -> None:
    presets = offered("fish", FISH.format(words="vhs-upscale batch IN OUT -p vhs_"), home)
    assert {"vhs_heavy", "vhs_mine"} <= set(presets)
    assert "watch" in offered("fish", FISH.format(words="vhs-upscale wa"), home)


# zsh completes in its line editor, which wants a terminal.
ZSH = r"""
mkdir functions; cp complete functions/_vhs-upscale
zmodload zsh/zpty
zpty line zsh -f -i
zpty -w line "PS1=; fpath=($PWD/functions \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump"
zpty -w line "print re''ady"
zpty -r -m line seen '*ready*'
zpty -w -n line '{words}'$'\t'
zpty -r -m line seen '*{last}*'
print -r -- "$seen"
zpty -d line
"""


def test_zsh_completes_presets(home: Path) -> None:
    words = "vhs-upscale batch IN OUT --preset vhs_"
    assert "vhs_heavy" in " ".join(offered("zsh", ZSH.format(words=words, last="vhs_mine"), home))


def test_zsh_takes_the_script_from_its_configuration(home: Path) -> None:
    script = (
        "autoload -Uz compinit; compinit -u -d ./dump; source ./complete; print -r -- $_comps[vhs-upscale]"
    )
    assert offered("zsh", script, home) == ["_cyclopts_vhs-upscale"]


INSTALLED = Path(__file__).parents[2] / "scripts" / "completions"


@pytest.mark.parametrize(
    ("shell", "script", "name"),
    [
        ("bash", BASH, "vhs-upscale.bash"),
        ("fish", FISH, "vhs-upscale.fish"),
        ("zsh", ZSH, "_vhs-upscale"),
    ],
)
def test_what_the_package_installs_asks_the_program(shell: str, script: str, name: str, home: Path) -> None:
    words = "vhs-upscale batch IN OUT --preset vhs_"
    seen = offered(shell, script.format(words=words, last="vhs_mine"), home, installed=INSTALLED / name)
    assert "vhs_heavy" in " ".join(seen)


@pytest.fixture
def batch(home: Path) -> Iterator[None]:
    """A batch that runs into `out`: one of its three videos has failed."""
    folder = home / "out" / STATE_FOLDER
    folder.parent.mkdir()
    leases = Leases(folder, "1-a")
    leases.begin(folder.parent)
    jobs = [make.job(number) for number in (1, 2, 3)]
    failed = JobFailed(at_s=1.0, job_id=jobs[2].id, reason="truncated", detail=())

    async def write() -> None:
        async with await Journal.create(folder / "journal", "1-a") as journal:
            await journal.append(make.batch_started(*jobs, run_id="1-a"))
            await journal.append(failed)

    anyio.run(write)
    yield
    leases.end()


@pytest.mark.usefixtures("batch")
@pytest.mark.parametrize(
    ("shell", "script"), [("bash", BASH), ("fish", FISH), ("zsh", ZSH)], ids=("bash", "fish", "zsh")
)
def test_the_videos_of_a_batch_are_completed(shell: str, script: str, home: Path) -> None:
    words = "vhs-upscale steer out skip tape"
    seen = " ".join(offered(shell, script.format(words=words, last="tape2.dv"), home))
    assert "tape1.dv" in seen
    assert "tape2.dv" in seen
    assert "tape3.dv" not in seen


def test_a_shell_that_is_not_known_is_refused(tmp_path: Path) -> None:
    done = program.run("completion", "tcsh", cwd=tmp_path)
    assert done.returncode == 2
    assert "tcsh" in done.stderr
