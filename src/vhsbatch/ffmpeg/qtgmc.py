"""QTGMC through VapourSynth: the interpreter that has it, tried out, and the stage that runs it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vhsbatch.errors import ToolError
from vhsbatch.ffmpeg.deinterlacing import fields_of, held_of, order_runs
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.process.chain import StageSpec
from vhsbatch.process.spawn import run

STAGE = "deinterlace"
_WORKER = str(Path(__file__).with_name("qtgmc_worker.py"))
_TRIAL_TIMEOUT_S = 120

_known: dict[str, str] = {}


async def qtgmc_versions(setting: str | None) -> str:
    """The versions of all that decides what QTGMC makes; it is tried out once.

    Args:
        setting: an interpreter with VapourSynth, None for this one.

    Raises:
        ToolError: it does not run there.
    """
    python = interpreter(setting)
    if python not in _known:
        _known[python] = await _try(python)
    return _known[python]


def interpreter(setting: str | None) -> str:
    """The interpreter that runs QTGMC."""
    return setting or sys.executable


async def _try(python: str) -> str:
    fix = "set vapoursynth_python to a Python that has VapourSynth, or install this program with Python 3.12"
    try:
        finished = await run((python, "-P", _WORKER, "--trial"), timeout_s=_TRIAL_TIMEOUT_S)
    except TimeoutError as error:
        raise ToolError(f"QTGMC did not answer within {_TRIAL_TIMEOUT_S} s ({python})", fix=fix) from error
    if finished.exit_code == 0:
        versions = json.loads(finished.stdout)
        return ", ".join(f"{name} {number}" for name, number in versions.items())
    raise ToolError(f"QTGMC does not run with {python}: {finished.last_words}", fix=fix)


def deinterlace_stage(
    plan: JobPlan, segment: Segment, *, vapoursynth_python: str | None, threads: int
) -> StageSpec:
    """The worker program: frames of the grid in, frames at the plan's rate out.

    Args:
        plan: the plan.
        segment: the frames to make.
        vapoursynth_python: the interpreter, None for this one.
        threads: CPU threads that it may keep busy.
    """
    recipe = plan.recipe
    width, height = recipe.recorded
    source = fields_of(plan, segment)
    first, *changes = order_runs(plan.info.video, source)
    held = held_of(plan, source)
    flips = ",".join(str(_frames_before(run.first_frame - source.start, held)) for run in changes)
    keep = segment.stop_frame - int(source.start * recipe.rate_factor)
    return StageSpec(
        name=STAGE,
        argv=(
            *(interpreter(vapoursynth_python), "-P", _WORKER),
            *("--width", str(width), "--height", str(height), "--format", recipe.front),
            *("--frames", str(len(source)), "--keep", str(keep)),
            *("--held", ",".join(f"{start}-{stop}" for start, stop in held)),
            *_work(plan, first.order.value, flips),
            *("--threads", str(threads)),
        ),
    )


def _work(plan: JobPlan, order: str, flips: str) -> tuple[str, ...]:
    """What the worker does to each frame."""
    preset, denoise = plan.preset, plan.preset.denoise
    if plan.recipe.deinterlaces:
        how = (
            *("--bob", preset.deinterlace.method, "--rate", preset.deinterlace.rate),
            *("--order", order, *(("--flips", flips) if flips else ())),
        )
    else:
        how = ()
    if not plan.recipe.degrains:
        return how
    return (*how, "--degrain", f"{denoise.degrain_luma},{denoise.degrain_chroma},{denoise.degrain_frames}")


def _frames_before(position: int, held: Sequence[tuple[int, int]]) -> int:
    """How many recorded frames lie before a position, of those between which `held` has none.

    >>> _frames_before(10, [(2, 4), (8, 12)])
    6
    """
    return position - sum(min(stop, position) - start for start, stop in held if start < position)
