"""Filter graphs: the one place where a plan becomes FFmpeg filters.

A graph has three parts. The *front* lays the source's frames on the plan's grid, deinterlaces and
cleans them, and cuts the segment out behind the temporal filters, so that these are warm. The
*finish* scales once, converts the colours and sharpens. Between the two, where the network is used,
frames become RGB and leave for the engine, so that front and finish run in two FFmpegs. Where a
program of its own deinterlaces, the front is cut there in the same way.
"""

import re
from fractions import Fraction

import ffmpeg

from vhsbatch.media.cleaning import Node, chroma_subsampling, correct, decimal, denoise
from vhsbatch.media.colour import output_colour, source_colour
from vhsbatch.media.deinterlacing import (
    deinterlace,
    deinterlaces_apart,
    fields_of,
    grid_start,
    rate_factor,
)
from vhsbatch.media.dropouts import repair_dropouts, repairs_dropouts
from vhsbatch.media.frametimes import keeps_times
from vhsbatch.media.planar import SCALER, chroma_place, planar_format, to_planar
from vhsbatch.media.shape import cropped_size, picture_size, recorded_size, turns
from vhsbatch.model.media import Colour, VideoTrack
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.presets import Preset

# The scale filter has names of its own for two matrices.
_SCALE_MATRIX = {"bt470bg": "bt470", "bt2020nc": "bt2020"}
OUTPUT_LABEL = "[out]"

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


def fields_graph(plan: JobPlan, segment: Segment) -> str:
    """What a deinterlacer of its own gets: frames of the grid with both of their fields."""
    positions, to = fields_of(plan, segment), fields_format(plan.info.video, plan.preset)
    node = _grid(plan, positions.start).filter("trim", end_pts=positions.stop)
    if to != planar_format(plan.info.video):
        track = plan.info.video
        place = {**chroma_place(track, planar_format(track), "in"), **chroma_place(track, to, "out")}
        node = node.filter("scale", flags=SCALER, interl=1, **place)
    return _compile(node.filter("format", pix_fmts=to))


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
    width, height = network_size(track, preset)
    fewer_columns = {"w": width, "h": height} if width != cropped_size(track, preset)[0] else {}
    node = node.filter(
        "scale", **fewer_columns, flags=SCALER,
        in_color_matrix=scale_matrix(colour), in_range=colour.range, out_range="pc",
        **chroma_place(track, _front_format(plan), "in"),
    )  # fmt: skip
    return _compile(node.filter("format", pix_fmts="rgb24"))


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


def network_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
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
    """Frames at the plan's rate, numbered from the source's beginning."""
    track, preset = plan.info.video, plan.preset
    if deinterlaces_apart(preset, track):
        first = int(fields_of(plan, segment).start * rate_factor(track, preset))
        return ffmpeg.input("frames")["0"].filter("setpts", f"N+{first}")
    start = grid_start(plan, segment)
    return deinterlace(_grid(plan, start), plan, segment, start)


def _grid(plan: JobPlan, start: int | None) -> Node:
    """The source's frames on the grid, planar, cropped, mended; from position `start`, where that matters."""
    node, track = _source(plan), plan.info.video
    # Timestamps are rounded to the grid before anything else looks at them, so that a jittering
    # clock neither drops nor doubles a frame; real gaps are filled with the frame before.
    node = node.filter("setpts", f"round(PTS-{_seconds(track.start_s)}/TB)")
    if not keeps_times(plan.preset, track):
        node = _constant_rate(node, track, start)
    node = to_planar(node, track)
    node = _crop(node, plan.preset, track)
    if repairs_dropouts(plan.preset, track):
        node = repair_dropouts(node, track, plan.preset, planar_format(track))
    return node


def _constant_rate(node: Node, track: VideoTrack, start: int | None) -> Node:
    begins = {} if start is None else {"start_time": _seconds(start / track.rate)}
    return node.filter("fps", fps=_ratio(track.rate), round="near", **begins)


def _clean(node: Node, plan: JobPlan, segment: Segment) -> Node:
    track, preset = plan.info.video, plan.preset
    node = _mask(node, preset, track)
    node = denoise(node, preset.denoise)
    node = _cut(node, plan, segment)
    node = correct(node, preset.colour, _front_format(plan))
    return _rotate(node, track)


def _cut(node: Node, plan: JobPlan, segment: Segment) -> Node:
    """A segment's frames, numbered from 0."""
    if not keeps_times(plan.preset, plan.info.video):
        node = node.filter("trim", start_pts=segment.start_frame, end_pts=segment.stop_frame)
        return node.filter("setpts", f"PTS-{segment.start_frame}")
    # Pieces that are made on trial have no times of their own.
    from_s = segment.start_frame / plan.rate if segment.from_s is None else segment.from_s
    to_s = segment.stop_frame / plan.rate if segment.to_s is None else segment.to_s
    node = node.filter("trim", start=_seconds(from_s), end=_seconds(to_s))
    return node.filter("settb", _ratio(1 / plan.rate)).filter("setpts", "N")


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
        node = node.filter("fillborders", bottom=left, mode="smear")
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
    planar = "yuv444p10le" if from_rgb else _front_format(plan)
    if source != target:
        # Ten bits between the two steps, so that the conversion costs no precision.
        ten_bits = _ten_bits(planar)
        moved = chroma_subsampling(planar) != chroma_subsampling(ten_bits)
        place = {**chroma_place(track, planar, "in"), **chroma_place(track, ten_bits, "out")} if moved else {}
        node = node.filter("scale", flags=SCALER, **place).filter("format", pix_fmts=ten_bits)
        planar = ten_bits
        node = node.filter(
            "colorspace",
            ispace=source.matrix, iprimaries=source.primaries, itrc=source.transfer, irange=source.range,
            space=target.matrix, primaries=target.primaries, trc=target.transfer, range=target.range,
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
        color_trc=target.transfer,
        range=target.range,
    )
    return node.filter("setsar", sar=_ratio(plan.sar))


def scale_matrix(colour: Colour) -> str:
    """What the scale filter calls the matrix of `colour`."""
    matrix = colour.matrix or "auto"
    return _SCALE_MATRIX.get(matrix, matrix)


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
