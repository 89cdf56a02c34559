"""The titles of a DVD as recordings: which of them are restored, and which are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from vhsbatch.batch.parts import Recording
from vhsbatch.errors import InputError, UsageError
from vhsbatch.formatting import counted, duration
from vhsbatch.model.source import IMAGE_SUFFIX, TABLE, title_path
from vhsbatch.probe.dvd_disc import Disc, open_disc
from vhsbatch.probe.dvd_title import Title, layout, repeated_by, titles_of

_FOLDER = "VIDEO_TS"
# A shorter title is a menu's background, or a warning.
SHORTEST_S = 5
_BY_ITSELF = "'vhs-upscale upscale --title' restores it"


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleOnDisc:
    """A title that can be restored.

    Attributes:
        path: what stands for it as a source.
        number: its number on the disc.
        disc: the name of its disc as it is in its folder.
        recording: its files, and what is said of it.
    """

    path: Path
    number: int
    disc: str
    recording: Recording

    def matches(self, pattern: str) -> bool:
        """Whether a pattern of names in small letters is that of the title, or of its disc."""
        return any(fnmatchcase(name.lower(), pattern) for name in (self.path.name, self.disc))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is on a disc.

    Attributes:
        disc: the disc.
        titles: those that are restored.
        left_out: what is not, and why.
        lacking: how much of the disc is not there, in words; empty if all is.
    """

    disc: Disc
    titles: tuple[TitleOnDisc, ...]
    left_out: tuple[tuple[Path, str], ...]
    lacking: str = ""


def disc_at(path: Path) -> Path | None:
    """The image, or the folder VIDEO_TS, that `path` is or holds; None where it is no DVD."""
    if path.suffix.lower() == IMAGE_SUFFIX and not path.is_dir():
        return path
    if path.name.upper() == TABLE:
        return path.parent
    return next((folder for folder in (path, *_inner(path)) if _has_table(folder)), None)


def _inner(path: Path) -> Iterator[Path]:
    """The folder VIDEO_TS in a folder."""
    try:
        yield from (inner for inner in path.iterdir() if inner.name.upper() == _FOLDER)
    except OSError:  # who lists it says why
        return


def _has_table(folder: Path) -> bool:
    try:
        return any(file.name.upper() == TABLE for file in folder.iterdir())
    except OSError:
        return False


def contents_of(disc: Disc, root: Path) -> Contents:
    """Which titles of a disc are restored.

    Args:
        disc: the disc.
        root: IN, in which it lies, or which it is.

    Raises:
        InputError: it cannot be read, or is encrypted.
    """
    titles = titles_of(disc)
    if not titles:
        raise InputError("it has no titles")
    repeated = repeated_by(titles)
    kept: list[TitleOnDisc] = []
    left_out: list[tuple[Path, str]] = []
    why_not: list[InputError] = []
    for title in titles:
        path = title_path(_place(disc, within=root), disc.name, title.number)
        if title.table.length_s < SHORTEST_S:
            left_out.append((path, f"shorter than {SHORTEST_S} s; {_BY_ITSELF}"))
        elif title.number in repeated:
            others = " and ".join(map(str, repeated[title.number]))
            left_out.append((path, f"all of it is in title {others} too; {_BY_ITSELF}"))
        else:
            try:
                layout(disc, title)
            except InputError as error:
                why_not.append(error)
                left_out.append((path, in_words(error)))
            else:
                kept.append(title_on_disc(disc, title, path))
    if why_not and not kept:
        raise why_not[0]
    if disc.has_menus:
        left_out.append((disc.path, "its menus"))
    return Contents(disc=disc, titles=tuple(kept), left_out=tuple(left_out), lacking=disc.lacks)


def title_on_disc(disc: Disc, title: Title, path: Path) -> TitleOnDisc:
    """A title as a source; `path` is to stand for it."""
    angles = f", of {title.listed.angles} angles the first" if title.listed.angles > 1 else ""
    chapters = f", {counted(len(title.table.chapters), 'chapter')}" if len(title.table.chapters) > 1 else ""
    spoken = [language for language in title.table.languages.values() if language is not None]
    languages = f", {' and '.join(spoken)}" if spoken else ""
    name = disc.shown_name
    return TitleOnDisc(
        path=path,
        number=title.number,
        disc=name,
        recording=Recording(
            parts=disc.identity(title.listed.title_set),
            name=path.stem,
            evidence="a title of a DVD",
            told=f"{path.stem}: title {title.number} of {name}, "
            f"{duration(float(title.table.length_s))}{chapters}{languages}{angles}",
        ),
    )


def in_words(error: InputError) -> str:
    """What is wrong and what to do, where both stand in brackets."""
    return error.cause if error.fix is None else f"{error.cause}; {error.fix}"


def _place(disc: Disc, within: Path | None = None) -> Path:
    """The folder in which the titles of a disc seem to lie: where the disc is, but not above `within`."""
    if disc.is_image:
        return disc.path.parent
    folder = disc.path.absolute()
    if within is not None and within in (folder, folder.parent):
        return within
    return folder.parent.parent


def title_for(path: Path, number: int | None) -> TitleOnDisc | None:
    """The title of a DVD that a user names; None where `path` is no DVD.

    Args:
        path: an image, a folder VIDEO_TS, a folder that holds one, or a video.
        number: the title; None for the longest.

    Raises:
        UsageError: there is no such title, or it cannot be restored.
    """
    place = disc_at(path)
    if place is None or not place.exists():
        if number is not None:
            raise UsageError(f"--title {number}: {path} is no DVD", fix="leave --title out")
        return None
    try:
        disc = open_disc(place)
        titles = titles_of(disc)
        title = _chosen(path, titles, number)
        layout(disc, title)
    except InputError as error:
        raise UsageError(f"{path}: {error.cause}", fix=error.fix) from error
    found = title_on_disc(disc, title, title_path(_place(disc), disc.name, title.number))
    others = [other for other in titles if other is not title]
    if not others or number is not None:
        return found
    told = f"{found.recording.told}; --title takes another: {_listed(others)}"
    return replace(found, recording=replace(found.recording, told=told))


def _chosen(path: Path, titles: Sequence[Title], number: int | None) -> Title:
    if not titles:
        raise InputError("it has no titles")
    if number is None:
        return max(titles, key=lambda title: (title.table.length_s, -title.number))
    for title in titles:
        if title.number == number:
            return title
    raise UsageError(f"{path} has no title {number}", fix=f"its titles are {_listed(titles)}")


def _listed(titles: Sequence[Title]) -> str:
    return ", ".join(f"{title.number} ({duration(float(title.table.length_s))})" for title in titles)
