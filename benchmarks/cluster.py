"""What a cluster costs: time per segment beside the work itself, and what more machines bring.

    python benchmarks/cluster.py [--segments 10000] [--sleep 0.5]

The executor, a scheduler and the workers are the real ones, each a process on this machine. A worker does
not run FFmpeg but sleeps, and writes a file of a few bytes: so the cores of one machine are no limit, and
what is measured is the way of a segment to a worker and back, with its file's name and proof. Then the
same clips are restored by real work, where two cores are a limit.
"""

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

import make  # noqa: E402
from clips import make_clip  # noqa: E402
from vhsbatch import __version__  # noqa: E402
from vhsbatch.cluster.address import Address, parse_address  # noqa: E402
from vhsbatch.cluster.head import ClusterExecutor  # noqa: E402
from vhsbatch.cluster.terms import Offer  # noqa: E402
from vhsbatch.cluster.tools import tools  # noqa: E402
from vhsbatch.config import Settings, load_settings  # noqa: E402
from vhsbatch.model.plan import JobPlan, Segment  # noqa: E402
from vhsbatch.pipeline.workplace import Workplace, segment_file  # noqa: E402
from vhsbatch.proc.tools import ffmpeg_tool  # noqa: E402

WORKERS = (1, 2, 4)
PRESETS = '[short]\ninherits = "vhs"\ntarget_height = 480\nsegment_s = 1\n'


# --- the worker that sleeps ----------------------------------------------------------------------------


def sleeping_worker(address: str, sleep_s: float) -> None:
    """Be a worker of which each segment takes `sleep_s`."""
    from vhsbatch.cluster import node
    from vhsbatch.cluster.program import help_cluster

    async def make_part(plan: JobPlan, segment: Segment, workplace: Workplace, part: Path, **how: Any) -> Any:
        del workplace
        await anyio.sleep(sleep_s)
        await anyio.Path(part).write_bytes(b"made")
        finished = make.finished(plan, 0, how["lane"])
        return replace(finished, segment=segment.index, file=segment_file(plan, segment), wall_s=sleep_s)

    node.make_part = make_part
    settings = own_settings(parallel=1)
    anyio.run(help_cluster, parse_address(address), settings, f"worker-{os.getpid()}", lambda line: None)


def own_settings(**values: object) -> Settings:
    """Settings that no file and no variable has a say in."""
    return load_settings(
        {"engine": "ffmpeg", **values}, cwd=Path("/"), environ={}, user_folder=Path("/nowhere")
    )


# --- the head --------------------------------------------------------------------------------------------


async def sleeping(workers: int, segments: int, sleep_s: float) -> dict[str, float]:
    """Make `segments` with `workers` that sleep; seconds, and the head's memory."""
    from vhsbatch.cluster.program import scheduler_at

    settings = own_settings()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "tape.avi"
        source.touch()
        job = replace(make.job(), source=source)
        info = make.info(path=source, size_bytes=0, modified_ns=source.stat().st_mtime_ns)
        plan = make.plan(job, info=info, segments=segments, frames=segments * 60)
        workplace = Workplace(
            ffmpeg="ffmpeg",
            temporary=Path(name),
            publishing=Path(name),
            threads_per_lane=1,
            niceness=0,
            stall_timeout_s=900,
        )
        async with scheduler_at(Address("tcp", "127.0.0.1", 0), settings) as address:
            command = [sys.executable, __file__, "--worker", str(address), "--sleep", str(sleep_s)]
            processes = [subprocess.Popen(command) for _ in range(workers)]  # noqa: ASYNC220
            try:
                offer = await sleeping_offer(Path(name))
                async with ClusterExecutor.connected(
                    address, settings, offer, workplace, assemblies=1
                ) as executor:
                    while executor.machines < workers:
                        await executor.look(lambda event: None)
                        await anyio.sleep(0.2)
                    return await drive(executor, plan, workers)
            finally:
                for process in processes:
                    process.terminate()
                for process in processes:
                    process.wait()


