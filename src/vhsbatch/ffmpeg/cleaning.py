"""Filters that clean the picture on the source's own samples: noise, chroma shift, levels."""

from vhsbatch.config.preset_schema import ColourCorrection, Denoise
from vhsbatch.ffmpeg.graph import Node

# Samples in a quarter of a microsecond, of a line of 720.
_DELAY_OF_720 = 3.375


def denoise(node: Node, strengths: Denoise) -> Node:
    """The preset's denoiser."""
    match strengths.method:
        case "none" | "degrain":  # the latter is done before frames come here
            return node
        case "hqdn3d":
            return _hqdn3d(
                node,
                strengths.luma_spatial,
                strengths.chroma_spatial,
                strengths.luma_temporal,
                strengths.chroma_temporal,
            )
        case "atadenoise":
            # Temporal only, what is within a frame is left to hqdn3d. The factors make the preset's
            # default temporal strengths (4.5, 10) thresholds of 0.04/0.08 luma and 0.06/0.12 chroma.
            luma, chroma = strengths.luma_temporal * 0.04 / 4.5, strengths.chroma_temporal * 0.006
            thresholds = {
                f"{plane}{side}": decimal(value * factor)
                for plane, value in ((0, luma), (1, chroma), (2, chroma))
                for side, factor in (("a", 1), ("b", 2))
            }
            node = node.filter("atadenoise", **thresholds, s=5)
            if strengths.luma_spatial or strengths.chroma_spatial:
                node = _hqdn3d(node, strengths.luma_spatial, strengths.chroma_spatial, 0, 0)
            return node
        case "nlmeans":
            # nlmeans has one strength for all planes; strong chroma noise gets its own filter on top.
            if strengths.luma_spatial:
                node = node.filter("nlmeans", s=max(1.0, strengths.luma_spatial), p=5, r=9)
            return _hqdn3d(node, 0, strengths.chroma_spatial, 0, strengths.chroma_temporal)


def undo_sharpening(node: Node, amount: float, width: int) -> Node:
    """Less of the detail that decks and cameras raise: 2 MHz, by a delay line of a quarter of a microsecond.

    It works along the lines, as they do, so that lines of two fields are not mixed.

    Args:
        node: planar frames.
        amount: half of what is taken from that detail; 0 does nothing.
        width: samples of the luma in a line.
    """
    if not amount:
        return node
    delay = _DELAY_OF_720 * width / 720
    near, part = int(delay), delay % 1
    # In thousandths, so that what is plain stays to the level.
    sides = [round(500 * amount * (1 - part)), round(500 * amount * part)]
    taps = [*reversed(sides), *([0] * (near - 1)), 1000 - 2 * sum(sides), *([0] * (near - 1)), *sides]
    matrix = " ".join(map(str, taps))
    return node.filter("convolution", **{"0m": matrix, "0mode": "row", "0rdiv": "0.001"})


def _hqdn3d(
    node: Node, luma_spatial: float, chroma_spatial: float, luma_temporal: float, chroma_temporal: float
) -> Node:
    """hqdn3d takes 0 for "my default"; a thousandth leaves every frame as it is."""
    luma_spatial, chroma_spatial, luma_temporal, chroma_temporal = (
        max(strength, 0.001) for strength in (luma_spatial, chroma_spatial, luma_temporal, chroma_temporal)
    )
    return node.filter(
        "hqdn3d",
        luma_spatial=luma_spatial,
        chroma_spatial=chroma_spatial,
        luma_tmp=luma_temporal,
        chroma_tmp=chroma_temporal,
    )


def correct(node: Node, colour: ColourCorrection, planar: str) -> Node:
    """Chroma shift and levels; both on the source's own samples."""
    if colour.chroma_shift_x or colour.chroma_shift_y:
        horizontal, vertical = chroma_subsampling(planar)
        x, y = round(colour.chroma_shift_x / horizontal), round(colour.chroma_shift_y / vertical)
        node = node.filter("chromashift", cbh=x, crh=x, cbv=y, crv=y, edge="smear")
    if (colour.brightness, colour.contrast, colour.gamma, colour.saturation) != (0.0, 1.0, 1.0, 1.0):
        level = "clip((val-minval)/(maxval-minval),0,1)"
        level = f"clip(({level}-0.5)*{decimal(colour.contrast)}+0.5+{decimal(colour.brightness)},0,1)"
        luma = f"minval+(maxval-minval)*pow({level},{decimal(1 / colour.gamma)})"
        middle = "(maxval+minval)/2"
        chroma = f"clip({middle}+(val-{middle})*{decimal(colour.saturation)},minval,maxval)"
        node = node.filter("lutyuv", y=luma, u=chroma, v=chroma)
    return node


def chroma_subsampling(planar: str) -> tuple[int, int]:
    """How many luma samples share one chroma sample, horizontally and vertically.

    >>> chroma_subsampling("yuv411p")
    (4, 1)
    """
    for prefix, factors in {
        "420": (2, 2),
        "422": (2, 1),
        "411": (4, 1),
        "410": (4, 4),
        "440": (1, 2),
    }.items():
        if prefix in planar[:7]:
            return factors
    return (1, 1)


def decimal(value: float) -> str:
    """A number as filters take it."""
    return f"{value:.6g}"
