"""The files of a DVD: menus, and the parts of a title, which are one recording cut into several files."""

import re
from collections.abc import Collection
from pathlib import Path

from vhsbatch.errors import UsageError

_OF_A_DISC = re.compile(r"(video_ts|vts_\d\d_\d)\.(vob|ifo|bup)")
_MENU = re.compile(r"video_ts\.vob|vts_\d\d_0\.vob")
_PART = re.compile(r"(vts_\d\d)_([1-9])\.vob")


def why_not_alone(name: str, beside: Collection[str], *, join: bool = False) -> tuple[str, str] | None:
    """Why a file of a DVD is no source of its own, and what to do; None where it is one, or not of a DVD.

    Args:
        name: the file's.
        beside: the names of all files in its folder.
        join: whether the parts of a title are joined.

    >>> why_not_alone("VTS_01_0.VOB", ["VTS_01_0.VOB", "VTS_01_1.VOB"])
    ('a menu of a DVD', 'restore its titles')
    >>> why_not_alone("VTS_01_1.VOB", ["VTS_01_0.VOB", "VTS_01_1.VOB", "VTS_02_1.VOB"])
    >>> why_not_alone("VTS_02_1.VOB", ["VTS_01_1.VOB", "VTS_02_1.VOB", "VTS_02_2.VOB"])
    ('a part of a DVD title', "'vhs-upscale batch FOLDER OUT' joins its parts, with --join auto")
    >>> why_not_alone("VTS_02_1.VOB", ["VTS_02_1.VOB", "VTS_02_2.VOB"], join=True)
    """
    if _MENU.fullmatch(name.lower()):
        return "a menu of a DVD", "restore its titles"
    part = _PART.fullmatch(name.lower())
    if part is None:
        return None
    found = [match for other in beside if (match := _PART.fullmatch(other.lower())) and match[1] == part[1]]
    numbers = {int(match[2]) for match in found}
    if len(numbers) < 2:
        return None
    if numbers != set(range(1, max(numbers) + 1)):
        return "a part of a DVD title of which another part is missing", "copy all parts of the title"
    if join:
        return None
    return "a part of a DVD title", "'vhs-upscale batch FOLDER OUT' joins its parts, with --join auto"


def is_of_a_disc(name: str) -> bool:
    """Whether a file is called like one of a DVD.

    >>> is_of_a_disc("VTS_01_1.VOB"), is_of_a_disc("video_ts.ifo"), is_of_a_disc("tape.vob")
    (True, True, False)
    """
    return _OF_A_DISC.fullmatch(name.lower()) is not None


def refuse_part(video: Path) -> None:
    """Promise that a single video is neither a menu nor one of several parts of a title.

    Raises:
        UsageError: it is.
    """
    try:
        beside = [path.name for path in video.parent.iterdir()]
    except OSError:
        return  # its probe says why it cannot be read
    if (why := why_not_alone(video.name, beside)) is not None:
        raise UsageError(f"{video} is {why[0]}", fix=why[1])
