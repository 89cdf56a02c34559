"""A real batch that is steered in words, and told of in sentences, without a terminal."""

import subprocess
from pathlib import Path

import pytest

import program
from clips import FFMPEG, make_clip

pytestmark = [pytest.mark.slow]

BATCH = ("batch", "in", "out", "-r", "120", "--parallel", "1", "--no-report", "--json")


def steered(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return program.run("steer", "out", *words, cwd=place)


def test_a_batch_is_steered_in_words_and_followed_in_sentences(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a tape.avi", "b.avi", "c.avi"):
        make_clip(tmp_path / "in" / name, "-c:v", "ffv1", "-g", "1", seconds=0.3, size="96x64")
    (tmp_path / "vhsbatch.toml").write_text(f'ffmpeg = "{program.FAKE_FFMPEG}"\n')
    # No segment is made before the gate is there.
    admission = {
        "FAKE_FFMPEG_REAL": FFMPEG,
        "FAKE_FFMPEG_FAULT": "wait",
        "FAKE_FFMPEG_GATE": str(tmp_path / "gate"),
    }
    batch = program.start(*BATCH, cwd=tmp_path, variables=admission)
    reader = None
    try:
        program.wait_for_event(batch, "segment_started")
        reader = program.start("attach", "out", "--plain", cwd=tmp_path)
        assert reader.stdout is not None
        assert reader.stdout.readline() == (
            "This is a batch of 3 videos with 1 worker. 0 of 3 videos done.\n"
        )
        for words, answer, kind in (
            (("pause",), "The batch pauses: ", "batch_paused"),
            (("resume",), "The batch goes on.", "batch_continued"),
            (("priority", "c.avi", "-5"), "c.avi has priority -5 from now on.", "job_prioritised"),
            (("skip", "b.avi"), "b.avi is left out of this run", "job_skipped"),
            (("retry", "b.avi"), "b.avi is tried again", "job_retried"),
            (("more",), "The batch goes on with 2 workers.", "lanes_changed"),
        ):
            done = steered(tmp_path, *words)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith(answer)
            assert program.wait_for_event(batch, kind)
        refused = steered(tmp_path, "skip", "d.avi")
        assert refused.returncode == 2
        assert (
            "there is no video 'd.avi' in this batch (did you mean 'c.avi'? videos: a tape.avi, "
            in refused.stderr
        )
        assert steered(tmp_path, "stop").returncode == 0
        batch.communicate(timeout=program.PATIENCE_S)
        assert batch.returncode == 130
        told, _ = reader.communicate(timeout=program.PATIENCE_S)
        assert reader.returncode == 0
        for sentence in (
            "Paused: by the user.",
            "The video b.avi is skipped. The reason: by the user.",
            "The batch is interrupted. 0 of 3 videos done.",
        ):
            assert sentence in told.splitlines()
        ended = steered(tmp_path, "pause")
        assert ended.returncode == 2
        assert ended.stderr == (
            "vhs-upscale: no batch is running in out ('vhs-upscale log out' shows what happened there)\n"
        )
    finally:
        for process in filter(None, (batch, reader)):
            process.kill()
            process.communicate()
