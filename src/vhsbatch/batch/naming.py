"""Under which name each result is published."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType

from vhsbatch.batch.parts import Recording
from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

NAME_BYTES = 255
# What helps where an output would take the place of a source.
KEEP_SOURCES = "choose another output folder or --suffix"
# Space for the suffix of a temporary name or of a record beside the output.
_RESERVED_BYTES = 16


def name_jobs(
    sources: Sequence[Path],
    root: Path,
    output: Path,
    *,
    suffix: str,
    extension: str,
    known: Mapping[str, Path] | None = None,
    recordings: Mapping[Path, Recording] = MappingProxyType({}),
) -> tuple[Job, ...]:
    """A job for each source; sub-folders of `root` are mirrored in `output`.

    A source keeps the name that it has already. Others are called ``<stem><suffix>.<extension>``; those that
    would land on one name, also on a disk that ignores case, keep their own extension in it
    (``tape.avi_1080p.mp4``); if that is not enough they are numbered in the order of their names.

    Args:
        sources: absolute paths below `root`, in batch order.
        root: the input folder.
        output: the output folder.
        suffix: for example ``_1080p``.
        extension: for example ``mp4``.
        known: the source of each name that is given already, by the name's folded form.
        recordings: those in several files, by the first of these.
    """
    given = known or {}
    relative = [
        source.relative_to(root).with_name(
            f"{recordings[source].name}{source.suffix}" if source in recordings else source.name
        )
        for source in sources
    ]
    short = [_name(path.parent, path.stem, suffix, extension) for path in relative]
    longer = [_name(path.parent, path.name, suffix, extension) for path in relative]

    def is_own(source: Path, name: Path) -> bool:
        holder = given.get(folded(name.as_posix()))
        # A folder of captures may have moved: its content decides later whether they are the same.
        moved = holder is not None and not holder.is_relative_to(root) and holder.name == source.name
        return holder == source or moved

    names: dict[int, Path] = {}
    used: set[str] = set()
    for index, source in enumerate(sources if given else ()):
        own = (short[index], longer[index], *_numbered(relative[index], suffix, extension, upto=9))
        kept = next((name for name in own if is_own(source, name)), None)
        if kept is not None and (key := folded(kept.as_posix())) not in used:
            names[index] = kept
            used.add(key)
    used |= {name for name, holder in given.items() if holder.is_relative_to(root)}
    wanted = Counter(folded(short[index].as_posix()) for index in range(len(sources)) if index not in names)
    for index, path in enumerate(relative):
        if index in names:
            continue
        alone = wanted[folded(short[index].as_posix())] == 1
        plain = [short[index], longer[index]] if alone else [longer[index]]
        candidates = chain(plain, _numbered(path, suffix, extension))
        names[index] = next(name for name in candidates if folded(name.as_posix()) not in used)
        used.add(folded(names[index].as_posix()))
    return tuple(
        Job(
            id=names[index].as_posix(),
            index=index + 1,
            source=source,
            output=output / names[index],
            parts=recordings[source].parts if source in recordings else (),
        )
        for index, source in enumerate(sources)
    )


def overwritten_sources(jobs: Sequence[Job], others: Iterable[Path] = ()) -> dict[str, str]:
    """Which outputs would take the place of a source, by whatever name or link it is reached.

    Args:
        jobs: the videos.
        others: further captures.

    Returns:
        What would happen, by job.
    """
    captures = {*others, *(file for job in jobs for file in job.files)}
    sources = {folded(source): source for source in captures}
    files = {file: source for source in captures if (file := _file(source)) is not None}
    found: dict[str, str] = {}
    for job in jobs:
        file = _file(job.output)
        source = sources.get(folded(job.output)) or (None if file is None else files.get(file))
        if source is not None:
            by = "" if source == job.source else f" by the result of {job.source.name}"
            found[job.id] = f"{source} is a source and would be overwritten{by}"
    return found


def refuse_overwriting_sources(jobs: Sequence[Job], others: Iterable[Path] = ()) -> None:
    """Promise that no output takes the place of a source, see `overwritten_sources`.

    Raises:
        UsageError: one would.
    """
    refuse_overwriting(overwritten_sources(jobs, others))


def refuse_overwriting(overwritten: Mapping[str, str]) -> None:
    """Promise that there is nothing in what `overwritten_sources` has found.

    Raises:
        UsageError: there is.
    """
    if overwritten:
        raise UsageError(next(iter(overwritten.values())), fix=KEEP_SOURCES)


def _file(path: Path) -> tuple[int, int] | None:
    """What stays the same under whatever name a file is reached; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _name(folder: Path, stem: str, suffix: str, extension: str) -> Path:
    """The output's path below OUT; a stem too long for a file system is cut at a character."""
    ending = f"{suffix}.{extension}"
    free_bytes = NAME_BYTES - _RESERVED_BYTES - len(os.fsencode(ending))
    while stem and len(os.fsencode(stem)) > free_bytes:
        stem = stem[:-1]
    return folder / f"{stem}{ending}"


def folded(path: Path | str) -> str:
    """What two paths share when some file system takes them for one: case and Unicode composition."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _numbered(relative: Path, suffix: str, extension: str, *, upto: int | None = None) -> Iterator[Path]:
    """The names of a source that others have taken the plain ones from."""
    numbers = count(2) if upto is None else range(2, upto + 1)
    for number in numbers:
        yield _name(relative.parent, relative.name, f"~{number}{suffix}", extension)
