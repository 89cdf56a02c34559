"""What every benchmark says of its machine, and how it gives its result."""

import json
import os
import platform
from pathlib import Path
from typing import Any


def machine() -> str:
    """The machine, in words."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


def write(result: dict[str, Any], file: Path | None) -> None:
    """Write a result where it is asked for."""
    if file is not None:
        file.write_text(json.dumps(result, indent=1) + "\n")


def give(result: dict[str, Any], file: Path | None) -> None:
    """Print a result, and write it where it is asked for."""
    print(json.dumps(result, indent=1))
    write(result, file)