async def sleeping_offer(folder: Path) -> Offer:
    """An offer that this machine's own workers take."""
    version = (await ffmpeg_tool(None)).version
    return Offer(
        run_id="benchmark",
        version=__version__,
        tools=tools(ffmpeg_version=version, runtime="", device="cpu"),
        engine="ffmpeg",
        runtime="",
        on_cpu=True,
        encoder="libx264",
        lane_bytes=2**28,
        folder=folder,
        token=folder / "token",
        map_path=(),
    )


async def drive(executor: ClusterExecutor, plan: JobPlan, lanes: int) -> dict[str, float]:
    """Have every segment made, as many at a time as there are lanes."""
    waiting = iter(plan.segments)
    memory: list[float] = []
    times: list[float] = []

    async def lane(number: int) -> None:
        for segment in waiting:
            began_s = time.monotonic()
            await executor.make_segment(
                plan, segment, lane=number, attempt=1, fallback=0, tell=lambda event: None
            )
            times.append(time.monotonic() - began_s)
            if len(times) % max(1, len(plan.segments) // 20) == 0:
                memory.append(resident_mib())

    began_s, began_cpu_s = time.monotonic(), time.process_time()
    async with anyio.create_task_group() as group:
        for number in range(1, lanes + 1):
            group.start_soon(lane, number)
    wall_s = time.monotonic() - began_s
    return {
        "wall_s": round(wall_s, 2),
        "head_cpu_ms_per_segment": round((time.process_time() - began_cpu_s) / len(times) * 1000, 2),
        "median_segment_s": round(statistics.median(times), 4),
        "memory_first_mib": round(statistics.mean(memory[:4]), 1),
        "memory_last_mib": round(statistics.mean(memory[-4:]), 1),
    }


def resident_mib() -> float:
    """This process's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


# --- real work -------------------------------------------------------------------------------------------


def real(place: Path, cluster: str, rounds: int) -> float:
    """The median time in which a batch of real clips is restored."""
    times = []
    for number in range(rounds):
        command = [sys.executable, "-m", "vhsbatch.cli", "batch", "in", f"out-{cluster or 'one'}-{number}"]
        command += ["-p", "short", "--engine", "ffmpeg", "--no-tui"]
        command += ["--cluster", cluster] if cluster else ["--parallel", "2"]
        began_s = time.monotonic()
        subprocess.run(command, cwd=place, check=True, capture_output=True)
        times.append(time.monotonic() - began_s)
    return round(statistics.median(times), 1)


def real_work(rounds: int) -> dict[str, float]:
    """The same clips on this machine alone, and on clusters of workers on it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "in").mkdir()
        (place / "vhsbatch.toml").write_text('presets = ["presets.toml"]\n')
        (place / "presets.toml").write_text(PRESETS)
        for number in range(2):
            clip = place / "in" / f"tape{number}.avi"
            make_clip(clip, "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=6, size="352x240")
        ways = ("", *(f"local:{workers}" for workers in WORKERS))
        return {way or "without a cluster": real(place, way, rounds) for way in ways}


def measured(work: Callable[..., Awaitable[dict[str, float]]], *arguments: Any) -> dict[str, float]:
    """What `work` measures, in an event loop of its own."""
    result: dict[str, float] = anyio.run(work, *arguments)
    return result


def main() -> None:
    """Measure, print, and write the result down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker")
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--sleep", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.worker:
        sleeping_worker(options.worker, options.sleep)
        return
    result: dict[str, Any] = {"sleep_s": options.sleep, "sleeping": {}}
    for workers in WORKERS:
        segments = 40 * workers
        seen = measured(sleeping, workers, segments, options.sleep)
        ideal_s = math.ceil(segments / workers) * options.sleep
        result["sleeping"][workers] = {**seen, "efficiency": round(ideal_s / seen["wall_s"], 3)}
        print(workers, result["sleeping"][workers], flush=True)
    result["many"] = {"segments": options.segments, **measured(sleeping, 4, options.segments, 0.0)}
    print(result["many"], flush=True)
    result["real_s"] = real_work(options.rounds)
    print(result["real_s"], flush=True)
    (REPOSITORY / "benchmarks" / "results" / "cluster.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
