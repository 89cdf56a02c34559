"""How much of a source is damaged, in words, and whether that is too much. Pure."""

from fractions import Fraction

from vhsbatch.errors import InputError
from vhsbatch.formatting import counted, place
from vhsbatch.model.media import Damage, MediaInfo
from vhsbatch.model.trim import NO_TRIM

_MOST_PLACES_TOLD = 3


def expect_usable(info: MediaInfo, max_percent: int) -> None:
    """Refuse a source of which too much is damaged.

    Args:
        info: the source.
        max_percent: how many of a hundred frames may be.

    Raises:
        InputError: there are more.
    """
    damage = _damage_of_excerpt(info)
    if damage is not None and damage.percent > max_percent:
        raise InputError(
            f"damaged: {_in_words(damage)}",
            fix="copy it again from the original, or accept it as it is with --max-damage 100",
        )


def damage_notes(info: MediaInfo, *, keeps_times: bool = False) -> tuple[str, ...]:
    """What the user should know of the damage that was accepted.

    Args:
        info: the source.
        keeps_times: whether each frame is shown at its own time, and none stands in for another.
    """
    damage = _damage_of_excerpt(info)
    if damage is None:
        return ()
    note = f"damaged, and restored as it decodes: {_in_words(damage)}"
    held = sum(gap.frames for gap in info.video.overwritten)
    if held and keeps_times:
        note += f"; {counted(held, 'overwritten frame')} shown as decoded, as --vfr keep asks"
    elif held:
        note += f"; {counted(held, 'overwritten frame')} replaced by the frame before"
    return (note,)


def _damage_of_excerpt(info: MediaInfo) -> Damage | None:
    """The damage of the whole source; None where all of it is outside the excerpt."""
    trim = info.trim
    if info.damage is None or trim == NO_TRIM:
        return info.damage
    inside = any(
        (trim.from_s is None or last_s >= trim.from_s) and (trim.to_s is None or first_s < trim.to_s)
        for first_s, last_s in info.damage.places
    )
    return info.damage if inside else None


def _in_words(damage: Damage) -> str:
    places = [_place(*place) for place in damage.places[:_MOST_PLACES_TOLD]]
    more = len(damage.places) - len(places)
    where = ", ".join(places) + (f" and {more} more places" if more else "")
    share = f"{damage.frames} of {damage.of_frames} frames ({damage.percent:.1f} %)"
    return f"{share} do not decode cleanly, at {where}"


def _place(first_s: Fraction, last_s: Fraction) -> str:
    begin, end = place(first_s), place(last_s)
    return begin if begin == end else f"{begin} to {end}"
