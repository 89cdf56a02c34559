"""`--dry-run`: every video is planned, and nothing is done."""

import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread

from vhsbatch.batch.ledger import read_ledger
from vhsbatch.batch.request import BatchRequest
from vhsbatch.batch.run import environment_of, temporary_folder
from vhsbatch.cli.options import DisplayOptions
from vhsbatch.errors import VhsBatchError
from vhsbatch.events.describe import describe_outcome, predicted
from vhsbatch.events.events import BatchPredicted, Event, JobFailed, JobPlanned, JobSkipped
from vhsbatch.events.serialize import dump
from vhsbatch.events.telemetry import LogLine
from vhsbatch.formatting import counted, duration, plain, size
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.process.stalls import no_stall
from vhsbatch.restore.calibration import calibrate
from vhsbatch.scheduling.disk_space import DiskSpace, result_bytes
from vhsbatch.scheduling.environment import Environment
from vhsbatch.scheduling.measuring import Records
from vhsbatch.scheduling.planning import Choosing
from vhsbatch.scheduling.prediction import Remaining, Sample, estimate, kind_of, predict
from vhsbatch.ui.text import say, show_line

# What takes longer than this is named on standard error while the listing waits for it.
_WORTH_NAMING_S = 1.0

Outcome = JobPlan | str | VhsBatchError


class Listing(Protocol):
    """A way to print what would be done."""

    def begin(self, videos: int, lanes: int, notes: tuple[str, ...]) -> None:
        """What holds for all videos."""
        ...

    def video(self, job: Job, of: int, outcome: Outcome, estimated: str, remark: str) -> None:
        """One video."""
        ...

    def end(self, total: BatchPredicted | None, *, planned: int, warning: str | None) -> None:
        """All videos together."""
        ...

    def wait_for(self, what: str) -> None:
        """Name what takes time, in a few words."""
        ...


async def preview(request: BatchRequest, display: DisplayOptions) -> int:
    """Plan every video, say what would be done, and do nothing (`--dry-run`).

    Each video is printed as soon as it and those before it are planned.

    Returns:
        The exit code: 1 if a video could not be planned.
    """
    listing: Listing = _JsonListing() if display.json else _TextListing(quiet=display.quiet)
    environment = await environment_of(request)
    ledger = await anyio.to_thread.run_sync(read_ledger, request.folder)
    choosing = Choosing(
        intent=environment.intent,
        rules=request.rules,
        standing=lambda job: ledger.standing(job, records=request.rules.records),
    )
    details = environment.details if request.verbose else ()
    notes = (*request.notes, *environment.notes, *details)
    listing.begin(len(request.jobs), environment.lanes, notes)
    dry_run = _DryRun(request, environment, choosing, Records(environment.intent.cache), listing)
    return await dry_run.run()


@dataclass(slots=True)
class _DryRun:
    request: BatchRequest
    environment: Environment
    choosing: Choosing
    records: Records
    listing: Listing
    _outcomes: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    _ready: dict[str, anyio.Event] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)

    async def run(self) -> int:
        jobs = self.request.jobs
        self._ready = {job.id: anyio.Event() for job in jobs}
        limiter = anyio.CapacityLimiter(max(2, self.environment.lanes))
        async with anyio.create_task_group() as group:
            waiting = iter(jobs)
            for _ in range(int(limiter.total_tokens)):
                group.start_soon(self._plan_next, waiting, limiter)
            for job in jobs:
                await self._show(job, limiter)
        outcomes = [outcome for outcome, _ in self._outcomes.values()]
        plans = [outcome for outcome in outcomes if isinstance(outcome, JobPlan)]
        disk_space = DiskSpace(
            (temporary_folder(self.request.folder, self.request.settings.temp_dir), self.request.folder),
            self.request.settings.min_free_mib * 2**20,
        )
        total = await anyio.to_thread.run_sync(self._total, plans)
        self.listing.end(total, planned=len(plans), warning=disk_space.forecast(plans))
        return int(any(isinstance(outcome, VhsBatchError) for outcome in outcomes))

    async def _plan_next(self, waiting: Iterator[Job], limiter: anyio.CapacityLimiter) -> None:
        for job in waiting:
            async with limiter:
                try:
                    async with no_stall("measuring", self.request.settings.stall_timeout_s):
                        self._outcomes[job.id] = await self.choosing.plan(job)
                except VhsBatchError as error:
                    self._outcomes[job.id] = error, ""
            self._ready[job.id].set()

    async def _show(self, job: Job, limiter: anyio.CapacityLimiter) -> None:
        ready = self._ready[job.id]
        with anyio.move_on_after(_WORTH_NAMING_S):
            await ready.wait()
        if not ready.is_set():
            self.listing.wait_for(f"measuring {job.source.name}")
            await ready.wait()
        outcome, remark = self._outcomes[job.id]
        estimated = ""
        if isinstance(outcome, JobPlan):
            await self._calibrate(outcome, limiter)
            estimated = await anyio.to_thread.run_sync(self._estimate, outcome)
        self.listing.video(job, len(self.request.jobs), outcome, estimated, remark)

    async def _calibrate(self, plan: JobPlan, limiter: anyio.CapacityLimiter) -> None:
        """Make a few frames of a kind that was never measured, and keep what they took."""
        record = await anyio.to_thread.run_sync(self.records.of, plan)
        if record.segments or record.trial or kind_of(plan) in self._tried:
            return
        self._tried.add(kind_of(plan))
        self.listing.wait_for(
            f"trying a few frames of {plan.job.source.name} to predict how long they take "
            f"({plan.width}x{plan.height}, preset {plan.preset.name})"
        )
        environment, settings = self.environment, self.request.settings
        async with _alone(limiter):
            with tempfile.TemporaryDirectory(prefix="vhsbatch-") as folder:
                workspace = environment.workspace_in(Path(folder), settings)
                pieces, bytes_per_frame = await calibrate(plan, workspace)
        record = replace(record, trial=tuple(Sample(frames, wall_s, 1) for frames, wall_s in pieces))
        if record.bytes_per_frame is None:
            record = replace(record, bytes_per_frame=bytes_per_frame)
        await anyio.to_thread.run_sync(self.records.keep, plan, record)

    def _estimate(self, plan: JobPlan) -> str:
        """What a video takes, in words; empty if that is not known."""
        left = _whole(plan)
        busy = max(len(self.request.jobs), len(left.segments))
        one = estimate(
            left,
            self.records.of(plan),
            lanes=min(self.environment.lanes, busy),
            threads=self.environment.threads,
            usual_bytes=result_bytes(plan),
        )
        if one is None:
            return ""
        least, most = (duration(one.seconds_s * part) for part in (1 - one.spread, 1 + one.spread))
        return f"about {duration(one.seconds_s)} of one worker ({least} to {most}), {size(one.size_bytes)}"

    def _total(self, plans: list[JobPlan]) -> BatchPredicted | None:
        return predict(
            [_whole(plan) for plan in plans],
            self.records.of_all(plans),
            lanes=self.environment.lanes,
            threads=self.environment.threads,
            usual_bytes={plan.job.id: result_bytes(plan) for plan in plans},
            at_s=time.time(),
        )


