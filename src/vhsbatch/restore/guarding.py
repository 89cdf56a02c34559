"""The guard: a few frames of a video are made as planned, and what does harm to them is turned down."""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset, derive
from vhsbatch.errors import ChainError, InputError
from vhsbatch.ffmpeg.deinterlacing import frames_made
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.segment_commands import Threads, frames_command
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.restore.turning_down import ROUNDS, Harm, changes, denoises, less_denoised

# Part of every key: raised when the same plan would be judged differently.
GUARD_VERSION = 1

_PLACES = (Fraction(1, 6), Fraction(1, 2), Fraction(5, 6))
# Filters that average over time reach two frames ahead; fields of one parity lie two frames apart.
_LAG = 4
_FRAMES = _LAG + 1
# A shorter video has not three places.
_FEWEST_FRAMES = 3 * _FRAMES
# What follows from the noise that was measured did no harm to any simulated capture: in half a minute of
# video, looking a second time would cost more than it can save.
_WORTH_FRAMES = 1800
_FRAMES_WITHOUT_SEEKING = 250
_MOST_LINES = 576
_FEWEST_LINES = 120
_THREADS = Threads(decode=1, filter=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTools:
    """With what the guard works.

    Attributes:
        ffmpeg: the FFmpeg program.
        cache: what earlier runs found out; None without a cache.
    """

    ffmpeg: str
    cache: Cache | None


async def guarded(plan: JobPlan, tools: GuardTools) -> Preset:
    """The plan's preset, with what does harm to this video turned down.

    What cannot be told is left as it is.

    Raises:
        ToolError: FFmpeg or Python cannot be started.
    """
    preset = plan.preset
    if not is_looked_at(plan):
        return preset
    key = ("guard", GUARD_VERSION, plan.fingerprint)
    if tools.cache is not None:
        known = await anyio.to_thread.run_sync(tools.cache.recall, *key)
        if isinstance(known, dict):
            return derive(preset, known)
    with tempfile.TemporaryDirectory(prefix="vhsbatch-guard-", ignore_cleanup_errors=True) as folder:
        try:
            milder = await _Guard(plan=plan, tools=tools, folder=Path(folder)).milder()
        except (ChainError, InputError, OSError, ValueError):  # what fails, fails in the batch, and says why
            return preset
    if tools.cache is not None:
        await anyio.to_thread.run_sync(tools.cache.keep, changes(preset, milder), *key)
    return milder


def is_looked_at(plan: JobPlan) -> bool:
    """Whether the guard can tell anything of a video, and is worth its time. Pure."""
    preset = plan.preset
    # QTGMC redraws lines, and is as far from the source where it gains as others where they harm.
    if not preset.guard or not denoises(preset) or plan.recipe.uses_vapoursynth:
        return False
    fewest = _WORTH_FRAMES if preset.denoise.by_noise else _FEWEST_FRAMES
    return frames_made(plan.info.video.frames, plan.recipe) >= fewest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guard:
    plan: JobPlan
    tools: GuardTools
    folder: Path

    async def milder(self) -> Preset:
        preset = self.plan.preset
        source = await self._made(_small(derive(preset, {"denoise": {"method": "none"}}), self.plan))
        for number in range(ROUNDS):
            result = await self._made(_small(preset, self.plan))
            files = [str(file) for pair in zip(source.files, result.files, strict=True) for file in pair]
            found = await _measured(str(source.width), str(source.height), *files)
            harm = Harm(**found)
            if not (harm.of_luma or harm.of_chroma):
                break
            preset = less_denoised(preset, harm, last=number == ROUNDS - 1)
            if not denoises(preset):
                break
        return preset

    async def _made(self, preset: Preset) -> "_Made":
        """Some frames of each place, as a segment would have them."""
        recipe = resolve(self.plan.info.video, preset)
        # Of an excerpt every frame is as in a restoration of the whole.
        plan = replace(self.plan, preset=preset, recipe=recipe, upscaling=None, faces=None, excerpt=None)
        whole = frames_made(plan.info.video.frames, recipe)
        if not plan.info.exact_seek:
            # It is read from its beginning.
            whole = min(whole, _FRAMES_WITHOUT_SEEKING)
        folder, files = Path(tempfile.mkdtemp(dir=self.folder)), []
        for number, part in enumerate(_PLACES):
            start = int((whole - _FRAMES) * part)
            segment = Segment(index=number, start_frame=start, stop_frame=start + _FRAMES)
            files.append(folder / f"{number}.yuv")
            argv = frames_command(
                self.tools.ffmpeg, plan, segment, pixel_format="yuv420p", output=files[-1], threads=_THREADS
            )
            await _run(StageSpec(name="frames", argv=argv))
        return _Made(files=files, width=recipe.width, height=recipe.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    files: Sequence[Path]
    width: int
    height: int


def _small(preset: Preset, plan: JobPlan) -> Preset:
    """A preset that neither enlarges nor sharpens: denoising is judged on the source's own samples."""
    lines = min(_MOST_LINES, max(_FEWEST_LINES, plan.recipe.cropped[1] // 2 * 2))
    return derive(preset, {"target_height": lines, "keep_sar": True, "pad": None, "sharpen": {"amount": 0.0}})


async def _measured(*words: str) -> Any:
    """What the worker says of some files."""
    argv = (sys.executable, "-P", "-m", "vhsbatch.analysis.harm_worker", *words)
    return json.loads("".join(await _run(StageSpec(name="measure", argv=argv))))


async def _run(stage: StageSpec) -> list[str]:
    """What a child prints."""
    lines: list[str] = []
    await run_chain((stage,), on_stdout=lines.append, on_stderr=lambda *_: None)
    return lines
