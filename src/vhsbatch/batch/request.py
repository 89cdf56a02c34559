"""What a user asked for, checked, before anything is done. Pure apart from reading the input folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from vhsbatch.analysis.autodetect import AutoDetect
from vhsbatch.batch.captures import captures_of
from vhsbatch.batch.discs import TitleOnDisc
from vhsbatch.batch.ledger import Ledger, read_ledger
from vhsbatch.batch.naming import (
    KEEP_SOURCES,
    name_jobs,
    overwritten_sources,
    refuse_overwriting,
    refuse_overwriting_sources,
)
from vhsbatch.batch.ordering import FileFacts, OrderName, Priority, arrange
from vhsbatch.batch.pictures import refuse_pictures
from vhsbatch.config.preset_schema import Container
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import InputError, UsageError
from vhsbatch.events.journal import STATE_FOLDER
from vhsbatch.formatting import counted
from vhsbatch.fs import state_of
from vhsbatch.model.plan import Job
from vhsbatch.model.source import IMAGE_SUFFIX
from vhsbatch.model.source_overrides import NO_SOURCE_OVERRIDES, SourceOverrides
from vhsbatch.restore.ownership import NO_RULES, InTheWay, Rules
from vhsbatch.restore.per_video import shipped_preset

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
        options: what decides the results, for the journal; `--resume` uses it again.
        rules: what is not touched, and what may be replaced.
        in_the_way: why nothing can be made of some of the videos, by job.
        resume: whether an unfinished batch is continued.
        auto_detect: chooses a preset for each source; None where `preset` is for all.
        source_overrides: what the user knows better than the sources say.
        preset_named: gives the preset that is named for a single video, as this run would use it.
        allow_truncated: whether sources that break off are restored as far as they go.
        max_damage_percent: sources of which more frames are damaged fail.
        drain: whether running segments are finished when the run is stopped.
        verbose: whether commands and stack traces are shown.
        again: whether a batch of the same command came before, so that its tools are no news.
        notes: what the user should know before anything starts.
    """

    input: str
    output: str
    jobs: tuple[Job, ...]
    folder: Path
    preset: Preset
    settings: Settings
    options: Mapping[str, str]
    rules: Rules = NO_RULES
    in_the_way: Mapping[str, str] = field(default_factory=dict)
    resume: bool = False
    auto_detect: AutoDetect | None = None
    source_overrides: SourceOverrides = NO_SOURCE_OVERRIDES
    preset_named: Callable[[str], Preset] = shipped_preset
    allow_truncated: bool = False
    max_damage_percent: int = 5
    drain: bool = False
    verbose: bool = False
    again: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """The videos of a call.

    Attributes:
        jobs: each with its output, in the order in which they start.
        in_the_way: why nothing can be made of some of them, by job.
        notes: what is left out, and why.
        lacking: why one of them seems to lack a part, by job.
    """

    jobs: tuple[Job, ...]
    in_the_way: Mapping[str, str]
    notes: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def lacking_notes(self) -> Iterator[str]:
        """Which of them are restored although they seem to lack a part, a line each."""
        for job in self.jobs:
            if job.id in self.lacking:
                yield f"{job.source.name} may lack a part: {self.lacking[job.id]}"


class NothingToDoError(UsageError):
    """There is no video to restore."""


def jobs_of_folder(
    input_folder: Path,
    preset: Preset,
    ledger: Ledger,
    *,
    pattern: str,
    recursive: bool,
    suffix: str | None,
    max_count: int | None,
    join: bool = True,
    order: OrderName = "name",
    by: Sequence[Priority] = (),
    rules: Rules = NO_RULES,
    refuses_all: bool = True,
) -> Chosen:
    """The videos of a folder.

    Names are given before the count is limited, and the first ones in this order are taken.

    Args:
        input_folder: IN.
        preset: with every override applied.
        ledger: what is proven of OUT.
        pattern: a shell pattern of names.
        recursive: whether to look into sub-folders.
        suffix: what results' names end in, None for the usual.
        max_count: the most videos to take, None for all.
        join: whether files that are one recording are one video.
        order: the order in which they start.
        by: which of them start before others.
        rules: what may be replaced.
        refuses_all: whether one output that would replace a source stops all of them.

    Raises:
        NothingToDoError: there is nothing to do.
        UsageError: an output would replace a source, or IN is an output folder.
    """
    captures = captures_of(
        input_folder,
        ledger,
        pattern=pattern,
        recursive=recursive,
        from_results=rules.from_results,
        join=join,
    )
    jobs = name_jobs(
        captures.sources,
        captures.root,
        ledger.folder,
        suffix=_suffix(suffix, preset),
        extension=preset.container,
        known=ledger.names,
        recordings=captures.recordings,
    )
    notes = (*captures.notes, *_of_parts_alone(jobs, ledger))
    if not jobs:
        raise NothingToDoError(
            f"no videos in {input_folder}"
            + ("" if pattern == "*" else f" match {pattern}")
            + "".join(f"; {note}" for note in notes),
            fix="--recursive looks into sub-folders too" if not recursive else None,
        )
    overwritten = overwritten_sources(jobs, captures.others)
    if refuses_all:
        refuse_overwriting(overwritten)
    jobs = arrange(jobs, order, by, look=_look)[:max_count]
    sources = {id_: f"{reason} ({KEEP_SOURCES})" for id_, reason in overwritten.items()}
    lacking = {job.id: captures.lacking[job.source] for job in jobs if job.source in captures.lacking}
    conflicts = {**in_the_way(jobs, ledger, rules), **sources}
    if join:
        gone = {job.id: why for job in jobs if job.id not in conflicts for why in _parts_gone(job, ledger)}
        lacking = {**gone, **lacking}
    return Chosen(jobs, conflicts, notes, lacking)


