"""Which field of a frame comes first: measured in the picture, since what files state is often wrong.

FFmpeg's `idet` compares neighbouring fields. It is right on everything that moves and silent on
everything that does not, so that several places of a tape are looked at; what the file states, and
after that the convention of its kind, decide only where the picture does not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from vhsbatch.formatting import place
from vhsbatch.model.media import FieldOrder, OrderRun, VideoTrack
from vhsbatch.probe.order_runs import Orders, on_grid

# Lines of the television standards that have fields, and of cards that cut some off.
INTERLACED_HEIGHTS = frozenset({480, 482, 484, 486, 488, 512, 574, 576, 578, 608, 1080, 1088})

# The frames decide if at least this number of them show an order and nearly all show the same one.
_TELLING_STEPS, _NEARLY_ALL = 8, 0.9
# As sure of an order as something can be that was seen in all of the source, or was not certain everywhere.
_SURE, _UNSURE = 0.97, 0.5
_MOST_PLACES_TOLD = 4

_IN_WORDS = {FieldOrder.TFF: "top field first", FieldOrder.BFF: "bottom field first"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What `idet` said of one frame.

    Attributes:
        at_s: seconds from the first frame of the source.
        order: UNKNOWN where the frame does not tell, and those before it did not either.
        alone: the same of the frame alone.
    """

    at_s: Fraction
    order: FieldOrder
    alone: FieldOrder = FieldOrder.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What `idet` made of some frames.

    Attributes:
        tff: frames whose top field is older.
        bff: frames whose bottom field is older.
        progressive: frames without fields of different times.
        undetermined: frames that do not tell.
        alone: frames with fields of different times that show so by themselves, in the order of most.
    """

    tff: int = 0
    bff: int = 0
    progressive: int = 0
    undetermined: int = 0
    alone: int = 0

    @property
    def interlaced(self) -> int:
        """Frames with two fields of different times."""
        return self.tff + self.bff

    @property
    def total(self) -> int:
        """All frames that were looked at."""
        return self.tff + self.bff + self.progressive + self.undetermined

    @classmethod
    def count(cls, sights: Sequence[Sight]) -> Self:
        """The votes of some frames."""
        counts = Counter(sight.order for sight in sights)
        alone = Counter(sight.alone for sight in sights)
        return cls(
            tff=counts[FieldOrder.TFF],
            bff=counts[FieldOrder.BFF],
            progressive=counts[FieldOrder.PROGRESSIVE],
            undetermined=counts[FieldOrder.UNKNOWN],
            alone=max(alone[FieldOrder.TFF], alone[FieldOrder.BFF]),
        )

    def verdict(self) -> FieldOrder:
        """What the picture says, UNKNOWN where it is not clear.

        Still scenes of an interlaced tape pass for progressive ones, so that a tenth of the frames is
        enough to call it interlaced, and nearly none may be for calling it progressive.
        """
        if self.interlaced >= max(3, self.total / 10):
            if self.tff >= 4 * self.bff:
                return FieldOrder.TFF
            return FieldOrder.BFF if self.bff >= 4 * self.tff else FieldOrder.UNKNOWN
        if self.progressive >= max(3, 0.6 * self.total) and self.interlaced <= self.total / 50:
            return FieldOrder.PROGRESSIVE
        return FieldOrder.UNKNOWN


def can_be_interlaced(height: int, stated: FieldOrder) -> bool:
    """Whether a picture of `height` lines that states `stated` is worth measuring."""
    return height in INTERLACED_HEIGHTS or stated in _IN_WORDS


def decide(*, stated: FieldOrder, codec: str, height: int, votes: Votes | None) -> tuple[FieldOrder, str]:
    """Decide the field order of a source.

    Args:
        stated: what the file states.
        codec: FFmpeg's codec name.
        height: lines.
        votes: what was measured, None if nothing was.

    Returns:
        TFF, BFF or PROGRESSIVE, and the reason in a few words.
    """
    measured = FieldOrder.UNKNOWN if votes is None else votes.verdict()
    if votes is not None and measured is not FieldOrder.UNKNOWN:
        return measured, _measured_reason(measured, stated, votes)
    if not can_be_interlaced(height, stated):
        return FieldOrder.PROGRESSIVE, f"a picture of {height} lines has no fields"
    why = "not measured" if votes is None else _unclear_reason(votes)
    if stated is not FieldOrder.UNKNOWN:
        return stated, f"{why}; the file says {_in_words(stated)}"
    if votes is not None and votes.interlaced == 0 and votes.progressive > votes.total / 5:
        return FieldOrder.PROGRESSIVE, f"measured: no frame of {votes.total} has fields"
    return _conventional(codec, height, why)


def _conventional(codec: str, height: int, why: str) -> tuple[FieldOrder, str]:
    """The order that such a source has unless it states another."""
    if codec == "dvvideo":
        return FieldOrder.BFF, f"{why}; DV is bottom field first"
    if height == 486:
        return FieldOrder.BFF, f"{why}; 486 lines are bottom field first by convention"
    return FieldOrder.TFF, f"{why}; {height} lines are top field first by convention"


def confidence(order: FieldOrder, stated: FieldOrder, votes: Votes | None) -> float:
    """How sure it is that `order` was decided on rightly, 0 to 1.

    Frames that agree make it surer the more there are; what a file states is often wrong.
    """
    if votes is None:
        return 0.95
    if votes.verdict() is not order:
        return 0.6 if stated is order else 0.5
    if order is FieldOrder.PROGRESSIVE:
        agreeing, telling = votes.progressive, votes.progressive + votes.interlaced
    else:
        agreeing, telling = (votes.tff if order is FieldOrder.TFF else votes.bff), votes.interlaced
    doubt: float = 0.5 ** (telling / 5)
    return round(agreeing / telling * (1 - doubt), 2)


def decided(video: VideoTrack, sights: Sequence[Sight] | None) -> VideoTrack:
    """`video` with the field order that was decided on; `sights` are what was seen, None for nothing."""
    votes = None if sights is None else Votes.count(sights)
    order, reason = decide(stated=video.flagged_order, codec=video.codec, height=video.height, votes=votes)
    sure = confidence(order, video.flagged_order, votes)
    return replace(video, field_order=order, field_order_reason=reason, field_order_confidence=sure)


def confirmed(
    video: VideoTrack, sights: Sequence[Sight] | None, orders: Orders, positions: Sequence[int]
) -> VideoTrack:
    """`video`, of which some places decided, with what all of its frames say of the field order.

    `idet` sees the smallest movement, but takes synthetic pictures for fields in both orders, and looked at
    some places alone. What all frames say decides where the order changes, where those places are not
    clear, and where no frame that moves has fields and the file says the same.

    Args:
        video: with the order that `sights` decided on.
        sights: what was seen in some places, None for nothing.
        orders: what all frames say.
        positions: the grid position of each frame.
    """
    if len(orders.runs) > 1:
        return _changing(video, orders, positions)
    if orders.telling < _TELLING_STEPS:
        return video
    measured = FieldOrder.UNKNOWN if sights is None else Votes.count(sights).verdict()
    # Of a part that does not move as it does elsewhere, as of titles on film, some step would tell.
    agrees = video.flagged_order is FieldOrder.PROGRESSIVE and measured is not FieldOrder.PROGRESSIVE
    least = 1.0 if agrees else _NEARLY_ALL
    if (measured is FieldOrder.UNKNOWN or agrees) and orders.progressive >= least * orders.telling:
        order, count = FieldOrder.PROGRESSIVE, orders.progressive
    elif orders.runs and _is_nearly_all(orders) and orders.runs[0].order is not measured:
        order, count = orders.runs[0].order, max(orders.tff, orders.bff)
    else:
        return video
    reason = f"measured: {count} of {orders.telling} frames that move are {_in_words(order)}"
    if video.flagged_order not in (order, FieldOrder.UNKNOWN):
        reason += f", though the file says {_in_words(video.flagged_order)}"
    return replace(video, field_order=order, field_order_reason=reason, field_order_confidence=_SURE)


def _is_nearly_all(orders: Orders) -> bool:
    """Whether nearly all frames with fields have them in one order, and there are enough of them."""
    most = max(orders.tff, orders.bff)
    enough = most >= max(_TELLING_STEPS, orders.telling / 10)
    return enough and most >= _NEARLY_ALL * (orders.tff + orders.bff)


def _changing(video: VideoTrack, orders: Orders, positions: Sequence[int]) -> VideoTrack:
    runs = on_grid(orders.runs, positions)
    return replace(
        video,
        field_order=FieldOrder.MIXED,
        field_order_reason=_changes_in_words(runs, video.rate),
        field_order_confidence=_SURE if orders.certain else _UNSURE,
        order_runs=runs if orders.certain else (),
    )


def _changes_in_words(runs: Sequence[OrderRun], rate: Fraction) -> str:
    """Where the order changes, and from what to what."""
    first, *changes = runs
    told = [
        f"{_in_words(run.order)} from {place(run.first_frame / rate)} (frame {run.first_frame})"
        for run in changes[:_MOST_PLACES_TOLD]
    ]
    more = len(changes) - len(told)
    return ", ".join((_in_words(first.order), *told)) + (f", and {more} more changes" if more else "")


def stated_order(flags: FieldOrder, container_flag: FieldOrder) -> FieldOrder:
    """What a file states: its frames when they know of fields, else its container.

    Args:
        flags: what its frames state; PROGRESSIVE is no statement, as decoders say it by default.
        container_flag: what its container or its codec's headers state.
    """
    return flags if flags in _IN_WORDS else container_flag


def _measured_reason(measured: FieldOrder, stated: FieldOrder, votes: Votes) -> str:
    count = {
        FieldOrder.TFF: votes.tff,
        FieldOrder.BFF: votes.bff,
        FieldOrder.PROGRESSIVE: votes.progressive,
    }[measured]
    reason = f"measured: {count} of {votes.total} frames are {_in_words(measured)}"
    if stated in (measured, FieldOrder.UNKNOWN):
        return reason
    return f"{reason}, though the file says {_in_words(stated)}"


def _unclear_reason(votes: Votes) -> str:
    if votes.interlaced >= max(3, votes.total / 10):
        return f"measured both orders ({votes.tff} and {votes.bff} frames)"
    return "too little movement to measure"


def _in_words(order: FieldOrder) -> str:
    return _IN_WORDS.get(order, order.value)
