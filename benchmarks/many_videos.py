"""What the orchestrator costs, from ten videos to ten thousand.

    python benchmarks/many_videos.py [--videos 10 100 1000 10000] [--seconds 20] [--json RESULT]

First `batch --dry-run` over as many files, all of which are remembered. Then the scheduler with its
journal, leases and printer, where four lanes make segments that only take time: its CPU time while they
do, and its cache. No frame is made, so that nothing but bookkeeping is measured.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from result import give, machine, target

import make
from clips import FFMPEG, make_clip
from vhsbatch.batch.leases import Leases
from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.events.bus import Bus
from vhsbatch.events.journal import Journal
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Progress
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.probe.cached import Probing
from vhsbatch.probe.probe import probe
from vhsbatch.scheduling.admission import Admission
from vhsbatch.scheduling.disk_space import DiskSpace
from vhsbatch.scheduling.scheduler import Scheduler
from vhsbatch.ui.printing import print_events
from vhsbatch.ui.text import TextPrinter

LANES = 4
# A segment of a real video takes longer; in shorter ones bookkeeping would weigh more.
SEGMENT_S = 10.0
PRESET = Preset(name="vhs")
DRY_RUN_S, CPU_PART, MEMORY_MIB = 20.0, 0.02, 150.0


# --- dry run -------------------------------------------------------------------------------------


async def fill(folder: Path, videos: int) -> None:
    """So many names of one clip, and a memory that knows all of them."""
    clip = make_clip(
        folder / "clip.avi", "-c:v", "ffv1", "-g", "1", "-c:a", "pcm_s16le", seconds=0.5, size="96x64"
    )
    source = folder / "in"
    source.mkdir()
    info = await probe(clip, ffmpeg=FFMPEG)
    cache = Cache(folder / "cache" / "vhsbatch" / "remembered.sqlite")
    probing = Probing(ffmpeg=await ffmpeg_tool(None), max_pixels=Settings().max_pixels, cache=cache)
    for number in range(videos):
        path = source / f"tape{number:05}.avi"
        path.hardlink_to(clip)
        probing.remember(replace(info, path=path, modified_ns=path.stat().st_mtime_ns))
    cache.close()


def dry_run(videos: int) -> dict[str, float]:
    """The time of a dry run over so many remembered files."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        anyio.run(fill, folder, videos)
        environment = {**os.environ, "HOME": place, "XDG_CACHE_HOME": str(folder / "cache")}
        command = (
            *(sys.executable, "-m", "vhsbatch.cli", "batch", "in", "out", "--dry-run"),
            *("--engine", "ffmpeg", "--encoder", "libx264"),
        )
        # How long videos of this kind take is tried out once, and remembered too.
        subprocess.run(
            (*command, "--max-count", "1"), cwd=folder, env=environment, capture_output=True, check=True
        )
        started_s, before = time.monotonic(), os.times()
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        after = os.times()
        assert done.stdout.count("frames in 1 segment") == videos
        return {
            "wall_s": time.monotonic() - started_s,
            "cpu_s": after.children_user
            + after.children_system
            - before.children_user
            - before.children_system,
        }


# --- scheduling ----------------------------------------------------------------------------------


class Waiting:
    """An executor whose segments take time and nothing else."""

    async def make_segment(self, plan: JobPlan, segment: Any, *, lane: int, tell: Any, **_: Any) -> Any:
        """Report twice a second, as FFmpeg does."""
        for step in range(int(2 * SEGMENT_S)):
            tell(
                Progress(
                    lane=lane,
                    job_id=plan.job.id,
                    stage="segment",
                    segment=segment.index,
                    done_frames=step,
                    total_frames=segment.frames,
                    frames_per_s=1.0,
                )
            )
            await anyio.sleep(0.5)
        return make.finished(plan, segment.index, lane)

    async def assemble(self, plan: JobPlan, *_: Any, **__: Any) -> Any:
        """Nothing is joined."""
        return make.published(plan)


async def schedule(videos: int, seconds: float) -> dict[str, float]:
    """What the bookkeeping costs while four lanes work on so many videos."""
    cost: dict[str, float] = {}
    planned = 0
    jobs = tuple(make.job(number, f"tape{number:05}") for number in range(1, videos + 1))

    async def planner(job: Job) -> JobPlan:
        nonlocal planned
        planned += 1
        if planned == videos:
            all_planned.set()
        # The preset is one for all, and the source's path is the job's.
        return make.plan(job, segments=8, preset=PRESET, info=make.info(path=job.source))

    all_planned = anyio.Event()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        leases = Leases(folder, "run")
        leases.begin(folder)
        async with await Journal.create(folder / "journal", "run") as journal:
            bus = Bus(BatchState(), journal.append)
            printer = TextPrinter(bus.state, verbose=False, out=io.StringIO(), err=io.StringIO())
            mailbox = bus.subscribe()
            await bus.emit(make.batch_started(*jobs, lanes=LANES))
            admission = Admission(bus.state, bus, claims=leases, disk_space=DiskSpace((folder,), 0))
            scheduler = Scheduler(bus.state, bus, Waiting(), planner, admission=admission, retries=0)  # type: ignore[arg-type]
            started_s = time.process_time()

            async def measure() -> None:
                await all_planned.wait()
                await anyio.sleep(1)
                before_s, wall_s = time.process_time(), time.monotonic()
                cost["planning_ms_a_video"] = 1000 * (before_s - started_s) / videos
                await anyio.sleep(seconds)
                cost["cpu_part"] = (time.process_time() - before_s) / (time.monotonic() - wall_s)
                cost["memory_mib"] = resident_mib()
                scheduler.stop()

            async with anyio.create_task_group() as group:
                group.start_soon(print_events, mailbox, printer)
                group.start_soon(measure)
                await scheduler.run()
                bus.close()
        leases.end()
    return cost


def resident_mib() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def in_a_process_of_its_own(videos: int, seconds: float) -> dict[str, float]:
    """Memory is never given back, so that each size begins anew."""
    done = subprocess.run(
        (sys.executable, __file__, "--one", str(videos), "--seconds", str(seconds)),
        capture_output=True,
        text=True,
        check=True,
    )
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def main() -> None:
    """Measure, print the figures beside the targets, and write them where it is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each batch is watched")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(anyio.run(partial(schedule, arguments.one, arguments.seconds))))
        return
    dry = {str(videos): dry_run(videos) for videos in arguments.videos}
    running = {str(videos): in_a_process_of_its_own(videos, arguments.seconds) for videos in arguments.videos}
    most = str(max(arguments.videos))
    cpu_part = max(cost["cpu_part"] for cost in running.values())
    memory_mib = max(cost["memory_mib"] for cost in running.values())
    result = {
        "machine": machine(),
        "lanes": LANES,
        "segment_s": SEGMENT_S,
        "dry_run": dry,
        "running": running,
        "targets": [
            target(f"dry run over {most} remembered files, s", dry[most]["wall_s"], DRY_RUN_S),
            target("orchestrator, part of a core", cpu_part, CPU_PART),
            target("orchestrator, memory in MiB", memory_mib, MEMORY_MIB),
        ],
    }
    give(result, arguments.json)


if __name__ == "__main__":
    main()
