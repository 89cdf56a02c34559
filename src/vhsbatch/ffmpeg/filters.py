"""Filter graphs: the one place where a plan becomes FFmpeg filters.

A graph has three parts. The *front* gives the source's frames their positions on the plan's grid,
deinterlaces and cleans them, and cuts the segment out behind the temporal filters, so that these are
warm. The *finish* scales once, converts the colours and sharpens. At the very end gaps are filled with the
frame before, so that no filter ever sees a frame that was not recorded. Between front and finish, where the
network is used, frames become RGB and leave for the engine, so that front and finish run in two FFmpegs.
Where a program of its own deinterlaces, the front is cut there in the same way.
"""

import re
from fractions import Fraction

import ffmpeg

from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.changes import follow
from vhsbatch.ffmpeg.cleaning import Node, chroma_subsampling, correct, decimal, denoise
from vhsbatch.ffmpeg.colour import (
    curve,
    decoded_colour,
    frame_transfer,
    is_rgb,
    needs_conversion,
    output_colour,
    source_colour,
)
from vhsbatch.ffmpeg.deinterlacing import (
    decimates,
    deinterlace,
    deinterlaces_apart,
    fields_of,
    hold,
    rate_factor,
)
from vhsbatch.ffmpeg.dropouts import repair_dropouts, repairs_dropouts
from vhsbatch.ffmpeg.frame_times import keeps_times
from vhsbatch.ffmpeg.planar import SCALER, chroma_place, planar_format, to_planar
from vhsbatch.ffmpeg.preroll import first_shown
from vhsbatch.ffmpeg.shape import cropped_size, picture_size, recorded_size, turns
from vhsbatch.ffmpeg.tonemap import SDR_FORMAT, to_sdr
from vhsbatch.model.media import Colour, VideoTrack
from vhsbatch.model.plan import JobPlan, Segment

# The scale filter has names of its own for two matrices.
_SCALE_MATRIX = {"bt470bg": "bt470", "bt2020nc": "bt2020"}
OUTPUT_LABEL = "[out]"

_FIRST_OF_POSITION = "isnan(prev_selected_pts)+gt(pts,prev_selected_pts)"

# No tape has a picture of which the head switch takes more than an eighth.
_LEAST_LINES_TO_MASK = 8

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
    return _compile(_finish(node, plan, pixel_format))


def hold_filters(plan: JobPlan, segment: Segment) -> str:
    """What comes behind all of `segment_graph`, and what brings frames to a device; may be empty."""
    if keeps_times(plan.preset, plan.info.video):
        return ""
    graph = _compile(_held(ffmpeg.input("made")["0"], plan, segment))
    return ",".join(re.findall(r"\]([^\[\];]+)\[", graph))


def fields_graph(plan: JobPlan, segment: Segment) -> str:
    """What a deinterlacer of its own gets: frames of the grid with both of their fields.

    It leaves out those that are held, and holds what it has made.
    """
    positions, to = fields_of(plan, segment), fields_format(plan.info.video, plan.preset)
    node = _grid(plan)
    if to != planar_format(plan.info.video):
        track = plan.info.video
        place = {**chroma_place(track, planar_format(track), "in"), **chroma_place(track, to, "out")}
        node = node.filter("scale", flags=SCALER, interl=int(track.field_order.has_fields), **place)
    node = hold(node.filter("format", pix_fmts=to), plan.info.video.rate, positions.start)
    return _compile(node.filter("trim", end_pts=positions.stop))


def fields_format(track: VideoTrack, preset: Preset) -> str:
    """The pixel format in which frames go to a deinterlacer of its own, and come from it.

    The source's own, or the next that QTGMC takes and that has no less colour.
    """
    planar = planar_format(track).replace("be", "le").replace("411", "422").replace("410", "420")
    if recorded_size(track, preset)[1] % (2 * chroma_subsampling(planar)[1]):
        # A field has to have whole lines of chroma.
        return planar.replace("420", "422").replace("440", "444")
    return planar


def decode_graph(plan: JobPlan, segment: Segment) -> str:
    """The first half of a segment that goes through the network: source frames in, rgb24 out."""
    track, preset = plan.info.video, plan.preset
    node = _clean(_deinterlaced(plan, segment), plan, segment)
    colour = source_colour(track)
    width, height = model_input_size(track, preset)
    fewer_columns = {"w": width, "h": height} if width != cropped_size(track, preset)[0] else {}
    node = node.filter(
        "scale", **fewer_columns, flags=SCALER,
        in_color_matrix=scale_matrix(colour), in_range=colour.range, out_range="pc",
        **chroma_place(track, _worked_format(plan), "in"),
    )  # fmt: skip
    node = node.filter("format", pix_fmts="rgb24")
    return _compile(node if keeps_times(preset, track) else _held(node, plan, segment))


