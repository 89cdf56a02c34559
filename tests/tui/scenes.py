"""Batches at interesting moments, for the interface to show; and a mailbox that a test fills."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import anyio
from PIL import Image

import make
from vhsbatch.errors import VhsBatchError
from vhsbatch.events.bus import Mailbox
from vhsbatch.events.commands import Command, Stop
from vhsbatch.events.events import (
    AssemblyStarted,
    BatchFinished,
    BatchPredicted,
    Event,
    Fact,
    JobFailed,
    JobPublished,
    JobSkipped,
    SegmentFailed,
)
from vhsbatch.events.job_state import JobState
from vhsbatch.events.state import BatchState, fold
from vhsbatch.events.telemetry import DeviceReading, DeviceReadings, DiskReading, LogLine, Progress
from vhsbatch.model.media import Damage, Gap
from vhsbatch.model.plan import JobPlan
from vhsbatch.restore.snapshot import Snapshot, SnapshotMaker, Stretch

NOW_S = 600.0


class Commands:
    """Keeps the wishes, or refuses them, and ends the batch when it is to stop."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.refusal: VhsBatchError | None = None
        self.stopped_by: int | None = None
        self.owns = True
        self.steerable = True
        self.standing = ""
        self.report: Path | None = Path("out/report.html")
        self.commands: list[Command] = []
        self._mailbox = mailbox

    def command(self, command: Command) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.commands.append(command)
        if isinstance(command, Stop):
            self.stopped_by = 2
            self._mailbox.close()


