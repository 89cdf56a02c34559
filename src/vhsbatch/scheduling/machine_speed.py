"""How fast this machine is at what a batch does: presets, the model and encoders, each really run."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread

from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.engines.devices import RUNTIMES, runtime_problem, vulkan_devices
from vhsbatch.engines.tuning import Way, measure
from vhsbatch.errors import ToolError, VhsBatchError, first_cause
from vhsbatch.events.telemetry import unheard
from vhsbatch.ffmpeg.encoder_choice import try_encoder
from vhsbatch.ffmpeg.encoders import ENCODERS, video_arguments
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.formatting import counted
from vhsbatch.model.plan import Job, JobPlan, Segment
from vhsbatch.process.spawn import run
from vhsbatch.restore.prepare import prepare, probe_source
from vhsbatch.restore.segment import make_part
from vhsbatch.restore.workspace import Workspace, make_private
from vhsbatch.scheduling.environment import Environment, cores, open_environment

Kind = Literal["preset", "encoder", "model"]

TAPE_RATE = Fraction(60000, 1001)
# Two lengths of a segment tell what starts it from what makes its frames.
_FEW, _MANY = 2, 26
# The model takes seconds for a frame on the CPU.
_FEW_OF_MODEL, _MANY_OF_MODEL = 1, 3
_ENCODED = (1440, 1080)
_ENCODED_FRAMES = 32
_MODEL_SECONDS = 2.0
_NO_TIME = "no time was left for it"


def _scene(filters: str) -> tuple[str, ...]:
    """A scene with detail everywhere that moves from field to field, as noisy as a camcorder records it."""
    moving = "crop=720:480:mod(4*n\\,360):120,noise=alls=12:allf=t"
    drawn = f"mandelbrot=size=1080x720:rate={TAPE_RATE}:start_scale=0.5:end_pts=900"
    return ("-f", "lavfi", "-i", drawn, "-vf", f"{moving},{filters}")


_TAPE = (
    *_scene("interlace=scan=bff:lowpass=0,format=yuv411p,setdar=4/3"),
    *("-t", "3", "-c:v", "dvvideo"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpeed:
    """How fast one thing is.

    Attributes:
        kind: what it is.
        name: its name.
        frames_per_s: frames a second; None where it was not measured.
        hours: of this machine for an hour of NTSC tape, for presets; None for anything else.
        note: with what it was measured, or why it was not.
    """

    kind: Kind
    name: str
    frames_per_s: float | None = None
    hours: float | None = None
    note: str = ""


async def speeds(
    settings: Settings, presets: Sequence[Preset], *, until_s: float, begin: Callable[[str], None]
) -> AsyncIterator[MachineSpeed]:
    """Measure one thing after the other, until a time of the monotonic clock.

    Args:
        settings: how this machine runs.
        presets: those that are tried on a tape.
        until_s: what would begin later is not measured.
        begin: called with what is measured next, in a few words.

    Raises:
        ToolError: FFmpeg is missing or does not work.
    """
    with tempfile.TemporaryDirectory(prefix="vhsbatch-benchmark-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        measured = _Machine(settings=settings, folder=folder, until_s=until_s, begin=begin)
        for preset in presets:
            yield await measured.preset(preset)
        async for speed in measured.encoders():
            yield speed
        async for speed in measured.model():
            yield speed


@dataclass(slots=True, kw_only=True)
class _Machine:
    settings: Settings
    folder: Path
    until_s: float
    begin: Callable[[str], None]

    @property
    def is_over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self.until_s

    async def preset(self, preset: Preset) -> MachineSpeed:
        """Restore a few frames of a tape with as many workers as a batch would have."""
        speed = MachineSpeed(kind="preset", name=preset.name)
        if self.is_over:
            return replace(speed, note=_NO_TIME)
        self.begin(f"preset {preset.name}")
        try:
            environment = await open_environment(self.settings, preset, videos=1000)
            plan = await self._plan(environment)
            took = await self._took(plan, environment)
        except VhsBatchError as error:
            return replace(speed, note=error.cause)
        if took is None:
            return replace(speed, note="too fast to be measured in so few frames")
        hours = took * float(plan.rate)
        how = f"{counted(environment.lanes, 'worker')}, {plan.width}x{plan.height}, {plan.encoder}"
        note = "; ".join((how, *plan.essential_notes))
        return replace(speed, frames_per_s=1 / took, hours=hours, note=note)

    async def _plan(self, environment: Environment) -> JobPlan:
        tape = self.folder / "tape.dv"
        if not tape.exists():
            await _ffmpeg(environment.intent.ffmpeg.path, *_TAPE, str(tape))
        # What is measured of this tape need not be remembered.
        intent = replace(environment.intent, cache=None)
        info, _ = await probe_source(tape, intent)
        return await prepare(
            Job(id="tape", index=1, source=tape, output=self.folder / "tape.mp4"), info, intent
        )

    async def _took(self, plan: JobPlan, environment: Environment) -> float | None:
        """Seconds for each frame, of all workers together."""
        slow = plan.upscaling is not None and plan.upscaling.device == "cpu"
        few, many = (_FEW_OF_MODEL, _MANY_OF_MODEL) if slow else (_FEW, _MANY)
        workspace = environment.workspace_in(self.folder / "segments", self.settings)
        await anyio.to_thread.run_sync(make_private, workspace.temporary)
        lanes = environment.lanes
        starting_s = await _all_lanes(plan, workspace, lanes, few)
        making_s = await _all_lanes(plan, workspace, lanes, many)
        seconds = (making_s - starting_s) / (lanes * (many - few))
        return seconds if seconds > 0 else None

    async def model(self) -> AsyncIterator[MachineSpeed]:
        """The model with each runtime on each device."""
        for device, name, is_real in (
            ("cpu", "the CPU", True),
            *((str(device.index), device.name, device.is_gpu) for device in await vulkan_devices()),
        ):
            for runtime in RUNTIMES:
                speed = MachineSpeed(kind="model", name=f"{runtime} on {name}")
                if not is_real:
                    yield replace(speed, note="no GPU: it is the CPU in disguise")
                elif self.is_over:
                    yield replace(speed, note=_NO_TIME)
                else:
                    self.begin(f"the model, {speed.name}")
                    yield await self._model(speed, runtime, device)

    async def _model(self, speed: MachineSpeed, runtime: str, device: str) -> MachineSpeed:
        # It makes a small picture and compares it with the CPU's.
        if (problem := await runtime_problem(runtime, device)) is not None:
            return replace(speed, note=problem)
        way = Way(runtime, 0, 1)
        found = await measure(device, (way,), seconds=_MODEL_SECONDS, threads=cores())
        if (frames_per_s := found[way]) is None:
            return replace(speed, note="it makes no frame in a minute")
        return replace(speed, frames_per_s=frames_per_s)

    async def encoders(self) -> AsyncIterator[MachineSpeed]:
        """Every encoder that works here, on frames of 1080 lines."""
        ffmpeg = (await ffmpeg_tool(self.settings.ffmpeg)).path
        width, height = _ENCODED
        frames = self.folder / "frames.yuv"
        scene = _scene(f"scale={width}:{height},format=yuv420p")
        for encoder in ENCODERS:
            speed = MachineSpeed(kind="encoder", name=encoder)
            if self.is_over:
                yield replace(speed, note=_NO_TIME)
                continue
            trial = await try_encoder(encoder, ffmpeg)
            if not trial.works:
                yield replace(speed, note=trial.reason)
                continue
            self.begin(f"encoder {encoder}")
            if not frames.exists():
                count = ("-frames:v", str(_ENCODED_FRAMES))
                await _ffmpeg(ffmpeg, *scene, *count, "-f", "rawvideo", str(frames))
            yield await self._encoder(speed, ffmpeg, frames)

    async def _encoder(self, speed: MachineSpeed, ffmpeg: str, frames: Path) -> MachineSpeed:
        encode = video_arguments(
            speed.name, quality=None, speed="medium", bit_depth=8, rate=TAPE_RATE, threads=cores()
        )
        width, height = _ENCODED
        bare = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{width}x{height}")
        chain = ",".join(filter(None, (f"format={encode.pixel_format}", encode.upload_filter)))
        began_s = time.monotonic()
        try:
            await _ffmpeg(
                ffmpeg,
                *(*encode.global_arguments, *bare, "-framerate", str(TAPE_RATE), "-i", str(frames)),
                *("-vf", chain, *encode.arguments, str(self.folder / "encoded.mkv")),
            )
        except VhsBatchError as error:
            return replace(speed, note=error.cause)
        return replace(speed, frames_per_s=_ENCODED_FRAMES / (time.monotonic() - began_s))


async def _all_lanes(plan: JobPlan, workspace: Workspace, lanes: int, frames: int) -> float:
    """Seconds in which each lane makes a segment of so many frames, all at the same time."""
    first = plan.first_frame + (plan.frames - frames) // 2

    async def make(lane: int) -> None:
        segment = Segment(index=lane, start_frame=first, stop_frame=first + frames)
        part = workspace.temporary / f"{lane}.part"
        await make_part(plan, segment, workspace, part, lane=lane, attempt=1, fallback=0, tell=unheard)

    began_s = time.monotonic()
    try:
        async with anyio.create_task_group() as group:
            for lane in range(1, lanes + 1):
                group.start_soon(make, lane)
    except ExceptionGroup as failures:
        raise first_cause(failures) from None
    return time.monotonic() - began_s


async def _ffmpeg(ffmpeg: str, *arguments: str) -> None:
    """Run FFmpeg to its end.

    Raises:
        ToolError: it fails.
    """
    finished = await run((ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments))
    if finished.exit_code != 0:
        said = next(iter(finished.stderr_tail), "it said nothing")
        raise ToolError(f"FFmpeg failed: {said}", fix="vhs-upscale doctor says what works here")
