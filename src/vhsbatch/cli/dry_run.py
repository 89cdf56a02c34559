"""`--dry-run`: every video is planned, and nothing is done."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.batch.ledger import read_ledger
from vhsbatch.batch.request import BatchRequest
from vhsbatch.batch.run import environment_of, temporary_folder
from vhsbatch.errors import VhsBatchError
from vhsbatch.events.describe import describe_plans, predicted
from vhsbatch.events.events import BatchPredicted
from vhsbatch.formatting import duration, size
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.restore.calibration import calibrate
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.disk_space import DiskSpace, result_bytes
from vhsbatch.scheduling.environment import Environment
from vhsbatch.scheduling.measuring import Records
from vhsbatch.scheduling.planning import Choosing
from vhsbatch.scheduling.prediction import Remaining, Sample, estimate, kind_of, lanes_at_work, predict


async def preview(request: BatchRequest, show: Callable[[str], None]) -> int:
    """Plan every video, say what would be done, and do nothing (`--dry-run`).

    Returns:
        The exit code: 1 if a video could not be planned.
    """
    environment = await environment_of(request)
    ledger = await anyio.to_thread.run_sync(read_ledger, request.folder)
    choosing = Choosing(
        intent=environment.intent,
        rules=request.rules,
        standing=lambda job: ledger.standing(job, records=request.rules.records),
    )
    plans: dict[str, JobPlan | str | VhsBatchError] = {}
    remarks: dict[str, str] = {}
    limiter = anyio.CapacityLimiter(max(2, environment.lanes))

    async def plan(job: Job) -> None:
        async with limiter:
            try:
                plans[job.id], remarks[job.id] = await choosing.plan(job)
            except VhsBatchError as error:
                plans[job.id] = error

    async with anyio.create_task_group() as group:
        for job in request.jobs:
            group.start_soon(plan, job)
    planned = [made for job in request.jobs if isinstance(made := plans[job.id], JobPlan)]
    records = Records(environment.intent.cache)
    lanes = lanes_at_work(map(_whole, planned), environment.lanes)
    for plan_of_kind in await anyio.to_thread.run_sync(_unknown, planned, records):
        await _calibrate(plan_of_kind, records, request, environment, lanes)
    estimates, total = _estimates(planned, records, environment)
    disk_space = DiskSpace(
        (temporary_folder(request.folder, request.settings.temp_dir), request.folder),
        request.settings.min_free_mib * 2**20,
    )
    forecast = disk_space.forecast(plan for plan in plans.values() if isinstance(plan, JobPlan))
    details = environment.details if request.verbose else ()
    notes = (*request.notes, *environment.notes, *details)
    for line in describe_plans(request.jobs, plans, environment.lanes, notes, estimates, remarks=remarks):
        show(line)
    if not planned:
        show("In all: nothing to do")
    elif total is not None:
        show(f"In all: {predicted(total)}")
    else:
        show("In all: not known, nothing was measured")
    if forecast is not None:
        show(f"Warning: {forecast}")
    return int(any(isinstance(plan, VhsBatchError) for plan in plans.values()))


# Kinds of work that are tried out; others are left without an estimate.
_MOST_KINDS = 3


def _unknown(plans: Sequence[JobPlan], records: Records) -> list[JobPlan]:
    """The longest plan of each kind of work that was never measured, the kinds with most frames first."""
    frames: Counter[str] = Counter()
    longest: dict[str, JobPlan] = {}
    for plan in plans:
        if not records.of(plan).segments:
            kind = kind_of(plan)
            frames[kind] += plan.frames
            longest[kind] = max(longest.get(kind, plan), plan, key=lambda one: one.frames)
    return [longest[kind] for kind, _ in frames.most_common(_MOST_KINDS)]


async def _calibrate(
    plan: JobPlan, records: Records, request: BatchRequest, environment: Environment, lanes: int
) -> None:
    """Make short pieces of a video, `lanes` at a time, and keep what they took."""
    with tempfile.TemporaryDirectory(prefix="vhsbatch-") as folder:
        workspace = Workspace(
            ffmpeg=environment.intent.ffmpeg.path,
            temporary=Path(folder),
            publishing=Path(folder),
            threads_per_lane=max(1, environment.threads // environment.lanes),
            niceness=request.settings.nice,
            stall_timeout_s=request.settings.stall_timeout_s,
            vapoursynth_python=request.settings.vapoursynth_python,
        )
        tried = await calibrate(plan, workspace, lanes=lanes)
    record = records.of(plan)
    for frames, wall_s in tried.pieces:
        record = record.with_segment(Sample(frames, wall_s, lanes))
    made_frames = sum(frames for frames, _ in tried.sizes)
    if made_frames and record.bytes_per_frame is None:
        made_bytes = sum(size_bytes for _, size_bytes in tried.sizes)
        record = replace(record, bytes_per_frame=made_bytes / made_frames)
    await anyio.to_thread.run_sync(records.keep, plan, record)


def _estimates(
    plans: Sequence[JobPlan], records: Records, environment: Environment
) -> tuple[dict[str, str], BatchPredicted | None]:
    """What each video takes, in words, and all of them together."""
    threads = environment.threads
    usual_bytes = {plan.job.id: result_bytes(plan) for plan in plans}
    videos = list(map(_whole, plans))
    lanes = lanes_at_work(videos, environment.lanes)
    words = {}
    for left in videos:
        id_ = left.plan.job.id
        one = estimate(
            left, records.of(left.plan), lanes=lanes, threads=threads, usual_bytes=usual_bytes[id_]
        )
        if one is not None:
            least, most = (duration(one.seconds_s * part) for part in (1 - one.spread, 1 + one.spread))
            words[id_] = (
                f"about {duration(one.seconds_s)} of one worker ({least} to {most}), {size(one.size_bytes)}"
            )
    every = records.of_all(plans)
    total = predict(
        videos, every, lanes=environment.lanes, threads=threads, usual_bytes=usual_bytes, at_s=time.time()
    )
    return words, total


def _whole(plan: JobPlan) -> Remaining:
    """All of a video."""
    return Remaining(plan, tuple(segment.frames for segment in plan.segments))
