"""Several captures of one tape become one: a lossless capture that is restored as any other.

1. Each capture is decoded once to fingerprints of its fields, by which it is aligned with the first one.
2. All of them are decoded side by side, merged in a child process, and encoded, joined by pipes.
3. What was written is decoded again and held against the digest of what was merged. Then it gets its name.
"""

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from pydantic import TypeAdapter

from vhsbatch import __version__
from vhsbatch.errors import InputError, StalePlanError, UsageError, VerificationError, VhsBatchError
from vhsbatch.events.serialize import dump_pretty
from vhsbatch.ffmpeg.encoders import video_arguments
from vhsbatch.ffmpeg.progress import ProgressParser
from vhsbatch.ffmpeg.segment_commands import Threads, describe
from vhsbatch.ffmpeg.stack_commands import (
    CELLS,
    decode_capture_command,
    digest_command,
    encode_stack_command,
    fingerprint_command,
    stack_plan,
)
from vhsbatch.fs import publish, sha256
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import JobPlan
from vhsbatch.probe.probe import probe_result
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.process.stalls import no_stall
from vhsbatch.restore.record import FileRecord
from vhsbatch.restore.stack_folder import work_beside
from vhsbatch.restore.verify import compare, is_error

FEWEST, MOST = 2, 8
FORMAT = 1
_FIELDS = 2
_DIGEST = "SHA256="

# What is done, frames that are done, of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackTools:
    """With what this machine stacks.

    Attributes:
        ffmpeg: the FFmpeg program.
        version: its version.
        threads: CPU threads that may be kept busy.
        niceness: added to the niceness of this process, for children.
        stall_timeout_s: a chain without progress for so long is stopped.
    """

    ffmpeg: str
    version: str
    threads: int
    niceness: int
    stall_timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRecord:
    """A capture, and what came of it.

    Attributes:
        file: which file it is.
        frames: its frames.
        found_frames: frames of the reference of which it has both fields; of the reference all of them.
        first_offset: by how many frames it is behind the reference where it is first found, None if nowhere.
        last_offset: the same where it is last found.
        offset_changes: how often that changes: frames were lost or repeated.
        used_percent: of how many of a hundred fields it was used for.
        lines_lower: by how many lines of a field its picture is lower than the reference's.
        samples_later: by how many samples it is further to the right.
        gain: what its luma was multiplied by.
        offset: what was added to its luma then, in steps of 8 bits.
    """

    file: FileRecord
    frames: int
    found_frames: int
    first_offset: int | None
    last_offset: int | None
    offset_changes: int
    used_percent: float
    lines_lower: int = 0
    samples_later: float = 0.0
    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """The record beside a stacked capture, `<output>.stack.json`.

    Attributes:
        format: version of this notation.
        program: this program's version.
        made_at: when it was published, UTC.
        output: what it is.
        frames: its frames.
        rate: frames per second, a fraction.
        captures: what it was made of, the reference first.
        minutes: of each minute, on how many frames one, two or more captures agreed.
        filled_fields: fields that the reference had lost and that came from another capture.
        checks: what was proven before it got its name.
        tools: versions of the tools that touched the frames.
        commands: what was run.
    """

    format: int
    program: str
    made_at: str
    output: FileRecord
    frames: int
    rate: str
    captures: tuple[CaptureRecord, ...]
    minutes: tuple[tuple[int, ...], ...]
    filled_fields: int
    checks: tuple[str, ...]
    tools: dict[str, str]
    commands: tuple[str, ...]

    def agreed_percent(self, captures: int) -> float:
        """On how many of a hundred frames so many captures, or more, agreed."""
        agreed = sum(sum(minute[captures - 1 :]) for minute in self.minutes)
        return 100 * agreed / max(1, self.frames)


def stack_record_path(output: Path) -> Path:
    """Where the record of a stacked capture lies; records of results are called otherwise."""
    return output.with_name(output.name + ".stack.json")


