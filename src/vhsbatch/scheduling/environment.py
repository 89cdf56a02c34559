"""Which tools a run works with: found, tried and chosen once, before the first video."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from vhsbatch.analysis.autodetect import AutoDetect
from vhsbatch.cache import default_cache
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.encoder_choice import choose_encoder
from vhsbatch.ffmpeg.nnedi import find_weights
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.ffmpeg.toolchain import ffmpeg_tool
from vhsbatch.hardware.gauges import gpu_gauges, memory_gauge, processor_limit
from vhsbatch.model.plan import EncoderDevice
from vhsbatch.model.source_overrides import NO_SOURCE_OVERRIDES, SourceOverrides
from vhsbatch.restore.per_video import Overrides, shipped_preset
from vhsbatch.restore.prepare import Intent
from vhsbatch.restore.workspace import Workspace, workspace_in
from vhsbatch.scheduling.engine_choice import EngineChoice, choose_engine, tuned, with_own_model
from vhsbatch.scheduling.measuring import LaneKind, cached_need
from vhsbatch.scheduling.readings import NamedDevice
from vhsbatch.scheduling.sizing import LaneNeed, LaneRange, Machine, choose_lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The tools of a run.

    Attributes:
        parallel: how many pieces of work are under way at a time.
        threads: CPU threads that all lanes share.
        gpus: the devices that share the model's work, and what encoders call them.
        devices: every Vulkan device that the model may run on.
        slots_per_gpu: how many segments each of them works on at a time.
        need: what a lane was seen to take; None if no batch of this kind is cached.
        intent: what the run wants, with every ``auto`` resolved.
        notes: what was chosen for the user, one line each.
        details: how the number of workers was chosen, for `--verbose`.
    """

    parallel: LaneRange
    threads: int
    gpus: Mapping[str, EncoderDevice]
    devices: Mapping[str, NamedDevice]
    slots_per_gpu: int
    need: LaneNeed | None
    intent: Intent
    notes: tuple[str, ...]
    details: tuple[str, ...] = ()

    @property
    def lanes(self) -> int:
        """How many lanes there are at first."""
        return self.parallel.begin

    @property
    def threads_per_lane(self) -> int:
        """How many of the threads each of them may keep busy."""
        return max(1, self.threads // self.lanes)

    def workspace_in(self, folder: Path, settings: Settings) -> Workspace:
        """Where a lane works when all that it makes goes into one folder, and is not kept."""
        return workspace_in(folder, settings, ffmpeg=self.intent.ffmpeg.path, threads=self.threads_per_lane)


async def open_environment(
    settings: Settings,
    preset: Preset,
    *,
    auto_detect: AutoDetect | None = None,
    source_overrides: SourceOverrides = NO_SOURCE_OVERRIDES,
    preset_named: Callable[[str], Preset] = shipped_preset,
    allow_truncated: bool = False,
    max_damage_percent: int = 5,
    videos: int = 1,
) -> Environment:
    """Find the tools and resolve every ``auto``.

    Args:
        settings: how this machine runs.
        preset: how results are made.
        auto_detect: chooses a preset for each source; None where `preset` is for all.
        source_overrides: what the user knows better than the sources say.
        preset_named: gives the preset that a video's own settings name, as the run would use it.
        allow_truncated: whether to accept sources that break off.
        max_damage_percent: sources of which more frames are damaged fail.
        videos: how many there are to restore.

    Raises:
        UsageError: the user's own model cannot be used.
        ToolError: FFmpeg, an encoder, a device or a deinterlacer that was asked for does not work.
    """
    ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    encoder, encoder_note = await choose_encoder(preset.video.encoder, ffmpeg.path)
    cache = default_cache() if settings.remember else None
    settings = await with_own_model(settings, preset, cache)
    choice = await tuned(await choose_engine(settings), settings, cache)
    python, method = settings.vapoursynth_python, preset.deinterlace.method
    if method == "nnedi":
        await to_thread.run_sync(find_weights, settings.nnedi_weights)
    intent = Intent(
        preset=preset,
        engine=choice.engine,
        encoder=encoder,
        device=choice.device,
        runtime=choice.runtime,
        model=settings.model,
        tile_px=settings.tile_px,
        small_tile_px=choice.small_tile_px,
        in_flight=choice.in_flight,
        ffmpeg=ffmpeg,
        max_pixels=settings.max_pixels,
        source_overrides=source_overrides,
        allow_truncated=allow_truncated,
        max_damage_percent=max_damage_percent,
        spare_devices=choice.spare_devices,
        cache=cache,
        overrides=Overrides(tables=settings.files, preset_named=preset_named),
        auto_detect=auto_detect,
        vapoursynth_python=python,
        nnedi_weights=settings.nnedi_weights,
        measures_runtime=settings.runtime == "auto" and choice.device == "cpu",
        qtgmc=await _qtgmc(preset, python),
    )
    machine = await survey(settings, choice)
    kind = LaneKind.of_batch(preset, engine=choice.engine, device=choice.device, encoder=encoder)
    need = cached_need(cache, kind)
    lanes = choose_lanes(settings.parallel, machine, engine=choice.engine, videos=videos, need=need)
    return Environment(
        parallel=lanes,
        threads=machine.threads,
        gpus=choice.gpus,
        devices=choice.devices,
        slots_per_gpu=machine.slots_per_gpu or -(-lanes.most // max(1, len(choice.gpus))),
        need=need,
        intent=intent,
        notes=tuple(note for note in (encoder_note, choice.note) if note),
        # A cluster has as many lanes as its machines.
        details=() if settings.cluster else lanes.notes,
    )


async def _qtgmc(preset: Preset, python: str | None) -> str:
    """The versions of QTGMC's packages, empty where they are not needed, or can be done without.

    Raises:
        ToolError: they are needed and do not run.
    """
    if preset.denoise.method != "degrain":
        return await qtgmc_versions(python) if preset.deinterlace.method == "qtgmc" else ""
    try:
        return await qtgmc_versions(python)
    except ToolError:
        if python is not None:  # whoever names one wants it used
            raise
        return ""  # each plan says what it does instead


def cores() -> int:
    """CPU cores that this process may use, or has the time of."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = processor_limit()
    return count if limit is None else min(count, math.ceil(limit))


async def survey(settings: Settings, choice: EngineChoice) -> Machine:
    """What there is to work with here."""
    gpus = await gpu_gauges()
    sizes = [gpu.total_bytes for gpu in gpus if gpu.total_bytes]
    return Machine(
        threads=cores() if settings.threads == "auto" else settings.threads,
        memory_bytes=memory_gauge().total_bytes,
        gpus=len(choice.gpus) if choice.on_gpu else 0,
        slots_per_gpu=None if settings.slots_per_gpu == "auto" else settings.slots_per_gpu,
        gpu_memory_bytes=min(sizes, default=None),
        all_gpus=max(len(gpus), 1 + len(choice.spare_devices) if choice.on_gpu else 0),
    )
