"""What happens in a batch, as values: facts are kept permanently, telemetry is only shown.

A *fact* is written to the journal before anybody is told; the fold of all facts is the batch's
state (`vhsbatch.events.state`). *Telemetry* (`vhsbatch.events.telemetry`) may be dropped at any time and
nothing is lost.
"""

from dataclasses import dataclass
from typing import Literal

from vhsbatch.events.telemetry import Telemetry
from vhsbatch.model.plan import Job, JobPlan
from vhsbatch.model.source import SourceIdentity
from vhsbatch.model.trim import NO_TRIM, Trim

# Why a batch is paused that the user has paused.
PAUSED_BY_USER = "by the user"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStarted:
    """A run began: of a new batch, or of an interrupted one.

    Attributes:
        at_s: seconds since the epoch, as in every fact.
        run_id: names this run.
        input: IN as the user typed it.
        output: OUT as the user typed it.
        options: every option that affects the result, for `--resume`.
        jobs: all videos of the batch in order.
        lanes: the size of the lane limiter.
        resumed: whether segments that earlier runs finished count.
    """

    at_s: float
    run_id: str
    input: str
    output: str
    options: dict[str, str]
    jobs: tuple[Job, ...]
    lanes: int
    resumed: bool = False
    kind: Literal["batch_started"] = "batch_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlanned:
    """A source was probed and its plan decided."""

    at_s: float
    job_id: str
    plan: JobPlan
    kind: Literal["job_planned"] = "job_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStarted:
    """A lane began an attempt at a segment."""

    at_s: float
    job_id: str
    segment: int
    attempt: int
    lane: int
    kind: Literal["segment_started"] = "segment_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFinished:
    """A segment is on disk and verified.

    Attributes:
        file: name of the segment's file in the job's work folder.
        size_bytes: its size.
        sha256: its digest.
        frames: the frames that were counted in it.
        wall_s: how long the attempt took.
        device: where and how its frames were upscaled, as text.
        fallback: how often the model had failed at it and a fallback was used.
        duplicate_frames: its frames that equal the previous one and skipped the model.
        faces: faces that were restored, in all of its frames.
        face_tracks: faces that were followed from frame to frame, each counted where it begins.
        face_frames: its frames with a restored face.
        faces_rejected: faces that stay, since the model drew something else.
        machine: the cluster machine that made it; empty without a cluster.
    """

    at_s: float
    job_id: str
    segment: int
    attempt: int
    lane: int
    fingerprint: str
    file: str
    size_bytes: int
    sha256: str
    frames: int
    wall_s: float
    device: str
    fallback: int = 0
    duplicate_frames: int = 0
    faces: int = 0
    face_tracks: int = 0
    face_frames: int = 0
    faces_rejected: int = 0
    machine: str = ""
    kind: Literal["segment_finished"] = "segment_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDiscarded:
    """A finished segment's file is gone or has changed: the segment must be made again."""

    at_s: float
    job_id: str
    segment: int
    reason: str
    kind: Literal["segment_discarded"] = "segment_discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFailed:
    """An attempt at a segment failed.

    Attributes:
        final: there will be no other attempt.
        by_model: the model's stage failed; the next attempt uses a fallback.
        counts_as_attempt: whether it counts towards the limit; not if the machine lacked a resource.
    """

    at_s: float
    job_id: str
    segment: int
    attempt: int
    lane: int
    reason: str
    final: bool
    by_model: bool = False
    counts_as_attempt: bool = True
    detail: tuple[str, ...] = ()
    kind: Literal["segment_failed"] = "segment_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyStarted:
    """All segments are finished; a lane joins them with the audio, verifies and publishes."""

    at_s: float
    job_id: str
    lane: int
    kind: Literal["assembly_started"] = "assembly_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPublished:
    """A complete and verified output is under its final name.

    Attributes:
        fingerprint: its plan's fingerprint.
        size_bytes: its size.
        sha256: its digest.
        frames: its frames.
        wall_s: how long it took to join and verify it.
        notes: what the user should know about it.
        source: the source's identity; None in journals of older versions.
        modified_ns: its modification time, in nanoseconds since the epoch; 0 in older journals.
        trim: the excerpt of the source, as it was asked for.
    """

    at_s: float
    job_id: str
    fingerprint: str
    size_bytes: int
    sha256: str
    frames: int
    wall_s: float
    notes: tuple[str, ...] = ()
    source: SourceIdentity | None = None
    modified_ns: int = 0
    trim: Trim = NO_TRIM
    kind: Literal["job_published"] = "job_published"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """A video failed for good.

    Attributes:
        reason: one line: the cause, and the fix if there is one.
        detail: the child processes' last output, and with `--verbose` the commands and the stack trace.
    """

    at_s: float
    job_id: str
    reason: str
    detail: tuple[str, ...] = ()
    kind: Literal["job_failed"] = "job_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSkipped:
    """A video needs no work."""

    at_s: float
    job_id: str
    reason: str
    kind: Literal["job_skipped"] = "job_skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried:
    """A video is planned again: it had failed or been skipped, or its source or a segment has changed.

    Its finished segments are kept if the plan stays the same.
    """

    at_s: float
    job_id: str
    kind: Literal["job_retried"] = "job_retried"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMoved:
    """A waiting video moved in the batch's order.

    Attributes:
        before: the next video after it, None at the end.
    """

    at_s: float
    job_id: str
    before: str | None
    kind: Literal["job_moved"] = "job_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPrioritised:
    """A waiting video got another priority."""

    at_s: float
    job_id: str
    priority: int
    kind: Literal["job_prioritised"] = "job_prioritised"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeld:
    """Another run is restoring the video; or the video waits for something.

    Attributes:
        by: the other run; empty if there is none.
        reason: what the video waits for, None if another run restores it.
    """

    at_s: float
    job_id: str
    by: str
    reason: str | None = None
    kind: Literal["job_held"] = "job_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPaused:
    """No new work starts, and why."""

    at_s: float
    reason: str
    kind: Literal["batch_paused"] = "batch_paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContinued:
    """New work starts again."""

    at_s: float
    kind: Literal["batch_continued"] = "batch_continued"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanesChanged:
    """The number of lanes changed, and why."""

    at_s: float
    lanes: int
    reason: str
    kind: Literal["lanes_changed"] = "lanes_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRetired:
    """A GPU failed too often and gets no more work in this run.

    Attributes:
        device: the index of the Vulkan device.
        reason: its last failure.
    """

    at_s: float
    device: str
    reason: str
    kind: Literal["gpu_retired"] = "gpu_retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPredicted:
    """What the rest of the batch will need, predicted from measurements of similar work.

    Attributes:
        seconds_s: until everything has ended.
        least_s: the lower end of the likely range.
        most_s: the upper end.
        output_bytes: size of the results.
        temporary_bytes: peak disk space for unfinished work.
        lane_bytes: memory of a lane's programs, None if not measured.
        gpu_bytes: GPU memory of a lane, None if it cannot be read.
    """

    at_s: float
    seconds_s: float
    least_s: float
    most_s: float
    output_bytes: int
    temporary_bytes: int
    lane_bytes: int | None
    gpu_bytes: int | None
    kind: Literal["batch_predicted"] = "batch_predicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFinished:
    """A run ended: `outcome` says how, `exit_code` is what the shell sees."""

    at_s: float
    run_id: str
    outcome: Literal["complete", "interrupted"]
    exit_code: int
    kind: Literal["batch_finished"] = "batch_finished"


# What changes the state of one video.
JobFact = (
    JobPlanned
    | SegmentStarted
    | SegmentFinished
    | SegmentDiscarded
    | SegmentFailed
    | AssemblyStarted
    | JobPublished
    | JobFailed
    | JobSkipped
    | JobRetried
    | JobPrioritised
    | JobHeld
)

Fact = (
    BatchStarted
    | JobFact
    | JobMoved
    | BatchPaused
    | BatchContinued
    | LanesChanged
    | GpuRetired
    | BatchPredicted
    | BatchFinished
)

Event = Fact | Telemetry
