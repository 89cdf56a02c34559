"""Folders of numbered pictures: frames of a video that is no file yet, and how to make it without loss."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vhsbatch.errors import UsageError
from vhsbatch.formatting import counted

_EXTENSIONS = frozenset({".dpx", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
_NUMBERED = re.compile(r"(.*?)(\d+)(\.[^.]+)", re.DOTALL)
# Fewer are photographs, or the two sides of a cover.
_FEWEST = 25
_RATE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPictures:
    """Pictures in a folder whose names differ in a number alone.

    Attributes:
        folder: the folder.
        pattern: their names in FFmpeg's notation.
        first: the lowest number.
        count: how many there are.
        lacking: the first number that is missing between them; None where none is.
        others: pictures in the folder that are not among them.
    """

    folder: Path
    pattern: str
    first: int
    count: int
    lacking: int | None
    others: int

    @property
    def in_words(self) -> str:
        """What they are, and what keeps them from being one video."""
        words = f"{self.count} numbered pictures ({self.pattern} from {self.first} on)"
        if self.lacking is not None:
            words += f", of which number {self.lacking} is missing"
        return f"{words}, beside {counted(self.others, 'other picture')}" if self.others else words

    @property
    def remedy(self) -> str:
        """The command that makes a video of them; it changes no byte of a picture."""
        if self.lacking is not None:
            return "put the missing pictures there, or renumber the others"
        source, made = self.folder / self.pattern, self.folder.with_name(f"{self.folder.name}.mov")
        command = (
            "ffmpeg",
            "-framerate",
            _RATE,
            "-start_number",
            self.first,
            "-i",
            source,
            "-c",
            "copy",
            made,
        )
        shown = shlex.join(map(str, command))
        return f"if they are the frames of a video, make it without loss, here of {_RATE} a second: {shown}"


def numbered_pictures(folder: Path, names: Iterable[str]) -> NumberedPictures | None:
    """The longest series of numbered pictures among the names in a folder; None where none is long."""
    series: dict[tuple[str, str], dict[int, str]] = {}
    pictures = 0
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match is None or name.startswith(".") or match[3].lower() not in _EXTENSIONS:
            pictures += Path(name).suffix.lower() in _EXTENSIONS
            continue
        pictures += 1
        series.setdefault((match[1], match[3]), {})[int(match[2])] = match[2]
    (before, after), numbers = max(series.items(), key=lambda one: len(one[1]), default=(("", ""), {}))
    if len(numbers) < _FEWEST:
        return None
    first = min(numbers)
    widths = {len(digits) for digits in numbers.values()}
    count = f"%0{widths.pop()}d" if len(widths) == 1 else "%d"
    return NumberedPictures(
        folder=folder,
        pattern=f"{before.replace('%', '%%')}{count}{after}",
        first=first,
        count=len(numbers),
        lacking=next((number for number in range(first, max(numbers)) if number not in numbers), None),
        others=pictures - len(numbers),
    )


def pictures_at(path: Path) -> NumberedPictures | None:
    """The numbered pictures in a folder, or beside a picture; None where there are none."""
    folder = path if path.is_dir() else path.parent
    if path != folder and path.suffix.lower() not in _EXTENSIONS:
        return None
    try:
        return numbered_pictures(folder, [file.name for file in folder.iterdir()])
    except OSError:  # who opens it says why
        return None


def refuse_pictures(path: Path) -> None:
    """Promise that a source is no series of pictures.

    Raises:
        UsageError: it is one; says how it becomes a video.
    """
    if (found := pictures_at(path)) is not None:
        raise UsageError(f"{found.folder} holds {found.in_words}, no video", fix=found.remedy)
