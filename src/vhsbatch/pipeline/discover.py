"""Which files of a folder are videos to restore."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.media.formats import VIDEO_EXTENSIONS

# Names that editors, browsers and copy programs give to files that are not finished.
_UNFINISHED = (".part", ".partial", ".crdownload", ".tmp", ".temp", "~")


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
        left_out = None if exclude is None else exclude.resolve()
        found = [path for path in _walk(root, left_out, recursive, set()) if _is_video(path, pattern)]
    except PermissionError as error:
        raise UsageError(f"cannot read {error.filename}: permission denied") from error
    return sorted(found, key=lambda path: _sort_key(path.relative_to(root)))


def _walk(folder: Path, left_out: Path | None, recursive: bool, seen: set[tuple[int, int]]) -> Iterator[Path]:
    status = folder.stat()
    if folder == left_out or (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_file():
            yield Path(entry.path)
        elif recursive and entry.is_dir():
            yield from _walk(Path(entry.path), left_out, recursive, seen)


def _is_video(path: Path, pattern: str) -> bool:
    name = path.name.lower()
    return (
        path.suffix.lower() in VIDEO_EXTENSIONS
        and not name.endswith(_UNFINISHED)
        and fnmatchcase(name, pattern.lower())
    )


def _sort_key(path: Path) -> tuple[list[tuple[str, str]], ...]:
    """By name, upper and lower case together; the exact name decides between equals."""
    return ([(part.casefold(), part) for part in path.parts],)
