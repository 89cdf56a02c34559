"""What a cluster costs: time per segment beside the work itself, and what more machines bring.

    python benchmarks/cluster.py [--segments 10000] [--sleep 0.5]

The executor, a scheduler and the workers are the real ones, each a process on this machine. A worker does
not run FFmpeg but sleeps, and writes a file of a few bytes: so the cores of one machine are no limit, and
what is measured is the way of a segment to a worker and back, with its file's name and proof. Memory is given
near the beginning, in the middle and at the end. Then the
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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

import make  # noqa: E402
from clips import make_clip  # noqa: E402
from vhsbatch import __version__  # noqa: E402
from vhsbatch.cluster.address import parse_address  # noqa: E402
from vhsbatch.cluster.head import ClusterExecutor  # noqa: E402
from vhsbatch.cluster.protocol import Offer  # noqa: E402
from vhsbatch.cluster.tools import tools  # noqa: E402
from vhsbatch.config.settings import Settings  # noqa: E402
from vhsbatch.config.sources import load_settings  # noqa: E402
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool  # noqa: E402
from vhsbatch.model.plan import JobPlan, Segment  # noqa: E402
from vhsbatch.restore.workspace import Workspace, segment_file  # noqa: E402

WORKERS = (1, 2, 4)
PRESETS = '[short]\ninherits = "vhs"\ntarget_height = 480\nsegment_s = 1\n'


# --- the worker that sleeps ----------------------------------------------------------------------------


def sleeping_worker(address: str, sleep_s: float) -> None:
    """Be a worker of which each segment takes `sleep_s`."""
    from vhsbatch.cluster import worker_plugin as node
    from vhsbatch.cluster.program import help_cluster

    async def make_part(plan: JobPlan, segment: Segment, workspace: Workspace, part: Path, **how: Any) -> Any:
        del workspace
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


async def sleeping(workers: int, segments: int, sleep_s: float) -> dict[str, Any]:
    """Make `segments` with `workers` that sleep; seconds, and the head's memory."""
    settings = own_settings()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "tape.avi"
        source.touch()
        job = replace(make.job(), source=source)
        info = make.info(path=source, size_bytes=0, modified_ns=source.stat().st_mtime_ns)
        plan = make.plan(job, info=info, segments=segments, frames=segments * 60)
        workspace = Workspace(
            ffmpeg="ffmpeg",
            temporary=Path(name),
            publishing=Path(name),
            threads_per_lane=1,
            niceness=0,
            stall_timeout_s=900,
        )
        with scheduler() as (address, scheduler_pid), sleeping_workers(address, workers, sleep_s):
            offer = await sleeping_offer(Path(name))
            executor = ClusterExecutor(parse_address(address), settings, offer, workspace, assemblies=1)
            async with executor.connected():
                while executor.machines < workers:
                    await executor.look(lambda event: None)
                    await anyio.sleep(0.2)
                return await drive(executor, plan, workers, scheduler_pid)


@contextmanager
def scheduler() -> Iterator[tuple[str, int]]:
    """A scheduler: its address, and the number of its process."""
    command = [sys.executable, "-m", "vhsbatch.cli", "scheduler", "tcp://127.0.0.1:0"]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        said = process.stdout.readline() if process.stdout else ""
        yield said.partition("listens at ")[2].partition(";")[0], process.pid


@contextmanager
def sleeping_workers(address: str, count: int, sleep_s: float) -> Iterator[None]:
    """Workers that sleep."""
    command = [sys.executable, __file__, "--worker", address, "--sleep", str(sleep_s)]
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(ended(subprocess.Popen(command)))
        yield


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended on leaving."""
    try:
        yield process
    finally:
        process.terminate()
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


async def drive(executor: ClusterExecutor, plan: JobPlan, lanes: int, scheduler_pid: int) -> dict[str, Any]:
    """Have every segment made, as many at a time as there are lanes."""
    waiting = iter(plan.segments)
    memory: list[tuple[float, float]] = []
    times: list[float] = []

    async def lane(number: int) -> None:
        for segment in waiting:
            began_s = time.monotonic()
            await executor.make_segment(
                plan, segment, lane=number, attempt=1, fallback=0, tell=lambda event: None
            )
            times.append(time.monotonic() - began_s)
            if len(times) % max(1, len(plan.segments) // 20) == 0:
                memory.append((resident_mib(), resident_mib(scheduler_pid)))

    began_s, began_cpu_s = time.monotonic(), time.process_time()
    async with anyio.create_task_group() as group:
        for number in range(1, lanes + 1):
            group.start_soon(lane, number)
    wall_s = time.monotonic() - began_s
    return {
        "wall_s": round(wall_s, 2),
        "head_cpu_ms_per_segment": round((time.process_time() - began_cpu_s) / len(times) * 1000, 2),
        "median_segment_s": round(statistics.median(times), 4),
        **{
            f"{name}_memory_mib": [
                round(seen[place], 1) for seen in (memory[1], memory[len(memory) // 2], memory[-1])
            ]
            for place, name in enumerate(("head", "scheduler"))
        },
    }


def resident_mib(pid: int | str = "self") -> float:
    """A process's memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
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


def real_work(options: argparse.Namespace) -> dict[str, Any]:
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
        return {f"{way or 'without a cluster'}, s": real(place, way, options.rounds) for way in ways}


def measured(work: Callable[..., Awaitable[dict[str, Any]]], *arguments: Any) -> dict[str, Any]:
    """What `work` measures, in an event loop of its own."""
    result: dict[str, Any] = anyio.run(work, *arguments)
    return result


def main() -> None:
    """Measure, print, and write the result down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker")
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--sleep", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("sleeping", "many", "real"))
    options = parser.parse_args()
    if options.worker:
        sleeping_worker(options.worker, options.sleep)
        return
    path = REPOSITORY / "benchmarks" / "results" / "cluster.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    for name, measure in {"sleeping": sleeping_work, "many": many_segments, "real": real_work}.items():
        if options.only in (None, name):
            began = [round(load, 1) for load in os.getloadavg()]
            result[name] = {**measure(options), "load_average_before": began}
            print(name, json.dumps(result[name]), flush=True)
            path.write_text(json.dumps(result, indent=1) + "\n")


def sleeping_work(options: argparse.Namespace) -> dict[str, Any]:
    """What more machines bring, where the work itself needs none of this one's cores."""
    result: dict[str, Any] = {"sleep_s": options.sleep}
    for workers in WORKERS:
        segments = 40 * workers
        seen = measured(sleeping, workers, segments, options.sleep)
        ideal_s = math.ceil(segments / workers) * options.sleep
        result[f"{workers} workers"] = {**seen, "efficiency": round(ideal_s / seen["wall_s"], 3)}
    return result


def many_segments(options: argparse.Namespace) -> dict[str, Any]:
    """What so many segments leave behind in memory."""
    return {"segments": options.segments, **measured(sleeping, 4, options.segments, 0.0)}


if __name__ == "__main__":
    main()
