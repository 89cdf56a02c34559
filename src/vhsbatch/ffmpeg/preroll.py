"""Where the reading of a segment begins: before it, so that temporal filters are warm when it does."""

from fractions import Fraction
from math import ceil, floor

from vhsbatch.model.plan import JobPlan, Segment

# With one second before it hqdn3d still differs from a run from the beginning in 126 of 720 frames, with
# three in 0 to 4, all of them invisible.
PREROLL_S = 3


def read_from_s(plan: JobPlan, segment: Segment) -> Fraction | None:
    """Shortly before the segment, on the container's clock; None for the beginning of the source."""
    before_s = _before_s(plan, segment)
    return plan.info.video.start_s + before_s if before_s > 0 else None


def first_position(plan: JobPlan, segment: Segment, *, multiple_of: int = 1) -> int:
    """The first position of the source's grid that is sure to have its frame, a multiple of `multiple_of`."""
    before_s = _before_s(plan, segment)
    if before_s <= 0:
        return 0
    # A frame may be shown up to half a position before its own.
    return ceil((before_s * plan.info.video.rate + 1) / multiple_of) * multiple_of


def first_shown(plan: JobPlan, segment: Segment) -> int:
    """The first output position at which the frame can lie that is shown where the segment begins."""
    track = plan.info.video
    factor = plan.rate / track.rate
    position = floor(segment.start_frame / factor)
    shown = position if track.knows_gaps else position - ceil(track.rate)
    for gap in track.gaps:
        if gap.start <= position < gap.stop:
            shown = gap.start - 1
    return max(0, min(segment.start_frame, floor(shown * factor)))


def _before_s(plan: JobPlan, segment: Segment) -> Fraction:
    """When the reading begins, from the first frame on: in a gap nothing is there to warm a filter."""
    track = plan.info.video
    if not plan.info.exact_seek:
        return Fraction(0)
    begins_s = Fraction(segment.start_frame) / plan.rate if segment.from_s is None else segment.from_s
    before_s = begins_s - PREROLL_S
    for gap in reversed(track.gaps):
        # The last frame before a gap is shown all through it.
        from_s, to_s = (gap.start - 1) / track.rate, gap.stop / track.rate
        if to_s <= before_s:
            break
        before_s -= max(Fraction(0), min(to_s, begins_s) - from_s)
    return before_s
