"""What a result keeps of its source beside picture and sound, and what its container cannot hold. Pure."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from vhsbatch.ffmpeg.formats import data_url
from vhsbatch.model.media import MediaInfo, SubtitleTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.trim import Excerpt

_MICROSECONDS = 1_000_000

_TEXT_CODECS = frozenset({"ass", "mov_text", "ssa", "subrip", "text", "webvtt"})
_PICTURE_CODECS = frozenset({"dvb_subtitle", "dvd_subtitle", "hdmv_pgs_subtitle"})
_COPIED_INTO_MKV = _PICTURE_CODECS | {"ass", "ssa", "subrip", "webvtt"}

# What FFmpeg writes of a file's tags, by container; Matroska holds any.
_TAGS = {
    "mp4": {
        *(
            "title",
            "artist",
            "album",
            "album_artist",
            "composer",
            "date",
            "disc",
            "track",
            "comment",
            "genre",
        ),
        *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id", "episode_sort"),
        *(
            "season_number",
            "network",
            "keywords",
            "media_type",
            "hd_video",
            "gapless_playback",
            "compilation",
        ),
    },
    "mov": {
        *("title", "artist", "album", "date", "comment", "genre", "copyright", "make", "model", "location"),
    },
}
# Tags about the source as a file, or kept under another name.
_OF_A_FILE = {
    *("compatible_brands", "creation_time", "date_recorded", "duration", "encoder", "encoded_by"),
    *("major_brand", "minor_version", "software", "timecode"),
}

# Timecodes with another separator before the frames leave numbers out, which these rates alone need.
_DROP_FRAME_RATES = (Fraction(30000, 1001), Fraction(60000, 1001))
_TIMECODE = re.compile(r"(\d\d:\d\d:\d\d)([:;.])(\d\d)")


def subtitle_codec(container: str, codec: str) -> str | None:
    """How subtitles of `codec` come into `container`: ``copy``, an encoder, or None where they cannot.

    >>> subtitle_codec("mp4", "subrip"), subtitle_codec("mkv", "subrip")
    ('mov_text', 'copy')
    """
    if container == "mkv":
        return "copy" if codec in _COPIED_INTO_MKV else "subrip" if codec in _TEXT_CODECS else None
    return "copy" if codec == "mov_text" else "mov_text" if codec in _TEXT_CODECS else None


def kept_subtitles(info: MediaInfo, container: str) -> tuple[tuple[SubtitleTrack, str], ...]:
    """The subtitles that `container` can hold, each with how it comes there."""
    found = ((track, subtitle_codec(container, track.codec)) for track in info.subtitles)
    return tuple((track, codec) for track, codec in found if codec is not None)


def subtitle_arguments(plan: JobPlan, source: int) -> tuple[str, ...]:
    """FFmpeg's arguments for the subtitles of its input number `source`."""
    return tuple(
        word
        for number, (track, codec) in enumerate(kept_subtitles(plan.info, plan.container))
        for word in (
            *("-map", f"{source}:{track.index}", f"-c:s:{number}", codec),
            *(() if plan.excerpt is None else (f"-bsf:s:{number}", _of_excerpt(plan.excerpt))),
        )
    )


def caption_arguments(plan: JobPlan, source: int) -> tuple[str, ...]:
    """FFmpeg's arguments for the captions of its input number `source`, which follow all other subtitles."""
    number = len(kept_subtitles(plan.info, plan.container))
    codec = subtitle_codec(plan.container, "subrip")
    return ("-map", f"{source}:s:0", f"-c:s:{number}", str(codec))


def _of_excerpt(excerpt: Excerpt) -> str:
    """FFmpeg's bitstream filters that drop subtitles outside of an excerpt, and cut those at its ends.

    What begins before the excerpt is shown from its beginning on: a time below zero would move all streams.
    """
    outside, end = r"lte((pts+d)*tb\,0)", "PTS+DURATION"
    if excerpt.to_s is not None:
        length_s = f"{float(excerpt.to_s - excerpt.from_s):.6f}"
        outside, end = rf"{outside}+gte(pts*tb\,{length_s})", rf"min({end}\,{length_s}/TB)"
    cut = rf"ts='max(PTS\,0)':duration='{end}-max(PTS\,0)'"
    return f"noise=amount=0:drop='{outside}',setts={cut}"


