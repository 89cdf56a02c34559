"""`doctor`: what works on this machine, tried rather than looked up, and how to fix the rest."""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio

from vhsbatch.cache import default_cache
from vhsbatch.cli.options import NO_CLUSTER_OPTIONS, ClusterOptions
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings
from vhsbatch.engines.added_models import added_models
from vhsbatch.engines.devices import (
    RUNTIMES,
    VulkanDevice,
    runtime_fix,
    runtime_problem,
    vulkan_devices,
)
from vhsbatch.engines.models import shipped_models
from vhsbatch.errors import VhsBatchError
from vhsbatch.ffmpeg.encoder_choice import Trial, hardware_fix, is_hardware, try_encoder
from vhsbatch.ffmpeg.encoders import ENCODERS
from vhsbatch.ffmpeg.nnedi import find_weights
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions
from vhsbatch.ffmpeg.toolchain import FFmpeg, ffmpeg_tool, names_of
from vhsbatch.formatting import plain, size
from vhsbatch.process.spawn import run
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.scheduling.engine_choice import EngineChoice, choose_engine, tuned
from vhsbatch.scheduling.environment import cores, survey
from vhsbatch.scheduling.sizing import choose_lanes
from vhsbatch.ui.text import show_line

Status = Literal["ok", "none", "warn", "fail"]

# Every filter that a preset, a probe or a comparison can ask for.
FILTERS = frozenset(
    (
        "adeclick", "afftdn", "aresample", "atadenoise", "bandreject", "blend", "bwdif", "chromashift",
        "colorspace", "convolution", "crop", "decimate", "dilation", "erosion", "extractplanes",
        "fieldmatch", "fillborders", "format", "fps", "hflip", "highpass", "hqdn3d", "hstack",
        "hysteresis", "idet", "loudnorm", "lut", "lut3d", "lutyuv", "maskedclamp", "maskedmerge",
        "mergeplanes", "mpdecimate", "nlmeans", "nnedi", "overlay", "pad", "scale", "select",
        "separatefields", "setfield", "setparams", "setpts", "setsar", "settb", "showinfo", "sidedata",
        "split", "tmedian", "tonemap", "tpad", "transpose", "trim", "unsharp", "vflip", "vstack",
        "w3fdif", "weave", "xstack", "yadif", "zscale",
    )
)  # fmt: skip

_EMBEDDED = "leave the setting 'ffmpeg' out to use the embedded one"
_VULKAN_FIX = "AMD, Intel: apt-get install mesa-vulkan-drivers; NVIDIA: install its driver"
# A lane with a 1080p output stays below this, and so do an hour's segments.
_LITTLE_MEMORY = 4 * 2**30
_LITTLE_DISK = 20 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor.

    Attributes:
        status: ``ok``; ``none`` for what this machine need not have; ``warn`` for what limits it;
            ``fail`` for what keeps everything from working.
        subject: what was examined.
        detail: what was found.
        fix: what mends it, a command where there is one.
    """

    status: Status
    subject: str
    detail: str
    fix: str | None = None


def doctor(*, cluster: ClusterOptions = NO_CLUSTER_OPTIONS, config: Path | None = None) -> int:
    """Check what works on this machine, and how to fix the rest.

    With --cluster, show which machines of a cluster would help a batch, and why others would not.

    Args:
        cluster: See `ClusterOptions`.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    if cluster.cluster is not None:
        from vhsbatch.cli.cluster_doctor import show_cluster

        return show_cluster(cluster, config)
    return run_until_stopped(_examine, load_settings({}, config_file=config))


async def _examine(settings: Settings) -> int:
    """Print every finding; 3 if something is missing without which nothing works."""
    failed = False
    async for finding in examine(settings):
        show_line(line(finding))
        failed = failed or finding.status == "fail"
    return 3 if failed else 0


