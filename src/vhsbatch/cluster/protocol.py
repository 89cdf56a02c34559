"""What a run and a machine of the cluster tell each other. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vhsbatch.errors import UsageError
from vhsbatch.events.events import SegmentFinished
from vhsbatch.model.plan import JobPlan, Segment

# Dask's resources of a worker: bytes, and segments that its GPUs work on at a time.
MEMORY, GPU = "MEMORY", "GPU"


def resource(run_id: str) -> str:
    """What a worker has that helps a run, a piece for each slot."""
    return f"vhsbatch-{run_id}"


def topic(run_id: str) -> str:
    """Where machines speak to the head of a run."""
    return f"vhsbatch-{run_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What decides the frames, apart from plan and source: the same wherever a segment is made.

    Attributes:
        ffmpeg: FFmpeg's version.
        runtime: what runs the model, with its version and kind of device, empty where none is used.
        processor: the machine's architecture, since the tools compute differently on another one.
        qtgmc: the versions of QTGMC's packages, empty where it is not used.
    """

    ffmpeg: str
    runtime: str
    processor: str
    qtgmc: str = ""


def difference(wanted: Tools, found: Tools) -> str | None:
    """Why a machine cannot help; None if it can.

    >>> wanted = Tools(ffmpeg="n9.0.2", runtime="", processor="x86_64")
    >>> difference(wanted, Tools(ffmpeg="5.1.6", runtime="", processor="x86_64"))
    'it has FFmpeg 5.1.6, and the batch is made with FFmpeg n9.0.2'
    """
    for name, what in (("ffmpeg", "FFmpeg "), ("runtime", ""), ("processor", ""), ("qtgmc", "QTGMC with ")):
        want, have = getattr(wanted, name), getattr(found, name)
        if want != have:
            return f"it has {what}{have or 'none'}, and the batch is made with {what}{want}"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a run asks of a machine that could help it.

    Attributes:
        run_id: the run.
        version: this program's version.
        tools: what the frames are made with.
        engine: ``ffmpeg`` or ``realesrgan``.
        runtime: what runs the model, empty without one.
        on_cpu: whether the model runs on the CPU.
        encoder: FFmpeg encoder name.
        lane_bytes: memory that a segment takes while it is made.
        folder: the head's folder for segments.
        token: a file in it.
        map_path: where folders of the head's are on other machines, as `FROM=TO`.
    """

    run_id: str
    version: str
    tools: Tools
    engine: str
    runtime: str
    on_cpu: bool
    encoder: str
    lane_bytes: int
    folder: Path
    token: Path
    map_path: tuple[str, ...]

    @property
    def needs(self) -> dict[str, float]:
        """What an attempt takes of a machine, by the names that Dask's users give to it."""
        on_gpu = {GPU: 1.0} if self.runtime and not self.on_cpu else {}
        return {MEMORY: float(self.lane_bytes), **on_gpu}


def fitting(slots: int, given: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """How many attempts fit at the same time.

    Args:
        slots: there are never more.
        given: what the machine may use, of those things that are limited.
        needs: what each attempt takes.

    >>> fitting(4, {"MEMORY": 7e9}, {"MEMORY": 2e9, "GPU": 1}), fitting(4, {"GPU": 0}, {"GPU": 1})
    (3, 0)
    """
    return min([slots, *(int(given[name] // need) for name, need in needs.items() if name in given)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a machine says to an offer.

    Attributes:
        machine: its name.
        slots: how many segments it makes at a time.
        refusal: why it does not help, None if it does.
        shares_folder: whether it sees the folder for segments.
    """

    machine: str
    slots: int
    refusal: str | None = None
    shares_folder: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One attempt at one segment.

    Attributes:
        key: the task's name in the cluster.
        run_id: the run.
        plan: the video's plan, with the head's paths.
        segment: which part of it.
        lane: the lane that is occupied.
        attempt: from 1.
        fallback: how often the model failed at it before.
    """

    key: str
    run_id: str
    plan: JobPlan
    segment: Segment
    lane: int
    attempt: int
    fallback: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    """A segment that a machine has made and verified.

    Attributes:
        finished: its proof.
        part: the name of its file in the job's folder, until the head gives it its own.
        fetch_from: the address of the worker that has it, None where it is in a folder that the head sees.
    """

    finished: SegmentFinished
    part: str
    fetch_from: str | None = None


def parse_map(texts: tuple[str, ...]) -> dict[str, str]:
    """Where folders are on another machine.

    >>> parse_map(("/mnt/tapes=/volume1/tapes",))
    {'/mnt/tapes': '/volume1/tapes'}

    Raises:
        UsageError: one is not `FROM=TO` with absolute paths.
    """
    pairs = {}
    for text in texts:
        here, sign, there = text.partition("=")
        if not sign or not here.startswith("/") or not there.startswith("/"):
            raise UsageError(
                f"--map-path {text} is not FROM=TO with absolute paths",
                fix="for example --map-path /mnt/tapes=/volume1/tapes",
            )
        pairs[here.rstrip("/") or "/"] = there.rstrip("/") or "/"
    return pairs


def mapped(path: Path, pairs: Mapping[str, str]) -> Path:
    """Where `path` is on the other side; the longest folder that holds it decides.

    >>> str(mapped(Path("/mnt/tapes/a.dv"), {"/mnt": "/m", "/mnt/tapes": "/t"}))
    '/t/a.dv'
    """
    holding = [folder for folder in pairs if PurePosixPath(path).is_relative_to(folder)]
    if not holding:
        return path
    folder = max(holding, key=len)
    return Path(pairs[folder]) / path.relative_to(folder)


def as_values(answer: Answer) -> dict[str, Any]:
    """An answer as plain values, which any version can read."""
    return {
        "machine": answer.machine,
        "slots": answer.slots,
        "refusal": answer.refusal,
        "shares_folder": answer.shares_folder,
    }