def _parts_gone(job: Job, ledger: Ledger) -> Iterator[str]:
    """Which file an earlier run joined with those of a job, and is gone; one of them at most."""
    for part in ledger.recordings.get(job.source, ()):
        if part not in job.files and not part.exists():
            yield f"{part.name}, which an earlier run joined with it, is not there"
            return


def _of_parts_alone(jobs: Sequence[Job], ledger: Ledger) -> Iterator[str]:
    """Which results of single parts the results of whole recordings take the place of."""
    whole = {part: job for job in jobs for part in job.parts}
    for name, result in ledger.published.items():
        source, path = result.source, ledger.path_of(name)
        if source is None or source.parts or source.path not in whole or not path.is_file():
            continue
        yield (
            f"{path.name} was made of {source.path.name} alone, before all parts were joined: "
            f"remove it if {whole[source.path].id} is what you want"
        )


def in_the_way(jobs: Sequence[Job], ledger: Ledger, rules: Rules) -> dict[str, str]:
    """Why nothing can be made of some videos, as far as that is known without reading them."""
    found: dict[str, str] = {}
    for job in jobs:
        with suppress(InputError):  # its own probe says what is wrong
            there = ledger.standing(job, records=rules.records, reading=False)
            if isinstance(there, InTheWay) and not (rules.overwrite and not there.absolute):
                found[job.id] = there.reason
    return found


def refuse_what_is_in_the_way(chosen: Chosen) -> None:
    """Promise that something can be made.

    Raises:
        UsageError: no video has a place for its result.
    """
    if len(chosen.in_the_way) < len(chosen.jobs):
        return
    first, *others = chosen.in_the_way.values()
    raise UsageError(f"{first}; {counted(len(others), 'other video')} likewise" if others else first)


def _look(*paths: Path) -> FileFacts:
    try:
        size_bytes, modified_ns = state_of(*paths)
    except OSError:  # it has just gone; its own probe will say so
        return FileFacts(0.0, 0)
    return FileFacts(modified_ns / 1e9, size_bytes)


def expect_video(path: Path) -> None:
    """Promise that there is a file.

    Raises:
        UsageError: there is none.
    """
    refuse_pictures(path)
    if not path.is_file():
        why = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "does not exist"
        raise UsageError(f"{path} {why}", fix="give a video; 'vhs-upscale batch' takes a folder")
    if path.suffix.lower() == IMAGE_SUFFIX:
        raise UsageError(
            f"{path} is an image of a disc, not a video", fix="'vhs-upscale upscale' restores its titles"
        )


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


def job_of_video(video: Path, output: Path, preset: Preset, of_disc: TitleOnDisc | None = None) -> Job:
    """The job of one video; `output` is a file, or a folder in which the result gets its usual name.

    Args:
        video: the video, or the DVD.
        output: where its result goes.
        preset: with every override applied.
        of_disc: the title of the DVD; None for a video.

    Raises:
        UsageError: the video is not there, or the output would replace it.
    """
    if of_disc is None:
        expect_video(video)
    source = video.resolve() if of_disc is None else of_disc.path.parent.resolve() / of_disc.path.name
    recordings = {} if of_disc is None else {source: of_disc.recording}
    if STATE_FOLDER in output.absolute().parts:
        raise UsageError(
            f"--output {output} is inside the state folder of a batch", fix="name another folder"
        )
    if output.is_dir() or not output.suffix:
        (job,) = name_jobs(
            [source],
            source.parent,
            output.resolve(),
            suffix=_suffix(None, preset),
            extension=preset.container,
            known=read_ledger(output.resolve()).names,
            recordings=recordings,
        )
    elif container_of(output) is None:
        raise UsageError(
            f"--output {output}: results are .mp4, .mkv or .mov", fix="or name a folder that exists"
        )
    else:
        final = output.resolve()
        parts = () if of_disc is None else of_disc.recording.parts
        job = Job(id=final.name, index=1, source=source, output=final, parts=parts)
    refuse_overwriting_sources([job])
    return job


_SUFFIX_LENGTH = 60


def _suffix(suffix: str | None, preset: Preset) -> str:
    if suffix is None:
        return f"_{preset.target_height}p"
    forbidden = "/" in suffix or "\0" in suffix or suffix.startswith(".")
    if not suffix or forbidden or len(suffix) > _SUFFIX_LENGTH:
        raise UsageError(f"--suffix {suffix!r} cannot be part of a file name", fix="for example _restored")
    return suffix
