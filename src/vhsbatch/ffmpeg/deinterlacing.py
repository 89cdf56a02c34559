"""From fields to frames: a deinterlacer for video, the frames of the film itself for telecined film."""

from fractions import Fraction
from math import ceil, floor

from vhsbatch.ffmpeg.graph import Node, any_of, merge
from vhsbatch.ffmpeg.preroll import first_position, read_from_s
from vhsbatch.model.media import FieldOrder, OrderRun, VideoTrack
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.model.recipe import Recipe

# Hard pulldown makes five frames of four.
CYCLE = 5
FILM_OF_CYCLE = 4

# Half-way to the next frame, as deinterlacers have it, the second field would lie in the middle of a gap.
BEHIND_THE_FIRST = "if(mod(N,2),PREV_OUTPTS+1,PTS)"

# QTGMC looks no further than two frames ahead and back, degraining three, both together no further than five.
_POSTROLL_FRAMES = 8
_PREROLL_FRAMES = 12
# Where a seek lands exactly, frames are read from here on before the first one that counts.
_BEFORE_FRAMES = 2


def frames_made(frames: int, recipe: Recipe) -> int:
    """How many frames come out of the source's, of which there are `frames`."""
    if recipe.decimates:
        # The frames after the last whole cycle are kept.
        return frames // CYCLE * FILM_OF_CYCLE + frames % CYCLE
    return frames * int(recipe.rate_factor)


def fields_of(plan: JobPlan, segment: Segment) -> range:
    """The grid positions that a separate deinterlacer gets, to make a segment and what is before it."""
    track, factor = plan.info.video, plan.recipe.rate_factor
    last = ceil(segment.stop_frame / factor)
    stop = last + _POSTROLL_FRAMES
    for gap in track.gaps:
        if gap.start >= stop:
            break
        stop += max(0, gap.stop - max(gap.start, last))
    return range(_first_of_fields(plan, segment), min(track.frames, stop))


def _first_of_fields(plan: JobPlan, segment: Segment) -> int:
    """Filters behind the deinterlacer may remember for seconds; without any, few frames are enough."""
    from_first = first_position(plan, segment)
    if plan.preset.denoise.method not in ("degrain", "none"):
        return from_first
    first = floor(segment.start_frame / plan.recipe.rate_factor)
    start = first - _PREROLL_FRAMES
    for gap in reversed(plan.info.video.gaps):
        if gap.stop <= start:
            break
        # What a gap holds is one frame.
        start -= max(0, min(gap.stop, first) - gap.start)
    return max(from_first, start)


def positions_read(plan: JobPlan, segment: Segment) -> range:
    """The grid positions that are read to make a segment."""
    track, from_s = plan.info.video, read_from_s(plan, segment)
    begin = 0 if from_s is None else floor((from_s - track.start_s) * track.rate) - _BEFORE_FRAMES
    return range(max(0, begin), fields_of(plan, segment).stop)


def held_of(plan: JobPlan, positions: range) -> list[tuple[int, int]]:
    """Which of `positions` hold a frame from before, counted from the first: from where up to where."""
    gaps = plan.info.video.gaps
    # What the first one holds is all that there is of that frame.
    clipped = [(max(gap.start, positions.start + 1), min(gap.stop, positions.stop)) for gap in gaps]
    return [(start - positions.start, stop - positions.start) for start, stop in clipped if start < stop]


def order_runs(track: VideoTrack, positions: range) -> tuple[OrderRun, ...]:
    """The field orders of some positions of the grid; the first of them begins before these, or with them."""
    runs = track.order_runs or (OrderRun(first_frame=0, order=track.field_order),)
    before = sum(run.first_frame <= positions.start for run in runs)
    return tuple(run for run in runs[before - 1 :] if run.first_frame < positions.stop)


