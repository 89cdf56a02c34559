"""From fields to frames: a deinterlacer for video, the frames of the film itself for telecined film."""

from fractions import Fraction
from math import ceil
from typing import Any

import ffmpeg

from vhsbatch.media.preroll import first_position
from vhsbatch.model.media import FieldOrder, OrderRun, Telecine, VideoTrack
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.presets import Preset

# A node of ffmpeg-python's graph; the package has no types.
Node = Any

# Hard pulldown makes five frames of four.
_CYCLE = 5
_FILM_OF_CYCLE = 4

# QTGMC looks no further than two frames ahead.
_POSTROLL_FRAMES = 8
# Where a seek lands exactly, frames are read from here on before the first one that counts.
_BEFORE_FRAMES = 2


def deinterlaces(preset: Preset, track: VideoTrack) -> bool:
    """Whether the plan's graph has a deinterlacer."""
    return _handles_fields(preset, track) and not restores_film(preset, track)


def deinterlaces_apart(preset: Preset, track: VideoTrack) -> bool:
    """Whether the deinterlacer is a program of its own, between two FFmpegs."""
    return preset.deinterlace.method == "qtgmc" and deinterlaces(preset, track)


def needs_weights(preset: Preset, track: VideoTrack) -> bool:
    """Whether the deinterlacer has weights, which are a file."""
    return preset.deinterlace.method == "nnedi" and deinterlaces(preset, track)


def restores_film(preset: Preset, track: VideoTrack) -> bool:
    """Whether the plan's graph gives back the frames of telecined film."""
    one_order = track.field_order in (FieldOrder.TFF, FieldOrder.BFF)
    return (
        track.telecine.is_in_fields
        and one_order
        and _handles_fields(preset, track)
        and preset.deinterlace.film
    )


def _decimates(preset: Preset, track: VideoTrack) -> bool:
    return track.telecine is Telecine.HARD and restores_film(preset, track)


def _handles_fields(preset: Preset, track: VideoTrack) -> bool:
    return preset.deinterlace.method != "none" and track.field_order.has_fields


def frames_made(track: VideoTrack, preset: Preset) -> int:
    """How many frames come out of the source's."""
    if _decimates(preset, track):
        # The frames behind the last whole cycle are kept.
        return track.frames // _CYCLE * _FILM_OF_CYCLE + track.frames % _CYCLE
    return track.frames * int(rate_factor(track, preset))


def rate_factor(track: VideoTrack, preset: Preset) -> Fraction:
    """How many times more frames a second come out than the source has."""
    if _decimates(preset, track):
        return Fraction(_FILM_OF_CYCLE, _CYCLE)
    return Fraction(2 if deinterlaces(preset, track) and preset.deinterlace.rate == "field" else 1)


def grid_start(plan: JobPlan, segment: Segment) -> int | None:
    """The grid position at which a segment's graph has to begin exactly; None where that does not matter."""
    track, preset = plan.info.video, plan.preset
    if _decimates(preset, track):
        return first_position(plan, segment, multiple_of=_CYCLE)
    return first_position(plan, segment) if deinterlaces_apart(preset, track) else None


def fields_of(plan: JobPlan, segment: Segment) -> range:
    """The grid positions that a deinterlacer of its own gets, to make a segment and what is before it."""
    track, factor = plan.info.video, rate_factor(plan.info.video, plan.preset)
    last = ceil(segment.stop_frame / factor)
    return range(first_position(plan, segment), min(track.frames, last + _POSTROLL_FRAMES))


def order_runs(track: VideoTrack, positions: range) -> tuple[OrderRun, ...]:
    """The field orders of some positions of the grid; the first of them begins before these, or with them."""
    runs = track.order_runs or (OrderRun(first_frame=0, order=track.field_order),)
    before = sum(run.first_frame <= positions.start for run in runs)
    return tuple(run for run in runs[before - 1 :] if run.first_frame < positions.stop)


def deinterlace(node: Node, plan: JobPlan, segment: Segment, start: int | None) -> Node:
    """Frames of the grid in, frames at the plan's rate out, numbered from the source's beginning.

    Args:
        node: what gives the frames.
        plan: the plan.
        segment: the frames to make.
        start: the grid position of the first frame, where `grid_start` has one.
    """
    track, preset = plan.info.video, plan.preset
    if restores_film(preset, track):
        parity = track.field_order.value
        node = node.filter("fieldmatch", order=parity, combmatch="full")
        # What is combed all the same is the video that was mixed with the film.
        node = node.filter("bwdif", mode="send_frame", parity=parity, deint="interlaced")
        if start is None:
            return _in_frames(node, plan)
        node = node.filter("decimate", cycle=_CYCLE)
        first = start // _CYCLE * _FILM_OF_CYCLE
        return _in_frames(node, plan).filter("setpts", f"N+{first}")
    if not deinterlaces(preset, track):
        return node
    made_of = fields_of(plan, segment)
    seen = range(max(0, made_of.start - _BEFORE_FRAMES), made_of.stop)
    node = _in_order(node, plan, order_runs(track, seen))
    return node if preset.deinterlace.rate == "field" else _in_frames(node, plan)


def _in_frames(node: Node, plan: JobPlan) -> Node:
    """Deinterlacers count in fields, also where they make a frame of two."""
    return node.filter("settb", f"{plan.rate.denominator}/{plan.rate.numerator}")


def _in_order(node: Node, plan: JobPlan, runs: tuple[OrderRun, ...]) -> Node:
    """Every frame deinterlaced in the order of its own fields.

    Where the order changes, all frames are deinterlaced in both, and those of the right one are taken.
    """
    first, *changes = runs
    if not changes:
        return _deinterlacer(node, plan, first.order)
    copies = node.filter_multi_output("split")
    other = FieldOrder.BFF if first.order is FieldOrder.TFF else FieldOrder.TFF
    rate = plan.info.video.rate
    # A quarter of a frame before its first frame, as seconds are rounded.
    ends_s = [float((run.first_frame - Fraction(1, 4)) / rate) for run in changes]
    spans = zip(ends_s[::2], [f"*lt(t,{end:.6f})" for end in ends_s[1::2]] + [""], strict=False)
    return ffmpeg.filter(
        [_deinterlacer(copies[0], plan, first.order), _deinterlacer(copies[1], plan, other)],
        "blend",
        all_mode="normal",
        all_opacity=0,
        enable="+".join(f"gte(t,{begin:.6f}){end}" for begin, end in spans),
    )


def _deinterlacer(node: Node, plan: JobPlan, order: FieldOrder) -> Node:
    preset, parity = plan.preset, order.value
    method, by_field = preset.deinterlace.method, preset.deinterlace.rate == "field"
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
