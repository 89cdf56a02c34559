"""What a user asked for, checked, before anything is done. Pure apart from reading the input folder."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vhsbatch.config import Settings
from vhsbatch.errors import InputError, UsageError
from vhsbatch.model.plan import Job
from vhsbatch.pipeline.corrections import NO_CORRECTIONS, Corrections
from vhsbatch.pipeline.discover import discover
from vhsbatch.pipeline.naming import name_jobs, refuse_overwriting_sources
from vhsbatch.pipeline.order import FileFacts, OrderName, Priority, arrange
from vhsbatch.pipeline.overrides import shipped_preset
from vhsbatch.preset_tables import Container
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
        corrections: what the user knows better than the sources say.
        preset_named: gives the preset that is named for a single video, as this run would use it.
        allow_truncated: whether sources that break off are restored as far as they go.
        max_damage_percent: sources of which more frames are damaged fail.
        records: whether a record is put beside each result.
        drain: whether running segments are finished when the run is stopped.
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
    corrections: Corrections = NO_CORRECTIONS
    preset_named: Callable[[str], Preset] = shipped_preset
    allow_truncated: bool = False
    max_damage_percent: int = 5
    records: bool = True
    drain: bool = False
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
    order: OrderName = "name",
    by: Sequence[Priority] = (),
) -> tuple[Job, ...]:
    """The videos of a folder in the order in which they are begun, each with its output.

    Names are given before the count is limited, and the first ones in this order are taken.

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
    jobs = _without_results(jobs)
    if not jobs:
        raise UsageError(
            f"no videos in {input_folder}" + ("" if pattern == "*" else f" match {pattern}"),
            fix="--recursive looks into sub-folders too" if not recursive else None,
        )
    refuse_overwriting_sources(jobs)
    return arrange(jobs, order, by, look=_look)[:max_count]


def _look(path: Path) -> FileFacts:
    try:
        status = path.stat()
    except OSError:  # it has just gone; its own probe will say so
        return FileFacts(0.0, 0)
    return FileFacts(status.st_mtime, status.st_size)


def expect_video(path: Path) -> None:
    """Promise that there is a file.

    Raises:
        UsageError: there is none.
    """
    if not path.is_file():
        why = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
        raise UsageError(f"{path} {why}", fix="give a video; 'vhs-upscale batch' takes a folder")


@contextmanager
def about_video(path: Path) -> Iterator[None]:
    """Let what is wrong with a video name it, where no list of videos does."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error.cause}", fix=error.fix) from error


def container_of(output: Path) -> str | None:
    """The container that the name of an output asks for; None for a folder, or another ending."""
    ending = output.suffix[1:].lower()
    return ending if ending in get_args(Container) and not output.is_dir() else None


def job_of_video(video: Path, output: Path, preset: Preset) -> Job:
    """The job of one video; `output` is a file, or a folder in which the result gets its usual name.

    Raises:
        UsageError: the video is not there, or the output would replace it.
    """
    expect_video(video)
    if output.is_dir() or not output.suffix:
        (job,) = name_jobs(
            [video.resolve()],
            video.resolve().parent,
            output.resolve(),
            suffix=_suffix(None, preset),
            extension=preset.container,
        )
    elif container_of(output) is None:
        raise UsageError(
            f"--output {output}: results are .mp4, .mkv or .mov", fix="or name a folder that exists"
        )
    else:
        final = output.resolve()
        job = Job(id=final.name, index=1, source=video.resolve(), output=final)
    refuse_overwriting_sources([job])
    return job


# What results are called, unless --suffix says otherwise.
_USUAL_RESULT = re.compile(r"(?P<stem>.+)_\d{3,4}p")
_SUFFIX_LENGTH = 60


def _without_results(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Results of earlier runs that lie among the sources are no sources."""
    outputs = {job.output for job in jobs}
    stems = {job.source.with_suffix("") for job in jobs}

    def is_result(source: Path) -> bool:
        usual = _USUAL_RESULT.fullmatch(source.stem)
        of_source = usual is not None and source.with_name(usual["stem"]) in stems
        return source in outputs or (of_source and source.suffix[1:] in get_args(Container))

    kept = [job for job in jobs if not is_result(job.source)]
    return tuple(dataclasses.replace(job, index=index) for index, job in enumerate(kept, start=1))


def _suffix(suffix: str | None, preset: Preset) -> str:
    if suffix is None:
        return f"_{preset.target_height}p"
    forbidden = "/" in suffix or "\0" in suffix or suffix.startswith(".")
    if not suffix or forbidden or len(suffix) > _SUFFIX_LENGTH:
        raise UsageError(f"--suffix {suffix!r} cannot be part of a file name", fix="for example _restored")
    return suffix
