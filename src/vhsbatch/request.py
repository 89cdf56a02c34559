"""What a user asked for, checked, before anything is done. Pure apart from reading the input folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vhsbatch.config import Settings
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job
from vhsbatch.pipeline.discover import discover
from vhsbatch.pipeline.naming import name_jobs, refuse_overwriting_sources
from vhsbatch.presets import Preset

Interface = Literal["tui", "text", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """One call of `batch` or `upscale`.

    Attributes:
        input: IN as the user typed it.
        output: OUT as the user typed it.
        jobs: the videos.
        folder: the output folder, which holds the batch's state.
        preset: with every override applied.
        settings: how this machine runs.
        options: what decides the results, for the journal: `--resume` goes on with it.
        skip_existing: whether proven outputs are left alone.
        resume: whether an unfinished batch is continued.
        detectable: the presets from which each source gets the one that suits it (`--auto-detect`);
            None where `preset` is for all.
        verbose: whether commands and stack traces are shown.
        notes: what the user should know before anything starts.
    """

    input: str
    output: str
    jobs: tuple[Job, ...]
    folder: Path
    preset: Preset
    settings: Settings
    options: Mapping[str, str]
    skip_existing: bool = False
    resume: bool = False
    detectable: Mapping[str, Preset] | None = None
    verbose: bool = False
    notes: tuple[str, ...] = ()


def jobs_of_folder(
    input_folder: Path,
    output_folder: Path,
    preset: Preset,
    *,
    pattern: str,
    recursive: bool,
    suffix: str | None,
    max_count: int | None,
) -> tuple[Job, ...]:
    """The videos of a folder, each with its output; names are given before the count is limited.

    Raises:
        UsageError: there is nothing to do, or an output would replace a source.
    """
    sources = discover(input_folder, pattern=pattern, recursive=recursive, exclude=output_folder)
    jobs = name_jobs(
        sources,
        input_folder.resolve(),
        output_folder.resolve(),
        suffix=_suffix(suffix, preset),
        extension=preset.container,
    )
    # A result of an earlier run that lies among the sources is no source.
    outputs = {job.output for job in jobs}
    jobs = tuple(job for job in jobs if job.source not in outputs)
    if not jobs:
        raise UsageError(
            f"no videos in {input_folder}" + ("" if pattern == "*" else f" match {pattern}"),
            fix="--recursive looks into sub-folders too" if not recursive else None,
        )
    refuse_overwriting_sources(jobs)
    return jobs[:max_count]


def job_of_video(video: Path, output: Path, preset: Preset) -> Job:
    """The job of one video; `output` is a file, or a folder in which the result gets its usual name.

    Raises:
        UsageError: the video is not there, or the output would replace it.
    """
    if not video.is_file():
        raise UsageError(f"{video} {'is not a file' if video.exists() else 'does not exist'}")
    if output.is_dir() or not output.suffix:
        (job,) = name_jobs(
            [video.resolve()],
            video.resolve().parent,
            output.resolve(),
            suffix=_suffix(None, preset),
            extension=preset.container,
        )
    else:
        final = output.resolve()
        job = Job(id=final.name, index=1, source=video.resolve(), output=final)
    refuse_overwriting_sources([job])
    return job


def _suffix(suffix: str | None, preset: Preset) -> str:
    if suffix is None:
        return f"_{preset.target_height}p"
    if not suffix or "/" in suffix or "\0" in suffix or suffix.startswith("."):
        raise UsageError(f"--suffix {suffix!r} cannot be part of a file name", fix="for example _restored")
    return suffix
