"""Shapes and times of an output, computed once and exactly."""

from fractions import Fraction
from math import gcd

from vhsbatch.media.deinterlacing import rate_factor
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.plan import Segment
from vhsbatch.presets import Preset

_STANDARD_DISPLAY = Fraction(4, 3)

# Rasters of standard-definition television: their samples are not square, whatever a missing or a
# 1:1 flag suggests. 640x480 and 768x576 are square.
_SD_WIDTHS = (352, 480, 528, 544, 704, 720)
_SD_HEIGHTS = (480, 486, 512, 576, 608)


def sample_aspect(track: VideoTrack) -> Fraction:
    """The shape of one sample of the source: what it states, or what its raster means."""
    anamorphic = track.width in _SD_WIDTHS and track.height in _SD_HEIGHTS
    half_height = track.width == 352 and track.height in (240, 288)
    if track.sar is not None and track.sar != 1:
        return track.sar
    if anamorphic or half_height:
        return _STANDARD_DISPLAY * track.height / track.width
    return track.sar or Fraction(1)


def output_size(track: VideoTrack, preset: Preset) -> tuple[int, int]:
    """Width and height of the output in square pixels; both are even, the height is the preset's."""
    crop = preset.crop
    width = track.width - crop.left - crop.right
    height = track.height - crop.top - crop.bottom
    shape = sample_aspect(track) * width / height
    if track.rotation_degrees in (90, 270):
        shape = 1 / shape
    return max(2, 2 * round(shape * preset.target_height / 2)), preset.target_height


def output_rate(track: VideoTrack, preset: Preset) -> Fraction:
    """Frames per second of the output: twice the source's where each field becomes a frame."""
    return track.rate * rate_factor(track, preset)


def cut(frames: int, rate: Fraction, segment_s: int) -> tuple[Segment, ...]:
    """Segments of equal length, about `segment_s` seconds each, that tile ``range(frames)``.

    All but the last hold a number of frames that lasts a whole number of microseconds, the unit in
    which FFmpeg's concat demuxer counts, so that no rounding adds up over a long tape.
    """
    unit = rate.numerator // gcd(rate.numerator, rate.denominator * 1_000_000)
    unit = unit if unit <= 60 else 1
    count = max(1, round(frames / (segment_s * rate)))
    length = -(-frames // count)
    length = -(-length // unit) * unit
    starts = range(0, frames, length)
    return tuple(
        Segment(index=index, start_frame=start, stop_frame=min(start + length, frames))
        for index, start in enumerate(starts)
    )
