"""`benchmark`: what a machine is measured to do, and what is left out where there is no time for it."""

import json
from pathlib import Path

import pytest

import program
from vhsbatch.ffmpeg.encoders import ENCODERS


def test_a_preset_is_measured_and_what_begins_too_late_is_not(tmp_path: Path) -> None:
    done = program.run("benchmark", "--seconds", "0.1", "--presets", "clean,vhs", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    clean, vhs, *others = [json.loads(line) for line in done.stdout.splitlines()]
    assert (clean["kind"], clean["name"]) == ("preset", "clean")
    # As long as a frame takes, times the frames of an hour: each field of the tape becomes one.
    assert clean["hours"] == pytest.approx(60000 / 1001 / clean["frames_per_s"])
    assert "1440x1080" in clean["note"]
    assert (vhs["name"], vhs["frames_per_s"], vhs["note"]) == ("vhs", None, "no time was left for it")
    assert [speed["name"] for speed in others if speed["kind"] == "encoder"] == list(ENCODERS)
    assert {speed["frames_per_s"] for speed in others} == {None}
    assert [*tmp_path.rglob("*benchmark*")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seconds", "0"), "--seconds 0 leaves no time"),
        (("--presets", "vsh"), "vhs"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = program.run("benchmark", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