def deinterlace(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """The source's frames in, frames at the plan's rate out, each at its own position.

    Across a gap, neighbours are those that were recorded: a deinterlacer takes frames that are held for a
    static picture, and puts fields of two moments together.
    """
    track, recipe = plan.info.video, plan.recipe
    if recipe.restores_film:
        parity = track.field_order.value
        node = node.filter("fieldmatch", order=parity, combmatch="full")
        # What is combed all the same is the video that was mixed with the film.
        node = node.filter("bwdif", mode="send_frame", parity=parity, deint="interlaced")
        if not recipe.decimates:
            return _in_frames(node, plan)
        # A cycle is five positions, whether each has its own frame or not.
        start = first_position(plan, segment, multiple_of=CYCLE)
        node = hold(node, track.rate, start).filter("trim", end_pts=track.frames)
        node = node.filter("decimate", cycle=CYCLE)
        first = start // CYCLE * FILM_OF_CYCLE
        return _in_frames(node, plan).filter("setpts", f"N+{first}")
    if not recipe.deinterlaces:
        return node
    node = _in_order(node, plan, order_runs(track, positions_read(plan, segment)))
    if recipe.per_field:
        return node.filter("setpts", BEHIND_THE_FIRST)
    return _in_frames(node, plan)


def hold(node: Node, rate: Fraction, start: int) -> Node:
    """Frames at a constant rate from position `start` on: where there is none, the one before is shown on.

    Nothing is copied, so that after all other filters a gap costs no memory, however long it is. Frames are
    moved by half a position, rounded down, and the end is rounded up: some filters tell when the last frame
    begins instead of when it ends, and it would be lost.
    """
    halves = node.filter("settb", f"{rate.denominator}/{2 * rate.numerator}").filter("setpts", "PTS+1")
    start_s = f"{float((start + Fraction(1, 4)) / rate):.9f}"
    fps = f"{rate.numerator}/{rate.denominator}"
    return halves.filter("fps", fps=fps, round="down", eof_action="pass", start_time=start_s)


def _in_frames(node: Node, plan: JobPlan) -> Node:
    """Deinterlacers count in fields, also where they make a frame of two."""
    return node.filter("settb", f"{plan.rate.denominator}/{plan.rate.numerator}")


def _in_order(node: Node, plan: JobPlan, runs: tuple[OrderRun, ...]) -> Node:
    """Every frame deinterlaced in its own field order.

    Where the order changes, all frames are deinterlaced in both, and those of the right one are taken.
    """
    first, *changes = runs
    if not changes:
        return _deinterlacer(node, plan, first.order)
    one, two = node.split(2)
    other = FieldOrder.BFF if first.order is FieldOrder.TFF else FieldOrder.TFF
    rate = plan.info.video.rate
    # A quarter of a frame before its first frame, as seconds are rounded.
    ends_s = [float((run.first_frame - Fraction(1, 4)) / rate) for run in changes]
    spans = zip(ends_s[::2], [f"*lt(t,{end:.6f})" for end in ends_s[1::2]] + [""], strict=False)
    return merge(
        [_deinterlacer(one, plan, first.order), _deinterlacer(two, plan, other)],
        "blend",
        all_mode="normal",
        all_opacity=0,
        enable=any_of([f"gte(t,{begin:.6f}){end}" for begin, end in spans]),
    )


def _deinterlacer(node: Node, plan: JobPlan, order: FieldOrder) -> Node:
    method, by_field, parity = plan.recipe.deinterlacer, plan.recipe.per_field, order.value
    if method == "w3fdif":
        return node.filter(
            method, filter="complex", mode="field" if by_field else "frame", parity=parity, deint="all"
        )
    if method == "nnedi":
        # "t" and "b" use a frame's first field alone.
        field = parity[0] + ("f" if by_field else "")
        return node.filter(method, weights=str(plan.nnedi_weights), deint="all", field=field)
    mode = "send_field" if by_field else "send_frame"
    return node.filter(method, mode=mode, parity=parity, deint="all")
