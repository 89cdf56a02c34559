"""Filter graphs: the one place where a plan becomes FFmpeg filters.

A graph has three parts. The *front* gives the source's frames their positions on the plan's grid,
deinterlaces and cleans them, and cuts the segment out after the temporal filters, so that these are
warm. The *finish* scales once, converts the colours and sharpens. At the very end gaps are filled with the
frame before, so that no filter ever sees a frame that was not recorded. Between front and finish, where the
model is used, frames become RGB and leave for the engine, so that front and finish run in two FFmpegs.
Where a program of its own deinterlaces, the front is cut there in the same way.

Nothing is decided here: what follows from preset and source is in the plan's recipe.
"""

import re
from fractions import Fraction

from vhsbatch.ffmpeg.changes import follow
from vhsbatch.ffmpeg.cleaning import chroma_subsampling, correct, decimal, denoise, undo_sharpening
from vhsbatch.ffmpeg.colour import curve, frame_transfer, scale_matrix
from vhsbatch.ffmpeg.deinterlacing import deinterlace, fields_of, hold, positions_read
from vhsbatch.ffmpeg.dropouts import repair_dropouts
from vhsbatch.ffmpeg.graph import Node, any_of, compiled, merge, ratio, read
from vhsbatch.ffmpeg.planar import SCALER, chroma_place, to_planar
from vhsbatch.ffmpeg.preroll import first_shown, read_from_s
from vhsbatch.ffmpeg.tonemap import to_sdr
from vhsbatch.model.media import Colour, VideoTrack
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.model.recipe import Recipe

_FIRST_OF_POSITION = "isnan(prev_selected_pts)+gt(pts,prev_selected_pts)"

# The format in which the engine's frames are finished.
_FROM_RGB = "yuv444p10le"

# Where players expect the chroma samples of what all encoders here make.
_WITH_FIRST_COLUMN = {"out_h_chr_pos": 0}


def segment_graph(plan: JobPlan, segment: Segment, pixel_format: str) -> str:
    """The whole way of a segment in one FFmpeg: source frames in, frames for the encoder out.

    Args:
        plan: the plan.
        segment: the frames to make.
        pixel_format: what the encoder takes.
    """
    node = _clean(_deinterlaced(plan, segment), plan, segment)
    return compiled(_finish(node, plan, pixel_format, plan.recipe.worked, plan.preset.sharpen.amount))


def hold_filters(plan: JobPlan, segment: Segment) -> str:
    """What comes behind all of `segment_graph`, and what brings frames to a device; may be empty."""
    if plan.recipe.keeps_times:
        return ""
    graph = compiled(_held(read("made", "0"), plan, segment))
    return ",".join(re.findall(r"\]([^\[\];]+)\[", graph))


def fields_graph(plan: JobPlan, segment: Segment) -> str:
    """What a deinterlacer of its own gets: frames of the grid with both of their fields.

    It leaves out those that are held, and holds what it has made.
    """
    recipe, positions = plan.recipe, fields_of(plan, segment)
    node = _grid(plan, segment)
    if recipe.front != recipe.planar:
        node = node.filter(
            "scale",
            flags=SCALER,
            interl=int(plan.info.video.field_order.has_fields),
            **_chroma_moved(recipe, recipe.planar, recipe.front),
        )
    node = hold(node.filter("format", pix_fmts=recipe.front), plan.info.video.rate, positions.start)
    return compiled(node.filter("trim", end_pts=positions.stop))


def decode_graph(plan: JobPlan, segment: Segment) -> str:
    """The first half of a segment that goes through a model: source frames in, rgb24 out.

    Where the model is for faces alone, the frames have the size of the output's picture.
    """
    recipe, colour = plan.recipe, plan.recipe.source
    node = _clean(_deinterlaced(plan, segment), plan, segment)
    width, height = recipe.picture if plan.upscaling is None else recipe.model_input
    other_size = {"w": width, "h": height} if (width, height) != recipe.cropped else {}
    node = node.filter(
        "scale", **other_size, flags=SCALER,
        in_color_matrix=scale_matrix(colour), in_range=str(colour.range), out_range="pc",
        **chroma_place(recipe, recipe.worked, "in"),
    )  # fmt: skip
    node = node.filter("format", pix_fmts="rgb24")
    return compiled(node if recipe.keeps_times else _held(node, plan, segment))


def encode_graph(plan: JobPlan, pixel_format: str) -> str:
    """The second half: the engine's rgb24 frames in, frames for the encoder out."""
    colour, (width, height) = plan.recipe.source, plan.recipe.picture
    node = read("frames", "0").filter(
        "scale", w=width, h=height, flags=SCALER, in_range="pc",
        out_color_matrix=scale_matrix(colour), out_range=str(colour.range),
    )  # fmt: skip
    node = node.filter("format", pix_fmts=_FROM_RGB)
    sharpen = plan.preset.sharpen.amount if plan.upscaling is None else plan.preset.upscale.sharpen
    return compiled(_finish(node, plan, pixel_format, _FROM_RGB, sharpen))


