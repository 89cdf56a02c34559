"""One attempt at one segment: run the chain, verify what it wrote, give it its name.

one FFmpeg                                                     (ffmpeg engine)
decode ═pipe═ upscale ═pipe═ encode                            (realesrgan engine)
decode ═pipe═ deinterlace ═pipe═ encode                        (QTGMC)
decode ═pipe═ deinterlace ═pipe═ clean ═pipe═ upscale ═pipe═ encode      (both)
decode ═pipe═ … ═pipe═ faces ═pipe═ encode                    (where faces are restored)
  → temporary file → every frame decoded and counted → digest → fsync, rename
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import anyio

from vhsbatch.engines.base import FACES, UPSCALE
from vhsbatch.engines.control import FaceCounts, parse_control_line
from vhsbatch.engines.faces import CONTEXT_FRAMES, faces_identity, faces_stage
from vhsbatch.engines.fallback import fallback as fallback_of
from vhsbatch.engines.fallback import in_words
from vhsbatch.engines.registry import engine_named
from vhsbatch.errors import ChainError, StalePlanError, VerificationError
from vhsbatch.events.events import SegmentFinished
from vhsbatch.events.telemetry import LogLine, Progress, Telemetry
from vhsbatch.ffmpeg.encoders import EncodeArguments, video_arguments
from vhsbatch.ffmpeg.formats import cut_off
from vhsbatch.ffmpeg.progress import ProgressParser, Speed
from vhsbatch.ffmpeg.qtgmc import deinterlace_stage
from vhsbatch.ffmpeg.segment_commands import (
    decode_command,
    describe,
    encode_command,
    fields_command,
    segment_command,
)
from vhsbatch.fs import publish, sha256
from vhsbatch.model.plan import FaceRestoration, JobPlan, Segment, Upscaling
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.process.stalls import no_stall, no_starvation
from vhsbatch.process.suspension import patient
from vhsbatch.restore.reuse import expect_unchanged
from vhsbatch.restore.verify import count_frames
from vhsbatch.restore.workspace import Workspace, make_private, segment_file


async def make_segment(
    plan: JobPlan,
    segment: Segment,
    workspace: Workspace,
    *,
    lane: int,
    attempt: int,
    fallback: int,
    tell: Callable[[Telemetry], None],
    way: Upscaling | None = None,
) -> SegmentFinished:
    """Make `segment`, verify it, and put it under its name in the job's folder.

    Args:
        plan: the video's plan.
        segment: which part of it.
        workspace: where and with what.
        lane: the lane that is occupied.
        attempt: from 1.
        fallback: how often the model failed at it before; each time another fallback is used.
        tell: takes telemetry.
        way: how the model is run, where that is another way than the plan's.

    Raises:
        InputError: the source is gone.
        StalePlanError: the source or the model has changed since it was planned.
        ChainError: a child process failed, or nothing moved for too long.
        VerificationError: what they wrote is not what was planned.
    """
    await expect_unchanged(plan)
    await anyio.to_thread.run_sync(_expect_same_model, plan)
    final = workspace.job_folder(plan) / segment_file(plan, segment)
    temporary = final.with_suffix(f".attempt-{attempt}-{os.getpid()}.part")
    await anyio.to_thread.run_sync(make_private, final.parent, workspace.temporary)
    try:
        finished = await make_part(
            plan,
            segment,
            workspace,
            temporary,
            lane=lane,
            attempt=attempt,
            fallback=fallback,
            tell=tell,
            way=way,
        )
        await publish(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)
    return finished


def _expect_same_model(plan: JobPlan) -> None:
    """See that the model is what was planned for: all segments are to be made by the same.

    Raises:
        StalePlanError: it is another one, or gone.
    """
    here: dict[str, str] = {}
    try:
        if plan.upscaling is not None:
            here |= engine_named(plan.engine).identity(plan.upscaling)
        if plan.faces is not None:
            here |= faces_identity(plan.faces)
    except OSError as error:
        raise StalePlanError(f"the model is gone: {error.strerror}") from error
    if any(plan.identity.get(name, value) != value for name, value in here.items()):
        raise StalePlanError("the model changed while the video was being restored")


async def make_part(
    plan: JobPlan,
    segment: Segment,
    workspace: Workspace,
    part: Path,
    *,
    lane: int,
    attempt: int,
    fallback: int,
    tell: Callable[[Telemetry], None],
    way: Upscaling | None = None,
) -> SegmentFinished:
    """Make `segment` in the file `part`, which is left there for the caller, and verify it.

    Raises:
        ChainError: a child process failed, or nothing moved for too long.
        VerificationError: what they wrote is not what was planned.
    """
    started_s = time.monotonic()
    upscaling = way or way_of_model(plan, fallback)
    device = "cpu" if upscaling is None else upscaling.device
    reporter = _Reporter(plan, segment, lane, tell, device=device)
    if (warning := _other_way(plan, segment, upscaling, fallback)) is not None:
        tell(LogLine(level="warning", text=warning, job_id=plan.job.id, lane=lane))
    stages = segment_stages(plan, segment, workspace, part, upscaling, fallback=fallback)
    await _run_stages(stages, reporter, workspace)
    if reporter.cut_off is not None:
        raise ChainError(f"the source did not arrive complete: {reporter.cut_off}")
    async with no_stall("verifying", workspace.stall_timeout_s):
        frames = await count_frames(
            part, ffmpeg=workspace.ffmpeg, threads=workspace.threads.decode, niceness=workspace.niceness
        )
    if frames != segment.frames:
        raise VerificationError(
            f"segment {segment.index + 1} has {frames} frames instead of {segment.frames}",
            fix="if it fails again, the picture may change there: cut the source in two",
        )
    size_bytes = (await anyio.Path(part).stat()).st_size
    return SegmentFinished(
        at_s=time.time(),
        job_id=plan.job.id,
        segment=segment.index,
        attempt=attempt,
        lane=lane,
        fingerprint=plan.fingerprint,
        file=segment_file(plan, segment),
        size_bytes=size_bytes,
        sha256=await sha256(part),
        frames=frames,
        wall_s=time.monotonic() - started_s,
        fallback=fallback,
        duplicate_frames=reporter.duplicate_frames,
        faces=reporter.faces.faces,
        face_tracks=reporter.faces.tracks,
        face_frames=reporter.faces.frames,
        faces_rejected=reporter.faces.rejected,
        device="the CPU" if upscaling is None else in_words(upscaling),
    )


def _other_way(plan: JobPlan, segment: Segment, way: Upscaling | None, fallback: int) -> str | None:
    """What the user should know of a segment that is not made as planned; None if it is."""
    if way is None or plan.upscaling is None:
        return None
    to_cpu = way.device == "cpu" and plan.upscaling.device != "cpu"
    if not fallback and not to_cpu:
        return None
    slow = ", which is much slower" if to_cpu else ""
    why = "the model failed at it" if fallback else "no GPU is left that works"
    return f"segment {segment.index + 1} is made on {in_words(way)}{slow}: {why}"


def way_of_model(plan: JobPlan, step: int) -> Upscaling | None:
    """How the model is run after `step` failures of it; None where there is none."""
    return None if plan.upscaling is None else fallback_of(plan.upscaling, step)


def segment_stages(
    plan: JobPlan,
    segment: Segment,
    workspace: Workspace,
    output: Path,
    upscaling: Upscaling | None,
    *,
    fallback: int = 0,
) -> tuple[StageSpec, ...]:
    """The chain, as drawn above; after `fallback` failures a model of faces alone runs on the CPU."""
    ffmpeg, threads = workspace.ffmpeg, workspace.threads
    encode = encode_arguments(plan, workspace)
    made, skip = with_context(plan, segment)
    before = _deinterlacing(plan, made, workspace)
    if upscaling is None and plan.faces is None:
        command = segment_command(
            ffmpeg, plan, segment, encode=encode, output=output, threads=threads, served=workspace.served
        )
        return (*before, StageSpec(name="encode", argv=command))
    decode = decode_command(ffmpeg, plan, made, threads, workspace.served)
    width, height = plan.recipe.picture if upscaling is None else plan.recipe.model_input
    with_models: list[StageSpec] = []
    if upscaling is not None:
        with_models.append(
            engine_named(plan.engine).stage(
                upscaling,
                width=width,
                height=height,
                threads=workspace.threads_per_lane,
                skip_duplicates=workspace.skip_duplicates,
            )
        )
        width, height = width * upscaling.scale, height * upscaling.scale
    if plan.faces is not None:
        with_models.append(
            faces_stage(
                plan.faces,
                width=width,
                height=height,
                aspect=_pixel_aspect(plan, width, height),
                device=_device_of_faces(plan.faces, upscaling, fallback),
                threads=workspace.threads_per_lane,
                skip=skip,
                frames=segment.frames,
            )
        )
    encode_frames = encode_command(
        ffmpeg,
        plan,
        encode=encode,
        output=output,
        threads=threads,
        width=width,
        height=height,
    )
    return (
        *before,
        StageSpec(name="clean" if before else "decode", argv=decode),
        *with_models,
        StageSpec(name="encode", argv=encode_frames),
    )


def _device_of_faces(faces: FaceRestoration, upscaling: Upscaling | None, fallback: int) -> str:
    if upscaling is not None:
        return upscaling.device
    return "cpu" if fallback else faces.device


def with_context(plan: JobPlan, segment: Segment) -> tuple[Segment, int]:
    """A segment with the frames around it that faces are followed through, and how many come before it."""
    if plan.faces is None or segment.from_s is not None:
        return segment, 0
    start = max(plan.first_frame, segment.start_frame - CONTEXT_FRAMES)
    stop = min(plan.first_frame + plan.frames, segment.stop_frame + CONTEXT_FRAMES)
    return replace(segment, start_frame=start, stop_frame=stop), segment.start_frame - start


def _pixel_aspect(plan: JobPlan, width: int, height: int) -> Fraction:
    """How much wider than high the pixels of frames of the whole picture are."""
    columns, lines = plan.recipe.picture
    return plan.sar * Fraction(columns * height, lines * width)


def _deinterlacing(plan: JobPlan, segment: Segment, workspace: Workspace) -> tuple[StageSpec, ...]:
    """The stages in front, where the deinterlacer is a separate program."""
    if not plan.recipe.uses_vapoursynth:
        return ()
    return (
        StageSpec(
            name="decode",
            argv=fields_command(workspace.ffmpeg, plan, segment, workspace.threads, workspace.served),
        ),
        deinterlace_stage(
            plan,
            segment,
            vapoursynth_python=workspace.vapoursynth_python,
            threads=workspace.threads_per_lane,
        ),
    )


def encode_arguments(plan: JobPlan, workspace: Workspace) -> EncodeArguments:
    """The encoder's part of the command line."""
    video = plan.preset.video
    return video_arguments(
        plan.encoder,
        quality=video.quality,
        speed=video.speed,
        bit_depth=video.bit_depth,
        rate=plan.rate,
        threads=workspace.threads_per_lane,
        device=workspace.encoder_device,
    )