def encode_graph(plan: JobPlan, pixel_format: str) -> str:
    """The second half: the engine's rgb24 frames in, frames for the encoder out."""
    node = ffmpeg.input("frames")["0"]
    colour = source_colour(plan.info.video)
    width, height = picture_size(plan.info.video, plan.preset)
    node = node.filter(
        "scale", w=width, h=height, flags=SCALER, in_range="pc",
        out_color_matrix=scale_matrix(colour), out_range=colour.range,
    )  # fmt: skip
    node = node.filter("format", pix_fmts="yuv444p10le")
    return _compile(_finish(node, plan, pixel_format, from_rgb=True))


def model_input_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the frames that the network sees: of no more columns than the preset allows."""
    width, height = cropped_size(track, preset)
    return min(width, preset.upscale.ai_width or width), height


def filter_names(graph: str) -> frozenset[str]:
    """The filters that a compiled graph uses.

    >>> sorted(filter_names("[0:0]fps=fps=25[s0];[s0]bwdif=mode=send_field[out]"))
    ['bwdif', 'fps']
    """
    return frozenset(re.findall(r"(?:^|;)(?:\[[^]]*\])+([a-z0-9_]+)", graph))


def _compile(node: Node) -> str:
    """FFmpeg's notation of the graph that ends in `node`; its output is called `OUTPUT_LABEL`."""
    arguments: list[str] = ffmpeg.get_args(node.output("out"))
    graph = arguments[arguments.index("-filter_complex") + 1]
    label = arguments[arguments.index("-map") + 1]
    return graph.removesuffix(label) + OUTPUT_LABEL


def _source(plan: JobPlan) -> Node:
    return ffmpeg.input("source")[str(plan.info.video.index)]


def _deinterlaced(plan: JobPlan, segment: Segment) -> Node:
    """Frames at the plan's rate, each at its position from the source's beginning."""
    track, preset = plan.info.video, plan.preset
    if deinterlaces_apart(preset, track):
        first = int(fields_of(plan, segment).start * rate_factor(track, preset))
        return ffmpeg.input("frames")["0"].filter("setpts", f"N+{first}")
    return deinterlace(_grid(plan), plan, segment)


def _grid(plan: JobPlan) -> Node:
    """The source's frames, each at its position on the grid, planar, cropped, mended."""
    node, track = _source(plan), plan.info.video
    node = _as_meant(node, track)
    # Timestamps are rounded to the grid before anything else looks at them, so that a jittering
    # clock neither drops nor doubles a frame; of those that share a position, the first is taken.
    node = node.filter("setpts", f"round(PTS-{_seconds(track.start_s)}/TB)")
    node = follow(node, track)
    if not keeps_times(plan.preset, track):
        node = node.filter("settb", _ratio(1 / track.rate)).filter("select", _FIRST_OF_POSITION)
    node = to_planar(node, track)
    node = _crop(node, plan.preset, track)
    if repairs_dropouts(plan.preset, track):
        node = repair_dropouts(node, track, plan.preset, planar_format(track))
    return node


def _as_meant(node: Node, track: VideoTrack) -> Node:
    """Frames that say of themselves what their levels mean.

    FFmpeg's filters refuse frames that state reserved values, and those of colours that are converted
    further down by options of their own.
    """
    colour = source_colour(track)
    if is_rgb(track.pixel_format):
        return node.filter("setparams", colorspace="gbr", color_primaries="bt709", color_trc="bt709")
    return node.filter(
        "setparams",
        colorspace=colour.matrix,
        color_primaries=colour.primaries,
        color_trc=frame_transfer(colour),
        range=decoded_colour(track).range,
    )


def _clean(node: Node, plan: JobPlan, segment: Segment) -> Node:
    track, preset = plan.info.video, plan.preset
    node = _mask(node, preset, track)
    node = denoise(node, preset.denoise)
    node = _cut(node, plan, segment)
    if needs_conversion(track):
        node = to_sdr(node, track)
    node = correct(node, preset.colour, _worked_format(plan))
    return _rotate(node, track)


