"""The engine's worker program, failing in every way that it knows, in the middle of a segment."""

import subprocess
from pathlib import Path

import anyio
import pytest

import program
from clips import make_clip
from vhsbatch.engines.devices import vulkan_devices

pytestmark = [pytest.mark.slow, pytest.mark.sampled]

FAKE = Path(__file__).parents[1] / "fakes" / "worker"

# A network without weights, which repeats each pixel: fast, and nothing hides in its frames.
NEAREST_X2 = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"

OPTIONS = ("-r", "120", "--model", "nearest.param", "--device", "cpu", "--runtime", "ncnn", "--json")

CAUSES = {
    "crash": "upscale was killed by SIGSEGV",
    "hang": "no frame in 4 s: the chain was stopped",
    "deaf": "no frame in 4 s: the chain was stopped",
    "exit": "upscale ended before its input did",
    "frozen": "of it repeats the frame before",
    "size": "frame 6 came out wrong: it has the shape",
}


@pytest.mark.parametrize("fault", CAUSES)
def test_a_fault_costs_an_attempt_and_nothing_else(fault: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clip = tmp_path / "in" / "tape.avi"
    make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=1, size="96x64")
    (tmp_path / "nearest.param").write_text(NEAREST_X2)
    (tmp_path / "nearest.bin").touch()
    (tmp_path / "vhsbatch.toml").write_text("stall_timeout_s = 4.0\n")
    done = subprocess.run(
        [*program.COMMAND, "batch", "in", "out", *OPTIONS],
        cwd=tmp_path,
        env={
            **program.environment(tmp_path),
            "PYTHONPATH": str(FAKE),
            "FAKE_WORKER_FAULT": fault,
            "FAKE_WORKER_ONCE": str(tmp_path / "happened"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    (failed,) = [event for event in program.events(done.stdout) if event["kind"] == "segment_failed"]
    assert CAUSES[fault] in failed["reason"]
    program.wait_until_gone(tmp_path)
    whole = program.run("batch", "in", "whole", *OPTIONS, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    made, right = (tmp_path / folder / "tape_120p.mp4" for folder in ("out", "whole"))
    assert program.frame_digests(made) == program.frame_digests(right)


def test_a_device_that_is_lost_is_taken_out_and_the_cpu_goes_on(tmp_path: Path) -> None:
    if not anyio.run(vulkan_devices):
        pytest.skip("no Vulkan device, not even in software: apt-get install mesa-vulkan-drivers")
    (tmp_path / "in").mkdir()
    for number in range(3):
        clip = tmp_path / "in" / f"tape{number}.avi"
        make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=0.4, size="32x24")
    (tmp_path / "nearest.param").write_text(NEAREST_X2)
    (tmp_path / "nearest.bin").touch()
    network = ("--model", "nearest.param", "--gpus", "0", "--slots-per-gpu", "1", "--runtime", "ncnn")
    done = subprocess.run(
        [*program.COMMAND, "batch", "in", "out", "-r", "120", *network, "--parallel", "1", "--json"],
        cwd=tmp_path,
        env={**program.environment(tmp_path), "PYTHONPATH": str(FAKE), "FAKE_WORKER_BAD_DEVICE": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=program.PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    events = program.events(done.stdout)
    (retired,) = [event for event in events if event["kind"] == "gpu_retired"]
    assert retired["device"] == "0"
    assert "the device is lost" in retired["reason"]
    assert sum(event["kind"] == "segment_failed" for event in events) == 3
    made = [event["device"] for event in events if event["kind"] == "segment_finished"]
    assert made[-1].startswith("the CPU (ncnn")
    assert len(made) == 3
