"""The shape of a source's samples, and how its picture is turned."""

from fractions import Fraction

from vhsbatch.model.media import VideoTrack

_STANDARD_DISPLAY = Fraction(4, 3)

# Rasters of standard-definition television: their samples are not square, whatever a missing or a
# 1:1 flag suggests. Capture cards cut some lines off, or keep some of those above the picture; with
# 640x480 and 768x576, samples are square.
_SD_WIDTHS = (352, 480, 528, 544, 640, 702, 704, 720)
_SD_HEIGHTS = (*range(480, 490), 512, *range(574, 580), 608)


def sample_aspect(track: VideoTrack) -> Fraction:
    """The shape of one sample of the source: what it states, or what its raster means."""
    anamorphic = track.width in _SD_WIDTHS and track.height in _SD_HEIGHTS
    half_height = track.width == 352 and track.height in (240, 288)
    if track.sar is not None and track.sar != 1:
        return track.sar
    if anamorphic or half_height:
        return _STANDARD_DISPLAY * track.height / track.width
    return track.sar or Fraction(1)


# What FFmpeg does for a display matrix, by the angle that it reads from it, and whether that is of a mirror.
_TURNS: dict[tuple[int, bool], tuple[str, ...]] = {
    (0, False): (),
    (90, False): ("transpose=clock",),
    (180, False): ("hflip", "vflip"),
    (270, False): ("transpose=cclock",),
    (0, True): ("vflip",),
    (90, True): ("transpose=cclock_flip",),
    (180, True): ("hflip",),
    (270, True): ("transpose=clock_flip",),
}


def turns(track: VideoTrack) -> tuple[str, ...]:
    """The filters that turn the picture as the source asks; FFmpeg's own turning is switched off."""
    return _TURNS[track.rotation_degrees, track.mirrored]
