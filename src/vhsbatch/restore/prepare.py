"""From a path to a plan: probe the source, decide with what it is made, plan it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anyio import to_thread

from vhsbatch.analysis.autodetect import AutoDetect, PresetChoice
from vhsbatch.analysis.measure import cached_picture
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.cache import Cache
from vhsbatch.config.presets import Preset
from vhsbatch.engines.face_models import expect_face_model, face_model
from vhsbatch.engines.faces import faces_identity, resolve_faces
from vhsbatch.engines.model_check import expect_sane
from vhsbatch.engines.models import ModelFiles, find_models
from vhsbatch.engines.realesrgan import numbered, resolve_upscaling
from vhsbatch.engines.registry import engine_named
from vhsbatch.engines.tuning import runtime_on_cpu
from vhsbatch.errors import InputError, ToolError
from vhsbatch.ffmpeg.lut import expect_lut
from vhsbatch.ffmpeg.nnedi import find_weights
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.ffmpeg.tonemap import sdr_filters
from vhsbatch.ffmpeg.toolchain import FFmpeg, names_of
from vhsbatch.fs import sha256
from vhsbatch.model.media import Colour, MediaInfo, VideoTrack
from vhsbatch.model.plan import FaceRestoration, Job, JobPlan, Upscaling
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.source_overrides import NO_SOURCE_OVERRIDES, SourceOverrides, corrected
from vhsbatch.model.trim import Trim
from vhsbatch.probe.cached import Probing
from vhsbatch.probe.probe import frame_times
from vhsbatch.restore.damage import expect_usable
from vhsbatch.restore.fitting import (
    fitted,
    is_fitted,
    mildly_sharpened,
    why_no_tape,
    why_not_degrained,
    without_degrain,
)
from vhsbatch.restore.guarding import GuardTools, guarded
from vhsbatch.restore.per_video import NO_OVERRIDE, NO_OVERRIDES, Override, Overrides
from vhsbatch.restore.planner import Toolchain, make_plan
from vhsbatch.restore.reuse import sample_of
from vhsbatch.restore.turning_down import in_words, not_sharpened_twice, sharpens

# What is shorter is made before it is known what is fastest.
_WORTH_MEASURING_FRAMES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a run wants, the same for all of its videos.

    Attributes:
        preset: with every override applied.
        engine: ``ffmpeg`` or ``realesrgan``.
        encoder: FFmpeg encoder name.
        device: where the model runs: ``cpu`` or the index of a Vulkan device.
        runtime: what runs it.
        model: the user's own model, or None.
        tile_px: tile edge in pixels, 0 for the engine's choice.
        small_tile_px: that of small models, where `tile_px` is 0.
        in_flight: how many frames the model works on at a time.
        ffmpeg: the FFmpeg of this run.
        max_pixels: larger pictures are refused.
        source_overrides: what the user knows better than the sources say.
        allow_truncated: whether to accept sources that break off.
        max_damage_percent: sources of which more frames are damaged fail.
        spare_devices: other devices for the model.
        cache: what earlier runs found out about sources; None without a cache.
        overrides: finds per-video settings.
        auto_detect: chooses a preset for each source; None where `preset` is for all.
        vapoursynth_python: the interpreter that has VapourSynth, None for this one.
        nnedi_weights: the file of nnedi's weights, None where it is to be looked for.
        qtgmc: the versions of QTGMC's packages where `preset` asks for it, empty where it does not.
        measures_runtime: whether `runtime` is the one for large frames, and small ones may want another.
    """

    preset: Preset
    engine: str
    encoder: str
    device: str
    runtime: str
    model: Path | None
    tile_px: int
    ffmpeg: FFmpeg
    max_pixels: int
    small_tile_px: int = 0
    in_flight: int = 1
    source_overrides: SourceOverrides = NO_SOURCE_OVERRIDES
    allow_truncated: bool = False
    max_damage_percent: int = 100
    spare_devices: tuple[str, ...] = ()
    cache: Cache | None = None
    overrides: Overrides = NO_OVERRIDES
    auto_detect: AutoDetect | None = None
    vapoursynth_python: str | None = None
    nnedi_weights: Path | None = None
    qtgmc: str = ""
    measures_runtime: bool = False

    @property
    def probing(self) -> Probing:
        """How its sources are probed."""
        return Probing(
            ffmpeg=self.ffmpeg,
            max_pixels=self.max_pixels,
            allow_truncated=self.allow_truncated,
            cache=self.cache,
        )


async def probe_source(
    path: Path, intent: Intent, *, parts: Sequence[Path] = ()
) -> tuple[MediaInfo, Override]:
    """Probe the source, and find its per-video settings.

    Args:
        path: the source.
        intent: what is wanted.
        parts: all files of a recording in several, of which the first is `path`.

    Raises:
        InputError: it cannot be restored, is still being written, or its source overrides are wrong.
    """
    info, override = await to_thread.run_sync(_known, path, parts, intent, abandon_on_cancel=True)
    if info is None:
        info = await intent.probing.probe_and_cache(path, parts=parts)
    info = corrected(corrected(info, intent.source_overrides), override.source_overrides)
    expect_usable(info, intent.max_damage_percent)
    return info, override