def filter_names(graph: str) -> frozenset[str]:
    """The filters that a compiled graph uses.

    >>> sorted(filter_names("[0:0]fps=fps=25[s0];[s0]bwdif=mode=send_field[out]"))
    ['bwdif', 'fps']
    """
    return frozenset(re.findall(r"(?:^|;)(?:\[[^]]*\])+([a-z0-9_]+)", graph))


# --- the front -------------------------------------------------------------------------------------


def _deinterlaced(plan: JobPlan, segment: Segment) -> Node:
    """Frames at the plan's rate, each at its position from the source's beginning."""
    if plan.recipe.uses_vapoursynth:
        first = int(fields_of(plan, segment).start * plan.recipe.rate_factor)
        return read("frames", "0").filter("setpts", f"N+{first}")
    return deinterlace(_grid(plan, segment), plan, segment)


def _grid(plan: JobPlan, segment: Segment) -> Node:
    """The source's frames, each at its position on the grid, planar, cropped, repaired, not sharpened."""
    track, recipe = plan.info.video, plan.recipe
    node = _as_meant(read("source", str(track.index)), recipe)
    if (from_s := read_from_s(plan, segment)) is not None:
        # A seek lands before it.
        node = node.filter("trim", start=_seconds(from_s))
    # Timestamps are rounded to the grid before anything else looks at them, so that a jittering
    # clock neither drops nor doubles a frame; of those that share a position, the first is taken.
    node = node.filter("setpts", f"round(PTS-{_seconds(track.start_s)}/TB)")
    node = follow(node, track)
    if not recipe.keeps_times:
        node = node.filter("settb", ratio(1 / track.rate)).filter("select", _FIRST_OF_POSITION)
        node = _without_overwritten(node, track, positions_read(plan, segment))
    node = to_planar(node, plan)
    node = _crop(node, plan)
    if recipe.repairs_dropouts:
        node = repair_dropouts(node, track.field_order, recipe)
    return undo_sharpening(node, plan.preset.sharpen.undo, track.width)


def _without_overwritten(node: Node, track: VideoTrack, positions: range) -> Node:
    """The frames that hold what was recorded: the others are filled like any gap."""
    places = [
        place for place in track.overwritten if place.start < positions.stop and positions.start < place.stop
    ]
    if not places:
        return node
    return node.filter("select", f"not({any_of([f'between(pts,{p.start},{p.stop - 1})' for p in places])})")


def _as_meant(node: Node, recipe: Recipe) -> Node:
    """Frames that say of themselves what their levels mean.

    FFmpeg's filters refuse frames that state reserved values, and those of colours that are converted
    further down by options of their own.
    """
    if recipe.rgb:
        return node.filter("setparams", colorspace="gbr", color_primaries="bt709", color_trc="bt709")
    return _tag(node, recipe.source, str(recipe.decoded.range))


def _crop(node: Node, plan: JobPlan) -> Node:
    crop, (width, height) = plan.preset.crop, plan.recipe.recorded
    if not (crop.left or crop.right or crop.top or crop.bottom):
        return node
    return node.filter("crop", w=width, h=height, x=crop.left, y=crop.top, exact=1)


