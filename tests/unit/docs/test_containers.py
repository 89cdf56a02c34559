"""The container file and the compose file: every command, option, file and folder that they name exists."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from vhsbatch.cli.app import app

ROOT = Path(__file__).parents[3]
CONTAINER = ROOT / "scripts" / "container"
FOLDERS = {"/in", "/out", "/state"}
CONTAINERFILE = re.sub(r"\\\n", " ", (CONTAINER / "Containerfile").read_text(encoding="utf-8"))
INSTRUCTIONS = [
    (match[1], match[2].strip()) for match in re.finditer(r"^([A-Z]+) (.*)$", CONTAINERFILE, re.MULTILINE)
]
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))
GPU: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.gpu.yaml").read_text(encoding="utf-8"))


def of(instruction: str) -> list[str]:
    return [argument for name, argument in INSTRUCTIONS if name == instruction]


def commands() -> list[list[str]]:
    """Every command line of the program that the files and the page name."""
    page = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    lines = [shlex.split(match[1]) for match in re.finditer(r"`docker run .*? vhs-upscale (.*?)`", page)]
    assert lines
    return [json.loads(of("CMD")[-1]), *(one["command"] for one in COMPOSE["services"].values()), *lines]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_and_option_exists(command: list[str]) -> None:
    words = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in command]
    function, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert function.__name__ == command[0]
    assert {*map(str, bound.args)} <= FOLDERS


def test_everything_that_is_copied_exists_and_is_not_ignored() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (CONTAINER / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for argument in of("COPY"):
        if argument.startswith("--from"):
            continue
        for source in argument.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(Path(source).match(pattern) for pattern in allowed), source
    for mapped in COMPOSE["services"].values():
        if "build" in mapped:
            build = mapped["build"]
            context = (CONTAINER / build["context"]).resolve()
            assert context == ROOT
            assert (context / build["dockerfile"]).is_file()


def test_it_is_no_root_and_writes_into_its_volumes_alone() -> None:
    assert of("USER") == ["vhs"]
    assert {*json.loads(of("VOLUME")[0])} == FOLDERS
    assert of("HEALTHCHECK")
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"].split(":-")[1] == "1000:1000}"
        mounted = [volume.rpartition("}")[2].strip(":") or volume for volume in service["volumes"]]
        places = {re.findall(r"/(?:in|out|state)\b", place)[0] for place in mounted}
        assert places <= FOLDERS, name
    (of_captures,) = [v for v in COMPOSE["services"]["watch"]["volumes"] if "/in" in v]
    assert of_captures.endswith(":/in:ro")


def test_the_page_can_be_reached_on_this_machine_alone() -> None:
    serve = COMPOSE["services"]["serve"]
    assert serve["ports"] == ["127.0.0.1:8765:8765"]
    assert serve["command"][serve["command"].index("--port") + 1] == "8765"


def test_the_addition_for_gpus_adds_to_what_is_there() -> None:
    assert GPU["services"].keys() <= COMPOSE["services"].keys()


def test_every_page_names_the_files_that_exist() -> None:
    page = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"scripts/container/[\w.]+", page)):
        assert (ROOT / name).is_file(), name