def _cut(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """The frames from a segment's first one on; of frames with their own times the segment's, from 0."""
    track, preset = plan.info.video, plan.preset
    if not keeps_times(preset, track):
        node = node.filter("trim", start_pts=first_shown(plan, segment))
        if decimates(preset, track) and track.gaps:
            # What was held to make up whole cycles, and would be made again for each position.
            node = node.filter("mpdecimate", hi=0, lo=0, frac=0)
        return node
    # Pieces that are made on trial have no times of their own.
    from_s = segment.start_frame / plan.rate if segment.from_s is None else segment.from_s
    to_s = segment.stop_frame / plan.rate if segment.to_s is None else segment.to_s
    node = node.filter("trim", start=_seconds(from_s), end=_seconds(to_s))
    return node.filter("settb", _ratio(1 / plan.rate)).filter("setpts", "N")


def _held(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """A segment's frames, as many as were planned, numbered from 0."""
    node = hold(node, plan.rate, segment.start_frame).filter("trim", end_pts=segment.stop_frame)
    return node.filter("setpts", f"PTS-{segment.start_frame}")


def _crop(node: Node, preset: Preset, track: VideoTrack) -> Node:
    crop = preset.crop
    if not (crop.left or crop.right or crop.top or crop.bottom):
        return node
    return node.filter(
        "crop",
        w=track.width - crop.left - crop.right,
        h=track.height - crop.top - crop.bottom,
        x=crop.left,
        y=crop.top,
        exact=1,
    )


def _mask(node: Node, preset: Preset, track: VideoTrack) -> Node:
    torn = preset.crop.mask_bottom_lines
    # Those that have been cut off need not be masked.
    left = torn - preset.crop.bottom
    if left > 0 and torn <= track.height // _LEAST_LINES_TO_MASK:
        node = node.filter("fillborders", bottom=left, mode="mirror")
    return node


def _rotate(node: Node, track: VideoTrack) -> Node:
    if not (asked := turns(track)):
        return node
    for name, _, direction in (turn.partition("=") for turn in asked):
        node = node.filter(name, dir=direction) if direction else node.filter(name)
    # Or the output asks for it too, and a player turns it once more.
    return node.filter("sidedata", mode="delete", type="DISPLAYMATRIX")


def _finish(node: Node, plan: JobPlan, pixel_format: str, *, from_rgb: bool = False) -> Node:
    track, preset = plan.info.video, plan.preset
    source, target = source_colour(track), output_colour(track, plan.height)
    planar = "yuv444p10le" if from_rgb else _worked_format(plan)
    if source != target:
        # Ten bits between the two steps, so that the conversion costs no precision.
        ten_bits = _ten_bits(planar)
        moved = chroma_subsampling(planar) != chroma_subsampling(ten_bits)
        place = {**chroma_place(track, planar, "in"), **chroma_place(track, ten_bits, "out")} if moved else {}
        node = node.filter("scale", flags=SCALER, **place).filter("format", pix_fmts=ten_bits)
        planar = ten_bits
        node = node.filter(
            "colorspace",
            ispace=source.matrix, iprimaries=source.primaries, itrc=curve(source), irange=source.range,
            space=target.matrix, primaries=target.primaries, trc=curve(target), range=target.range,
        )  # fmt: skip
    width, height = picture_size(track, preset)
    place = {**chroma_place(track, planar, "in"), **_WITH_FIRST_COLUMN}
    node = node.filter("scale", w=width, h=height, flags=SCALER, **place)
    if preset.colour.lut is not None:
        node = node.filter(
            "scale", in_color_matrix=scale_matrix(target), in_range="tv", out_range="pc", in_h_chr_pos=0
        )
        node = node.filter("format", pix_fmts="gbrp10le")
        node = node.filter("lut3d", file=str(preset.colour.lut), interp="tetrahedral")
        node = node.filter(
            "scale", out_color_matrix=scale_matrix(target), in_range="pc", out_range="tv", flags=SCALER,
            **_WITH_FIRST_COLUMN,
        )  # fmt: skip
    node = node.filter("format", pix_fmts=pixel_format)
    if amount := preset.upscale.sharpen if from_rgb else preset.sharpen.amount:
        size = preset.sharpen.size
        node = node.filter("unsharp", lx=size, ly=size, la=decimal(amount), cx=5, cy=5, ca=0)
    if (width, height) != (plan.width, plan.height):
        # Bars of equal width, at whole chroma samples.
        left, top = (plan.width - width) // 4 * 2, (plan.height - height) // 4 * 2
        node = node.filter("pad", w=plan.width, h=plan.height, x=left, y=top)
    # The encoder tags its stream with what the frames say of themselves.
    node = node.filter(
        "setparams",
        colorspace=target.matrix,
        color_primaries=target.primaries,
        color_trc=frame_transfer(target),
        range=target.range,
    )
    return node.filter("setsar", sar=_ratio(plan.sar))


def scale_matrix(colour: Colour) -> str:
    """What the scale filter calls the matrix of `colour`."""
    matrix = colour.matrix or "auto"
    return _SCALE_MATRIX.get(matrix, matrix)


def _worked_format(plan: JobPlan) -> str:
    """The format in which frames are behind the front, in colours of SDR."""
    return SDR_FORMAT if needs_conversion(plan.info.video) else _front_format(plan)


def _front_format(plan: JobPlan) -> str:
    """The format in which frames come out of the front."""
    track, preset = plan.info.video, plan.preset
    return fields_format(track, preset) if deinterlaces_apart(preset, track) else planar_format(track)


def _ten_bits(planar: str) -> str:
    """The format nearest to `planar` that the colorspace filter works in."""
    subsampling = {(2, 2): "420", (1, 1): "444"}.get(chroma_subsampling(planar), "422")
    return f"yuv{subsampling}p10le"


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _seconds(value: Fraction) -> str:
    """Seconds with more digits than any container's clock has."""
    return f"{float(value):.9f}"
