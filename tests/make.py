"""Values for tests, with everything filled in that a test does not care about."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vhsbatch.config.presets import Preset
from vhsbatch.events.events import (
    BatchStarted,
    JobPlanned,
    JobPublished,
    SegmentFinished,
    SegmentStarted,
)
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import AudioTrack, FieldOrder, MediaInfo, VideoTrack
from vhsbatch.model.plan import FaceRestoration, Job, JobPlan, Segment

NTSC_RATE = Fraction(30000, 1001)


def track(**changes: Any) -> VideoTrack:
    values: dict[str, Any] = {
        "index": 0,
        "codec": "dvvideo",
        "width": 720,
        "height": 480,
        "pixel_format": "yuv411p",
        "sar": Fraction(8, 9),
        "rate": NTSC_RATE,
        "frames": 300,
        "start_s": Fraction(0),
        "field_order": FieldOrder.BFF,
        "field_order_reason": "DV",
    }
    return VideoTrack(**(values | changes))


def sound(**changes: Any) -> AudioTrack:
    values: dict[str, Any] = {
        "index": 1,
        "codec": "pcm_s16le",
        "sample_rate_hz": 48000,
        "channels": 2,
        "start_s": Fraction(0),
        "end_s": Fraction(10),
    }
    return AudioTrack(**(values | changes))


def info(video: VideoTrack | None = None, **changes: Any) -> MediaInfo:
    values: dict[str, Any] = {
        "path": Path("/in/tape.dv"),
        "size_bytes": 1000,
        "modified_ns": 1,
        "container": "dv",
        "declared_s": None,
        "exact_seek": True,
        "video": video or track(),
        "audio": (sound(),),
    }
    return MediaInfo(**(values | changes))


def job(number: int = 1, name: str | None = None) -> Job:
    stem = name or f"tape{number}"
    return Job(
        id=f"{stem}_1080p.mp4",
        index=number,
        source=Path(f"/in/{stem}.dv"),
        output=Path(f"/out/{stem}_1080p.mp4"),
    )


def plan(of: Job | None = None, *, segments: int = 2, frames: int = 60, **changes: Any) -> JobPlan:
    length = -(-frames // segments)
    values: dict[str, Any] = {
        "job": of or job(),
        "info": info(),
        "preset": Preset(name="vhs"),
        "engine": "ffmpeg",
        "upscaling": None,
        "encoder": "libx264",
        "container": "mp4",
        "frames": frames,
        "segments": tuple(
            Segment(index=index, start_frame=start, stop_frame=min(start + length, frames))
            for index, start in enumerate(range(0, frames, length))
        ),
        "fingerprint": "f" * 64,
    }
    values |= changes
    # Some tests care about the output's size or rate, and not about what it follows from.
    sizes = {name: values.pop(name) for name in ("width", "height", "sar", "rate") if name in values}
    recipe = replace(resolve(values["info"].video, values["preset"]), **sizes)
    return JobPlan(**({"recipe": recipe} | values))


def batch_started(
    *jobs: Job, lanes: int = 2, order: str = "name", run_id: str = "run", resumed: bool = False
) -> BatchStarted:
    return BatchStarted(
        at_s=0.0,
        run_id=run_id,
        input="in",
        output="out",
        options={"order": order},
        jobs=jobs,
        lanes=lanes,
        resumed=resumed,
    )


def planned(of: JobPlan) -> JobPlanned:
    return JobPlanned(at_s=1.0, job_id=of.job.id, plan=of)


def started(of: JobPlan, segment: int = 0, lane: int = 1, attempt: int = 1) -> SegmentStarted:
    return SegmentStarted(at_s=2.0, job_id=of.job.id, segment=segment, attempt=attempt, lane=lane)


def finished(of: JobPlan, segment: int = 0, lane: int = 1) -> SegmentFinished:
    return SegmentFinished(
        at_s=3.0,
        job_id=of.job.id,
        segment=segment,
        attempt=1,
        lane=lane,
        fingerprint=of.fingerprint,
        file=f"segment-{segment:05d}.mp4",
        size_bytes=10,
        sha256="0" * 64,
        frames=of.segments[segment].frames,
        wall_s=1.0,
        device="cpu",
    )


def published(of: JobPlan) -> JobPublished:
    return JobPublished(
        at_s=4.0,
        job_id=of.job.id,
        fingerprint=of.fingerprint,
        size_bytes=10,
        sha256="0" * 64,
        frames=of.frames,
        wall_s=1.0,
    )


def faces(**changes: Any) -> FaceRestoration:
    """How faces are restored, on the CPU."""
    values: dict[str, Any] = {
        "model": "GFPGANv1.4",
        "kind": "GFPGAN (clean)",
        "origin": "GFPGAN (clean), sha256 1234, converter 1",
        "param": Path("/models/model.param"),
        "weights": Path("/models/model.bin"),
        "given": "data",
        "made": "output",
        "strength": 0.7,
        "least_percent": 8,
        "centre_only": False,
        "device": "cpu",
    }
    return FaceRestoration(**{**values, **changes})
