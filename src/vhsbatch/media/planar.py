"""The planar format in which frames are filtered."""

from vhsbatch.media.colour import is_rgb
from vhsbatch.model.media import VideoTrack

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
    "p010le": "yuv420p10le",
    "y210le": "yuv422p10le",
    "gray": "yuv420p",
}


def planar_format(track: VideoTrack) -> str:
    """The planar YUV format in which the front works: the source's own wherever that is one."""
    if track.pixel_format.startswith(_PLANAR_PREFIXES):
        return track.pixel_format
    if is_rgb(track.pixel_format):
        return "yuv444p"
    return _PACKED_TO_PLANAR.get(track.pixel_format, "yuv422p")
