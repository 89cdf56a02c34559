"""A tape that is restored by a preset of its own, without a denoiser, to frames that can be compared."""

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

import program
from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.nnedi import find_weights
from vhsbatch.ffmpeg.qtgmc import qtgmc_versions

FFV1 = ("-c:v", "ffv1", "-g", "1")


def need_qtgmc() -> None:
    try:
        anyio.run(qtgmc_versions, None)
    except ToolError as error:
        pytest.skip(str(error))


def need_weights() -> None:
    try:
        find_weights(None)
    except ToolError as error:
        pytest.skip(str(error))


def restored(
    folder: Path,
    preset: str,
    *,
    segment_s: int,
    name: str,
    engine: Sequence[str | Path] = ("--engine", "ffmpeg"),
    height: int = 480,
    source: str = "tape.mkv",
    denoise: str = "none",
) -> Path:
    """`source` in `folder`, made in segments of `segment_s`."""
    (folder / "vhsbatch.toml").write_text("presets = ['own.toml']\n")
    (folder / "own.toml").write_text(
        f"[own]\nsegment_s = {segment_s}\ntarget_height = {height}\n{preset}\n[own.video]\nencoder = 'ffv1'\n"
        # FFmpeg's remember more frames than are read before a segment, and some levels differ for it.
        f"[own.denoise]\nmethod = '{denoise}'\n"
    )
    made = folder / name
    done = program.run("upscale", source, "-o", made, "-p", "own", *engine, "--no-tui", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return made
