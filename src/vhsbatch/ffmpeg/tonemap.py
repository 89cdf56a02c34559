"""Colours that no SDR screen shows as they are (HDR, linear light, constant luminance), brought to BT.709."""

from vhsbatch.ffmpeg.cleaning import decimal
from vhsbatch.ffmpeg.colour import HDR, curve
from vhsbatch.ffmpeg.graph import Node
from vhsbatch.model.media import Colour

# What comes out.
SDR_FORMAT = "yuv444p10le"

# Diffuse white of HDR in cd/m2 (ITU-R BT.2408), which becomes that of SDR but for the room for highlights.
_WHITE = 203
# The brightest that each transfer can hold, in cd/m2.
_PEAKS = {"smpte2084": 10_000, "arib-std-b67": 1_000}


def to_sdr(node: Node, colour: Colour) -> Node:
    """Planar frames of `colour` in, BT.709 in `SDR_FORMAT` out."""
    for name, options in sdr_filters(colour):
        # In several threads, zscale makes other levels from run to run.
        node = node.filter(name, **options, **({"threads": 1} if name == "zscale" else {}))
    return node


def sdr_filters(colour: Colour) -> tuple[tuple[str, dict[str, str | int]], ...]:
    """The filters that do it, each with its options.

    Mobius leaves everything below three tenths of white as it is, so that faces and shadows keep their
    brightness, and bends what is brighter; all of a pixel's channels by the same factor, so that hues stay.
    """
    transfer = colour.transfer or "bt709"
    hdr = transfer in HDR
    convertible = hdr or transfer in ("linear", "log100", "log316")
    linear: dict[str, str | int] = {
        "min": str(colour.matrix),
        "pin": str(colour.primaries),
        "tin": transfer if convertible else curve(colour),
        "rin": str(colour.range),
        "m": "gbr",
        # Or they become those that the frames are tagged with by now.
        "p": str(colour.primaries),
        "t": "linear",
        "npl": _WHITE,
    }
    mapped: tuple[tuple[str, dict[str, str | int]], ...] = ()
    if hdr:
        mapped = (
            ("tonemap", {"tonemap": "mobius", "desat": 0, "peak": decimal(_PEAKS[transfer] / _WHITE)}),
            # Or the encoder writes them into an output of which they are not true.
            ("sidedata", {"mode": "delete", "type": "MASTERING_DISPLAY_METADATA"}),
            ("sidedata", {"mode": "delete", "type": "CONTENT_LIGHT_LEVEL"}),
        )
    return (
        ("zscale", linear),
        ("format", {"pix_fmts": "gbrpf32le"}),
        ("colorchannelmixer", _mixed(str(colour.primaries))),
        *mapped,
        ("zscale", {"m": "bt709", "pin": "bt709", "p": "bt709", "t": "bt709", "r": "tv"}),
        ("format", {"pix_fmts": SDR_FORMAT}),
    )


def _mixed(primaries: str) -> dict[str, str | int]:
    """How much of each channel goes into each, to bring linear light to the primaries of BT.709."""
    # Few sources need it, and NumPy takes time to load.
    from vhsbatch.ffmpeg.primaries import gamut_matrix

    names = [target + source for target in "rgb" for source in "rgb"]
    return dict(zip(names, map(decimal, gamut_matrix(primaries).ravel().tolist()), strict=True))
