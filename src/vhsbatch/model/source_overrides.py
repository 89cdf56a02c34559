"""What a user says of a source: its shape, field order, whether it is film, the excerpt wanted. Pure."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from vhsbatch.errors import UsageError
from vhsbatch.model.media import FieldOrder, MediaInfo, Telecine
from vhsbatch.model.trim import NO_TRIM, TRIM_OPTIONS, Trim, expect_within

OrderWord = Literal["tff", "bff", "progressive"]
TelecineWord = Literal["none", "soft", "hard", "shifted"]

# How a note ends that says what the user knows already.
ASKED_FOR = ", as was asked for"

# Wider and narrower pictures are no video's.
_NARROWEST, _WIDEST = Fraction(1, 4), Fraction(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverrides:
    """What is taken in place of what was found.

    Attributes:
        aspect: width to height of the picture as it is shown, None for what was found.
        field_order: likewise.
        telecine: likewise.
        trim: the excerpt that is wanted.
        trim_keys: how the user says where that begins and ends.
    """

    aspect: Fraction | None = None
    field_order: FieldOrder | None = None
    telecine: Telecine | None = None
    trim: Trim = NO_TRIM
    trim_keys: tuple[str, str] = TRIM_OPTIONS


NO_SOURCE_OVERRIDES = SourceOverrides()


def source_overrides(
    aspect: str | None,
    field_order: OrderWord | None,
    telecine: TelecineWord | None = None,
    *,
    trim: Trim = NO_TRIM,
    aspect_key: str = "--aspect",
    trim_keys: tuple[str, str] = TRIM_OPTIONS,
) -> SourceOverrides:
    """Overrides as they are typed, on a command line or in a file that has its own names for some.

    >>> source_overrides("16:9", "tff").aspect
    Fraction(16, 9)

    Raises:
        UsageError: the aspect is no ratio.
    """
    return SourceOverrides(
        aspect=None if aspect is None else _ratio(aspect, aspect_key),
        field_order=None if field_order is None else FieldOrder(field_order),
        telecine=None if telecine is None else Telecine(telecine),
        trim=trim,
        trim_keys=trim_keys,
    )


def _ratio(text: str, key: str) -> Fraction:
    try:
        ratio = Fraction(text.replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if not _NARROWEST <= ratio <= _WIDEST:
        raise UsageError(f"{key} {text}: must be a ratio of width to height", fix="for example 4:3 or 16:9")
    return ratio


def corrected(info: MediaInfo, by: SourceOverrides) -> MediaInfo:
    """A source as the user knows it, and the excerpt of it that is wanted.

    Raises:
        InputError: it does not reach so far.
    """
    video, notes = info.video, info.notes
    if by.aspect is not None:
        video = replace(
            video,
            sar=by.aspect * video.height / video.width,
            changes=tuple(
                replace(change, sar=by.aspect * change.height / change.width) for change in video.changes
            ),
        )
        notes = (*notes, f"shown as {by.aspect.numerator}:{by.aspect.denominator}{ASKED_FOR}")
    if by.field_order is not None:
        video = replace(
            video,
            field_order=by.field_order,
            field_order_reason="as was asked for",
            field_order_confidence=1.0,
            order_runs=(),
        )
        if by.field_order is FieldOrder.PROGRESSIVE and video.telecine.is_in_fields:
            video = replace(video, telecine=Telecine.NONE, telecine_reason="")
    if by.telecine is not None:
        video = replace(
            video, telecine=by.telecine, telecine_reason="as was asked for", telecine_confidence=1.0
        )
    trim = by.trim.over(info.trim)
    if by.trim != NO_TRIM:
        expect_within(trim, video.frames / video.rate, *by.trim_keys)
    return replace(info, video=video, notes=notes, trim=trim)
