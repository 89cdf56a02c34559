"""The planar format in which frames are filtered, and where its chroma samples lie."""

import re

from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.ffmpeg.colour import is_rgb
from vhsbatch.ffmpeg.graph import Node, Value, merge
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.plan import JobPlan
from vhsbatch.model.recipe import Recipe

SCALER = "lanczos+accurate_rnd+full_chroma_int"

# Formats that every filter of the front takes as they are: planar, 8 to 16 bits.
_PLANAR_PREFIXES = ("yuv4", "yuvj4")
_PACKED_TO_PLANAR = {
    "uyvy422": "yuv422p",
    "yuyv422": "yuv422p",
    "yvyu422": "yuv422p",
    "uyyvyy411": "yuv411p",
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "nv42": "yuv444p",
    "vuyx": "yuv444p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "p410le": "yuv444p10le",
    "y210le": "yuv422p10le",
    "v30xle": "yuv444p10le",
    "xv30le": "yuv444p10le",
    "p012le": "yuv420p12le",
    "y212le": "yuv422p12le",
    "xv36le": "yuv444p12le",
    "gray": "yuv420p",
    "ya8": "yuv420p",
    "gray10le": "yuv420p10le",
    "gray12le": "yuv420p12le",
    "gray16le": "yuv420p12le",
    "ya16le": "yuv420p12le",
}
# RGB of more than 8 bits.
_DEEP_RGB = re.compile(r"gbra?p(9|1\d|f)|(rgba?|bgra?)(48|64|f)|x2|0?bgr10|rgb10")

# With these chroma lies in the middle; else it is level with the first column.
_IN_THE_MIDDLE = ("mjpeg", "mpeg1video")

# The distance of two lines, as the scale filter counts where chroma samples lie.
_LINE = 256


def planar_format(track: VideoTrack) -> str:
    """The planar YUV format in which the front works: the source's own wherever filters understand it."""
    recorded = recorded_format(track)
    return recorded.replace("420", "422") if alternates_chroma(track) else recorded


def recorded_format(track: VideoTrack) -> str:
    """The planar YUV format with the source's own samples of colour."""
    if track.pixel_format.startswith(_PLANAR_PREFIXES):
        return track.pixel_format
    if track.pixel_format.startswith("yuva4"):
        return track.pixel_format.replace("yuva", "yuv")
    if is_rgb(track.pixel_format):
        return "yuv444p10le" if _DEEP_RGB.match(track.pixel_format) else "yuv444p"
    return _PACKED_TO_PLANAR.get(track.pixel_format, "yuv422p")


def to_planar(node: Node, plan: JobPlan) -> Node:
    """Frames as they are decoded in, frames of `planar_format` out."""
    track, recipe = plan.info.video, plan.recipe
    if recipe.alternating_chroma:
        return _on_every_line(node, recipe.planar)
    if recipe.planar == track.pixel_format:
        return node
    options: dict[str, Value] = {"flags": SCALER, "interl": int(track.field_order.has_fields)}
    if recipe.rgb:
        options |= {"out_color_matrix": "bt709", "out_range": "tv"}
    return node.filter("scale", **options).filter("format", pix_fmts=recipe.planar)


def chroma_place(recipe: Recipe, planar: str, side: str) -> dict[str, int]:
    """Options of the scale filter that say where the chroma samples of a source's frames lie.

    FFmpeg's decoders say it of every frame, but the filter takes all of them to lie in the middle of the
    luma samples that they are for. It counts in 256ths of the distance of two luma samples.

    Args:
        recipe: that of the source.
        planar: the format of its frames.
        side: `in` for what goes into the filter, `out` for what comes out of it.
    """
    if chroma_subsampling(planar)[0] == 1 or recipe.centred_chroma:
        return {}
    return {f"{side}_h_chr_pos": 0}


def centres_chroma(track: VideoTrack) -> bool:
    """Whether chroma samples lie in the middle of the luma samples that they are for."""
    return track.codec in _IN_THE_MIDDLE


def alternates_chroma(track: VideoTrack) -> bool:
    """Whether of two lines of a field the first has all of Cr and the second all of Cb, as in PAL DV."""
    return track.codec == "dvvideo" and chroma_subsampling(recorded_format(track)) == (2, 2)


def _on_every_line(node: Node, planar: str) -> Node:
    """Both colours on every line of a field, each from the lines on which it was recorded.

    It has to be done in fields, also of what was not filmed in fields: to deinterlacers the lines of
    Cr and Cb come from one place, and fields would bob up and down in colour.
    """
    cr, cb = (
        copy.filter(
            "scale", flags=SCALER, interl=1, in_v_chr_pos=lies_at, in_h_chr_pos=0, out_h_chr_pos=0
        ).filter("format", pix_fmts=planar)
        for copy, lies_at in zip(node.split(2), (0, _LINE), strict=True)
    )
    return merge([cr, cb], "mergeplanes", map1s=1, map1p=1, map2p=2, format=planar)
