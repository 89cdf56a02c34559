"""`presets`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vhsbatch.cli.completers import preset_names
from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.config.sources import load_settings, preset_paths
from vhsbatch.config.template import toml
from vhsbatch.ui.text import show_line


def presets(
    name: Annotated[str | None, Parameter(completer=preset_names)] = None, /, *, config: Path | None = None
) -> int:
    """List the presets, or show all keys of one.

    Args:
        name: The preset to show.
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
    known = load_presets(preset_paths(load_settings({}, config_file=config)))
    if name is not None:
        for line in preset_lines(find_preset(known, name)):
            show_line(line)
        return 0
    width = max(map(len, known))
    for preset in known.values():
        show_line(f"{preset.name:<{width}}  {preset.description}")
    return 0


def preset_lines(preset: Preset) -> list[str]:
    """A preset in the notation of a presets file, with every key."""
    values = preset.model_dump(mode="json", exclude={"name"})
    scalars = {key: value for key, value in values.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [f"[{preset.name}]", *_entries(scalars)]
    for key, table in tables.items():
        lines += ["", f"[{preset.name}.{key}]", *_entries(table)]
    return lines


def _entries(values: dict[str, object]) -> list[str]:
    return [
        f"# {key} is not set" if value is None else f"{key} = {toml(value)}" for key, value in values.items()
    ]
