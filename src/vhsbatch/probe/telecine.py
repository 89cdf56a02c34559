"""Film in television's frames: found by the timestamps of soft pulldown, or by the cadence of hard one.

24 film frames a second become 30 frames by holding them for two and three fields in turns. Soft pulldown
leaves the film's frames alone and says in flags which are shown for three fields; their timestamps tell.
Hard pulldown has recorded the fields.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from vhsbatch.model.media import FieldOrder, Telecine, VideoTrack
from vhsbatch.model.source import Source
from vhsbatch.probe.field_order import Sight, Votes
from vhsbatch.probe.idet import windows
from vhsbatch.probe.places import PICTURE, measure_places, picture_place
from vhsbatch.probe.telecine_protocol import STRETCH_FRAMES, WEAVE

_TELEVISION_RATES = (Fraction(30000, 1001), Fraction(30))
_PAL_RATE = Fraction(25)
_FILM_RATES = (Fraction(24000, 1001), Fraction(24))

# This share of the frame distances must fit the pattern.
_IN_PATTERN = Fraction(9, 10)
_FEWEST_DISTANCES = 8

# A stretch with at least this part of its repeated fields in place is film, with at most that, video.
_FILM = 0.75
_VIDEO = 0.5
_FILM_PART = Fraction(4, 5)

# This number of frames must show a cadence, unless more than this share show two moments each.
_FEWEST_FRAMES, _PLAIN = 30, 0.96

# As sure an order is at most that no frame tells.
_NOT_MEASURED = 0.6

_WIDTH = 96


async def with_telecine(
    source: Source,
    video: VideoTrack,
    sights: Sequence[Sight] | None,
    ticks: Sequence[int],
    time_base: Fraction,
    *,
    ffmpeg: str,
    seekable: bool,
) -> VideoTrack:
    """`video` as film in the frames of television, or as progressive, if it is that.

    Args:
        source: the source.
        video: its video stream.
        sights: what was seen of its fields; None where nothing was.
        ticks: when its frames are shown, ascending.
        time_base: seconds per tick.
        ffmpeg: the program.
        seekable: whether FFmpeg can start in the middle.

    Raises:
        ToolError: FFmpeg or Python cannot be started.
    """
    if is_soft(ticks, time_base, video.rate):
        reason = "frames are shown for two and three fields in turns"
        return replace(video, telecine=Telecine.SOFT, telecine_reason=reason, telecine_confidence=0.95)
    votes = None if sights is None else Votes.count(sights)
    if is_plainly_video(video, votes):
        reason = "nearly every frame has fields of two moments"
        return replace(video, telecine_reason=reason, telecine_confidence=0.95)
    is_unclear, is_film = may_be_whole(video, votes), may_be_film(video, votes)
    if not (is_unclear or is_film):
        return video
    weave = is_unclear or may_be_shifted(video)
    steps = await look_at_steps(source, video, ffmpeg=ffmpeg, seekable=seekable, weave=weave)
    if is_unclear and steps is not None and is_whole(steps):
        return replace(
            video,
            field_order=FieldOrder.PROGRESSIVE,
            field_order_reason="measured: both fields of the frames that move show one moment",
            field_order_confidence=0.9,
        )
    if not is_film:
        return video
    found, reason, sure = judge_film(video, steps)
    return replace(video, telecine=found, telecine_reason=reason, telecine_confidence=sure)


def is_soft(ticks: Sequence[int], time_base: Fraction, rate: Fraction) -> bool:
    """Whether frames of film are shown for two and three fields in turns.

    Args:
        ticks: when the frames are shown, ascending.
        time_base: seconds per tick.
        rate: of the grid on which they lie.
    """
    if rate not in _FILM_RATES or len(ticks) <= _FEWEST_DISTANCES:
        return False
    field = 1 / (rate * Fraction(5, 2) * time_base)  # in ticks
    lengths = [round((later - earlier) / field) for earlier, later in pairwise(ticks)]
    held = sum({a, b} == {2, 3} for a, b in pairwise(lengths))
    return held >= _IN_PATTERN * (len(lengths) - 1)


def may_be_whole(video: VideoTrack, votes: Votes | None) -> bool:
    """Whether it has fields for no better reason than that the file or its kind says so."""
    unclear = votes is not None and votes.verdict() is FieldOrder.UNKNOWN
    return (
        unclear
        and video.field_order in (FieldOrder.TFF, FieldOrder.BFF)
        and video.field_order_confidence <= _NOT_MEASURED
    )


def may_be_shifted(video: VideoTrack) -> bool:
    """Whether film in it would be of one picture a frame, a field out of step at the most."""
    return video.rate == _PAL_RATE


def is_plainly_video(video: VideoTrack, votes: Votes | None) -> bool:
    """Whether nearly every frame has fields of two moments, so that no 3:2 cadence needs to be looked for.

    Of five frames of a cadence one is as like the frame before it as the one after it, which tells no
    order: nine frames of ten tell one at the most, under any noise (measured).
    """
    return (
        video.rate in _TELEVISION_RATES
        and votes is not None
        and votes.total >= _FEWEST_FRAMES
        and votes.alone > _PLAIN * votes.total
    )


def may_be_film(video: VideoTrack, votes: Votes | None) -> bool:
    """Whether it is worth looking for film: in television's rate, and not all progressive."""
    return (
        (video.rate in _TELEVISION_RATES or may_be_shifted(video))
        and video.field_order is not FieldOrder.PROGRESSIVE
        and votes is not None
        and votes.interlaced >= max(3, votes.total / 10)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSteps:
    """What fields and frames that follow one another have in common.

    Attributes:
        cadences: how well a 3:2 cadence fits stretches of the source, None where too little moves.
        partners: in which part of the frames a field of the next one fits better, and worse, likewise;
            nothing where that was not asked for.
        repeated: how many frames are the ones before them once more.
        frames: of how many.
    """

    cadences: tuple[float | None, ...]
    partners: tuple[tuple[float, float] | None, ...]
    repeated: int
    frames: int


async def look_at_steps(
    source: Source, video: VideoTrack, *, ffmpeg: str, seekable: bool, weave: bool = False
) -> FieldSteps | None:
    """Compare fields and frames in the places where the fields were looked at; None if nothing decodes.

    Args:
        source: the source.
        video: its video stream.
        ffmpeg: the program.
        seekable: whether FFmpeg can start in the middle.
        weave: whether fields are put together with those of the next frame too, for the `partners`.

    Raises:
        ToolError: FFmpeg or Python cannot be started.
    """
    answers = await measure_places(
        (
            picture_place(
                source,
                video,
                from_s,
                f"trim=end_frame={count // STRETCH_FRAMES * STRETCH_FRAMES},"
                f"scale=w={_WIDTH}:h={video.height}:flags=area,format=gray",
            )
            for from_s, count in windows(video, seekable=seekable)
        ),
        stream=video.index,
        kind="v",
        output=PICTURE,
        worker=(
            "vhsbatch.probe.telecine_worker",
            str(_WIDTH),
            str(video.height),
            *((WEAVE,) if weave else ()),
        ),
        ffmpeg=ffmpeg,
    )
    if not answers:
        return None
    answer = json.loads(answers[-1])
    return FieldSteps(
        cadences=tuple(answer["cadences"]),
        partners=tuple(None if parts is None else (parts[0], parts[1]) for parts in answer["partners"]),
        repeated=answer["repeated"],
        frames=answer["frames"],
    )


def judge_film(video: VideoTrack, steps: FieldSteps | None) -> tuple[Telecine, str, float]:
    """Whether a source is film, why, and how sure that is (0 to 1). Pure.

    Args:
        video: the source.
        steps: what its fields have in common; None where nothing could be measured.
    """
    if may_be_shifted(video):
        partners = () if steps is None else steps.partners
        return judge([parts and parts[0] for parts in partners], Telecine.SHIFTED)
    return judge(() if steps is None else steps.cadences)


def is_whole(steps: FieldSteps) -> bool:
    """Whether both fields of the frames show one moment, nearly everywhere where something moves. Pure."""
    kind, _, _ = judge([parts and parts[1] for parts in steps.partners])
    return kind is not Telecine.NONE


_A = {Telecine.HARD: "a ", Telecine.SHIFTED: ""}
_SIGNS = {Telecine.HARD: "3:2 cadence", Telecine.SHIFTED: "film that is a field out of step"}


def judge(fits: Sequence[float | None], kind: Telecine = Telecine.HARD) -> tuple[Telecine, str, float]:
    """Whether a source is telecined film of a `kind`, why, and how sure that is (0 to 1). Pure.

    Film that is inverted as such loses every fifth frame, or half of its motion: it has to be film nearly
    everywhere.

    >>> judge([1.0, 0.9, None, 1.0])
    (<Telecine.HARD: 'hard'>, '3:2 cadence in 3 of 3 stretches that move', 0.97)
    >>> judge([0.2, None])
    (<Telecine.NONE: 'none'>, 'no 3:2 cadence', 0.95)
    """
    sign = _SIGNS[kind]
    film = sum(fit is not None and fit >= _FILM for fit in fits)
    video = sum(fit is not None and fit <= _VIDEO for fit in fits)
    moving = sum(fit is not None for fit in fits)
    if film == 0:
        if moving:
            return Telecine.NONE, f"no {sign}", 0.95
        return Telecine.NONE, f"too little movement to find {_A[kind]}{sign}", 0.5
    reason = f"{sign} in {film} of {moving} stretches that move"
    certain = film >= 2 or (moving == 1 and max(fit or 0 for fit in fits) >= 0.9)
    if certain and film >= _FILM_PART * (film + video):
        known = [fit for fit in fits if fit is not None]
        return kind, reason, round(sum(known) / len(known), 2)
    why = "part film, part video" if video else "too few to be sure"
    return Telecine.NONE, f"{reason}: {why}", 0.6
