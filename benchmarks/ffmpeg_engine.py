"""What the program costs beside FFmpeg: a batch against the same filters and encoder by hand.

    python benchmarks/ffmpeg_engine.py [--rounds 5] [--clips 8] [--seconds 6] [--json RESULT]

By hand: one FFmpeg command for each clip, its graph and encoder arguments taken from the batch's own
records, with the sound, run by `xargs -P`; nothing is checked, nothing is kept for a crash. Both are
run in turns, and the medians compared. The batch probes, plans, makes segments, verifies and publishes
them, and keeps its journal; pictures for a report it does not make, since nothing by hand stands for them.
"""

import argparse
import json
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
from result import give, machine, target

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
LANES = 2
TARGET = 1.10
HEIGHT = "720"


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    wall_s: float
    cpu_s: float


def measured(command: list[str], folder: Path) -> Cost:
    """Run a command and everything that it starts."""
    # Whatever the rounds before found out about the clips is not remembered.
    environment = {**os.environ, "VHSBATCH_REMEMBER": "false"}
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - started_s, cpu_s)


def make_clips(folder: Path, count: int, seconds: float) -> None:
    """Interlaced, noisy clips with sound, of different pictures."""
    folder.mkdir()
    for number in range(count):
        make_clip(folder / f"tape{number}.dv", number, seconds)


def make_clip(path: Path, number: int, seconds: float) -> None:
    """One clip; its picture depends on its number."""
    scene = f"testsrc2=size=720x480:rate=60000/1001,hue=h={number * 40}"
    subprocess.run(
        [
            *(FFMPEG, "-v", "error", "-f", "lavfi", "-i", scene),
            *("-f", "lavfi", "-i", "sine=r=48000", "-t", str(seconds), "-ac", "2"),
            *("-vf", "noise=c0s=6:c0f=t,interlace=scan=bff:lowpass=0", "-target", "ntsc-dv", path),
        ],
        check=True,
    )
    os.utime(path, (0, 0))  # a file that has just been written would be waited for


def batch_command() -> list[str]:
    """The batch."""
    return [
        *(sys.executable, "-m", "vhsbatch.cli", "batch", "in", "out", "-r", HEIGHT, "--encoder", "libx264"),
        *("--engine", "ffmpeg", "--parallel", str(LANES), "--no-tui", "--no-report"),
    ]


def commands_by_hand(records: list[Path]) -> str:
    """A line for each clip: the batch's own graph and encoder, with the sound."""
    lines = []
    for record in records:
        content = json.loads(record.read_text())
        (chain,) = (segment["commands"] for segment in content["segments"])
        words = shlex.split(chain[0])
        output = words.index("-map_metadata")
        sound = ["-map", "0:a", "-c:a", "aac"]
        lines.append(shlex.join([*words[:output], *sound, "-y", f"hand/{content['output']['path']}"]))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print a table, and write the result where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_clips(folder / "in", arguments.clips, arguments.seconds)
        by_hand = ["xargs", "-P", str(LANES), "-d", "\n", "-n", "1", "-a", "commands", "sh", "-c"]
        costs: dict[str, list[Cost]] = {"batch": [], "by hand": []}
        for _ in range(arguments.rounds):
            shutil.rmtree(folder / "out", ignore_errors=True)
            costs["batch"].append(measured(batch_command(), folder))
            (folder / "commands").write_text(commands_by_hand(sorted((folder / "out").glob("*.json"))))
            shutil.rmtree(folder / "hand", ignore_errors=True)
            (folder / "hand").mkdir()
            costs["by hand"].append(measured(by_hand, folder))
    wall = {name: statistics.median(cost.wall_s for cost in made) for name, made in costs.items()}
    cpu = {name: statistics.median(cost.cpu_s for cost in made) for name, made in costs.items()}
    result = {
        "machine": machine(),
        "clips": arguments.clips,
        "seconds_each": arguments.seconds,
        "rounds": arguments.rounds,
        "wall_s": wall,
        "cpu_s": cpu,
        "wall_ratio": wall["batch"] / wall["by hand"],
        "cpu_ratio": cpu["batch"] / cpu["by hand"],
        "targets": [
            target(f"FFmpeg engine, {what} over that by hand", ratio, TARGET)
            for what, ratio in (
                ("wall time", wall["batch"] / wall["by hand"]),
                ("CPU time", cpu["batch"] / cpu["by hand"]),
            )
        ],
    }
    give(result, arguments.json)


if __name__ == "__main__":
    main()
