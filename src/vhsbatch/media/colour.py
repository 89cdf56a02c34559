"""What colours a source means, and in which an output is made.

A capture rarely says. Then the television standard it was made in decides (BT.601 for SD, each with
its own primaries; BT.709 for HD), as every player assumes.
"""

from vhsbatch.model.media import Colour, VideoTrack

NTSC = Colour(matrix="smpte170m", primaries="smpte170m", transfer="smpte170m", range="tv")
PAL = Colour(matrix="bt470bg", primaries="bt470bg", transfer="smpte170m", range="tv")
BT709 = Colour(matrix="bt709", primaries="bt709", transfer="bt709", range="tv")

_PAL_HEIGHTS = (288, 576)
_HD_LINES = 720

# What the colorspace filter takes; a source tagged otherwise is treated as its standard.
_MATRICES = ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc")
_PRIMARIES = ("bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "bt2020")
_TRANSFERS = (
    "bt709", "gamma22", "gamma28", "smpte170m", "smpte240m", "linear", "iec61966-2-1",
    "bt2020-10", "bt2020-12",
)  # fmt: skip


def source_colour(track: VideoTrack) -> Colour:
    """The source's colours with everything filled in that it does not say, or says oddly.

    RGB sources are converted to limited-range BT.709 before anything else, see
    `vhsbatch.media.filters`, so that is what they count as.
    """
    if is_rgb(track.pixel_format):
        return BT709
    standard = _standard(track)
    tagged = track.colour
    full_range = tagged.range == "pc" or (tagged.range is None and track.pixel_format.startswith("yuvj"))
    return Colour(
        matrix=tagged.matrix if tagged.matrix in _MATRICES else standard.matrix,
        primaries=tagged.primaries if tagged.primaries in _PRIMARIES else standard.primaries,
        transfer=tagged.transfer if tagged.transfer in _TRANSFERS else standard.transfer,
        range="pc" if full_range else "tv",
    )


def output_colour(track: VideoTrack, height: int) -> Colour:
    """The colours of an output of `height` lines: BT.709 for HD, the source's standard for SD."""
    if height >= _HD_LINES:
        return BT709
    source = source_colour(track)
    return Colour(matrix=source.matrix, primaries=source.primaries, transfer=source.transfer, range="tv")


def is_rgb(pixel_format: str) -> bool:
    """Whether FFmpeg's `pixel_format` holds RGB, a palette of it, or grey that means the same."""
    return pixel_format.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr")
    )


def _standard(track: VideoTrack) -> Colour:
    if track.height >= _HD_LINES:
        return BT709
    pal = track.height in _PAL_HEIGHTS or track.rate in (25, 50)
    return PAL if pal else NTSC
