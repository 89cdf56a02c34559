"""Which files of a folder are videos to restore, and which are left out."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from vhsbatch.batch.discs import disc_at, in_words
from vhsbatch.batch.dvd import is_of_a_disc, why_not_alone
from vhsbatch.batch.pictures import NumberedPictures, numbered_pictures, pictures_at
from vhsbatch.errors import InputError, UsageError
from vhsbatch.ffmpeg.formats import can_be_joined, is_video
from vhsbatch.model.source import IMAGE_SUFFIX, TABLE
from vhsbatch.probe.dvd_disc import Disc, open_disc
from vhsbatch.probe.dvd_title import titles_of

# What programs put before the extension of a file that is not finished: ``tape.temp.mp4``.
_UNFINISHED = frozenset({".part", ".partial", ".temp", ".tmp"})


@dataclass(slots=True)
class Discovered:
    """What a folder holds.

    Attributes:
        videos: absolute paths, in the order of their names.
        left_out: files and folders that hold matching videos, by the reason why they are left out.
        discs: the DVDs, whatever their names, in the order in which they were found.
    """

    videos: list[Path] = field(default_factory=list)
    discs: list[Disc] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=dict)

    def leave_out(self, path: Path, reason: str) -> None:
        """Note that something is left out."""
        self.left_out.setdefault(reason, []).append(path)


def discover(
    folder: Path,
    *,
    pattern: str,
    recursive: bool,
    exclude: Path | None = None,
    why_not: Callable[[Path], str | None] = lambda _: None,
    join: bool = True,
) -> Discovered:
    """The videos in `folder`.

    Hidden and unfinished files are left out, as is everything below `exclude` (the output folder),
    and whatever is not a regular file. Links are followed, each folder once.

    Args:
        folder: where to look.
        pattern: a shell pattern that the file's name must match, in any case.
        recursive: whether to look into sub-folders.
        exclude: a folder that is left out.
        why_not: says why a sub-folder is left out; None where it is not.
        join: whether the parts of a DVD title can be joined; without that they are left out.

    Raises:
        UsageError: the folder is not there, is not a folder, or cannot be read.
    """
    found = Discovered()
    try:
        if not folder.is_dir():
            missing = not os.path.lexists(folder)
            raise UsageError(
                f"input folder {folder} {'does not exist' if missing else 'is not a folder'}",
                fix="give a folder of videos; for one video use 'vhs-upscale upscale VIDEO -o OUT'",
            )
        root = folder.resolve()
        seen = set() if exclude is None or not exclude.exists() else {_identity(exclude)}
        # Results may lie beside their sources, and are told from them by what is proven of them.
        seen.discard(_identity(root))
        walk = _Walk(found, pattern.lower(), recursive, seen, why_not, join)
        found.videos = list(walk.videos(root))
    except OSError as error:
        raise UsageError(
            f"cannot read {error.filename}: {error.strerror}", fix="make it readable, or name another folder"
        ) from error
    depth = len(root.parts)
    found.videos.sort(key=lambda path: sort_key(path.parts[depth:]))
    return found


@dataclass(frozen=True, slots=True)
class _Walk:
    """A way through folders.

    Attributes:
        found: takes what is left out.
        pattern: that of the names.
        recursive: whether sub-folders are looked into.
        seen: folders that are not looked into again, by whatever name they are reached.
        why_not: says why a sub-folder is left out.
        join: whether the parts of a DVD title can be joined.
    """

    found: Discovered
    pattern: str
    recursive: bool
    seen: set[tuple[int, int]]
    why_not: Callable[[Path], str | None]
    join: bool

    def videos(self, folder: Path) -> Iterator[Path]:
        """The videos in a folder."""
        if _identity(folder) in self.seen:
            return
        self.seen.add(_identity(folder))
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        names = [entry.name for entry in entries]
        is_disc = self._take_disc(folder, names)
        self._note_pictures(numbered_pictures(folder, names))
        for entry in entries:
            path = Path(entry.path)
            # A link that leads nowhere, or to itself, is neither.
            if path.is_dir():
                if not entry.name.startswith("."):
                    yield from self._sub_folder(path)
            elif is_disc and is_of_a_disc(entry.name):
                continue
            elif path.suffix.lower() == IMAGE_SUFFIX:
                self._take_image(path)
            elif self._matches(path):
                if (reason := _reason(path) or self._reason_of_dvd(path, names)) is None:
                    yield path
                else:
                    self.found.leave_out(path, reason)

    def _sub_folder(self, path: Path) -> Iterator[Path]:
        if not self.recursive:
            # A disc is one thing, as a file is, in whatever folder it is kept.
            disc = disc_at(path)
            if disc is not None and not {_identity(path), _identity(disc)} & self.seen:
                self._take_disc(disc, [file.name for file in disc.iterdir()])
            elif disc is None and _identity(path) not in self.seen and self.why_not(path) is None:
                self._note_pictures(pictures_at(path))
        elif _identity(path) not in self.seen and (reason := self.why_not(path)) is not None:
            self.found.leave_out(path, reason)
        else:
            yield from self.videos(path)

    def _take_disc(self, folder: Path, names: Iterable[str]) -> bool:
        """Take the DVD that is in a folder VIDEO_TS; whether there is one."""
        table = next((name for name in names if name.upper() == TABLE), None)
        return table is not None and self._take(folder, folder / table, "; its files count by themselves")

    def _note_pictures(self, pictures: NumberedPictures | None) -> None:
        """Say of frames in a folder, each a picture, how they become a video."""
        if pictures is not None:
            self.found.leave_out(pictures.folder, f"{pictures.in_words}; {pictures.remedy}")

    def _take_image(self, path: Path) -> None:
        if (reason := _reason(path)) is None:
            self._take(path, path, "")
        else:
            self.found.leave_out(path, reason)

    def _take(self, path: Path, named: Path, otherwise: str) -> bool:
        try:
            disc = open_disc(path)
            titles_of(disc)
        except InputError as error:
            self.found.leave_out(named, f"{in_words(error)}{otherwise}")
            return False
        self.found.discs.append(disc)
        return True

    def _reason_of_dvd(self, path: Path, beside: Sequence[str]) -> str | None:
        """Why a file of a DVD is left out; None where it is not."""
        join = self.join and can_be_joined(path)
        why = why_not_alone(path.name, beside, join=join)
        return None if why is None else "; ".join(why)

    def _matches(self, path: Path) -> bool:
        return is_video(path) and fnmatchcase(path.name.lower(), self.pattern)


def _reason(path: Path) -> str | None:
    """Why a file that is called like a video is left out; None where it is not."""
    if path.name.startswith("."):
        return "hidden"
    if path.with_suffix("").suffix.lower() in _UNFINISHED:
        return "unfinished, by its name"
    return None if path.is_file() else "not a regular file"


def _identity(folder: Path) -> tuple[int, int]:
    """What stays the same under whatever name a folder is reached."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def sort_key(parts: Sequence[str]) -> list[tuple[str, str]]:
    """By name, upper and lower case together; the exact name decides between equals."""
    return [(part.casefold(), part) for part in parts]