def _clean(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """Frames of `worked`, cut, turned, in SDR colours."""
    recipe, preset = plan.recipe, plan.preset
    if recipe.masked_lines:
        node = node.filter("fillborders", bottom=recipe.masked_lines, mode="mirror")
    node = denoise(node, preset.denoise)
    node = _cut(node, plan, segment)
    if recipe.converts_colours:
        node = to_sdr(node, recipe.decoded)
    node = correct(node, preset.colour, recipe.worked)
    return _turn(node, recipe)


def _cut(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """The frames from a segment's first one on; of frames with their own times the segment's, from 0."""
    if not plan.recipe.keeps_times:
        node = node.filter("trim", start_pts=first_shown(plan, segment))
        if plan.recipe.decimates and plan.info.video.gaps:
            # What was held to make up whole cycles, and would be made again for each position.
            node = node.filter("mpdecimate", hi=0, lo=0, frac=0)
        return node
    # Pieces that are made on trial have no times of their own.
    from_s = segment.start_frame / plan.rate if segment.from_s is None else segment.from_s
    to_s = segment.stop_frame / plan.rate if segment.to_s is None else segment.to_s
    node = node.filter("trim", start=_seconds(from_s), end=_seconds(to_s))
    return node.filter("settb", ratio(1 / plan.rate)).filter("setpts", "N")


def _turn(node: Node, recipe: Recipe) -> Node:
    if not recipe.turns:
        return node
    for name, _, direction in (turn.partition("=") for turn in recipe.turns):
        node = node.filter(name, dir=direction) if direction else node.filter(name)
    # Or the output asks for it too, and a player turns it once more.
    return node.filter("sidedata", mode="delete", type="DISPLAYMATRIX")


# --- the finish ------------------------------------------------------------------------------------


def _finish(node: Node, plan: JobPlan, pixel_format: str, given: str, sharpen: float) -> Node:
    """Frames of the format `given` in, frames as they are encoded out."""
    recipe = plan.recipe
    if recipe.source != recipe.target:
        node, given = _converted(node, recipe, given)
    width, height = recipe.picture
    place = {**chroma_place(recipe, given, "in"), **_WITH_FIRST_COLUMN}
    node = node.filter("scale", w=width, h=height, flags=SCALER, **place)
    colour = plan.preset.colour
    if colour.lut is not None and colour.lut_strength:
        node = _look_up(node, str(colour.lut), colour.lut_strength, scale_matrix(recipe.target))
    node = node.filter("format", pix_fmts=pixel_format)
    if sharpen:
        size = plan.preset.sharpen.size
        node = node.filter("unsharp", lx=size, ly=size, la=decimal(sharpen), cx=5, cy=5, ca=0)
    if (width, height) != (recipe.width, recipe.height):
        # Bars of equal width, at whole chroma samples.
        left, top = (recipe.width - width) // 4 * 2, (recipe.height - height) // 4 * 2
        node = node.filter("pad", w=recipe.width, h=recipe.height, x=left, y=top)
    # The encoder tags its stream with what the frames say of themselves.
    node = _tag(node, recipe.target, str(recipe.target.range))
    return node.filter("setsar", sar=ratio(recipe.sar))


def _converted(node: Node, recipe: Recipe, given: str) -> tuple[Node, str]:
    """Frames in the output's colours, and their format."""
    # Ten bits between the two steps, so that the conversion costs no precision.
    ten_bits, source, target = _ten_bits(given), recipe.source, recipe.target
    moves = chroma_subsampling(given) != chroma_subsampling(ten_bits)
    place = _chroma_moved(recipe, given, ten_bits) if moves else {}
    node = node.filter("scale", flags=SCALER, **place).filter("format", pix_fmts=ten_bits)
    node = node.filter(
        "colorspace",
        ispace=str(source.matrix), iprimaries=str(source.primaries), itrc=curve(source),
        irange=str(source.range),
        space=str(target.matrix), primaries=str(target.primaries), trc=curve(target),
        range=str(target.range),
    )  # fmt: skip
    return node, ten_bits


def _look_up(node: Node, lut: str, strength: float, matrix: str) -> Node:
    """A LUT is of full-range RGB, in which what it makes is mixed with the picture."""
    node = node.filter("scale", in_color_matrix=matrix, in_range="tv", out_range="pc", in_h_chr_pos=0)
    node = node.filter("format", pix_fmts="gbrp10le")
    plain, looked_up = node.split(2) if strength < 1 else (node, node)
    node = looked_up.filter("lut3d", file=lut, interp="tetrahedral")
    if strength < 1:
        node = merge([node, plain], "blend", all_mode="normal", all_opacity=decimal(strength))
    return node.filter(
        "scale", out_color_matrix=matrix, in_range="pc", out_range="tv", flags=SCALER, **_WITH_FIRST_COLUMN
    )


def _held(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """A segment's frames, as many as were planned, numbered from 0."""
    node = hold(node, plan.rate, segment.start_frame).filter("trim", end_pts=segment.stop_frame)
    return node.filter("setpts", f"PTS-{segment.start_frame}")


# --- details ---------------------------------------------------------------------------------------


def _tag(node: Node, colour: Colour, levels: str) -> Node:
    """Frames that say of themselves that they are of `colour`, and which range of `levels` they have."""
    return node.filter(
        "setparams",
        colorspace=str(colour.matrix),
        color_primaries=str(colour.primaries),
        color_trc=str(frame_transfer(colour)),
        range=levels,
    )


def _chroma_moved(recipe: Recipe, given: str, wanted: str) -> dict[str, int]:
    return {**chroma_place(recipe, given, "in"), **chroma_place(recipe, wanted, "out")}


def _ten_bits(planar: str) -> str:
    """The format nearest to `planar` that the colorspace filter works in."""
    subsampling = {(2, 2): "420", (1, 1): "444"}.get(chroma_subsampling(planar), "422")
    return f"yuv{subsampling}p10le"


def _seconds(value: Fraction) -> str:
    """Seconds with more digits than any container's clock has."""
    return f"{float(value):.9f}"
