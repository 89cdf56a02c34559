"""The excerpt of a source that is wanted, in frames of its result. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil

from vhsbatch.errors import InputError
from vhsbatch.formatting import counted
from vhsbatch.model.media import MediaInfo
from vhsbatch.model.recipe import Recipe
from vhsbatch.model.trim import NO_TRIM, Excerpt, clock


def excerpt_of(
    info: MediaInfo, recipe: Recipe, frames: int, times_s: Sequence[Fraction] | None
) -> Excerpt | None:
    """The excerpt of a source that is restored, None for all of it.

    It begins and ends with whole frames of the source, of which both fields count as one time.

    Args:
        info: the source.
        recipe: how its frames become those of the result.
        frames: how many frames the result of the whole source has.
        times_s: when each of them is shown, where frames keep their own times.

    Raises:
        InputError: no frame begins in it.
    """
    trim, video = info.trim, info.video
    if trim == NO_TRIM:
        return None
    if times_s is None:
        first, stop = (
            None if at_s is None else _frame_at(at_s, video.rate, recipe) for at_s in (trim.from_s, trim.to_s)
        )
    else:
        first, stop = (
            None if at_s is None else bisect_left(times_s, at_s) for at_s in (trim.from_s, trim.to_s)
        )
    first, stop = first or 0, frames if stop is None else min(stop, frames)
    if first >= stop:
        raise InputError(
            f"no frame begins {trim.in_words}", fix=f"the video is {clock(video.frames / video.rate)} long"
        )
    from_s = first / recipe.rate if times_s is None else times_s[first]
    to_s = None
    if trim.to_s is not None and trim.to_s <= video.frames / video.rate:
        to_s = stop / recipe.rate if times_s is None else trim.to_s
    return Excerpt(first_frame=first, stop_frame=stop, from_s=from_s, to_s=to_s)


def _frame_at(at_s: Fraction, rate: Fraction, recipe: Recipe) -> int:
    """The first frame of the result at or after a moment."""
    if recipe.decimates:
        return ceil(at_s * recipe.rate)
    return ceil(at_s * rate) * int(recipe.rate_factor)


def trim_notes(info: MediaInfo, excerpt: Excerpt | None) -> Iterator[str]:
    """What of the source is left out, as the user asked."""
    if excerpt is None:
        return
    length_s = info.video.frames / info.video.rate
    yield f"only {info.trim.in_words} of {clock(length_s)}: {counted(excerpt.frames, 'frame')}"
    if info.trim.to_s is not None and info.trim.to_s > length_s:
        yield f"restored to its end at {clock(length_s)}, which comes before {clock(info.trim.to_s)}"
