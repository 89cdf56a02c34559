"""How long a batch takes beside what no schedule can beat: full lanes, and the longest piece of work.

    python benchmarks/makespan.py [--batches 100] [--rounds 3] [--json RESULT]

Simulated: random batches of tapes, their pieces given out by the policy on a clock that jumps. Real: a
batch of clips of mixed lengths and one long one, measured by its journal. Each figure is the time from the
first start to the last end over ``max(all work / lanes, longest piece)``.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from batches import LANES, events_of_batch
from result import machine, target, write

import make
from simulation import Costs, simulate
from vhsbatch.restore.geometry import cut

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
TARGET = 1.05
# Lengths of the clips in seconds: the last is as long as all others.
CLIP_LENGTHS_S = (3, 5, 4, 7, 6, 25)
# As measured on two cores: frames of a lane, programs that start and the frames before a segment, packets
# that are joined.
COSTS = Costs(frame_s=0.04, segment_s=4.0, assembly_frame_s=0.0005, plan_s=2.0)
# Short segments, so that a clip has as many pieces as a tape.
PRESET = """
[bench]
description = "short segments"
target_height = 240
segment_s = 1
[bench.video]
encoder = "libx264"
"""


def simulated(batches: int) -> dict[str, Any]:
    """Ratios of random batches, for 1 to 8 lanes."""
    chance = random.Random(1)
    ratios: dict[int, list[float]] = {}
    for lanes in (1, 2, 3, 4, 8):
        for _ in range(batches):
            tapes = [chance.randint(300, 7200) for _ in range(chance.randint(1, 16))]
            plans = []
            for number, seconds in enumerate(tapes, start=1):
                frames = seconds * 60
                plan = make.plan(make.job(number), frames=frames)
                plans.append(replace(plan, segments=cut(frames, plan.rate, 60)))
            if sum(len(plan.segments) for plan in plans) < 20 * lanes:
                continue  # with fewer than 20 pieces a lane, one piece is more than 5 %
            outcome = simulate(plans, lanes=lanes, costs=COSTS)
            ratios.setdefault(lanes, []).append(outcome.makespan_s / outcome.least_s)
    every = [ratio for of_lanes in ratios.values() for ratio in of_lanes]
    return {
        "batches": len(every),
        "median": statistics.median(every),
        "worst": max(every),
        "worst_by_lanes": {str(lanes): max(of_lanes) for lanes, of_lanes in ratios.items()},
        "within_target": sum(ratio <= TARGET for ratio in every) / len(every),
    }


def make_clips(folder: Path) -> None:
    """Interlaced clips of mixed lengths."""
    folder.mkdir()
    for number, seconds in enumerate(CLIP_LENGTHS_S):
        scene = f"testsrc2=size=352x240:rate=60000/1001,hue=h={number * 40}"
        path = folder / f"tape{number}.mkv"
        filters = "noise=c0s=6:c0f=t,interlace=scan=tff:lowpass=0"
        subprocess.run(
            [
                *(FFMPEG, "-v", "error", "-f", "lavfi", "-i", scene, "-t", str(seconds)),
                *("-vf", filters, "-c:v", "ffv1", "-g", "1", path),
            ],
            check=True,
        )
        os.utime(path, (0, 0))  # a file that has just been written would be waited for


def real(folder: Path) -> float:
    """The ratio of one batch."""
    arguments = ("in", "out", "--preset", "bench", "--field-order", "tff")
    return ratio_of(events_of_batch(arguments, folder, {"VHSBATCH_PRESETS": str(folder / "bench.toml")}))


def ratio_of(events: Any) -> float:
    """Time from the first start to the last end over the least that it could have been."""
    begun: dict[tuple[str, int | None], float] = {}
    pieces: list[tuple[float, float]] = []
    for event in events:
        match event["kind"]:
            case "segment_started":
                begun[event["job_id"], event["segment"]] = event["at_s"]
            case "assembly_started":
                begun[event["job_id"], None] = event["at_s"]
            case "segment_finished":
                pieces.append((begun[event["job_id"], event["segment"]], event["at_s"]))
            case "job_published":
                pieces.append((begun[event["job_id"], None], event["at_s"]))
    lengths_s = [end_s - start_s for start_s, end_s in pieces]
    least_s = max(sum(lengths_s) / LANES, *lengths_s)
    return (max(end_s for _, end_s in pieces) - min(start_s for start_s, _ in pieces)) / least_s


def measure(batches: int, rounds: int) -> dict[str, Any]:
    """Both figures, and whether they meet the target."""
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_clips(folder / "in")
        (folder / "bench.toml").write_text(PRESET)
        for number in range(rounds):
            ratios.append(real(folder))
            (folder / "out").rename(folder / f"out{number}")
    in_simulation = simulated(batches)
    figure = statistics.median(ratios)
    return {
        "machine": machine(),
        "simulated": in_simulation,
        "real": {"lanes": LANES, "clips_s": CLIP_LENGTHS_S, "ratios": ratios, "median": figure},
        "targets": [
            target("makespan over its lower bound, simulated, worst", in_simulation["worst"], TARGET),
            target("makespan over its lower bound, real", figure, TARGET),
        ],
    }


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=40, help="random batches for each number of lanes")
    parser.add_argument("--rounds", type=int, default=3, help="real batches")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    result = measure(arguments.batches, arguments.rounds)
    simulation, batch = result["simulated"], result["real"]
    print(
        f"makespan, simulated: {simulation['median']:.3f} (worst {simulation['worst']:.3f}) "
        f"over {simulation['batches']} batches, target {TARGET}"
    )
    print(f"makespan, real: {batch['median']:.3f}, target {TARGET}")
    print("met" if all(one["met"] for one in result["targets"]) else "not met")
    write(result, arguments.json)


if __name__ == "__main__":
    main()
