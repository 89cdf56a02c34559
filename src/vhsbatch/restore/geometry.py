"""Shapes and times of an output, computed once and exactly."""

from fractions import Fraction
from math import gcd

from vhsbatch.config.presets import Preset
from vhsbatch.ffmpeg.deinterlacing import rate_factor
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.plan import Segment


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