def wanted_trim(path: Path, intent: Intent) -> Trim:
    """What the user wants of a source, without probing it; reads its per-video settings.

    Raises:
        InputError: these are wrong.
    """
    return intent.overrides.of(path).source_overrides.trim.over(intent.source_overrides.trim)


def _known(path: Path, parts: Sequence[Path], intent: Intent) -> tuple[MediaInfo | None, Override]:
    """What is known about a source without probing it. One thread switch, since it runs for every video."""
    return intent.probing.recall(path, parts=parts), intent.overrides.of(path, parts[1:])


async def prepare(job: Job, info: MediaInfo, intent: Intent, *, override: Override = NO_OVERRIDE) -> JobPlan:
    """The plan of one video.

    Args:
        job: the video.
        info: what it is.
        intent: what is wanted for all videos.
        override: its per-video settings.

    Raises:
        InputError: the source cannot be restored.
        ToolError: what the plan needs is not there.
    """
    preset, notes = override.preset or intent.preset, override.notes
    essential: tuple[str, ...] = ()
    choice: PresetChoice | None = None
    if intent.auto_detect is not None and override.preset is None:
        choice = await intent.auto_detect.choose(info, intent.cache, ffmpeg=intent.ffmpeg, otherwise=preset)
        preset, notes, essential = choice.preset, (*choice.reasons, *notes), choice.reasons[:1]
    sharpen, preset = preset.sharpen, override.applied(preset)
    preset, replaced, decided = await _fitted(
        preset, info, intent, choice, sharpens_as_shipped=preset.sharpen == sharpen
    )
    notes, essential = (*notes, *replaced, *decided), (*essential, *replaced)
    intent = replace(intent, preset=preset)
    recipe = resolve(info.video, intent.preset)
    is_long = info.video.frames >= _WORTH_MEASURING_FRAMES
    files = await _models(recipe, intent)
    if intent.measures_runtime and is_long and intent.cache is not None and files:
        intent = replace(intent, runtime=await runtime_on_cpu(*recipe.model_input, intent.cache))
    if recipe.converts_colours:
        await _expect_filters(intent.ffmpeg, recipe.decoded)
    upscaling, model_notes = _upscaling(files, recipe, intent)
    identity = {"ffmpeg": intent.ffmpeg.version, **await _lut_identity(intent.preset)}
    if recipe.uses_vapoursynth:
        identity["qtgmc"] = await qtgmc_versions(intent.vapoursynth_python)
    weights = None
    if recipe.deinterlacer == "nnedi":
        weights = await to_thread.run_sync(find_weights, intent.nnedi_weights)
        identity["nnedi"] = await sha256(weights)
    if upscaling is not None:
        identity |= engine_named(intent.engine).identity(upscaling)
        for number, model in enumerate(files, 1):
            if model.origin:
                identity[numbered("model", number)] = model.origin
    faces, face_notes = await _faces(intent, upscaling)
    if faces is not None:
        identity |= await to_thread.run_sync(faces_identity, faces)
    toolchain = Toolchain(
        engine="ffmpeg" if upscaling is None else intent.engine,
        upscaling=upscaling,
        encoder=intent.encoder,
        container=intent.preset.container,
        identity=identity,
        nnedi_weights=weights,
        faces=faces,
        notes=(*notes, *model_notes, *face_notes),
        essential_notes=(*essential, *(model_notes if upscaling is None else ()), *face_notes[:1]),
    )
    times_s = None
    if recipe.keeps_times:
        times_s = await frame_times(info.path, info.video.start_s, parts=job.parts, ffmpeg=intent.ffmpeg.path)
    sample = await to_thread.run_sync(sample_of, *job.files)
    plan = make_plan(job, info, intent.preset, recipe, toolchain, times_s=times_s, sample=sample)
    tools = GuardTools(ffmpeg=intent.ffmpeg.path, cache=intent.cache)
    milder = await guarded(plan, tools)
    if not (turned_down := in_words(plan.preset, milder)):
        return plan
    toolchain = replace(
        toolchain,
        notes=(*toolchain.notes, *turned_down),
        essential_notes=(*toolchain.essential_notes, *turned_down),
    )
    recipe = resolve(info.video, milder)
    return make_plan(job, info, milder, recipe, toolchain, times_s=times_s, sample=sample)


