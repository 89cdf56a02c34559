"""`config show`."""

import shlex
from pathlib import Path

from vhsbatch.config.sources import explain
from vhsbatch.integrations.notification_worker import service
from vhsbatch.ui.text import show_line


def show(*, config: Path | None = None) -> int:
    """Show each setting and where it comes from.

    Args:
        config: Configuration file, instead of ./vhsbatch.toml and your own.
    """
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