async def _run_stages(stages: tuple[StageSpec, ...], reporter: "_Reporter", workspace: Workspace) -> None:
    """Run the chain, and end it when nothing has moved for too long."""
    for stage in stages:
        reporter.log(f"{stage.name}: {describe(stage.argv)}")
    with anyio.CancelScope() as scope, patient(scope):

        def moved() -> None:
            scope.deadline = anyio.current_time() + workspace.stall_timeout_s

        moved()
        reporter.on_move = moved
        # An encoder that gets no thread may wait for it for ever.
        async with no_starvation("restoring"):
            await run_chain(
                stages,
                on_stdout=reporter.on_stdout,
                on_stderr=reporter.on_stderr,
                niceness=workspace.niceness,
            )
    if scope.cancelled_caught:
        raise ChainError(
            f"no frame in {workspace.stall_timeout_s:g} s: the chain was stopped",
            fix="set stall_timeout_s higher if this machine is that slow",
        )


class _Reporter:
    """Turns what the stages print into telemetry, and keeps what the model's stage says at its end.

    Where the model is used its own count is shown: it is the slow stage, and the encoder's count
    lags by all the frames that it looks ahead.
    """

    def __init__(
        self, plan: JobPlan, segment: Segment, lane: int, tell: Callable[[Telemetry], None], *, device: str
    ) -> None:
        self._plan = plan
        self._segment = segment
        self._lane = lane
        self._device = device
        self._tell = tell
        self._encoder = ProgressParser()
        self._speed = Speed(time.monotonic())
        self._frames = -1
        # The last of the stages that count: before it, frames are made that are not kept.
        self._counts = FACES if plan.faces is not None else UPSCALE if plan.upscaling is not None else ""
        self.duplicate_frames = 0
        self.faces = FaceCounts()
        self.cut_off: str | None = None
        self.on_move: Callable[[], None] = lambda: None

    def on_stdout(self, line: str) -> None:
        progress = self._encoder.feed(line)
        if progress is not None and not self._counts:
            self._show(progress.frames)

    def on_stderr(self, stage: str, line: str) -> None:
        self.cut_off = self.cut_off or cut_off(line)
        event = parse_control_line(line)
        if event is not None and event.repeated_frames is not None:
            self.duplicate_frames = event.repeated_frames
        if event is not None and event.faces is not None:
            self.faces = FaceCounts(
                faces=event.faces,
                tracks=event.face_tracks or 0,
                frames=event.face_frames or 0,
                rejected=event.faces_rejected or 0,
            )
        if event is None:
            self.log(f"{stage}: {line}")
        elif stage != self._counts or event.frames is None:
            self.on_move()
        else:
            self._show(event.frames)

    def log(self, text: str) -> None:
        self._tell(LogLine(level="debug", text=text, job_id=self._plan.job.id, lane=self._lane))

    def _show(self, frames: int) -> None:
        if frames != self._frames:
            self._frames = frames
            self.on_move()
        self._tell(
            Progress(
                lane=self._lane,
                job_id=self._plan.job.id,
                stage="segment",
                segment=self._segment.index,
                done_frames=min(frames, self._segment.frames),
                total_frames=self._segment.frames,
                frames_per_s=self._speed.update(time.monotonic(), frames),
                device=self._device,
            )
        )
