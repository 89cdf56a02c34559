"""Captions that the source's picture carries, as subtitles of the result. Pure."""

from collections.abc import Iterator
from fractions import Fraction
from math import floor

from vhsbatch.formatting import counted
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.trim import Excerpt


def caption_times(
    info: MediaInfo, excerpt: Excerpt | None = None
) -> Iterator[tuple[Fraction, Fraction, str]]:
    """What captions of the result say, from when to when."""
    if info.captions is None:
        return
    from_s, to_s = (Fraction(0), None) if excerpt is None else (excerpt.from_s, excerpt.to_s)
    end_s = info.video.frames / info.video.rate if to_s is None else to_s
    for cue in info.captions.cues:
        begin_s = max(cue.from_s, from_s)
        stop_s = min(end_s if cue.to_s is None else cue.to_s, end_s)
        if begin_s < stop_s:
            yield begin_s - from_s, stop_s - from_s, cue.text


def srt_text(info: MediaInfo, excerpt: Excerpt | None = None) -> str:
    """The captions of the result as a SubRip file; empty where there are none."""
    return "".join(
        f"{number}\n{_clock(begin_s)} --> {_clock(stop_s)}\n{text}\n\n"
        for number, (begin_s, stop_s, text) in enumerate(caption_times(info, excerpt), start=1)
    )


def caption_notes(info: MediaInfo, excerpt: Excerpt | None = None) -> Iterator[str]:
    """What is done with the captions that the picture carries."""
    if info.captions is not None and (count := sum(1 for _ in caption_times(info, excerpt))):
        yield f"{counted(count, 'caption')} {info.captions.place}, kept as subtitles"


def _clock(time_s: Fraction) -> str:
    """A time in milliseconds, never after its frame: a player would show the caption with the next one.

    >>> _clock(Fraction(2002, 30000) + 3600)
    '01:00:00,066'
    """
    seconds, milliseconds = divmod(floor(time_s * 1000), 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{milliseconds:03}"