class SlowMailbox(Mailbox):
    """A mailbox that has been read when `drained` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.drained = anyio.Event()

    async def receive(self) -> list[Event]:
        if not self._arrived.is_set():
            self.drained.set()
        return await super().receive()


NAMES = (
    "birthday.dv",
    "Omas 80. Geburtstag [Kamera 2, Teil 1] - ungeschnittene Fassung vom Original.avi",
    "日本旅行 1998 📼.mpg",
    "odd\x1b[31m\nname.mov",
    "christmas 1994.avi",
    "wedding.mkv",
    "school play.dv",
    "garden.mp4",
    "holiday.mpg",
    "unknown tape.avi",
)


def plans(count: int) -> list[JobPlan]:
    made = []
    for number in range(1, count + 1):
        job = make.job(number)
        source = job.source.with_name(NAMES[(number - 1) % len(NAMES)])
        job = type(job)(id=job.id, index=number, source=source, output=job.output)
        made.append(make.plan(job, segments=number % 4 + 1, frames=6000 * number))
    return made


def progress(
    plan: JobPlan, lane: int, done: int, segment: int | None = 0, stage: str = "segment"
) -> Progress:
    return Progress(
        lane=lane,
        job_id=plan.job.id,
        stage=stage,
        segment=segment,
        done_frames=done,
        total_frames=plan.frames if segment is None else plan.segments[segment].frames,
        frames_per_s=24.6 * lane,
    )


def start() -> tuple[list[Fact], list[Event]]:
    jobs = [plan.job for plan in plans(4)]
    return [make.batch_started(*jobs, lanes=2)], []


def running(lanes: int) -> tuple[list[Fact], list[Event]]:
    """Every lane at work; one video done, one failed, one skipped, others waiting."""
    made = plans(lanes + 5)
    facts: list[Fact] = [make.batch_started(*(plan.job for plan in made), lanes=lanes)]
    facts += [make.planned(plan) for plan in made[:-1]]
    facts += [make.started(plan, lane=lane) for lane, plan in enumerate(made[:lanes], start=1)]
    done, failed, skipped = made[lanes : lanes + 3]
    facts += [make.started(done), *(make.finished(done, segment.index) for segment in done.segments)]
    facts += [
        JobPublished(
            at_s=400,
            job_id=done.job.id,
            fingerprint="f",
            size_bytes=734003200,
            sha256="s",
            frames=done.frames,
            wall_s=9,
        ),
        JobFailed(at_s=5, job_id=failed.job.id, reason="truncated: 2.2 s of 4.0 s are there"),
        JobSkipped(at_s=5, job_id=skipped.job.id, reason="already restored, as the journal proves"),
    ]
    telemetry: list[Event] = [LogLine(level="info", text="encoder: libx264, since no hardware encoder works")]
    # Where there are several lanes, they take turns on two cards.
    telemetry += [
        replace(progress(plan, lane, 500 * lane), device=str((lane - 1) % 2) if lanes > 1 else "cpu")
        for lane, plan in enumerate(made[:lanes], start=1)
    ]
    telemetry += [readings(gpus=2)] if lanes > 1 else []
    return facts, telemetry


def verifying() -> tuple[list[Fact], list[Event]]:
    (plan,) = plans(1)
    facts: list[Fact] = [make.batch_started(plan.job, lanes=1), make.planned(plan), make.started(plan)]
    facts += [make.finished(plan, segment.index) for segment in plan.segments]
    facts += [AssemblyStarted(at_s=500, job_id=plan.job.id, lane=1)]
    return facts, [progress(plan, 1, 3000, None, "verify")]


def tape(lanes: int = 3, segments: int = 120) -> tuple[list[Fact], list[Event]]:
    """One long tape with a hole and damage: a part of it is made, some of that after a failure."""
    job = replace(make.job(1), source=Path("/in/holiday 1991, all of it.dv"))
    rate = make.NTSC_RATE
    source = make.info(
        make.track(frames=1800 * segments, gaps=(Gap(start=30000, stop=33000),)),
        damage=Damage(frames=90, of_frames=1800 * segments, places=((Fraction(2400), Fraction(2403)),)),
    )
    plan = make.plan(job, segments=segments, frames=3600 * segments, info=source)
    assert plan.rate == 2 * rate
    facts: list[Fact] = [make.batch_started(job, lanes=lanes), make.planned(plan)]
    failures = (9, segments // 3 + 5)
    facts += [
        SegmentFailed(at_s=3, job_id=job.id, segment=each, attempt=1, lane=1, reason="no memory", final=False)
        for each in failures
    ]
    facts += [make.finished(plan, each) for each in range(segments // 3)]
    at_work = range(segments // 3, segments // 3 + lanes)
    facts += [make.started(plan, each, lane=lane) for lane, each in enumerate(at_work, start=1)]
    telemetry: list[Event] = [
        progress(plan, lane, 900 * lane, each) for lane, each in enumerate(at_work, start=1)
    ]
    return facts, [*telemetry, readings(gpus=0)]


def ended(outcome: str) -> tuple[list[Fact], list[Event]]:
    facts, _ = running(2)
    started = facts[0]
    facts.append(predicted())
    for plan in plans(7):
        if outcome == "complete" and plan.job.index not in (3, 4, 5):
            facts.append(
                JobPublished(
                    at_s=550,
                    job_id=plan.job.id,
                    fingerprint="f",
                    size_bytes=2**31,
                    sha256="s",
                    frames=1,
                    wall_s=9,
                )
            )
    assert started.kind == "batch_started"
    facts.append(
        BatchFinished(
            at_s=NOW_S,
            run_id="run",
            outcome="complete" if outcome == "complete" else "interrupted",
            exit_code=1,
        )
    )
    return facts, []


def predicted() -> BatchPredicted:
    return BatchPredicted(
        at_s=30,
        seconds_s=520,
        least_s=480,
        most_s=640,
        output_bytes=2**31,
        temporary_bytes=2**30,
        lane_bytes=2**29,
        gpu_bytes=None,
    )


def readings(*, gpus: int) -> DeviceReadings:
    """A machine with a CPU, some GPUs and a disk."""
    cpu = DeviceReading(
        id="cpu",
        name="AMD Ryzen 9 5950X",
        total_bytes=64 * 2**30,
        used_bytes=12 * 2**30,
        temperature_c=61.0,
        busy_percent=63,
    )
    cards = [
        DeviceReading(
            id=str(index),
            name="NVIDIA GeForce RTX 4090",
            total_bytes=24 * 2**30,
            used_bytes=4 * 2**30 + index * 2**29,
            temperature_c=70.0 + index,
            busy_percent=99 - index,
        )
        for index in range(gpus)
    ]
    disk = DiskReading(folder="/out", free_bytes=120 * 2**30)
    return DeviceReadings(devices=(cpu, *cards), disks=(disk,))


class Pictures(SnapshotMaker):
    """Makes pictures of two colours, at once, and keeps what was asked for.

    What the batch makes is green; each preset has a colour of its own.
    """

    def __init__(self) -> None:
        super().__init__(ffmpeg="ffmpeg", temporary=Path("/tmp"))
        object.__setattr__(self, "asked_for", [])

    asked_for: list[tuple[int, str | None]]

    @property
    def presets(self) -> tuple[str, ...]:
        return ("auto", "clean", "vhs")

    async def make(self, job: JobState, at_work_on: int | None, *, asked: bool = False) -> Snapshot | None:
        if job.plan is None:
            return None
        made = jpeg("green") if job.job.index % 2 else None
        frame = at_work_on or 0
        return Snapshot(at_s=frame / job.plan.rate, before=jpeg("#804000"), after=made, frame=frame)

    async def blank(self, job: JobState) -> tuple[Stretch, ...]:
        """A tape that begins with the deck's blue picture."""
        assert job.plan is not None
        return ((Fraction(0), job.plan.duration_s / 20),)

    async def at(
        self, job: JobState, frame: int, preset: str | None = None, *, niceness: int | None = None
    ) -> Snapshot | None:
        assert job.plan is not None
        self.asked_for.append((frame, preset))
        colours = {None: "green", "auto": "blue", "clean": "red", "vhs": "yellow"}
        return Snapshot(
            at_s=frame / job.plan.rate, before=jpeg("#804000"), after=jpeg(colours[preset]), frame=frame
        )


def jpeg(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (96, 72), colour).save(file, "JPEG")
    return file.getvalue()


def state_of(facts: list[Fact]) -> BatchState:
    return fold(facts)