def expect_place(output: Path, captures: Sequence[Path], *, overwrite: bool) -> None:
    """Promise that nothing is replaced that may not be.

    Raises:
        UsageError: something would be.
    """
    if output.suffix.lower() != ".mkv":
        raise UsageError(f"--output {output}: a stacked capture is an .mkv file", fix="name one")
    for path in (output, stack_record_path(output)):
        if not os.path.lexists(path):
            continue
        if any(path.exists() and path.samefile(capture) for capture in captures):
            raise UsageError(f"{path} is one of the captures and would be replaced", fix="name another file")
        if not path.is_file():
            raise UsageError(f"{path} exists, and is not a regular file", fix="name another file")
        if not overwrite:
            raise UsageError(f"{path} exists", fix="name another file, or add --overwrite to replace it")


def expect_alike(infos: Sequence[MediaInfo]) -> None:
    """Promise that captures can be of one tape. Pure.

    Raises:
        InputError: they cannot.
    """
    reference, *others = infos
    for info in infos:
        if info.video.rotation_degrees or info.video.changes:
            raise InputError(
                f"{info.path}: a picture that is turned, or changes its size, cannot be stacked",
                fix="leave it out",
            )
    for info in others:
        size, expected = ((video.width, video.height, video.rate) for video in (info.video, reference.video))
        if size != expected:
            raise InputError(
                f"{info.path} has {size[0]}x{size[1]} at {float(size[2]):.3f} frames a second, and "
                f"{reference.path.name} has {expected[0]}x{expected[1]} at {float(expected[2]):.3f}",
                fix="stack captures of one size and rate; leave this one out",
            )


