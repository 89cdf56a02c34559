"""Which tools a run works with: found, tried and chosen once, before the first video."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from vhsbatch.config import Settings
from vhsbatch.engines.devices import choose_device, choose_runtime, vulkan_devices
from vhsbatch.media.encoder_choice import choose_encoder
from vhsbatch.pipeline.autodetect import AutoDetect
from vhsbatch.pipeline.corrections import NO_CORRECTIONS, Corrections
from vhsbatch.pipeline.prepare import Intent
from vhsbatch.presets import Preset
from vhsbatch.proc.tools import ffmpeg_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The tools of a run.

    Attributes:
        ffmpeg: the FFmpeg program.
        lanes: how many pieces of work are under way at a time.
        threads: CPU threads that all lanes share.
        intent: what the run wants, with every ``auto`` resolved.
        notes: what was chosen for the user, one line each.
    """

    ffmpeg: str
    lanes: int
    threads: int
    intent: Intent
    notes: tuple[str, ...]


async def open_toolbox(
    settings: Settings,
    preset: Preset,
    *,
    detectable: Mapping[str, Preset] | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    allow_truncated: bool = False,
) -> Toolbox:
    """Find the tools and resolve every ``auto``.

    Args:
        settings: how this machine runs.
        preset: what comes out.
        detectable: presets to choose from for each source; None where `preset` is for all.
        corrections: what the user knows better than the sources say.
        allow_truncated: whether sources that break off are taken as they are.

    Raises:
        ToolError: FFmpeg, an encoder or a device that was asked for does not work.
    """
    ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    encoder, encoder_note = await choose_encoder(preset.video.encoder, ffmpeg.path)
    choice = await choose_engine(settings)
    intent = Intent(
        preset=preset,
        engine=choice.engine,
        encoder=encoder,
        device=choice.device,
        runtime=choice.runtime,
        model=settings.model,
        tile_px=settings.tile_px,
        ffmpeg=ffmpeg.path,
        ffmpeg_version=ffmpeg.version,
        max_pixels=settings.max_pixels,
        corrections=corrections,
        allow_truncated=allow_truncated,
        spare_devices=choice.spare_devices,
        auto_detect=None if detectable is None else AutoDetect(detectable),
    )
    threads = cores() if settings.threads == "auto" else settings.threads
    lanes, lanes_note = choose_lanes(
        settings.parallel,
        threads=threads,
        memory_bytes=memory_bytes(),
        engine=choice.engine,
        on_gpu=choice.on_gpu,
    )
    return Toolbox(
        ffmpeg=ffmpeg.path,
        lanes=lanes,
        threads=threads,
        intent=intent,
        notes=tuple(note for note in (lanes_note, encoder_note, choice.note) if note),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """What upscales, and where.

    Attributes:
        engine: ``ffmpeg`` or ``realesrgan``.
        device: ``cpu`` or the index of a Vulkan device.
        runtime: what runs the network, empty for the ``ffmpeg`` engine.
        on_gpu: whether the device is a real GPU.
        spare_devices: other real GPUs.
        note: why, where it was chosen for the user.
    """

    engine: str
    device: str = "cpu"
    runtime: str = ""
    on_gpu: bool = False
    spare_devices: tuple[str, ...] = ()
    note: str | None = None


async def choose_engine(settings: Settings) -> EngineChoice:
    """The engine, its device and its runtime.

    Raises:
        UsageError: the device is not there.
        ToolError: no runtime works here.
    """
    if settings.engine == "ffmpeg":
        return EngineChoice(engine="ffmpeg")
    devices = await vulkan_devices()
    device = choose_device(settings.device, devices)
    if settings.engine == "auto" and device == "cpu":
        why = "since there is no Vulkan GPU" if settings.device == "auto" else "since the device is the CPU"
        return EngineChoice(engine="ffmpeg", note=f"engine: ffmpeg, {why} (--engine realesrgan uses the CPU)")
    runtime = await choose_runtime(settings.runtime, device)
    on_gpu = device != "cpu" and devices[int(device)].is_gpu
    if device == "cpu":
        where = f"the CPU ({runtime}), which is slow"
    else:
        where = f"{devices[int(device)].name} ({runtime}){'' if on_gpu else ', which is no GPU and slow'}"
    spare = [str(gpu.index) for gpu in devices if gpu.is_gpu and str(gpu.index) != device]
    return EngineChoice(
        engine="realesrgan",
        device=device,
        runtime=runtime,
        on_gpu=on_gpu,
        spare_devices=tuple(spare) if on_gpu else (),
        note=f"engine: realesrgan on {where}",
    )


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """The machine's RAM."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


# An FFmpeg that deinterlaces SD and encodes HD keeps about two cores busy (x264 runs four threads,
# the filters before it are mostly serial) and takes up to a gigabyte; with the network on a CPU a
# lane takes all cores, and two lanes keep a GPU busy while one of them reads or writes.
_CORES_PER_LANE = 2
_LANE_BYTES = 2 * 2**30


def choose_lanes(
    parallel: int | str, *, threads: int, memory_bytes: int, engine: str, on_gpu: bool
) -> tuple[int, str | None]:
    """How many lanes, and why where that was left to us. Pure.

    >>> choose_lanes(3, threads=2, memory_bytes=2**34, engine="ffmpeg", on_gpu=False)
    (3, None)
    >>> choose_lanes("auto", threads=16, memory_bytes=2**34, engine="ffmpeg", on_gpu=False)
    (8, '8 workers: 16 threads at 2 a worker, 16 GiB of memory at 2 a worker')
    """
    if isinstance(parallel, int):
        return parallel, None
    by_memory = max(1, memory_bytes // _LANE_BYTES)
    if engine == "realesrgan":
        lanes = min(2, by_memory) if on_gpu else 1
        word = "worker" if lanes == 1 else "workers"
        return lanes, f"{lanes} {word}: the network on {'a GPU' if on_gpu else 'the CPU'}"
    lanes = max(1, min(threads // _CORES_PER_LANE, by_memory))
    word = "worker" if lanes == 1 else "workers"
    return lanes, (
        f"{lanes} {word}: {threads} threads at {_CORES_PER_LANE} a worker, "
        f"{round(memory_bytes / 2**30)} GiB of memory at {_LANE_BYTES // 2**30} a worker"
    )
