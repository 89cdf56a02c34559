"""All benchmarks that have a target one after the other, and a line for each: `scripts/bench`.

    python benchmarks/everything.py

What each of them measured goes to `benchmarks/results`, and the table of targets into `docs/benchmarks.md`.
One that fails or takes too long is a line of the table too.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TABLE = HERE.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- targets: written by scripts/bench -->\n", "<!-- end of targets -->\n"


@dataclass(frozen=True)
class Benchmark:
    """A program in this folder, how it is called here, and how long it may take."""

    name: str
    arguments: tuple[str, ...]
    limit_s: float


BENCHMARKS = (
    Benchmark("many_videos", ("--videos", "10", "1000", "10000", "--seconds", "10"), 300),
    Benchmark("tui", ("--seconds", "20"), 60),
    Benchmark("network", ("--rounds", "5"), 300),
    Benchmark("device_busy", ("--rounds", "1", "--frames", "100"), 200),
    Benchmark("ffmpeg_engine", ("--rounds", "1", "--seconds", "10"), 600),
    Benchmark("prediction", ("--rounds", "1"), 200),
    Benchmark("gap_memory", (), 400),
    Benchmark("makespan", ("--rounds", "1", "--batches", "20"), 200),
)


def run(benchmark: Benchmark) -> str | None:
    """Run one; why there is no result, None if there is."""
    print(f"{benchmark.name} …", flush=True)
    file = RESULTS / f"{benchmark.name}.json"
    program = HERE / f"{benchmark.name}.py"
    command = (sys.executable, program, *benchmark.arguments, "--json", file)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _, stderr = process.communicate(timeout=benchmark.limit_s)
        except subprocess.TimeoutExpired:
            # Whatever it started goes with it, or the next one would be measured beside that.
            os.killpg(process.pid, signal.SIGKILL)
            return f"took longer than {benchmark.limit_s:.0f} s"
    if process.returncode == 0:
        return None
    return (stderr.strip().splitlines() or [f"ended with {process.returncode}"])[-1]


def line(target: dict[str, Any]) -> str:
    """The line of one target."""
    limit = f"{'≥ ' if target['at_least'] else ''}{target['target']:g}"
    met = "met" if target["met"] else "not met"
    return f"| {target['name']} | {target['figure']:.3g} | {limit} | {met} |"


def main() -> None:
    """Run everything; the exit code is 0 if all of it could be measured."""
    RESULTS.mkdir(exist_ok=True)
    lines = ["| target | figure | at most (\u2265: at least) | |", "|---|---|---|---|"]
    machine, failed, started_s = "", 0, time.monotonic()
    for benchmark in BENCHMARKS:
        began_s = time.monotonic()
        problem = run(benchmark)
        print(f"  {time.monotonic() - began_s:.0f} s", flush=True)
        if problem is not None:
            failed += 1
            lines.append(f"| {benchmark.name} | not measured: {problem} | | |")
            continue
        result = json.loads((RESULTS / f"{benchmark.name}.json").read_text())
        machine = result["machine"]
        lines += map(line, result["targets"])
        for name, why in result.get("not_measured", {}).items():
            lines.append(f"| {name} | not measured: {why} | | |")
    print("\n".join(lines))
    print(f"{time.monotonic() - started_s:.0f} s in all, on {machine}")
    write(f"Measured on {machine}.\n\n" + "\n".join(lines) + "\n")
    sys.exit(int(failed > 0))


def write(table: str) -> None:
    """Put the table into the document, in the place of the one before."""
    before, rest = TABLE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    TABLE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
