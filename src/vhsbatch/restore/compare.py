"""Presets side by side: clips of one video, each made by every preset in the way that a batch makes it.

A clip is a segment like any other, so what is compared is exactly what a batch would give. A first
column shows the source, only deinterlaced and scaled.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.config.presets import Preset
from vhsbatch.errors import UsageError
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.ffmpeg.comparison_commands import comparison_command, contact_sheet_command, draw_label
from vhsbatch.ffmpeg.recipe import resolve
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.plan import Job, JobPlan, Segment
from vhsbatch.process.chain import StageSpec, run_chain
from vhsbatch.restore.prepare import Intent, prepare
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.workspace import Workspace

SOURCE = Preset.model_validate(
    {
        "name": "source",
        "description": "the source, only deinterlaced and scaled",
        "denoise": {"method": "none"},
        "sharpen": {"amount": 0},
    }
)

# Moments of a clip that its contact sheet shows, as parts of its length.
_MOMENTS = (Fraction(1, 6), Fraction(1, 2), Fraction(5, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip of the source.

    Attributes:
        number: from 1.
        start_s: where it begins, counted from the first picture.
        duration_s: its length.
    """

    number: int
    start_s: Fraction
    duration_s: Fraction


def choose_clips(
    length_s: Fraction,
    *,
    count: int,
    duration_s: Fraction,
    start_s: Fraction | None,
    begin_s: Fraction = Fraction(0),
) -> tuple[Clip, ...]:
    """Clips spread evenly over the tape, from `start_s` on; without it edges are left out. Pure.

    Args:
        length_s: where the tape ends, or the excerpt of it that is wanted.
        count: how many.
        duration_s: how long each is.
        start_s: where the first one begins.
        begin_s: where that excerpt begins.

    Raises:
        UsageError: the video is too short for them.
    """
    duration_s = min(duration_s, length_s - begin_s)
    if start_s is not None and start_s + duration_s > length_s:
        raise UsageError(
            f"--start {float(start_s):g} with --duration {float(duration_s):g} is beyond the end "
            f"of the video ({float(length_s):.1f} s)"
        )
    last_s = length_s - duration_s
    if start_s is None:
        # A tape begins and ends with leader: the first clip is not at the very start.
        free_s = last_s - begin_s
        starts = [begin_s + free_s * (2 * number + 1) / (2 * count) for number in range(count)]
    else:
        step_s = (last_s - start_s) / max(1, count - 1)
        starts = [start_s + step_s * number for number in range(count)]
    return tuple(
        Clip(number=number, start_s=start, duration_s=duration_s)
        for number, start in enumerate(dict.fromkeys(starts), start=1)
    )