def chapters_input(info: MediaInfo) -> tuple[str, ...]:
    """FFmpeg's arguments for an input that has the chapters of a DVD title; nothing where it has none.

    They are on the clock of the source, and have names: without, a chapter is not written into MP4.
    """
    if info.title is None or not info.title.chapters_s:
        return ()
    begins_s = info.title.chapters_s
    last_s = max(info.video.start_s + info.video.frames / info.video.rate, begins_s[-1])
    lines = [";FFMETADATA1"]
    for number, (from_s, to_s) in enumerate(pairwise((*begins_s, last_s)), start=1):
        begin, end = (round(at_s * _MICROSECONDS) for at_s in (from_s, to_s))
        lines += ["[CHAPTER]", f"TIMEBASE=1/{_MICROSECONDS}", f"START={begin}", f"END={end}"]
        lines.append(f"title=Chapter {number}")
    return ("-protocol_whitelist", "data", "-f", "ffmetadata", "-i", data_url("\n".join(lines) + "\n"))


def timecode_arguments(plan: JobPlan) -> tuple[str, ...]:
    """The source's timecode counted in the output's frames; nothing where there is none to keep."""
    if plan.info.timecode is None:
        return ()
    return ("-metadata", f"timecode={timecode(plan.info, plan.recipe, plan.from_s) or ''}")


def date_arguments(plan: JobPlan) -> tuple[str, ...]:
    """When the source was recorded, under the name that players look for; nothing where it does not say."""
    if plan.info.recorded is None:
        return ()
    key = "DATE_RECORDED" if plan.container == "mkv" else "date"
    return ("-metadata", f"{key}={plan.info.recorded}")


def timecode(info: MediaInfo, recipe: Recipe, from_s: Fraction = Fraction(0)) -> str | None:
    """The source's timecode counted in the output's frames; None where it cannot be.

    Where each field becomes a frame, there are twice as many to a second; film has others altogether.

    Args:
        info: the source.
        recipe: how its frames become those of the output.
        from_s: when the output begins, from the source's first frame on.
    """
    factor = recipe.rate_factor
    match = _TIMECODE.fullmatch(info.timecode or "")
    if match is None or factor.denominator != 1:
        return None
    if match[2] != ":" and info.video.rate * factor not in _DROP_FRAME_RATES:
        return None
    rate, drops = info.video.rate * factor, match[2] != ":"
    first = _frame_number(match[1], int(match[3]) * int(factor), round(rate), drops=drops)
    clock, frames = _timecode_of(first + round(from_s * rate), round(rate), drops=drops)
    return f"{clock}{match[2]}{frames:02}"


def _frame_number(clock: str, frames: int, per_s: int, *, drops: bool) -> int:
    """How many frames after midnight a timecode is; drop-frame ones leave out two in 30 numbers a minute."""
    hours, minutes, seconds = map(int, clock.split(":"))
    minutes += 60 * hours
    left_out = per_s // 15 * (minutes - minutes // 10) if drops else 0
    return (60 * minutes + seconds) * per_s + frames - left_out


def _timecode_of(number: int, per_s: int, *, drops: bool) -> tuple[str, int]:
    """The timecode of a frame after midnight: its clock and its frames.

    >>> [_timecode_of(number, 30, drops=True) for number in (1799, 1800, 17981, 17982)]
    [('00:00:59', 29), ('00:01:00', 2), ('00:09:59', 29), ('00:10:00', 0)]
    """
    if drops:
        left_out = per_s // 15
        minute = 60 * per_s - left_out
        ten_minutes = 10 * minute + left_out
        tens, rest = divmod(number, ten_minutes)
        # The first of ten minutes leaves none out.
        number += left_out * (9 * tens + (max(0, rest - left_out) // minute))
    seconds, frames = divmod(number, per_s)
    hours, rest = divmod(seconds, 3600)
    return f"{hours % 24:02}:{rest // 60:02}:{rest % 60:02}", frames


def _lost_tags(info: MediaInfo, container: str) -> tuple[str, ...]:
    """Tags for which `container` has no place."""
    if container == "mkv":
        return ()
    # A language may follow the name.
    return tuple(tag for tag in info.tags if tag.partition("-")[0] not in _TAGS[container] | _OF_A_FILE)


def left_out(
    info: MediaInfo, recipe: Recipe, container: str, from_s: Fraction = Fraction(0)
) -> Iterator[str]:
    """What cannot be kept, a line each."""
    lost = [track.codec for track in info.subtitles if subtitle_codec(container, track.codec) is None]
    if lost:
        fits = all(subtitle_codec("mkv", codec) is not None for codec in lost)
        hint = '; container = "mkv" holds them' if fits and container != "mkv" else ""
        yield f"subtitles left out, which {container} cannot hold: {', '.join(lost)}{hint}"
    if info.other_streams:
        yield f"streams left out that are neither video, audio nor subtitles: {info.other_streams}"
    if info.pictures:
        yield f"still pictures left out, such as covers: {info.pictures}"
    if lost_tags := _lost_tags(info, container):
        yield f"tags left out, which {container} cannot hold: {', '.join(lost_tags)}; mkv holds them"
    if info.timecode is not None and timecode(info, recipe, from_s) is None:
        yield f"timecode {info.timecode} left out, which does not count in the output's frames"
