"""`benchmark`: how fast this machine is, and how long an hour of tape takes."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vhsbatch.cli.completers import preset_lists
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import load_settings, preset_paths
from vhsbatch.errors import UsageError
from vhsbatch.formatting import duration, plain
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.scheduling.machine_speed import Kind, MachineSpeed, speeds
from vhsbatch.ui.text import say, show_line

# The chain of each differs: others are about as fast as one of these.
_PRESETS = "vhs,clean,vhs_best,vhs_archive"
_TITLES: dict[Kind, str] = {
    "preset": "An hour of NTSC tape (720x480, interlaced, noisy):",
    "encoder": "Encoders, frames of 1440x1080:",
    "model": "The model, frames of 720x480 to twice the size:",
}


def benchmark(
    *,
    seconds: float = 180.0,
    presets: Annotated[str, Parameter(completer=preset_lists)] = _PRESETS,
    json: bool = False,
    config: Path | None = None,
) -> int:
    """Measure how fast this machine is, and how long an hour of tape takes.

    Run it while the machine does nothing else.

    Args:
        seconds: Start no further measurement after this time. [default: 180]
        presets: Presets to measure, separated by commas. [default: vhs,clean,vhs_best,vhs_archive]
        json: Print a JSON object for each measurement.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    if not seconds > 0:
        raise UsageError(f"--seconds {seconds:g} leaves no time", fix="use more than 0")
    settings = load_settings({}, config_file=config)
    known = load_presets(preset_paths(settings))
    names = list(dict.fromkeys(name.strip() for name in presets.split(",") if name.strip()))
    return run_until_stopped(
        _benchmark, settings, [find_preset(known, name) for name in names], seconds, json
    )


async def _benchmark(settings: Settings, presets: list[Preset], seconds: float, as_json: bool) -> int:
    shown: Kind | None = None
    silent: list[str] = []
    measured = speeds(
        settings, presets, until_s=time.monotonic() + seconds, begin=lambda what: say(f"measuring {what} …")
    )
    async for speed in measured:
        if as_json:
            show_line(json.dumps(asdict(speed)))
            continue
        if speed.kind != shown:
            _show_silent(silent)
            show_line(_TITLES[speed.kind])
            shown = speed.kind
        if speed.kind == "encoder" and speed.frames_per_s is None:
            silent.append(speed.name)
        else:
            show_line(line(speed))
    _show_silent(silent)
    return 0


def _show_silent(encoders: list[str]) -> None:
    """Name the encoders that were not measured: a machine has a few of all that there are."""
    if encoders:
        show_line(f"  not measured: {', '.join(encoders)} (vhs-upscale doctor says which work)")
        encoders.clear()


def line(speed: MachineSpeed) -> str:
    """A measurement as it is printed.

    >>> line(MachineSpeed(kind="encoder", name="libx264", frames_per_s=24.2))
    '  libx264: 24 frames/s'
    >>> line(MachineSpeed(kind="preset", name="vhs", frames_per_s=9.5, hours=6.31, note="1 worker"))
    '  vhs: 6:18:36 (9.5 frames/s, 1 worker)'
    >>> line(MachineSpeed(kind="encoder", name="h264_amf", note="no driver"))
    '  h264_amf: not measured: no driver'
    """
    if speed.frames_per_s is None:
        return f"  {speed.name}: not measured: {plain(speed.note)}"
    rate = f"{speed.frames_per_s:.{0 if speed.frames_per_s >= 20 else 1}f} frames/s"
    if speed.hours is None:
        return f"  {plain(speed.name)}: {rate}"
    return f"  {plain(speed.name)}: {duration(3600 * speed.hours)} ({rate}, {plain(speed.note)})"
