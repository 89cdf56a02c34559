"""The record beside an output, `<output>.json`: what it was made of, how, and what was proven of it."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import anyio
from pydantic import TypeAdapter

from vhsbatch import __version__
from vhsbatch.errors import InputError
from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.events.serialize import dump_pretty
from vhsbatch.fs import publish, read_regular
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.trim import NO_TRIM, Trim

FORMAT = 1
_LARGEST_BYTES = 64 * 2**20
_CHECKS = (
    "frames, length, size, aspect ratio and colour tags are as planned",
    "every audio track is there, with its start and its length",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file by its content.

    Attributes:
        path: where it was; of an output, its name alone.
        size_bytes: its size.
        sha256: its digest.
        modified_ns: of a source, when it was last changed, in nanoseconds since the epoch; 0 elsewhere.
    """

    path: str
    size_bytes: int
    sha256: str
    modified_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """A file that holds a part of a recording; the digest of the source covers all of them in a row.

    Attributes:
        path: where it was.
        size_bytes: its size.
        modified_ns: when it was last changed, in nanoseconds since the epoch.
    """

    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """How one segment was made.

    Attributes:
        frames: its output frames.
        attempt: which attempt succeeded, from 1.
        device: where its frames were upscaled.
        wall_s: how long it took.
        duplicate_frames: frames that equal the one before and cost the model no work.
        faces: faces that were restored, in all of its frames.
        face_tracks: faces that were followed, each counted where it begins.
        face_frames: frames with a restored face.
        faces_rejected: faces that stay, since the model drew something else.
        commands: what was run, one for each stage of the chain.
    """

    frames: int
    attempt: int
    device: str
    wall_s: float
    commands: tuple[str, ...]
    duplicate_frames: int = 0
    faces: int = 0
    face_tracks: int = 0
    face_frames: int = 0
    faces_rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FacesRecord:
    """What was done to faces, in all segments.

    Attributes:
        model: the model, and what it is.
        faces: faces that were restored, in all frames.
        tracks: faces that were followed, each once.
        frames: frames with a restored face.
        rejected: faces that stay, since the model drew something else.
    """

    model: str
    faces: int
    tracks: int
    frames: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is to be known of an output.

    Attributes:
        format: version of this notation.
        program: this program's version.
        made_at: when it was published, UTC.
        source: what it was made of.
        output: what it is.
        frames: its frames.
        duration_s: its length.
        width: in pixels.
        height: in pixels.
        rate: frames per second, a fraction.
        preset: every key of the preset.
        engine: what upscaled it.
        encoder: what encoded it.
        tools: versions and digests of every tool that touched the frames.
        notes: what was decided, and why.
        checks: what was proven before it got its name.
        segments: how each segment was made.
        join: the command that joined them with the audio.
        fingerprint: digest of all that decided the result; empty in records of older versions.
        trim: the excerpt, as it was asked for; both None for all of the source.
        parts: all files of a recording in several, in their order; none for a single file.
        faces: how many faces were restored, None where none were to be.
    """

    format: int
    program: str
    made_at: str
    source: FileRecord
    output: FileRecord
    frames: int
    duration_s: float
    width: int
    height: int
    rate: str
    preset: dict[str, object]
    engine: str
    encoder: str
    tools: dict[str, str]
    notes: tuple[str, ...]
    checks: tuple[str, ...]
    segments: tuple[SegmentRecord, ...]
    join: str
    fingerprint: str = ""
    trim: Trim = NO_TRIM
    parts: tuple[PartRecord, ...] = ()
    faces: FacesRecord | None = None


_RECORD = TypeAdapter(Record)


def record_path(output: Path) -> Path:
    """Where the record of an output lies."""
    return output.with_name(output.name + ".json")


def make_record(
    plan: JobPlan,
    *,
    source_sha256: str,
    output: FileRecord,
    segments: tuple[SegmentFinished, ...],
    commands: tuple[tuple[str, ...], ...],
    join: str,
    proof: str,
    notes: tuple[str, ...],
    at_s: float,
) -> Record:
    """The record of a job. Pure.

    Args:
        plan: the plan.
        source_sha256: digest of the source.
        output: the published file.
        segments: the proof of each segment.
        commands: the command lines of each segment's stages.
        join: the command line that joined them.
        proof: how it was proven that the joined picture decodes.
        notes: what was found while they were joined.
        at_s: when it was published, seconds since the epoch.
    """
    return Record(
        format=FORMAT,
        program=f"vhsbatch {__version__}",
        made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s)),
        source=FileRecord(
            path=str(plan.job.source),
            size_bytes=plan.info.size_bytes,
            sha256=source_sha256,
            modified_ns=plan.info.modified_ns,
        ),
        output=output,
        frames=plan.frames,
        duration_s=float(plan.duration_s),
        width=plan.width,
        height=plan.height,
        rate=f"{plan.rate.numerator}/{plan.rate.denominator}",
        preset=plan.preset.model_dump(mode="json"),
        engine=plan.engine,
        encoder=plan.encoder,
        tools=plan.identity,
        notes=(*plan.notes, *notes),
        checks=("every segment decodes and has its frames", proof, *_CHECKS),
        segments=tuple(
            SegmentRecord(
                frames=proof.frames,
                attempt=proof.attempt,
                device=proof.device,
                wall_s=round(proof.wall_s, 3),
                duplicate_frames=proof.duplicate_frames,
                faces=proof.faces,
                face_tracks=proof.face_tracks,
                face_frames=proof.face_frames,
                faces_rejected=proof.faces_rejected,
                commands=lines,
            )
            for proof, lines in zip(segments, commands, strict=True)
        ),
        join=join,
        fingerprint=plan.fingerprint,
        trim=plan.info.trim,
        parts=tuple(
            PartRecord(path=str(part.path), size_bytes=part.size_bytes, modified_ns=part.modified_ns)
            for part in (plan.info.joined.parts if plan.info.joined is not None else ())
        ),
        faces=None
        if plan.faces is None
        else FacesRecord(
            model=f"{plan.faces.model} ({plan.faces.kind})",
            faces=sum(proof.faces for proof in segments),
            tracks=sum(proof.face_tracks for proof in segments),
            frames=sum(proof.face_frames for proof in segments),
            rejected=sum(proof.faces_rejected for proof in segments),
        ),
    )


async def write_record(record: Record, output: Path, temporary: Path) -> None:
    """Put the record beside its output, complete or not at all."""
    await anyio.Path(temporary).write_text(
        # A JSON escape takes the place of what is not UTF-8.
        dump_pretty(record),
        encoding="utf-8",
        errors="backslashreplace",
    )
    await publish(temporary, record_path(output))


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        InputError: it is none.
    """
    try:
        # Names that are not UTF-8 are lone surrogates, which only this parser takes.
        return _RECORD.validate_python(
            json.loads(read_regular(path, limit_bytes=_LARGEST_BYTES)), strict=False
        )
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a record that this version can read") from error


def record_beside(output: Path, published: JobPublished) -> Record | None:
    """The record beside an output, if there is one and it is that of what was published."""
    try:
        record = read_record(record_path(output))
    except InputError:
        return None
    return record if record.output.sha256 == published.sha256 else None


def is_record(path: Path) -> bool:
    """Whether a file is called like a record whose output may lie beside it."""
    return path.suffix == ".json" and path.with_suffix("").suffix in (".mp4", ".mkv", ".mov")
