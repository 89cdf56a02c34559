"""Memory for a source whose clock jumps ahead by 1,000 s, over that for the same source without the jump.

    python benchmarks/gap_memory.py [--gap 1000] [--json RESULT]

A clip of 40 frames, with the gap in its middle and without, in Matroska and in MPEG-TS. The figure is the
highest sum of the resident memory of the whole process tree of a batch with one worker, looked at 20 times a
second.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil
from result import give, machine, target

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
TARGET = 2.0
FRAMES, RATE, SIZE = 40, 10, "352x240"
LOOK_EVERY_S = 0.05
CODECS = {"mkv": ("-c:v", "ffv1", "-g", "1"), "ts": ("-c:v", "mpeg2video", "-q:v", "3", "-g", "5")}


def make_clip(file: Path, gap_s: float) -> None:
    """A clip in whose middle the clock jumps ahead; an hour old, so that nothing waits for it to grow."""
    jump = f"setpts=PTS+gte(N\\,{FRAMES // 2})*{gap_s}/TB"
    inputs = ("-f", "lavfi", "-i", f"testsrc2=s={SIZE}:r={RATE}", "-frames:v", str(FRAMES))
    options = ("-vf", jump, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", *CODECS[file.suffix[1:]])
    subprocess.run((FFMPEG, "-nostdin", "-v", "error", *inputs, *options, file), check=True)
    os.utime(file, (time.time() - 3600,) * 2)


def resident_bytes(process: psutil.Process) -> int:
    """What a process and all its descendants hold now."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return total


def peak_bytes(folder: Path, source: str) -> int:
    """The most that a batch held."""
    command = ("batch", source, f"{source} out", "-p", "clean", "-r", "240", "--engine", "ffmpeg")
    with subprocess.Popen(
        (sys.executable, "-m", "vhsbatch.cli", *command, "--parallel", "1", "--no-report", "--json"),
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        tree, most = psutil.Process(process.pid), 0
        while process.poll() is None:
            most = max(most, resident_bytes(tree))
            time.sleep(LOOK_EVERY_S)
    if process.returncode:
        raise SystemExit(f"the batch of {source} ended with {process.returncode}")
    return most


def measure(gap_s: float) -> dict[str, Any]:
    """Peaks with and without the gap, for each container."""
    peaks: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for container in CODECS:
            for name, jump_s in (("without", 0.0), ("with", gap_s)):
                source = f"{container} {name}"
                (folder / source).mkdir()
                make_clip(folder / source / f"tape.{container}", jump_s)
                peaks.setdefault(container, {})[name] = peak_bytes(folder, source) >> 20
    return {
        "machine": machine(),
        "gap_s": gap_s,
        "peak_mib": peaks,
        "targets": [
            target(
                f"peak memory with a gap of {gap_s:.0f} s over that without, {container}",
                peak["with"] / peak["without"],
                TARGET,
            )
            for container, peak in peaks.items()
        ],
    }


def main() -> None:
    """Measure, print the figures beside the target, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gap", type=float, default=1000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    give(measure(arguments.gap), arguments.json)


if __name__ == "__main__":
    main()