async def stack_captures(
    infos: Sequence[MediaInfo], output: Path, tools: StackTools, *, overwrite: bool, on_progress: Progress
) -> StackRecord:
    """Make one capture out of several; the first one is the reference.

    Raises:
        InputError: they are not of one tape, or one is gone.
        ChainError: a child process failed.
        VerificationError: what was written is not what was merged.
        StalePlanError: a capture changed meanwhile.
    """
    expect_alike(infos)
    reference = stack_plan(infos[0], output)
    plans = (
        reference,
        *(stack_plan(info, output, pixel_format=reference.recipe.front) for info in infos[1:]),
    )
    async with work_beside(output) as folder, _captures_named(infos):
        numbers = folder / "numbers.npy"
        found = await _align(plans, numbers, folder, tools, on_progress)
        made = folder / "stack.part"
        merged, commands = await _merge(
            plans, numbers, made, report=folder / "report.json", tools=tools, on_progress=on_progress
        )
        await _verify(made, reference, merged.sha256, tools, on_progress)
        record = await _record(plans, made, found, merged, commands=commands, version=tools.version)
        await anyio.to_thread.run_sync(
            lambda: expect_place(output, [info.path for info in infos], overwrite=overwrite)
        )
        beside = folder / "record"
        await anyio.Path(beside).write_text(dump_pretty(record), encoding="utf-8", errors="backslashreplace")
        # Whoever interrupts between the two would leave a record of what is not there.
        with anyio.CancelScope(shield=True):
            await publish(beside, stack_record_path(output))
            await publish(made, output)
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What `vhsbatch.analysis.alignment_worker` says of a capture."""

    frames: int
    first: int | None
    last: int | None
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merged:
    """What `vhsbatch.analysis.stack_worker` reports."""

    sha256: str
    minutes: tuple[tuple[int, ...], ...]
    used: tuple[int, ...]
    filled: int
    places: tuple[tuple[int, float, float, float], ...]


_FOUND, _MERGED = TypeAdapter(list[_Found]), TypeAdapter(_Merged)


async def _align(
    plans: Sequence[JobPlan], numbers: Path, folder: Path, tools: StackTools, on_progress: Progress
) -> list[_Found]:
    files = []
    for number, plan in enumerate(plans):
        path = folder / f"fingerprints-{number}"
        command = fingerprint_command(tools.ffmpeg, plan, path, _threads(tools, 1))
        name = plan.info.path.name
        on_progress(f"looking at {name}", 0, plan.frames)
        async with no_stall("looking", tools.stall_timeout_s):
            await _run((StageSpec(name="decode", argv=command),), tools)
        expected, size = plan.frames * _FIELDS * CELLS, (await anyio.Path(path).stat()).st_size
        if size != expected:
            raise VerificationError(
                f"{name} decodes to {size // (_FIELDS * CELLS)} frames instead of {plan.frames}",
                fix="copy it again from the original",
            )
        files.append(path)
    worker = (sys.executable, "-P", "-m", "vhsbatch.analysis.alignment_worker", str(CELLS), str(numbers))
    on_progress("aligning", 0, plans[0].frames)
    async with no_stall("aligning", tools.stall_timeout_s):
        lines = await _run((StageSpec(name="align", argv=(*worker, *map(str, files))),), tools)
    found = _FOUND.validate_json(lines[-1])
    for plan, one in zip(plans[1:], found, strict=True):
        if one.frames == 0:
            raise InputError(
                f"{plan.info.path} shows nothing that {plans[0].info.path.name} shows",
                fix="leave it out if it is of another tape; where nothing moves, nothing can be found either",
            )
    return found


async def _merge(
    plans: Sequence[JobPlan],
    numbers: Path,
    made: Path,
    *,
    report: Path,
    tools: StackTools,
    on_progress: Progress,
) -> tuple[_Merged, tuple[str, ...]]:
    reference = plans[0]
    track = reference.info.video
    encoder = video_arguments(
        "ffv1", quality=None, speed="medium", bit_depth=8, rate=track.rate, threads=tools.threads
    ).arguments
    threads = _threads(tools, len(plans))
    decoders = tuple(
        StageSpec(name=f"decode {number}", argv=decode_capture_command(tools.ffmpeg, plan, threads))
        for number, plan in enumerate(plans, start=1)
    )
    worker = (
        *(sys.executable, "-P", "-m", "vhsbatch.analysis.stack_worker"),
        *(str(track.width), str(track.height), reference.recipe.front, str(round(60 * track.rate))),
        *(str(numbers), str(report)),
    )
    stages = (
        StageSpec(name="merge", argv=worker, feeds=decoders),
        StageSpec(name="encode", argv=encode_stack_command(tools.ffmpeg, reference, made, encoder=encoder)),
    )
    async with no_stall("stacking", tools.stall_timeout_s):
        await _run(stages, tools, on_frames=lambda frames: on_progress("stacking", frames, reference.frames))
    merged = _MERGED.validate_json(await anyio.Path(report).read_bytes())
    return merged, tuple(describe(stage.argv) for stage in (*decoders, *stages))


async def _verify(
    made: Path, reference: JobPlan, digest: str, tools: StackTools, on_progress: Progress
) -> None:
    """Prove that what was written decodes to what was merged, and is tagged and timed as the reference.

    Raises:
        VerificationError: it does not.
    """
    on_progress("verifying", 0, reference.frames)
    command = digest_command(tools.ffmpeg, reference, made, threads=tools.threads)
    async with no_stall("verifying", tools.stall_timeout_s):
        lines = await _run(
            (StageSpec(name="verify", argv=command),),
            tools,
            strict=True,
        )
    if f"{_DIGEST}{digest}" not in lines:
        raise VerificationError(
            "the stacked capture does not decode to what was merged", fix="check the disk"
        )
    compare(await probe_result(made, ffmpeg=tools.ffmpeg), reference, reference.info.audio)


async def _record(
    plans: Sequence[JobPlan],
    made: Path,
    found: Sequence[_Found],
    merged: _Merged,
    *,
    commands: tuple[str, ...],
    version: str,
) -> StackRecord:
    files = [await _file_of(plan.info) for plan in plans]
    reference = plans[0]
    whole = _Found(frames=reference.frames, first=0, last=0, changes=0)
    fields = _FIELDS * reference.frames
    captures = tuple(
        CaptureRecord(
            file=file,
            frames=plan.frames,
            found_frames=one.frames,
            first_offset=one.first,
            last_offset=one.last,
            offset_changes=one.changes,
            used_percent=round(100 * used / fields, 2),
            lines_lower=down,
            samples_later=round(late, 2),
            gain=round(gain, 3),
            offset=round(offset, 2),
        )
        for file, plan, one, used, (down, late, gain, offset) in zip(
            files,
            plans,
            (whole, *found),
            merged.used,
            ((0, 0.0, 1.0, 0.0), *merged.places),
            strict=True,
        )
    )
    track = reference.info.video
    return StackRecord(
        format=FORMAT,
        program=f"vhsbatch {__version__}",
        made_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        output=FileRecord(
            path=reference.job.output.name,
            size_bytes=(await anyio.Path(made).stat()).st_size,
            sha256=await sha256(made),
        ),
        frames=reference.frames,
        rate=f"{track.rate.numerator}/{track.rate.denominator}",
        captures=captures,
        minutes=merged.minutes,
        filled_fields=merged.filled,
        checks=(
            "every frame decodes to what was merged",
            "frames, size, rate, aspect ratio, colour tags and audio tracks are the reference's",
        ),
        tools={"ffmpeg": version},
        commands=commands,
    )


@asynccontextmanager
async def _captures_named(infos: Sequence[MediaInfo]) -> AsyncIterator[None]:
    """Let what fails because a capture is not what it was name that capture.

    Raises:
        InputError: a capture is gone.
        StalePlanError: one has changed.
    """
    try:
        yield
    except (VhsBatchError, OSError):
        for info in infos:
            await _expect_unchanged(info)
        raise


async def _expect_unchanged(info: MediaInfo) -> None:
    try:
        status = await anyio.Path(info.path).stat()
    except OSError as error:
        raise InputError(
            f"{info.path} is gone: {error.strerror}", fix="put it back, and run the command again"
        ) from error
    if (status.st_size, status.st_mtime_ns) != (info.size_bytes, info.modified_ns):
        raise StalePlanError(f"{info.path} changed while it was stacked", fix="run the command again")


async def _file_of(info: MediaInfo) -> FileRecord:
    """A capture by its content.

    Raises:
        OSError: it is gone.
        StalePlanError: it is not what was stacked.
    """
    digest = await sha256(info.path)
    await _expect_unchanged(info)
    return FileRecord(
        path=str(info.path), size_bytes=info.size_bytes, sha256=digest, modified_ns=info.modified_ns
    )


def _threads(tools: StackTools, programs: int) -> Threads:
    each = max(1, tools.threads // programs)
    return Threads(decode=min(4, each), filter=each)


async def _run(
    stages: tuple[StageSpec, ...],
    tools: StackTools,
    *,
    on_frames: Callable[[int], None] = lambda _: None,
    strict: bool = False,
) -> list[str]:
    """Run a chain; the last stage's lines that are not its progress."""
    parser = ProgressParser()
    lines: list[str] = []
    complaints: list[str] = []

    def on_stdout(line: str) -> None:
        if (progress := parser.feed(line)) is not None:
            on_frames(progress.frames)
        if line.startswith((_DIGEST, "[")):
            lines.append(line.strip())

    def on_stderr(_stage: str, line: str) -> None:
        if strict and is_error(line):
            complaints.append(line)

    await run_chain(stages, on_stdout=on_stdout, on_stderr=on_stderr, niceness=tools.niceness)
    if complaints:
        raise VerificationError(f"the stacked capture does not decode cleanly: {complaints[0]}")
    return lines