def clip_plan(plan: JobPlan, clip: Clip) -> JobPlan:
    """The plan restricted to a clip: one segment, not the whole video. Pure."""
    frames = min(plan.frames, max(1, round(clip.duration_s * plan.rate)))
    start = min(round(clip.start_s * plan.rate), plan.frames - frames)
    segment = Segment(index=0, start_frame=start, stop_frame=start + frames)
    return dataclasses.replace(plan, segments=(segment,), frames=segment.frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was made of one clip.

    Attributes:
        clip: the clip.
        files: the clip as each preset makes it, by preset.
        video: all of them side by side.
        contact_sheet: a picture of a few moments, a row for each.
    """

    clip: Clip
    files: dict[str, Path]
    video: Path
    contact_sheet: Path


def names_of(presets: Sequence[Preset], clips: Sequence[Clip]) -> tuple[str, ...]:
    """Every name under which something may be made. Pure."""
    return tuple(
        name
        for clip in clips
        for name in (
            f"clip{clip.number}_comparison.mp4",
            f"clip{clip.number}_contact_sheet.png",
            *(
                f"clip{clip.number}_{preset.name}.{ending}"
                for preset in (SOURCE, *presets)
                for ending in ("mp4", "mov")
            ),
        )
    )


async def compare(
    info: MediaInfo,
    presets: Sequence[Preset],
    clips: Sequence[Clip],
    folder: Path,
    *,
    intent: Intent,
    workspace: Workspace,
    lanes: int,
    tell: Callable[[Telemetry], None],
) -> list[Comparison]:
    """Make every clip with every preset, and the comparisons.

    Raises:
        VhsBatchError: the first failure; what was finished before stays.
    """
    limiter = anyio.CapacityLimiter(lanes)
    height = max(preset.target_height for preset in presets)
    columns = (SOURCE.model_copy(update={"target_height": height}), *presets)
    files: dict[tuple[int, str], Path] = {}
    rate = max(resolve(info.video, preset).rate for preset in columns)

    async def make(clip: Clip, preset: Preset) -> None:
        async with limiter:
            made = await make_clip(info, preset, clip, folder, intent=intent, workspace=workspace, tell=tell)
            files[clip.number, preset.name] = made.file

    async with anyio.create_task_group() as group:
        for clip in clips:
            for preset in columns:
                group.start_soon(make, clip, preset)
    labels = await _draw_labels(columns, workspace.temporary)
    comparisons: list[Comparison] = []
    for clip in clips:
        made = {preset.name: files[clip.number, preset.name] for preset in columns}
        comparisons.append(await _join(clip, made, labels, folder, workspace=workspace, rate=rate))
    return comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeClip:
    """A clip as a preset makes it: the file, and the plan that it was made by."""

    file: Path
    plan: JobPlan


async def make_clip(
    info: MediaInfo,
    preset: Preset,
    clip: Clip,
    folder: Path,
    *,
    intent: Intent,
    workspace: Workspace,
    tell: Callable[[Telemetry], None],
    parts: Sequence[Path] = (),
) -> MadeClip:
    """Make a clip with a preset, in the way that a batch makes a segment.

    Raises:
        VhsBatchError: it cannot be made.
    """
    # The encoder was chosen for the whole run; the containers of clips are those of segments.
    # Per-video settings are not part of what is compared.
    constant = preset.model_copy(update={"vfr": "cfr"})
    own = dataclasses.replace(intent, preset=constant)
    job = Job(
        id=f"clip{clip.number}_{preset.name}",
        index=clip.number,
        source=info.path,
        parts=tuple(parts),
        output=folder / f"clip{clip.number}_{preset.name}.mp4",
    )
    plan = clip_plan(await prepare(job, info, own), clip)
    proof = await make_segment(
        plan, plan.segments[0], workspace, lane=clip.number, fallback=0, attempt=1, tell=tell
    )
    made = workspace.job_folder(plan) / proof.file
    final = job.output.with_suffix(made.suffix)
    await anyio.Path(made).replace(final)
    return MadeClip(file=final, plan=plan)


async def _draw_labels(columns: Sequence[Preset], folder: Path) -> list[Path]:
    paths = [folder / f"label-{number}.png" for number in range(len(columns))]
    for path, preset in zip(paths, columns, strict=True):
        await anyio.to_thread.run_sync(draw_label, preset.name, path)
    return paths


async def _join(
    clip: Clip,
    made: dict[str, Path],
    labels: Sequence[Path],
    folder: Path,
    *,
    workspace: Workspace,
    rate: Fraction,
) -> Comparison:
    video = folder / f"clip{clip.number}_comparison.mp4"
    sheet = folder / f"clip{clip.number}_contact_sheet.png"
    files = list(made.values())
    moments = [clip.duration_s * moment for moment in _MOMENTS]
    for name, argv in (
        ("compare", comparison_command(workspace.ffmpeg, files, labels, video, rate=rate)),
        ("contact sheet", contact_sheet_command(workspace.ffmpeg, files, labels, moments, sheet)),
    ):
        await run_chain(
            (StageSpec(name=name, argv=argv),),
            on_stdout=lambda _: None,
            on_stderr=lambda *_: None,
            niceness=workspace.niceness,
        )
    return Comparison(clip=clip, files=made, video=video, contact_sheet=sheet)
