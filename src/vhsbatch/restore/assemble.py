"""The last step of a video: join segments and audio in one file, verify and publish it."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import aiofiles
import anyio
import anyio.to_thread

from vhsbatch.errors import StalePlanError, UndecodableError, VerificationError
from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.events.telemetry import LogLine, Progress, Telemetry
from vhsbatch.ffmpeg.audio import AudioEncode, plan_audio
from vhsbatch.ffmpeg.captions import srt_text
from vhsbatch.ffmpeg.formats import concat_script
from vhsbatch.ffmpeg.frame_times import retime
from vhsbatch.ffmpeg.loudness import uniform_stage
from vhsbatch.ffmpeg.output_commands import join_command
from vhsbatch.ffmpeg.progress import ProgressParser, Speed
from vhsbatch.ffmpeg.segment_commands import describe
from vhsbatch.formatting import counted
from vhsbatch.fs import publish, sha256
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.source import SourceIdentity
from vhsbatch.probe.probe import frame_times
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.process.stalls import no_stall
from vhsbatch.restore.destination import expect_size
from vhsbatch.restore.measured_sound import measure_sound
from vhsbatch.restore.proofs import keep_proof
from vhsbatch.restore.record import FileRecord, make_record, write_record
from vhsbatch.restore.reuse import damage_of_segment, expect_replaceable, expect_unchanged
from vhsbatch.restore.segment import segment_stages, way_of_model
from vhsbatch.restore.verify import packet_digest, verify_output
from vhsbatch.restore.workspace import Workspace, make_private

_SCRIPT = "segments.ffconcat"
_CAPTIONS = "captions.srt"


async def assemble(
    plan: JobPlan,
    segments: tuple[SegmentFinished, ...],
    workspace: Workspace,
    *,
    lane: int,
    tell: Callable[[Telemetry], None],
) -> JobPublished:
    """Join the segments with the audio, verify the result, and publish it.

    The file lies on OUT's file system from the start, so that publishing is a rename; whatever
    fails, nothing is under the final name that was not there before.

    Raises:
        ChainError: FFmpeg could not join them.
        VerificationError: the result is not what was planned.
        InputError: the source is gone, or a file that may not be replaced has the result's name.
        StalePlanError: the source or a segment changed.
    """
    started_s = time.monotonic()
    folder = workspace.job_folder(plan)
    temporary = workspace.publishing / f"{folder.parent.name}-{plan.fingerprint[:12]}.part"
    await anyio.to_thread.run_sync(make_private, workspace.publishing, workspace.publishing.parent)
    await expect_unchanged(plan)
    try:
        await _expect_undamaged(plan, segments, workspace)
        needed_bytes = sum(segment.size_bytes for segment in segments)
        await anyio.to_thread.run_sync(expect_size, needed_bytes, workspace.publishing)
        await _write_script(plan, segments, folder)
        async with no_stall("joining", workspace.stall_timeout_s):
            picture = await _retimed(plan, segments, workspace)
        join, proof, notes = await _make_whole(plan, picture, temporary, workspace, lane=lane, tell=tell)
        notes = (*notes, *_made_otherwise(segments))
        digest = await sha256(temporary)
        size_bytes = (await anyio.Path(temporary).stat()).st_size
        output = FileRecord(path=plan.job.output.name, size_bytes=size_bytes, sha256=digest)
        source = SourceIdentity(
            path=plan.job.source,
            size_bytes=plan.info.size_bytes,
            modified_ns=plan.info.modified_ns,
            sha256=await sha256(*plan.job.files),
            parts=plan.job.parts,
        )
        # The digest covers what was read so far.
        await expect_unchanged(plan)
        await anyio.to_thread.run_sync(_make_parent, plan.job.output)
        await expect_replaceable(plan)
        modified_ns = (await anyio.Path(temporary).stat()).st_mtime_ns
        published = JobPublished(
            at_s=time.time(),
            job_id=plan.job.id,
            fingerprint=plan.fingerprint,
            size_bytes=size_bytes,
            sha256=digest,
            frames=plan.frames,
            wall_s=time.monotonic() - started_s,
            notes=(*plan.notes, *notes),
            source=source,
            modified_ns=modified_ns,
            trim=plan.info.trim,
        )
        # If the program dies before its journal has this, the file is known to be its own all the same.
        await keep_proof(workspace.publishing.parent, published)
        if workspace.records:
            record = make_record(
                plan,
                source_sha256=source.sha256,
                output=output,
                segments=segments,
                commands=_commands(plan, segments, workspace),
                join=join,
                proof=proof,
                notes=notes,
                at_s=time.time(),
            )
            await write_record(record, plan.job.output, temporary.with_suffix(".record"))
        await publish(temporary, plan.job.output)
    finally:
        temporary.unlink(missing_ok=True)
    return published


def _made_otherwise(segments: tuple[SegmentFinished, ...]) -> tuple[str, ...]:
    """Which segments were not made in the planned way, since the model had failed at them."""
    ways = Counter(proof.device for proof in segments if proof.fallback)
    return tuple(
        f"{counted(count, 'segment')} of {len(segments)} made on {device}, since the model had failed before"
        for device, count in ways.items()
    )


@dataclass(frozen=True, slots=True)
class _Retimed:
    """The joined picture of a source whose frames keep their own times."""

    path: Path
    times_s: tuple[Fraction, ...]


async def _retimed(
    plan: JobPlan, segments: tuple[SegmentFinished, ...], workspace: Workspace
) -> _Retimed | None:
    """The segments joined with each frame at its own time; None where all are at the rate's."""
    if plan.shown_s is None:
        return None
    start_s = plan.info.video.start_s
    times_s = tuple(
        await frame_times(plan.job.source, start_s, parts=plan.job.parts, ffmpeg=workspace.ffmpeg)
    )
    if plan.excerpt is not None:
        times_s = tuple(
            at_s - plan.from_s for at_s in times_s[plan.excerpt.first_frame : plan.excerpt.stop_frame]
        )
    if len(times_s) != plan.frames:
        raise StalePlanError(f"it has {len(times_s)} frames, and was planned with {plan.frames}")
    folder = workspace.job_folder(plan)
    files = [folder / segment.file for segment in segments]
    path = folder / f"retimed{files[0].suffix}"
    await retime(plan, files, times_s, path, niceness=workspace.niceness)
    return _Retimed(path, times_s)


