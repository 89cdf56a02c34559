"""Dropouts: streaks of one line where the tape had no signal, told by time and place, and repaired.

Everything happens between fields, before they are deinterlaced, in filters of FFmpeg's: a streak is
longer than fine detail, unlike all that the two fields before and the two after it have around that
place, and unlike the lines above and below it. What moves is near by in one of those fields, and stays.
"""

from vhsbatch.ffmpeg.cleaning import chroma_subsampling
from vhsbatch.ffmpeg.deinterlacing import BEHIND_THE_FIRST
from vhsbatch.ffmpeg.graph import Node, merge
from vhsbatch.model.media import FieldOrder
from vhsbatch.model.recipe import Recipe

# Detection averages this number of samples of a line: tape noise goes, streaks remain.
_MEAN_OF = 4

# Levels of 255 by which a streak differs at its clearest, and where it fades out.
_CLEAR, _FADED = 32, 8

# The first of a field's neighbours are two that were put in front.
_TWO_LATER = "if(lt(N,2),STARTPTS+N,if(eq(N,2),st(0,STARTPTS+2-PTS))*0+PTS+ld(0))"

# Filters for neighbours by the bits of their `coordinates`: those above, below, and on both sides.
_ABOVE, _BELOW, _BESIDE = 2, 64, 8 + 16


def repair_dropouts(node: Node, order: FieldOrder, recipe: Recipe) -> Node:
    """Frames with both fields in and out, in the planar format; positions on the grid stay."""
    node = node.filter("setfield", order.value).filter("separatefields")
    node = node.filter("setpts", BEHIND_THE_FIRST)
    fields, to_mend, to_search = node.split(3)
    mask = _mask(_streaks(to_search), recipe.recorded, recipe.planar)
    mended = to_mend.filter(
        "convolution",
        **{f"{plane}m": "1 0 1" for plane in range(3)},
        **{f"{plane}mode": "column" for plane in range(3)},
        **{f"{plane}rdiv": 0.5 for plane in range(3)},
    )
    first = "top" if order is FieldOrder.TFF else "bottom"
    return merge([fields, mended, mask], "maskedmerge").filter("weave", first_field=first)


def _streaks(fields: Node) -> Node:
    """White where a streak is, in a grey picture of a quarter of the columns."""
    luma = fields.filter("extractplanes", "y")
    luma = luma.filter("scale", w=f"max(1,iw/{_MEAN_OF})", h="ih", flags="area").filter("format", "gray")
    found, compared, above, below, bright, dark = luma.split(6)
    # Of five fields the second largest: without the field itself, where that is the largest.
    highest = _of_five_fields(_times(above, 2, "dilation"), 0.75)
    lowest = _of_five_fields(_times(below, 2, "erosion"), 0.25)
    # An opening and a closing by two lines: what is thinner is gone.
    bright = bright.filter("erosion", coordinates=_ABOVE).filter("dilation", coordinates=_BELOW)
    dark = dark.filter("dilation", coordinates=_ABOVE).filter("erosion", coordinates=_BELOW)
    upper = merge([highest, bright], "blend", all_mode="lighten")
    lower = merge([lowest, dark], "blend", all_mode="darken")
    explained = merge([compared, lower, upper], "maskedclamp")
    clear, faded = merge([found, explained], "blend", all_mode="difference").split(2)
    clear = _above(clear, _CLEAR)
    # Three means in a row at least.
    clear = clear.filter("erosion", coordinates=_BESIDE).filter("dilation", coordinates=_BESIDE)
    streaks = merge([clear, _above(faded, _FADED)], "hysteresis")
    return _times(streaks, 2, "dilation", coordinates=_BESIDE)


def _of_five_fields(fields: Node, percentile: float) -> Node:
    """For each field, of itself, the two before it and the two after it."""
    padded = fields.filter("tpad", start=2, start_mode="clone", stop=2, stop_mode="clone")
    # Each median has the time of the first of its five, and is to have that of the one in the middle. How
    # far frames are apart cannot be left to the padding, which takes it from what the source says.
    padded = padded.filter("setpts", _TWO_LATER)
    return padded.filter("tmedian", radius=2, percentile=percentile)


def _mask(streaks: Node, size: tuple[int, int], planar: str) -> Node:
    """A mask for each plane of the fields of frames of `size`."""
    width, height = size[0], size[1] // 2
    across, down = chroma_subsampling(planar)
    depth = planar.partition("p")[2]
    planes = [
        # Each plane has another shape of samples, and they are merged only where that is the same.
        plane.filter("scale", w=columns, h=lines, flags="neighbor")
        .filter("setsar", "1")
        .filter("format", f"gray{depth}")
        for plane, columns, lines in zip(
            streaks.split(3),
            (width, -(-width // across), -(-width // across)),
            (height, height // down, height // down),
            strict=True,
        )
    ]
    return merge(planes, "mergeplanes", map1s=1, map2s=2, format=planar)


def _above(node: Node, level: int) -> Node:
    return node.filter("lut", y=f"if(gt(val,{level}),255,0)")


def _times(node: Node, count: int, name: str, **options: int) -> Node:
    for _ in range(count):
        node = node.filter(name, **options)
    return node