@asynccontextmanager
async def _alone(limiter: anyio.CapacityLimiter) -> AsyncIterator[None]:
    """Wait until nothing else is under way, and let nothing begin: it would disturb what is timed."""
    tokens = [object() for _ in range(int(limiter.total_tokens))]
    held = []
    try:
        for token in tokens:
            await limiter.acquire_on_behalf_of(token)
            held.append(token)
        yield
    finally:
        for token in held:
            limiter.release_on_behalf_of(token)


def _whole(plan: JobPlan) -> Remaining:
    """All of a video."""
    return Remaining(plan, tuple(segment.frames for segment in plan.segments))


class _TextListing:
    """Lines for people."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def begin(self, videos: int, lanes: int, notes: tuple[str, ...]) -> None:
        show_line(f"Dry run: {counted(videos, 'video')}, {counted(lanes, 'worker')}")
        for note in notes:
            show_line(plain(note))

    def video(self, job: Job, of: int, outcome: Outcome, estimated: str, remark: str) -> None:
        for line in describe_outcome(job, of, outcome, estimate=estimated, remark=remark):
            show_line(line)

    def end(self, total: BatchPredicted | None, *, planned: int, warning: str | None) -> None:
        if not planned:
            show_line("In all: nothing to do")
        elif total is None:
            show_line("In all: not known, nothing was measured")
        else:
            show_line(f"In all: {predicted(total)}")
        if warning is not None:
            show_line(f"Warning: {plain(warning)}")

    def wait_for(self, what: str) -> None:
        if not self._quiet:
            say(f"{what} …")


class _JsonListing:
    """One JSON event a line, of the kinds that a batch prints (`--json`)."""

    def _put(self, event: Event) -> None:
        show_line(dump(event))

    def begin(self, videos: int, lanes: int, notes: tuple[str, ...]) -> None:
        for text in (f"dry run: {counted(videos, 'video')}, {counted(lanes, 'worker')}", *notes):
            self._put(LogLine(level="info", text=text, at_s=time.time()))

    def video(self, job: Job, of: int, outcome: Outcome, estimated: str, remark: str) -> None:
        now_s = time.time()
        match outcome:
            case JobPlan() as plan:
                self._put(JobPlanned(at_s=now_s, job_id=job.id, plan=plan))
            case str() as reason:
                self._put(JobSkipped(at_s=now_s, job_id=job.id, reason=reason))
            case error:
                self._put(JobFailed(at_s=now_s, job_id=job.id, reason=str(error)))
        for text in filter(None, (estimated, remark)):
            self._put(LogLine(level="info", text=text, job_id=job.id, at_s=now_s))

    def end(self, total: BatchPredicted | None, *, planned: int, warning: str | None) -> None:
        if total is not None and planned:
            self._put(total)
        if warning is not None:
            self._put(LogLine(level="warning", text=warning, at_s=time.time()))

    def wait_for(self, what: str) -> None:
        """Nothing but JSON is printed."""
