"""The excerpt of a source that becomes the result, as the user says it and in frames. Pure."""

import re
from dataclasses import dataclass
from fractions import Fraction

from vhsbatch.errors import InputError, UsageError

_MANY, _SIXTY, _DECIMALS = r"[0-9]{1,6}", r"[0-5]?[0-9]", r"(?:\.[0-9]{1,9})?"
_TIME = re.compile(rf"(?:(?:({_MANY}):)?({_SIXTY}):)?({_SIXTY}{_DECIMALS})|({_MANY}{_DECIMALS})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """What the user wants of a source, counted from its first frame.

    Attributes:
        from_s: the result begins with the first frame at or after this, in seconds; None for the first.
        to_s: it ends with the last frame before this; None for the last.
    """

    from_s: Fraction | None = None
    to_s: Fraction | None = None

    def over(self, other: "Trim") -> "Trim":
        """This, and what it leaves open as `other` has it."""
        return Trim(
            from_s=other.from_s if self.from_s is None else self.from_s,
            to_s=other.to_s if self.to_s is None else self.to_s,
        )

    @property
    def in_words(self) -> str:
        """The excerpt in words.

        >>> Trim(from_s=Fraction(90), to_s=Fraction(181, 2)).in_words
        'from 1:30 to 1:30.5'
        """
        begin = "the beginning" if self.from_s is None else clock(self.from_s)
        return f"from {begin} to {'the end' if self.to_s is None else clock(self.to_s)}"


NO_TRIM = Trim()
TRIM_OPTIONS = ("--from", "--to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The excerpt of a source that becomes the result, exactly.

    Frames are numbered as in the result of the whole source, times count from the source's first frame.

    Attributes:
        first_frame: its first frame.
        stop_frame: the frame after its last one.
        from_s: when its first frame is shown.
        to_s: when its last one ends; None where it ends with the source.
    """

    first_frame: int
    stop_frame: int
    from_s: Fraction
    to_s: Fraction | None = None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.stop_frame - self.first_frame


def trim_of(begin: object, end: object, keys: tuple[str, str] = TRIM_OPTIONS) -> Trim:
    """The limits of an excerpt as they are typed, on a command line or in a TOML file.

    Args:
        begin: where it begins, as text, a number or a time of day; None where that is not said.
        end: where it ends, likewise.
        keys: how the user calls these.

    Raises:
        UsageError: one of them is no time; names its key.
    """
    from_s = None if begin is None else seconds_of(begin, keys[0])
    # What begins with the first frame is not trimmed there.
    return Trim(from_s=from_s or None, to_s=None if end is None else seconds_of(end, keys[1]))


def seconds_of(text: object, key: str) -> Fraction:
    """A time as it is typed, or as a TOML file holds it.

    >>> [seconds_of(text, "--from") for text in ("90", "1:30", "1:02:03.5", 2.5)]
    [Fraction(90, 1), Fraction(90, 1), Fraction(7447, 2), Fraction(5, 2)]

    Raises:
        UsageError: it is none; names `key`.
    """
    match = _TIME.fullmatch(str(text).strip())
    if match is None:
        raise UsageError(f"{key} {text}: is not a time", fix="write it as 90, 1:30 or 1:02:03.5")
    hours, minutes, seconds, alone = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds or alone)


def expect_within(trim: Trim, length_s: Fraction, from_key: str, to_key: str) -> None:
    """See that a source has the excerpt that is wanted.

    Args:
        trim: what is wanted.
        length_s: the source's length.
        from_key: how the user says where it begins.
        to_key: how the user says where it ends.

    Raises:
        InputError: it does not; names the key and the length.
    """
    begin_s, end_s, long = trim.from_s or Fraction(0), trim.to_s, f"the video is {clock(length_s)} long"
    if begin_s >= length_s:
        raise InputError(f"{from_key} {clock(begin_s)}: leaves no frame, as {long}")
    if end_s is not None and end_s <= begin_s:
        raise InputError(
            f"{to_key} {clock(end_s)}: leaves no frame, as the excerpt begins at {clock(begin_s)} and {long}"
        )


def clock(seconds: Fraction) -> str:
    """A time as it can be typed, to a millisecond.

    >>> clock(Fraction(181, 2)), clock(Fraction(3723)), clock(Fraction(10, 3))
    ('1:30.5', '1:02:03', '0:03.333')
    """
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    decimals = f".{thousandths:03}".rstrip("0") if thousandths else ""
    return (f"{hours}:{minutes:02}" if hours else f"{minutes}") + f":{rest:02}{decimals}"