async def _make_whole(
    plan: JobPlan,
    picture: _Retimed | None,
    output: Path,
    workspace: Workspace,
    *,
    lane: int,
    tell: Callable[[Telemetry], None],
) -> tuple[str, str, tuple[str, ...]]:
    """Join the segments with the audio, and verify the result.

    Every segment is proven already, so what does not decode is a damaged track that was copied: it is
    encoded from what can be heard of it. So is one whose packets another container would time differently.

    Returns:
        The commands that joined them, how the result was proven, and what the user should know of it.
    """
    sound, of_sound = await measure_sound(plan, workspace)
    captions = await _write_captions(plan, workspace.job_folder(plan))

    async def join(audio: tuple[AudioEncode, ...]) -> tuple[str, str]:
        script = workspace.job_folder(plan) / _SCRIPT
        retimed = None if picture is None else picture.path
        command = join_command(
            workspace.ffmpeg, plan, script, audio, output, retimed=retimed, captions=captions
        )
        stages = (
            *uniform_stage(plan, plan.info.audio, ffmpeg=workspace.ffmpeg),
            StageSpec(name="join", argv=command),
        )
        async with no_stall("joining", workspace.stall_timeout_s):
            packets = await _join(plan, stages, workspace, lane=lane, tell=tell)
        async with no_stall("verifying", workspace.stall_timeout_s):
            proof = await verify_output(
                output,
                plan,
                # What was retimed is not the segments' own: the whole is decoded.
                packets=packets if picture is None else None,
                audio=audio,
                times_s=None if picture is None else picture.times_s,
                ffmpeg=workspace.ffmpeg,
                threads=workspace.threads.decode,
                niceness=workspace.niceness,
                on_frames=_progress(plan, lane, "verify", tell),
            )
        return " | ".join(describe(stage.argv) for stage in stages), proof

    audio = plan_audio(plan, sound)
    try:
        return *await join(audio), of_sound
    except VerificationError as error:
        if all(encode.codec != "copy" for encode in audio):
            raise
        why = "is damaged" if isinstance(error, UndecodableError) else "is another when it is copied"
    again = await join(plan_audio(plan, sound, copies=False))
    return *again, (*of_sound, f"its audio {why}: encoded instead of copied")


