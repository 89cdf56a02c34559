"""A real batch, as the benchmarks of whole batches run it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LANES = 2


def events_of_batch(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Run a batch with the FFmpeg engine and two workers; what it says with `--json`.

    Args:
        arguments: of the command `batch`, without those.
        folder: where it is run.
        environment: added to this program's.
    """
    fixed = ("--engine", "ffmpeg", "--parallel", str(LANES), "--json")
    done = subprocess.run(
        (sys.executable, "-m", "vhsbatch.cli", "batch", *arguments, *fixed),
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
