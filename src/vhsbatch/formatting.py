"""Numbers and foreign text as people read them, the same in every interface. Pure."""

import unicodedata
from fractions import Fraction

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SPOKEN_UNITS = ("bytes", "kilobytes", "megabytes", "gigabytes", "terabytes")


def plain(text: str) -> str:
    r"""`text` without anything that a terminal would act on.

    Names of files, tags and what child processes say can hold escape sequences, line breaks and
    bytes that are not UTF-8; each of those becomes visible and harmless.

    >>> plain("a\x1b[31mb\nc")
    'a\\x1b[31mb\\nc'
    """
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    # Cc: control characters; Cf: invisible ones, among them those that reverse the reading direction;
    # Cs: bytes that are not UTF-8. An emoji's joiner is a Cf that belongs to the text.
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or (
        unicodedata.category(character) == "Cf" and character != "\u200d"
    ):
        return ascii(character)[1:-1]
    return character


def counted(number: int, word: str) -> str:
    """How many there are of something.

    >>> counted(1, "worker"), counted(3, "video")
    ('1 worker', '3 videos')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def shortened(text: str, length: int = 100) -> str:
    """A text shortened to a number of characters.

    >>> shortened("abcdef", 4), shortened("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def duration(seconds: float) -> str:
    """A length of time.

    >>> duration(7.4), duration(75), duration(3723), duration(200000)
    ('0:07', '1:15', '1:02:03', '2 d 7:33:20')
    """
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    clock = f"{hours}:{minutes:02}:{rest:02}" if hours or days else f"{minutes}:{rest:02}"
    return f"{days} d {clock}" if days else clock


def place(seconds: Fraction) -> str:
    """A place in a video, to a tenth of a second.

    >>> place(Fraction(7, 2)), place(Fraction(3723))
    ('0:03.5', '1:02:03.0')
    """
    minutes, tenths = divmod(int(10 * seconds), 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{tenths // 10:02}.{tenths % 10}"


def spread(between: tuple[float, float] | None, likely_s: float | None = None) -> str:
    """A time with its range, where the two ends differ enough to be worth saying; else `likely_s`.

    >>> spread((3600, 3700)), spread((3600, 3700), 3650), spread((600, 1200)), spread(None)
    ('1:01:40', '1:00:50', '10:00 to 20:00', '-')
    """
    if between is None:
        return "-"
    low_s, high_s = between
    if high_s <= 1.1 * low_s + 5:
        return duration(high_s if likely_s is None else likely_s)
    return f"{duration(low_s)} to {duration(high_s)}"


def roughly(seconds: float) -> str:
    """A length of time that need not be drawn again all the time: in as many minutes as can be known.

    >>> roughly(7.4), roughly(61), roughly(3590), roughly(11900), roughly(90000)
    ('0:07', '1 min', '1 h', '3 h 20 min', '25 h')
    """
    if seconds < 60:
        return duration(seconds)
    step = next(step for most_h, step in ((1, 1), (10, 5), (float("inf"), 60)) if seconds <= 3600 * most_h)
    hours, minutes = divmod(round(seconds / (60 * step)) * step, 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))


def size(count_bytes: float) -> str:
    """A size of a file.

    >>> size(999), size(1536), size(3 * 2**30)
    ('999 B', '1.5 KiB', '3.0 GiB')
    """
    unit = 0
    while count_bytes >= 1024 and unit < len(_UNITS) - 1:
        count_bytes, unit = count_bytes / 1024, unit + 1
    return f"{count_bytes:.0f} B" if unit == 0 else f"{count_bytes:.1f} {_UNITS[unit]}"


def time_in_words(seconds: float) -> str:
    """A length of time to be heard: its two largest units.

    >>> time_in_words(7.4), time_in_words(60), time_in_words(3723), time_in_words(200000)
    ('7 seconds', '1 minute', '1 hour 2 minutes', '2 days 7 hours')
    """
    rest, words = max(0, round(seconds)), []
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, length)
        if count:
            words.append(f"{count} {name}{'' if count == 1 else 's'}")
        elif words:
            break
    return " ".join(words[:2]) or "0 seconds"


def size_in_words(count_bytes: float) -> str:
    """A size to be heard.

    >>> size_in_words(999), size_in_words(1536000), size_in_words(3.21e9)
    ('999 bytes', '1.5 megabytes', '3.2 gigabytes')
    """
    unit = 0
    while count_bytes >= 1000 and unit < len(_SPOKEN_UNITS) - 1:
        count_bytes, unit = count_bytes / 1000, unit + 1
    return f"{count_bytes:.0f} bytes" if unit == 0 else f"{count_bytes:.1f} {_SPOKEN_UNITS[unit]}"
