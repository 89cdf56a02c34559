"""`presets`, `config show` and `doctor`: commands that only say something."""

import shlex
from pathlib import Path

from vhsbatch.config.preset_files import find_preset, load_presets
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.config.sources import explain, load_settings, preset_paths
from vhsbatch.integrations.notification_worker import service
from vhsbatch.process.stop_signals import run_until_stopped
from vhsbatch.ui.text import show_line


def show_presets(name: str | None, config: Path | None) -> int:
    """List the presets, or one with all of its keys as a TOML table."""
    presets = load_presets(preset_paths(load_settings({}, config_file=config)))
    if name is not None:
        for line in preset_lines(find_preset(presets, name)):
            show_line(line)
        return 0
    width = max(map(len, presets))
    for preset in presets.values():
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
        f"# {key} is not set" if value is None else f"{key} = {_toml(value)}" for key, value in values.items()
    ]


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A basic string of TOML takes JSON's escapes.
            import json

            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def show_config(config: Path | None) -> int:
    """Each setting, its value, and where that came from."""
    origins = explain({}, config_file=config)
    width = max(len(origin.name) for origin in origins)
    shown = {origin.name: _shown(origin.name, origin.value) for origin in origins}
    value_width = max(map(len, shown.values()))
    for origin in origins:
        show_line(f"{origin.name:<{width}}  {shown[origin.name]:<{value_width}}  {origin.source}")
    return 0


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "true" if value else "false"
        case tuple() if name in ("on_video", "on_batch"):
            return shlex.join(value) or "-"
        case tuple() if name == "notify":
            # Addresses hold passwords.
            return ", ".join(map(service, value)) or "-"
        case tuple() | dict():
            return ", ".join(map(str, value)) or "-"
        case _:
            return str(value)


def show_doctor(config: Path | None) -> int:
    """What works here; 3 if something is missing without which nothing works."""
    return run_until_stopped(_examine, load_settings({}, config_file=config))


async def _examine(settings: Settings) -> int:
    from vhsbatch.cli.doctor_checks import examine, line

    failed = False
    async for finding in examine(settings):
        show_line(line(finding))
        failed = failed or finding.status == "fail"
    return 3 if failed else 0
