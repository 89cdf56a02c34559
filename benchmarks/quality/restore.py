"""The product, run as a user runs it; only the encode is lossless, so that no encoder is scored."""

import resource
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.quality import video

_SUFFIX = "_made"


class _Segment(BaseModel):
    model_config = ConfigDict(extra="ignore")
    frames: int
    commands: tuple[str, ...]


class _Record(BaseModel):
    """What is needed of the record beside an output."""

    model_config = ConfigDict(extra="ignore")
    segments: tuple[_Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A folder of restorations.

    Attributes:
        files: the results by the captures' stems.
        cpu_s: what making them took, with all looks and proofs, over all cores.
    """

    files: dict[str, Path]
    cpu_s: float


def restore(
    captures: Path, folder: Path, preset: str, *, engine: str, height: int, config: Path | None
) -> Restored:
    """Restore a folder of captures with the product's command line.

    Raises:
        RuntimeError: the product failed; the message is what it said.
    """
    command = [
        *(sys.executable, "-m", "vhsbatch.cli", "batch", str(captures), str(folder), "--suffix", _SUFFIX),
        *("-p", preset, "-r", str(height), "--encoder", "ffv1", "--engine", engine, "--no-tui", "--quiet"),
        *(() if config is None else ("--config", str(config))),
    ]
    before = _cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    made = {path.stem.removesuffix(_SUFFIX): path for path in folder.glob(f"*{_SUFFIX}.mkv")}
    return Restored(files=made, cpu_s=_cpu_s() - before)


def chain_frames_per_core_s(result: Path) -> float:
    """Frames that a core decodes and filters in a second: the chain run again, without its encoder."""
    record = _record(result)
    (command,) = record.segments[0].commands
    words = shlex.split(command)
    end = words.index("-filter_complex") + 4
    source_and_graph = words[words.index("-copyts") : end]
    before = _cpu_s()
    video.run("-filter_complex_threads", "1", "-threads", "1", *source_and_graph, "-f", "null", "-")
    return record.segments[0].frames / (_cpu_s() - before)


def _record(result: Path) -> _Record:
    return _Record.model_validate_json(result.with_name(result.name + ".json").read_bytes())


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
