"""What colours a source means, and in which an output is made.

A capture rarely says. Then the television standard it was made in decides (BT.601 for SD, each with
its own primaries; BT.709 for HD), as every player assumes. So do reserved values, and values that no
player knows.
"""

from collections.abc import Iterator

from vhsbatch.model.media import Colour, VideoTrack

NTSC = Colour(matrix="smpte170m", primaries="smpte170m", transfer="smpte170m", range="tv")
PAL = Colour(matrix="bt470bg", primaries="bt470bg", transfer="smpte170m", range="tv")
BT709 = Colour(matrix="bt709", primaries="bt709", transfer="bt709", range="tv")

_PAL_HEIGHTS = (288, 576)
_HD_LINES = 720

# What the colorspace filter takes, and of these, what stays in an output of SD.
_MATRICES = ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "bt2020nc")
_PRIMARIES = (
    "bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "ebu3213", "jedec-p22",
    "film", "smpte431", "smpte432", "bt2020",
)  # fmt: skip
_SD_MATRICES = ("bt709", "fcc", "bt470bg", "smpte170m", "smpte240m")
_SD_PRIMARIES = ("bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "ebu3213", "jedec-p22")

# Transfers of television and of computers' screens. Whatever the name, it was made to be watched on the
# same screen, and players show the same levels for all of them.
_TRANSFERS = (
    "bt709", "gamma22", "gamma28", "smpte170m", "smpte240m", "iec61966-2-1", "iec61966-2-4",
    "bt1361e", "bt2020-10", "bt2020-12",
)  # fmt: skip
# Those that are one curve, and that the colorspace filter knows as such.
_ONE_CURVE = ("bt709", "smpte170m", "bt2020-10", "bt2020-12")

# The scale filter has names of its own for two matrices.
_SCALE_MATRIX = {"bt470bg": "bt470", "bt2020nc": "bt2020"}

HDR = {"smpte2084": "HDR (PQ)", "arib-std-b67": "HDR (HLG)"}
# What zscale alone converts.
_OTHER_TRANSFERS = ("linear", "log100", "log316")
_OTHER_MATRICES = ("ycgco", "bt2020c", "chroma-derived-nc", "chroma-derived-c", "ictcp")
# What nothing here converts, and what would be shown in wrong colours if it were taken for something else.
_UNCONVERTIBLE = ("smpte2085", "ipt-c2", "ycgco-re", "ycgco-ro")


def decoded_colour(track: VideoTrack) -> Colour:
    """What the levels of the source's frames mean, with everything filled in that it does not say.

    RGB sources are converted to limited-range BT.709 before anything else, see
    `vhsbatch.ffmpeg.planar`, so that is their matrix and range.
    """
    rgb = is_rgb(track.pixel_format)
    standard = BT709 if rgb else _standard(track)
    tagged = track.colour
    full_range = tagged.range == "pc" or (tagged.range is None and track.pixel_format.startswith("yuvj"))
    colour = Colour(
        matrix=_known(tagged.matrix, (*_MATRICES, *_OTHER_MATRICES)) or standard.matrix,
        primaries=_known(tagged.primaries, _PRIMARIES) or standard.primaries,
        transfer=_known(tagged.transfer, (*_TRANSFERS, *HDR, *_OTHER_TRANSFERS)) or standard.transfer,
        range="pc" if full_range else "tv",
    )
    if not rgb:
        return colour
    wide = colour.transfer not in _TRANSFERS
    return Colour(
        matrix="bt709",
        primaries=colour.primaries if wide else "bt709",
        transfer=colour.transfer if wide else "bt709",
        range="tv",
    )


def needs_conversion(track: VideoTrack) -> bool:
    """Whether the front has to bring the source's colours to BT.709, as no later filter knows them."""
    colour = decoded_colour(track)
    return colour.transfer not in _TRANSFERS or colour.matrix not in _MATRICES


def source_colour(track: VideoTrack) -> Colour:
    """The colours of the source's frames as the front leaves them."""
    return BT709 if needs_conversion(track) else decoded_colour(track)


def output_colour(track: VideoTrack, height: int) -> Colour:
    """The colours of an output of `height` lines: BT.709 for HD, the source's standard for SD."""
    source = source_colour(track)
    if height >= _HD_LINES or source.matrix not in _SD_MATRICES or source.primaries not in _SD_PRIMARIES:
        return BT709
    return Colour(matrix=source.matrix, primaries=source.primaries, transfer=source.transfer, range="tv")


def frame_transfer(colour: Colour) -> str | None:
    """What filters call the transfer of `colour`; encoders use other names for two of them."""
    return {"gamma22": "bt470m", "gamma28": "bt470bg"}.get(colour.transfer or "", colour.transfer)


def scale_matrix(colour: Colour) -> str:
    """What the scale filter calls the matrix of `colour`."""
    matrix = colour.matrix or "auto"
    return _SCALE_MATRIX.get(matrix, matrix)


def curve(colour: Colour) -> str:
    """The transfer of `colour` for conversions: levels stay, even if the name belongs to another curve."""
    return colour.transfer if colour.transfer in _ONE_CURVE else "bt709"


def colour_problem(track: VideoTrack) -> str | None:
    """Why the source's colours cannot be brought to those of an output; None if they can."""
    if track.colour.matrix not in _UNCONVERTIBLE or is_rgb(track.pixel_format):
        return None
    return f"its colours are recorded as {track.colour.matrix}, which FFmpeg cannot convert"


def colour_notes(track: VideoTrack) -> Iterator[str]:
    """What the user should know of the source's colours."""
    tagged, colour = track.colour, decoded_colour(track)
    if colour.transfer in HDR:
        yield (
            f"{HDR[colour.transfer]}: tone-mapped to SDR (BT.709, reference white 203 cd/m²); "
            "HDR metadata is left out"
        )
    elif needs_conversion(track):
        name = colour.matrix if colour.transfer in _TRANSFERS else colour.transfer
        yield f"colours are recorded as {name}: converted to BT.709"
    elif colour.primaries not in _SD_PRIMARIES or colour.matrix not in _SD_MATRICES:
        yield f"wide colours ({colour.primaries}): brought to BT.709"
    meant = {"matrix": colour.matrix, "primaries": colour.primaries, "transfer": colour.transfer}
    if is_rgb(track.pixel_format):
        return
    stated = {"matrix": tagged.matrix, "primaries": tagged.primaries, "transfer": tagged.transfer}
    if unknown := [f"{key} {value}" for key, value in stated.items() if value not in (None, meant[key])]:
        yield (
            f"colour tags that no player knows ({', '.join(unknown)}): taken as {colour.matrix}, "
            f"{colour.primaries}, {colour.transfer}"
        )


def is_rgb(pixel_format: str) -> bool:
    """Whether FFmpeg's `pixel_format` holds RGB, a palette of it, or grey that means the same."""
    return pixel_format.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr")
    )


def _known(stated: str | None, known: tuple[str, ...]) -> str | None:
    return stated if stated in known else None


def _standard(track: VideoTrack) -> Colour:
    if track.height >= _HD_LINES:
        return BT709
    pal = track.height in _PAL_HEIGHTS or track.rate in (25, 50)
    return PAL if pal else NTSC
