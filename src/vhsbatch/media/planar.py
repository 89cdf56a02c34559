"""The planar format in which frames are filtered, and where its chroma samples lie."""

from vhsbatch.media.cleaning import chroma_subsampling
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

# With these chroma lies in the middle; else it is level with the first column, and in DV with the first line.
_IN_THE_MIDDLE = ("mjpeg", "mpeg1video")


def planar_format(track: VideoTrack) -> str:
    """The planar YUV format in which the front works: the source's own wherever that is one."""
    if track.pixel_format.startswith(_PLANAR_PREFIXES):
        return track.pixel_format
    if is_rgb(track.pixel_format):
        return "yuv444p"
    return _PACKED_TO_PLANAR.get(track.pixel_format, "yuv422p")


def chroma_place(track: VideoTrack, planar: str, side: str) -> dict[str, int]:
    """Options of the scale filter that say where the chroma samples of a source's frames lie.

    FFmpeg's decoders say it of every frame, but the filter takes all of them to lie in the middle of the
    luma samples that they are for. It counts in 256ths of the distance of two luma samples.

    Args:
        track: the source.
        planar: the format of its frames.
        side: `in` for what goes into the filter, `out` for what comes out of it.
    """
    across, down = chroma_subsampling(planar)
    if across == 1 or track.codec in _IN_THE_MIDDLE:
        return {}
    place = {f"{side}_h_chr_pos": 0}
    if down == 2 and track.codec == "dvvideo":
        place[f"{side}_v_chr_pos"] = 0
    return place