async def _fitted(
    preset: Preset, info: MediaInfo, intent: Intent, choice: PresetChoice | None, *, sharpens_as_shipped: bool
) -> tuple[Preset, tuple[str, ...], tuple[str, ...]]:
    """The preset as it suits this source on this machine, what stands in for what, and what was decided."""
    track = info.video
    replaced: tuple[str, ...] = ()
    if preset.denoise.method == "degrain" and (reason := await _why_not_degrained(preset, track, intent)):
        preset, instead = without_degrain(preset)
        replaced = (f"{instead}: {reason}",)
    if not is_fitted(preset) and not (sharpens(preset) and track.is_sd):
        return preset, replaced, ()
    picture = await _picture(info, intent) if choice is None else choice.picture
    if (reason := why_no_tape(preset, track, picture)) is not None:
        preset = mildly_sharpened(preset) if sharpens_as_shipped else preset
        replaced += (
            f"preset {preset.name} is for tapes, and this is none ({reason}): "
            "leave --preset out to have one chosen",
        )
    preset, decided = fitted(preset, track, picture)
    preset, turned_down = not_sharpened_twice(preset, picture)
    return preset, (*replaced, *turned_down), decided


async def _picture(info: MediaInfo, intent: Intent) -> VideoMeasurement | None:
    try:
        return await cached_picture(info, intent.cache, ffmpeg=intent.ffmpeg)
    except InputError:  # what little decodes is restored all the same
        return None


async def _why_not_degrained(preset: Preset, track: VideoTrack, intent: Intent) -> str | None:
    if (reason := why_not_degrained(preset, track)) is not None:
        return reason
    try:
        await qtgmc_versions(intent.vapoursynth_python)
    except ToolError as error:
        return error.cause
    return None


async def _expect_filters(ffmpeg: FFmpeg, colour: Colour) -> None:
    """Refuse colours for which this FFmpeg lacks a filter; not every one has them all.

    Raises:
        InputError: it does.
    """
    wanted = {name for name, _ in sdr_filters(colour)}
    if missing := sorted(wanted - await names_of(ffmpeg.path, "filters")):
        raise InputError(
            f"its colours have to be converted to SDR, and this FFmpeg has no filter {' and '.join(missing)}",
            fix="leave the setting 'ffmpeg' out to use the embedded one",
        )


async def _lut_identity(preset: Preset) -> dict[str, str]:
    lut = preset.colour.lut
    if lut is None:
        return {}
    await to_thread.run_sync(expect_lut, lut, abandon_on_cancel=True)
    return {"lut": await sha256(lut)}


async def _models(recipe: Recipe, intent: Intent) -> tuple[ModelFiles, ...]:
    """The models for this source, in their order; none where nothing has to be enlarged.

    Raises:
        UsageError: one of the user's own is not there, or is none that can be used.
        ToolError: the shipped models are not installed.
    """
    if intent.engine != "realesrgan":
        return ()
    named = intent.preset.upscale.model if intent.model is None else str(intent.model)
    find = functools.partial(
        find_models, named, source_height=recipe.model_input[1], target_height=recipe.height
    )
    found = await to_thread.run_sync(find)
    return tuple([await expect_sane(files, intent.cache) if files.is_own else files for files in found])


async def _faces(
    intent: Intent, upscaling: Upscaling | None
) -> tuple[FaceRestoration | None, tuple[str, ...]]:
    """How faces are restored, and what the user should know of that.

    Raises:
        UsageError: the model is not there, or is none that can be used.
    """
    keys = intent.preset.faces
    if keys.model is None:
        return None, ()
    model = await to_thread.run_sync(face_model, keys.model)
    took_s = await expect_face_model(model, intent.cache)
    device = intent.device if upscaling is None else upscaling.device
    faces = resolve_faces(keys, model, device=device)
    each = (
        f"about {took_s:.1f} s for each face of a frame"
        if device == "cpu"
        else "how long it takes is not known"
    )
    where = "the CPU" if device == "cpu" else f"Vulkan device {device}"
    return faces, (
        f"faces are redrawn by {model.name} ({model.kind}): they change, and detail is invented",
        f"faces are redrawn on {where}: {each}",
    )


def _upscaling(
    files: Sequence[ModelFiles], recipe: Recipe, intent: Intent
) -> tuple[Upscaling | None, tuple[str, ...]]:
    """How the model is used for this source, and what the user should know of that."""
    if intent.engine != "realesrgan":
        return None, ()
    if not files:
        lines, height = recipe.model_input[1], recipe.height
        return None, (f"has {lines} lines already: scaled to {height} without the model",)
    upscaling = resolve_upscaling(
        *files,
        device=intent.device,
        runtime=intent.runtime,
        tile_px=intent.tile_px,
        strength=intent.preset.upscale.strength,
        small_tile_px=intent.small_tile_px,
        in_flight=intent.in_flight,
        spare_devices=intent.spare_devices,
    )
    where = "the CPU" if upscaling.device == "cpu" else f"Vulkan device {upscaling.device}"
    return upscaling, (f"upscaled by {upscaling.model} on {where} ({upscaling.runtime})",)
