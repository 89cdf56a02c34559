"""Under which name each result is published. Pure."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.model.plan import Job

NAME_BYTES = 255
# Room for the ending of a temporary name or of a record beside the output.
_RESERVED_BYTES = 16


def name_jobs(
    sources: Sequence[Path], root: Path, output: Path, *, suffix: str, extension: str
) -> tuple[Job, ...]:
    """A job for each source; sub-folders of `root` are mirrored in `output`.

    An output is called ``<stem><suffix>.<extension>``. Sources that would land on one name, also on
    a disk that ignores case, keep their own extension in it (``tape.avi_1080p.mp4``); if that is
    not enough they are numbered in the order of their names.

    Args:
        sources: absolute paths below `root`, in batch order.
        root: the input folder.
        output: the output folder.
        suffix: for example ``_1080p``.
        extension: for example ``mp4``.
    """
    relative = [source.relative_to(root) for source in sources]
    names = [_name(path.parent, path.stem, suffix, extension) for path in relative]
    names = _tell_apart(names, lambda index: _name(
        relative[index].parent, relative[index].name, suffix, extension
    ))  # fmt: skip
    names = _number_equals(names, relative, suffix, extension)
    return tuple(
        Job(id=name.as_posix(), index=index, source=source, output=output / name)
        for index, (source, name) in enumerate(zip(sources, names, strict=True), start=1)
    )


def refuse_overwriting_sources(jobs: Sequence[Job]) -> None:
    """Promise that no output takes the place of a source.

    Raises:
        UsageError: one would.
    """
    sources = {_folded(job.source) for job in jobs}
    for job in jobs:
        if _folded(job.output) in sources:
            raise UsageError(
                f"{job.output} is a source and would be overwritten", fix="choose another output folder"
            )


def _name(folder: Path, stem: str, suffix: str, extension: str) -> Path:
    """The output's path below OUT; a stem too long for a file system is cut at a character."""
    ending = f"{suffix}.{extension}"
    room = NAME_BYTES - _RESERVED_BYTES - len(os.fsencode(ending))
    while stem and len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return folder / f"{stem}{ending}"


def _folded(path: Path) -> str:
    """What two paths share when some file system takes them for one: case and Unicode composition."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _tell_apart(names: list[Path], longer: Callable[[int], Path]) -> list[Path]:
    return [
        longer(index) if len(group) > 1 else names[index]
        for index, group in _groups(names)
    ]  # fmt: skip


def _number_equals(names: list[Path], relative: list[Path], suffix: str, extension: str) -> list[Path]:
    numbered = list(names)
    for index, group in _groups(names):
        position = group.index(index)
        if position:
            # The number belongs to the ending: a long stem is cut, and the number must not go with it.
            source, ending = relative[index], f"~{position + 1}{suffix}"
            numbered[index] = _name(source.parent, source.name, ending, extension)
    return numbered


def _groups(names: list[Path]) -> list[tuple[int, list[int]]]:
    """For each name: its index, and the indexes of all names that some disk takes for the same."""
    keys = [_folded(name) for name in names]
    by_key: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        by_key[key].append(index)
    return [(index, by_key[key]) for index, key in enumerate(keys)]
