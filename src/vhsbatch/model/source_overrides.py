"""What a user knows better than a source says: its shape, its field order, whether it is film. Pure."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from vhsbatch.errors import UsageError
from vhsbatch.model.media import FieldOrder, MediaInfo, Telecine

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
    """

    aspect: Fraction | None = None
    field_order: FieldOrder | None = None
    telecine: Telecine | None = None


NO_SOURCE_OVERRIDES = SourceOverrides()


def source_overrides(
    aspect: str | None,
    field_order: OrderWord | None,
    telecine: TelecineWord | None = None,
    *,
    aspect_key: str = "--aspect",
) -> SourceOverrides:
    """Overrides as they are typed, on a command line or in a file that calls the first one `aspect_key`.

    >>> source_overrides("16:9", "tff").aspect
    Fraction(16, 9)

    Raises:
        UsageError: the aspect is no ratio.
    """
    return SourceOverrides(
        aspect=None if aspect is None else _ratio(aspect, aspect_key),
        field_order=None if field_order is None else FieldOrder(field_order),
        telecine=None if telecine is None else Telecine(telecine),
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
    """A source as the user knows it."""
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
    return replace(info, video=video, notes=notes)
