"""What every benchmark says of its machine and of its targets, and how it gives its result."""

import json
import os
import platform
from pathlib import Path
from typing import Any


def machine() -> str:
    """The machine, in words."""
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"


def target(name: str, figure: float, limit: float, *, at_least: bool = False) -> dict[str, Any]:
    """A figure beside the most, or the least, that it may be."""
    met = figure >= limit if at_least else figure <= limit
    return {"name": name, "figure": figure, "target": limit, "at_least": at_least, "met": met}


def write(result: dict[str, Any], file: Path | None) -> None:
    """Write a result where it is asked for."""
    if file is not None:
        file.write_text(json.dumps(result, indent=1) + "\n")


def give(result: dict[str, Any], file: Path | None) -> None:
    """Print a result, and write it where it is asked for."""
    print(json.dumps(result, indent=1))
    write(result, file)