def line(finding: Finding) -> str:
    """A finding as it is printed.

    >>> line(Finding(status="warn", subject="Vulkan", detail="no device", fix="install a driver"))
    'warn  Vulkan: no device -> install a driver'
    """
    fix = "" if finding.fix is None else f" -> {finding.fix}"
    return f"{finding.status:<4}  {finding.subject}: {plain(finding.detail)}{fix}"


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Try out everything, one finding after the other."""
    yield _python()
    yield await _pyav()
    try:
        ffmpeg = await ffmpeg_tool(settings.ffmpeg)
    except VhsBatchError as error:
        yield Finding(status="fail", subject="FFmpeg", detail=error.cause, fix=error.fix)
    else:
        whose = "embedded" if ffmpeg.embedded else "from the settings"
        yield Finding(status="ok", subject="FFmpeg", detail=f"{ffmpeg.version}, {whose}, {ffmpeg.path}")
        yield await _filters(ffmpeg)
        for trial in await _trials(ffmpeg):
            yield _encoder(trial)
    yield await _qtgmc(settings)
    yield _nnedi(settings)
    devices = await vulkan_devices()
    for finding in _vulkan(devices):
        yield finding
    for device in ("cpu", *(str(device.index) for device in devices)):
        for runtime in RUNTIMES:
            yield await _runtime(runtime, device)
    yield _models()
    yield await _engine(settings)
    yield await _workers(settings, on_gpu=any(device.is_gpu for device in devices))
    for folder in _folders(settings):
        yield _disk(folder)
    yield _terminal()


def _python() -> Finding:
    return Finding(status="ok", subject="Python", detail=platform.python_version())


async def _pyav() -> Finding:
    """Asked in a child process, as the probe does: it loads libraries of its own."""
    finished = await run((sys.executable, "-c", "import av"), timeout_s=60)
    if finished.exit_code == 0:
        return Finding(status="ok", subject="PyAV", detail=importlib.metadata.version("av"))
    said = finished.stderr_tail[-1] if finished.stderr_tail else f"exit code {finished.exit_code}"
    return Finding(
        status="fail", subject="PyAV", detail=f"does not load: {said}", fix="pip install --force-reinstall av"
    )


async def _filters(ffmpeg: FFmpeg) -> Finding:
    missing = sorted(FILTERS - await names_of(ffmpeg.path, "filters"))
    if missing:
        fix = None if ffmpeg.embedded else _EMBEDDED
        return Finding(status="fail", subject="filters", detail=f"missing: {', '.join(missing)}", fix=fix)
    return Finding(status="ok", subject="filters", detail=f"all {len(FILTERS)} that are used are there")


async def _trials(ffmpeg: FFmpeg) -> list[Trial]:
    """Every encoder tried, as many at a time as there are cores, in the order of the list."""
    trials: dict[str, Trial] = {}
    limiter = anyio.CapacityLimiter(cores())

    async def attempt(encoder: str) -> None:
        async with limiter:
            trials[encoder] = await try_encoder(encoder, ffmpeg.path)

    async with anyio.create_task_group() as group:
        for encoder in ENCODERS:
            group.start_soon(attempt, encoder)
    return [trials[encoder] for encoder in ENCODERS]


def _encoder(trial: Trial) -> Finding:
    subject = f"encoder {trial.encoder}"
    if trial.works:
        return Finding(status="ok", subject=subject, detail="encodes")
    if is_hardware(trial.encoder):
        return Finding(
            status="none", subject=subject, detail=trial.reason, fix=hardware_fix(trial.encoder, trial.reason)
        )
    status: Status = "fail" if trial.encoder == "libx264" else "warn"
    return Finding(status=status, subject=subject, detail=trial.reason, fix=_EMBEDDED)


async def _qtgmc(settings: Settings) -> Finding:
    try:
        versions = await qtgmc_versions(settings.vapoursynth_python)
    except VhsBatchError as error:
        return Finding(status="none", subject="QTGMC", detail=error.cause, fix=error.fix)
    return Finding(status="ok", subject="QTGMC", detail=versions)


def _nnedi(settings: Settings) -> Finding:
    try:
        weights = find_weights(settings.nnedi_weights)
    except VhsBatchError as error:
        return Finding(status="none", subject="nnedi", detail=error.cause, fix=error.fix)
    return Finding(status="ok", subject="nnedi", detail=f"its weights are {plain(str(weights))}")


def _vulkan(devices: tuple[VulkanDevice, ...]) -> list[Finding]:
    findings = [
        Finding(status="ok", subject=f"Vulkan device {device.index}", detail=f"{device.name}, a real GPU")
        if device.is_gpu
        else Finding(
            status="warn",
            subject=f"Vulkan device {device.index}",
            detail=f"{device.name} is no GPU: it is the CPU in disguise",
            fix=_VULKAN_FIX,
        )
        for device in devices
    ]
    return findings or [Finding(status="warn", subject="Vulkan", detail="no device", fix=_VULKAN_FIX)]


async def _runtime(runtime: str, device: str) -> Finding:
    problem = await runtime_problem(runtime, device)
    subject = f"runtime {runtime} on {'the CPU' if device == 'cpu' else f'Vulkan device {device}'}"
    if problem is not None:
        return Finding(status="warn", subject=subject, detail=problem, fix=runtime_fix(problem))
    return Finding(status="ok", subject=subject, detail=importlib.metadata.version(runtime))


def _models() -> Finding:
    try:
        names = [network.name for network in shipped_models()]
    except VhsBatchError as error:
        return Finding(status="warn", subject="models", detail=error.cause, fix=error.fix)
    return Finding(status="ok", subject="models", detail=", ".join([*names, *added_models()]))


async def _engine(settings: Settings) -> Finding:
    """What a batch would use, as it would find out."""
    try:
        memory = default_cache() if settings.remember else None
        choice = await tuned(await choose_engine(settings), settings, memory)
    except VhsBatchError as error:
        return Finding(status="fail", subject="engine", detail=error.cause, fix=error.fix)
    detail = choice.note.removeprefix("engine: ") if choice.note else choice.engine
    return Finding(status="ok", subject=f"engine '{settings.engine}'", detail=detail)


async def _workers(settings: Settings, *, on_gpu: bool) -> Finding:
    engine = "realesrgan" if on_gpu and settings.engine != "ffmpeg" else "ffmpeg"
    machine = await survey(settings, EngineChoice(engine=engine, on_gpu=on_gpu))
    lanes = choose_lanes("auto", machine, engine=engine, videos=1)
    threads, memory = machine.threads, size(machine.memory_bytes)
    detail = f"{threads} threads, {memory} of memory: --parallel auto begins with {lanes.begin}"
    if machine.memory_bytes < _LITTLE_MEMORY:
        return Finding(status="warn", subject="machine", detail=detail, fix="use --parallel 1 and -r 720")
    return Finding(status="ok", subject="machine", detail=detail)


def _folders(settings: Settings) -> list[Path]:
    return [Path.cwd(), *([settings.temp_dir] if settings.temp_dir is not None else [])]


def _disk(folder: Path) -> Finding:
    subject = f"disk of {plain(str(folder))}"
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            status="warn", subject=subject, detail=error.strerror or str(error), fix="make the folder"
        )
    if free < _LITTLE_DISK:
        return Finding(
            status="warn", subject=subject, detail=f"only {size(free)} free", fix="free some, or set temp_dir"
        )
    return Finding(status="ok", subject=subject, detail=f"{size(free)} free")


def _terminal() -> Finding:
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        detail = "none here: lines are printed instead of the interface"
        return Finding(status="none", subject="terminal", detail=detail)
    columns, rows = shutil.get_terminal_size()
    detail = f"{os.environ.get('TERM', 'unknown')}, {columns}x{rows}, {sys.stdout.encoding}"
    if "utf" not in sys.stdout.encoding.lower():
        return Finding(status="warn", subject="terminal", detail=detail, fix="export LC_ALL=C.UTF-8")
    return Finding(status="ok", subject="terminal", detail=detail)
