"""Which files of a folder are videos to restore."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.media.formats import is_video

# What programs put before the extension of a file that is not finished: ``tape.temp.mp4``.
_UNFINISHED = frozenset({".part", ".partial", ".temp", ".tmp"})


def discover(folder: Path, *, pattern: str, recursive: bool, exclude: Path | None = None) -> list[Path]:
    """The videos in `folder`, as absolute paths, in the order of their names.

    Hidden and unfinished files are left out, as is everything below `exclude` (the output folder),
    and whatever is not a regular file. Links are followed, each folder once.

    Args:
        folder: where to look.
        pattern: a shell pattern that the file's name must match, in any case.
        recursive: whether to look into sub-folders.
        exclude: a folder that is left out.

    Raises:
        UsageError: the folder is not there, is not a folder, or cannot be read.
    """
    try:
        if not folder.is_dir():
            missing = not os.path.lexists(folder)
            raise UsageError(
                f"input folder {folder} {'does not exist' if missing else 'is not a folder'}",
                fix="give a folder of videos; for one video use 'vhs-upscale upscale VIDEO -o OUT'",
            )
        root = folder.resolve()
        left_out = set() if exclude is None or not exclude.exists() else {_identity(exclude)}
        # Results may lie beside their sources, and are told from them by their names.
        left_out.discard(_identity(root))
        found = [path for path in _walk(root, recursive, left_out) if _is_video(path, pattern)]
    except OSError as error:
        raise UsageError(
            f"cannot read {error.filename}: {error.strerror}", fix="make it readable, or name another folder"
        ) from error
    depth = len(root.parts)
    return sorted(found, key=lambda path: _sort_key(path.parts[depth:]))


def _walk(folder: Path, recursive: bool, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The files in `folder`; folders in `seen`, by whatever name they are reached, are left out."""
    if _identity(folder) in seen:
        return
    seen.add(_identity(folder))
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            continue
        # A link that leads nowhere, or to itself, is neither.
        if path.is_file():
            yield path
        elif recursive and path.is_dir():
            yield from _walk(path, recursive, seen)


def _identity(folder: Path) -> tuple[int, int]:
    """What stays the same under whatever name a folder is reached."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_video(path: Path, pattern: str) -> bool:
    name = path.name.lower()
    return (
        is_video(path)
        and path.with_suffix("").suffix.lower() not in _UNFINISHED
        and fnmatchcase(name, pattern.lower())
    )


def _sort_key(parts: Sequence[str]) -> list[tuple[str, str]]:
    """By name, upper and lower case together; the exact name decides between equals."""
    return [(part.casefold(), part) for part in parts]
