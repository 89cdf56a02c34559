"""The engine's worker program, failing in every way that it knows, in the middle of a segment."""

import subprocess
from pathlib import Path

import pytest

import program
from clips import make_clip

pytestmark = pytest.mark.slow

FAKE = Path(__file__).parents[1] / "fakes" / "worker"

# A network without weights, which repeats each pixel: fast, and nothing hides in its frames.
NEAREST_X2 = "7767517\n2 2\nInput in 0 1 data\nInterp nearest 1 1 data output 0=1 1=2.0 2=2.0\n"

OPTIONS = ("-r", "120", "--model", "nearest.param", "--device", "cpu", "--runtime", "ncnn", "--json")

CAUSES = {
    "crash": "upscale was killed by SIGSEGV",
    "hang": "no frame in 4 s: the chain was stopped",
    "deaf": "no frame in 4 s: the chain was stopped",
    "exit": "upscale ended before its input did",
    "frozen": "of it is the frame before once more",
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
        timeout=100,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    (failed,) = [event for event in program.events(done.stdout) if event["kind"] == "segment_failed"]
    assert CAUSES[fault] in failed["reason"]
    program.wait_until_gone(tmp_path)
    whole = program.run("batch", "in", "whole", *OPTIONS, cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    made, right = (tmp_path / folder / "tape_120p.mp4" for folder in ("out", "whole"))
    assert program.frame_digests(made) == program.frame_digests(right)
