"""Subtitles in the teletext of a broadcast, read by the FFmpeg that restores it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from vhsbatch.ffmpeg.formats import input_options, input_url
from vhsbatch.model.media import Caption, Captions, SubtitleTrack
from vhsbatch.model.source import Source
from vhsbatch.process.spawn import run

IN_TELETEXT = "in teletext"
_STREAM = re.compile(r"^  Stream #0:(\d+).*?: Subtitle: dvb_teletext(?: \((\w+)\))?")
_TIME = r"(\d+):(\d\d):(\d\d),(\d{3})"
_CUE = re.compile(rf"^\d+\n{_TIME} --> {_TIME}\n(.*?)\n\n", re.DOTALL | re.MULTILINE)


def parse_teletext(lines: Iterable[str]) -> dict[int, bool]:
    """The teletext streams that FFmpeg listed of its input, and whether it can read them.

    >>> parse_teletext(["  Stream #0:1[0x1f0](eng): Subtitle: dvb_teletext (libzvbi_teletextdec) ([6][0])"])
    {1: True}
    >>> parse_teletext(["  Stream #0:2[0x1f0]: Subtitle: dvb_teletext ([6][0][0][0] / 0x0006), 492x250"])
    {2: False}
    """
    matches = (_STREAM.match(line) for line in lines)
    return {int(match[1]): match[2] is not None for match in matches if match is not None}


def without_teletext(
    tracks: Sequence[SubtitleTrack], teletext: dict[int, bool]
) -> tuple[tuple[SubtitleTrack, ...], int | None, str | None]:
    """The subtitles that are no teletext, the stream of teletext that is read, and what is left out of it."""
    found = [track.index for track in tracks if track.index in teletext]
    kept = tuple(track for track in tracks if track.index not in found)
    if not found:
        return kept, None, None
    if not teletext[found[0]]:
        return kept, None, "teletext left out: this FFmpeg is built without libzvbi, which reads it"
    return kept, found[0], "teletext pages left out, other than subtitles"


async def read_teletext(
    source: Source, stream: int, *, ffmpeg: str, start_s: Fraction, rate: Fraction, timeout_s: float
) -> Captions | None:
    """The subtitles in a stream of teletext, counted from the first frame; None where it has none.

    Raises:
        TimeoutError: it took longer than `timeout_s`.
    """
    finished = await run(
        (
            *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-copyts"),
            *("-txt_page", "subtitle", "-txt_format", "text", "-fix_sub_duration"),
            *(*input_options(source), "-vn", "-an", "-dn", "-i", input_url(source)),
            *("-map", f"0:{stream}", "-c:s", "subrip", "-f", "srt", "-"),
        ),
        timeout_s=timeout_s,
    )
    cues = tuple(_cues(finished.stdout.decode("utf-8", "replace"), start_s, rate))
    return Captions(place=IN_TELETEXT, cues=cues) if cues else None


def _cues(srt: str, start_s: Fraction, rate: Fraction) -> Iterator[Caption]:
    """The cues of a SubRip file on the source's clock, each from the frame next to its time."""
    for match in _CUE.finditer(srt.replace("\r\n", "\n") + "\n\n"):
        numbers = [int(group) for group in match.groups()[:8]]
        first, stop = (max(0, round((_seconds(*numbers[at : at + 4]) - start_s) * rate)) for at in (0, 4))
        text = "\n".join(line.strip() for line in match[9].splitlines() if line.strip())
        if text and first < stop:
            yield Caption(from_s=first / rate, to_s=stop / rate, text=text)


def _seconds(hours: int, minutes: int, seconds: int, milliseconds: int) -> Fraction:
    return 3600 * hours + 60 * minutes + seconds + Fraction(milliseconds, 1000)
