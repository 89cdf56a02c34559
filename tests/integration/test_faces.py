"""Faces through the whole chain: found, drawn by a model of the user's, put back, and counted."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import program
import weights
from clips import FFMPEG
from vhsbatch.engines.face_models import face_model
from vhsbatch.engines.face_patch import restored
from vhsbatch.engines.face_trial import drawn_face
from vhsbatch.engines.faces_found import Detector
from vhsbatch.engines.onnx_conversion import _program
from vhsbatch.engines.param_writer import ModelWriter
from vhsbatch.engines.runtimes import LoadedModel

WIDTH, HEIGHT, FRAMES, RATE = 176, 128, 30, 10
FACE_PX = 96
OPTIONS = ("-r", str(HEIGHT), "--encoder", "ffv1", "--json")
NEAREST_X2 = "7767517\n2 2\nInput in0 0 1 in0\nInterp nearest 1 1 in0 out0 0=1 1=2.0 2=2.0\n"


def frames() -> NDArray[np.uint8]:
    """A drawn face that moves, under noise; then a scene without one."""
    random = np.random.default_rng(4)
    face = np.asarray(Image.fromarray(drawn_face().astype(np.uint8)).resize((FACE_PX, FACE_PX)))
    made = np.full((FRAMES, HEIGHT, WIDTH, 3), (70.0, 80.0, 95.0))
    for number in range(FRAMES - 6):
        made[number, 16 : 16 + FACE_PX, 10 + number : 10 + number + FACE_PX] = face
    made[FRAMES - 6 :] = 200
    return np.clip(made + random.normal(0, 2, made.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(RATE))
    command = (FFMPEG, "-v", "error", *raw, "-i", "-", "-c:v", "ffv1", tmp_path / "in" / "face.mkv")
    subprocess.run(command, input=frames().tobytes(), check=True)
    return tmp_path


def write_model(folder: Path) -> Path:
    """A model for faces that takes them for 30 levels greener."""
    writer = ModelWriter()
    same = np.zeros((3, 3, 1, 1), np.float32)
    same[[0, 1, 2], [0, 1, 2]] = 1
    made = writer.convolution(writer.picture, same, np.array([0, 30 / 127.5, 0], np.float32))
    param, content = writer.finish(made)
    (folder / "green.param").write_text(param)
    (folder / "green.bin").write_bytes(content)
    return folder / "green.param"


def run(place: Path, output: str, *options: str) -> subprocess.CompletedProcess[str]:
    return program.run("batch", "in", output, *OPTIONS, *options, cwd=place)


def result(place: Path, output: str) -> tuple[NDArray[np.int16], dict[str, Any]]:
    """The frames of a result, and its record."""
    file = place / output / f"face_{HEIGHT}p.mkv"
    command = (FFMPEG, "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    data = subprocess.run(command, capture_output=True, check=True).stdout
    decoded = np.frombuffer(data, np.uint8).reshape(FRAMES, HEIGHT, WIDTH, 3)
    return decoded.astype(np.int16), json.loads(file.with_name(f"{file.name}.json").read_text())


def test_faces_are_redrawn_and_counted_wherever_the_video_is_cut(place: Path) -> None:
    write_model(place)
    (place / "p.toml").write_text(
        '[whole]\ninherits = "clean"\nai_segment_s = 60\nfaces.model = "green.param"\nfaces.strength = 1.0\n'
        '[cut]\ninherits = "whole"\nai_segment_s = 1\n'
    )
    (place / "vhsbatch.toml").write_text('presets = ["p.toml"]\n')
    for preset in ("whole", "cut"):
        done = run(place, preset, "-p", preset, "--engine", "ffmpeg")
        assert done.returncode == 0, done.stderr
    (whole, whole_record), (cut, record) = result(place, "whole"), result(place, "cut")
    assert (len(whole_record["segments"]), len(record["segments"])) == (1, 3)
    assert np.array_equal(whole, cut)
    assert record["faces"] == {
        "model": "green (ncnn model)",
        "faces": FRAMES - 6,
        "tracks": 1,
        "frames": FRAMES - 6,
        "rejected": 0,
    }
    assert whole_record["faces"] == record["faces"]
    assert {"face_param", "face_weights", "face_detector", "face_runtime"} <= record["tools"].keys()

    difference = whole - frames()
    for number in (0, 12, FRAMES - 7):
        nose = difference[number, 60:72, 10 + number + 42 : 10 + number + 54].mean((0, 1))
        assert nose[1] == pytest.approx(30, abs=4)
        assert np.abs(nose[[0, 2]]).max() < 4
    # Nothing goes over the cut, and beside the face there is nothing but the rounding of colours.
    assert np.abs(difference[FRAMES - 6 :].mean((1, 2))).max() < 2
    assert np.abs(difference[:, :, 160:].mean((1, 2))).max() < 2


def test_faces_after_a_model_that_enlarges(place: Path) -> None:
    (place / "nearest.param").write_text(NEAREST_X2)
    (place / "nearest.bin").write_bytes(b"")
    options = ("--model", "nearest.param", "--device", "cpu", "--face-restore", str(write_model(place)))
    done = program.run("batch", "in", "out", "-p", "clean", "-r", "256", *OPTIONS[2:], *options, cwd=place)
    assert done.returncode == 0, done.stderr
    record = json.loads((place / "out" / "face_256p.mkv.json").read_text())
    assert record["faces"]["faces"] == FRAMES - 6
    assert len(record["segments"][0]["commands"]) == 4
    assert any("they change" in note for note in record["notes"])


def test_weights_of_gfpgan_are_recognised_and_kept(place: Path) -> None:
    file = weights.pth(place / "GFPGANv1.4.pth", weights.gfpgan(7), within="params_ema")
    checked = program.run("models", "check", file, cwd=place)
    assert checked.returncode == 0, checked.stderr
    assert "restores faces of 512x512, GFPGAN (clean)" in checked.stdout
    added = program.run("models", "add", file, "--name", "faces", cwd=place)
    assert "--face-restore faces" in added.stdout
    file.unlink()
    planned = run(place, "out", "--dry-run", "--engine", "ffmpeg", "--face-restore", "faces")
    assert planned.returncode == 0, planned.stderr
    (plan,) = (one["plan"] for one in program.events(planned.stdout) if one["kind"] == "job_planned")
    assert plan["faces"]["kind"] == "GFPGAN (clean)"
    assert plan["identity"]["face_model"].startswith("GFPGAN (clean), sha256 ")
    assert any("for each face of a frame" in note for note in plan["notes"])
    refused = run(place, "out", "--model", "faces", "--dry-run")
    assert refused.returncode == 2
    assert "restores faces" in refused.stderr
    assert "--face-restore" in refused.stderr


def test_what_restores_no_faces_is_refused_in_one_line(place: Path) -> None:
    weights.pth(place / "larger.pth", weights.compact(2))
    (place / "broken.pth").write_bytes(b"PK\x03\x04 no more")
    (place / "half.param").write_text(NEAREST_X2)
    (place / "half.bin").write_bytes(b"")
    for name, words in (
        ("larger.pth", "is no GFPGAN"),
        ("broken.pth", "is damaged"),
        ("absent.pth", "is not there"),
        ("nothing", "is not there"),
    ):
        done = run(place, "out", "--engine", "ffmpeg", "--face-restore", name)
        assert done.returncode == 2, (name, done.stderr)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    done = run(place, "out", "--engine", "ffmpeg", "--face-restore", "half.param")
    assert done.returncode != 0
    assert "(3, 1024, 1024) instead of (3, 512, 512)" in done.stdout + done.stderr
    assert not list((place / "out").glob("*.mkv"))


@pytest.mark.skipif(_program() is None, reason="needs pnnx")
def test_an_onnx_file_of_faces(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    tensors = weights.compact(1)
    model = face_model(str(weights.onnx(place / "same.onnx", tensors)))
    assert model.kind.startswith("ONNX (pnnx ")
    face = drawn_face()
    made = restored(LoadedModel(model.param, model.weights), face, given=model.given, made=model.made)
    planes = (face.transpose(2, 0, 1) / 127.5 - 1).astype(np.float32)
    expected = (np.clip(weights.run_compact(tensors, planes), -1, 1) + 1) * 127.5
    assert np.abs(made - expected.transpose(1, 2, 0)).max() < 1


def test_the_detector_that_comes_with_the_program() -> None:
    face = Image.fromarray(drawn_face().astype(np.uint8))
    scene = Image.new("RGB", (720, 480), (70, 80, 95))
    scene.paste(face.resize((180, 240)), (300, 100))
    # Pixels that are 4/3 as wide as high.
    (found,) = Detector(threads=1)(np.asarray(scene), aspect=4 / 3)
    eyes, mouth = found.points[:2], found.points[3:]
    assert np.abs(eyes - [[367, 212], [413, 212]]).max() < 12
    assert np.abs(mouth.mean(0) - [390, 274]).max() < 12
    assert Detector(threads=1)(np.full((480, 720, 3), 90, np.uint8)) == ()
