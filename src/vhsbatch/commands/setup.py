"""From typed options to checked settings and a preset: the same for every command."""

from vhsbatch.config import Settings, load_settings, preset_paths
from vhsbatch.options import MachineOptions, ResultOptions
from vhsbatch.preset_files import find_preset, load_presets
from vhsbatch.presets import Preset, override


def settings_from(machine: MachineOptions, **typed: object) -> Settings:
    """The settings, of which whatever was typed wins.

    Raises:
        UsageError: a value is wrong; the message says where it came from.
    """
    options = {
        "engine": machine.engine,
        "device": machine.device,
        "runtime": machine.runtime,
        "model": machine.model,
        "temp_dir": machine.temp_dir,
        "keep_temp": machine.keep_temp,
        **typed,
    }
    return load_settings(options, config_file=machine.config)


def preset_from(result: ResultOptions, settings: Settings) -> Preset:
    """The preset that was named, with what was typed in its place.

    Raises:
        UsageError: there is no such preset, or a value does not fit it.
    """
    preset = find_preset(load_presets(preset_paths(settings)), result.preset or "vhs")
    return override(preset, height=result.resolution, quality=result.crf, encoder=result.encoder)
