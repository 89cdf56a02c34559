"""SIGKILL at random moments, over and over: nothing finished is lost, and the result is the same."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

import program
from clips import make_clip
from vhsbatch.events.events import Fact, SegmentFinished
from vhsbatch.events.journal import read_journal

pytestmark = [pytest.mark.slow]

ROUNDS = int(os.environ.get("VHSBATCH_CHAOS_ROUNDS", "25"))
SEED = int(os.environ.get("VHSBATCH_CHAOS_SEED", "1987"))
LANES = 2

PRESETS = """
[short]
inherits = "vhs"
target_height = 240
segment_s = 1
ai_segment_s = 1

[tiny]
inherits = "short"
target_height = 120
"""


def prepare(place: Path) -> None:
    (place / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
    (place / "presets.toml").write_text(PRESETS)


def kill_orchestrator(process: subprocess.Popen[str], _: random.Random) -> None:
    process.kill()


def kill_group(process: subprocess.Popen[str], _: random.Random) -> None:
    """As when a machine's memory runs out, or its plug is pulled."""
    for pid in [process.pid, *program.children(process.pid)]:
        kill_process(pid)


def kill_child(process: subprocess.Popen[str], chance: random.Random) -> None:
    alive = program.children(process.pid)
    if alive:
        kill_process(chance.choice(alive))


def kill_process(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


def rounds(place: Path, options: tuple[str, ...], count: int, longest_s: float) -> None:
    """Run the batch, kill something, and go on, `count` times; then let it end."""
    chance = random.Random(SEED)
    ways = (kill_orchestrator, kill_child, kill_group)
    resume: tuple[str, ...] = ()
    for number in range(count):
        process = program.start("batch", "in", "out", *options, *resume, "--retries", "100", cwd=place)
        resume = ("--resume",)
        time.sleep(chance.uniform(0.2, longest_s))
        way = ways[number % len(ways)]
        way(process, chance)
        if way is kill_child:
            time.sleep(chance.uniform(0.0, 0.5))
            kill_orchestrator(process, chance)
        process.communicate(timeout=program.PATIENCE_S)
        program.wait_until_gone(place)
    done = program.run("batch", "in", "out", *options, *resume, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr


def assert_nothing_lost(place: Path, options: tuple[str, ...], kills: int) -> None:
    whole = program.run("batch", "in", "whole", *options, cwd=place)
    assert whole.returncode == 0, whole.stderr
    names = sorted(path.name for path in (place / "whole").iterdir() if path.suffix in (".mp4", ".mkv"))
    assert names
    for name in names:
        assert program.frame_digests(place / "out" / name) == program.frame_digests(place / "whole" / name)
    left = [path for path in (place / "out" / ".vhsbatch").rglob("*") if path.is_file()]
    assert [path for path in left if path.suffix not in (".jsonl", ".jpg")] == []

    # What was finished was not made again: a kill costs each lane at most what it was at.
    facts: list[Fact] = list(read_journal(place / "out" / ".vhsbatch" / "journal"))
    made = Counter((fact.job_id, fact.segment) for fact in facts if isinstance(fact, SegmentFinished))
    again = sum(made.values()) - len(made)
    assert again <= kills * LANES
    assert again == 0, "a finished segment was made again"


def test_with_the_ffmpeg_engine(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "in").mkdir()
    for number, scan in enumerate(("tff", "bff"), start=1):
        make_clip(
            tmp_path / "in" / f"tape{number}.avi",
            *("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le"),
            scan=scan,
            seconds=4,
            size="720x480",
        )
    options = ("-p", "short", "--parallel", str(LANES))
    kills = ROUNDS * 4 // 5
    rounds(tmp_path, options, kills, longest_s=4.0)
    assert_nothing_lost(tmp_path, options, kills)


@pytest.mark.exhaustive
def test_with_the_network(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "in").mkdir()
    make_clip(
        tmp_path / "in" / "tape.avi",
        *("-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le"),
        seconds=3,
        size="64x48",
    )
    options = ("-p", "tiny", "--parallel", str(LANES), "--engine", "realesrgan", "--device", "cpu")
    kills = max(1, ROUNDS // 5)
    rounds(tmp_path, options, kills, longest_s=6.0)
    assert_nothing_lost(tmp_path, options, kills)