def _commands(
    plan: JobPlan, segments: tuple[SegmentFinished, ...], workspace: Workspace
) -> tuple[tuple[str, ...], ...]:
    """The command lines by which each segment was made, one for each stage."""
    folder = workspace.job_folder(plan)
    chains = [
        segment_stages(
            plan,
            segment,
            workspace,
            folder / proof.file,
            way_of_model(plan, proof.fallback),
            fallback=proof.fallback,
        )
        for segment, proof in zip(plan.segments, segments, strict=True)
    ]
    return tuple(tuple(describe(stage.argv) for stage in chain) for chain in chains)


def _make_parent(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)


async def _expect_undamaged(
    plan: JobPlan, segments: tuple[SegmentFinished, ...], workspace: Workspace
) -> None:
    """What was proven of the segments was proven of what they held then."""
    for segment in segments:
        if (damage := await damage_of_segment(plan, segment, workspace)) is not None:
            raise StalePlanError(f"a finished segment was damaged: {damage}", fix="check the disk")


async def _write_script(plan: JobPlan, segments: tuple[SegmentFinished, ...], folder: Path) -> None:
    text = concat_script(
        [folder / segment.file for segment in segments], [segment.frames / plan.rate for segment in segments]
    )
    async with aiofiles.open(folder / _SCRIPT, "w", encoding="utf-8", errors="surrogateescape") as file:
        await file.write(text)


async def _write_captions(plan: JobPlan, folder: Path) -> Path | None:
    """The file of the captions that the source's picture carries; None where it carries none."""
    text = srt_text(plan.info, plan.excerpt)
    if not text:
        return None
    path = folder / _CAPTIONS
    async with aiofiles.open(path, "w", encoding="utf-8") as file:
        await file.write(text)
    return path


async def _join(
    plan: JobPlan,
    stages: tuple[StageSpec, ...],
    workspace: Workspace,
    *,
    lane: int,
    tell: Callable[[Telemetry], None],
) -> str | None:
    """Join the segments; the digest of their packets."""
    for stage in stages:
        text = f"{stage.name}: {describe(stage.argv)}"
        tell(LogLine(level="debug", text=text, job_id=plan.job.id, lane=lane))
    parser = ProgressParser()
    show = _progress(plan, lane, "assemble", tell)
    packets: str | None = None

    def on_stdout(line: str) -> None:
        nonlocal packets
        packets = packet_digest(line) or packets
        if (progress := parser.feed(line)) is not None:
            show(progress.frames)

    def on_stderr(name: str, line: str) -> None:
        tell(LogLine(level="debug", text=f"{name}: {line}", job_id=plan.job.id, lane=lane))

    await run_chain(stages, on_stdout=on_stdout, on_stderr=on_stderr, niceness=workspace.niceness)
    return packets


def _progress(
    plan: JobPlan, lane: int, stage: str, tell: Callable[[Telemetry], None]
) -> Callable[[int], None]:
    speed = Speed(time.monotonic())

    def show(frames: int) -> None:
        tell(
            Progress(
                lane=lane,
                job_id=plan.job.id,
                stage=stage,
                segment=None,
                done_frames=min(frames, plan.frames),
                total_frames=plan.frames,
                frames_per_s=speed.update(time.monotonic(), frames),
            )
        )

    return show
