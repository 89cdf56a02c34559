"""Which programme of a broadcast is the picture's."""

from fractions import Fraction

import make
from vhsbatch.model.media import FieldOrder, SubtitleTrack
from vhsbatch.probe.programmes import Programme, of_one_programme, parse_programmes
from vhsbatch.probe.scan import Scan

# What FFmpeg 9 prints when it opens a multiplex.
PRINTED = """Input #0, mpegts, from 'two.ts':
  Duration: 00:00:02.01, start: 1.429089, bitrate: 2086 kb/s
  Program 1
    Metadata:
      service_name    : ONE
      service_provider: FFmpeg
  Stream #0:0[0x100]: Video: mpeg2video (Main), yuv420p(tv, progressive), 160x120
    Side data:
      CPB properties: bitrate max/min/avg: 0/0/0 buffer size: 49152 vbv_delay: N/A
  Stream #0:1[0x101](eng): Audio: mp2 (mp3float), 44100 Hz, mono, fltp, 384 kb/s
  Program 7
  Stream #0:1[0x101](eng): Audio: mp2 (mp3float), 44100 Hz, mono, fltp, 384 kb/s
  Stream #0:2[0x102]: Video: mpeg2video (Main), yuv420p(tv, progressive), 128x96
  Stream #0:3[0x103]: Audio: mp2, 44100 Hz, mono, s16p, 384 kb/s
  Stream #0:4[0x104]: Subtitle: dvb_subtitle
  Program 9
  No Program
  Stream #0:5[0x105]: Audio: mp2, 44100 Hz, mono, s16p, 384 kb/s
Stream mapping:
  Stream #0:0 -> #0:0 (mpeg2video (native) -> wrapped_avframe (native))
"""
ONE = Programme(1, "ONE", frozenset({0, 1}))
SEVEN = Programme(7, "", frozenset({1, 2, 3, 4}))


def test_programmes_are_read_as_ffmpeg_lists_them() -> None:
    assert parse_programmes(PRINTED.splitlines()) == (ONE, SEVEN, Programme(9))
    assert parse_programmes(["Input #0, avi, from 'tape.avi':", "  Stream #0:0: Video: ffv1"]) == ()


def left(index: int, *programmes: Programme) -> tuple[list[int], list[int], tuple[str, ...]]:
    """What is left for a picture of stream `index`: sound, subtitles, and the names of what is not."""
    packets = Scan(
        whole=None,
        matrix=2,
        looks=(),
        container="mpegts",
        declared_s=None,
        reach_s=Fraction(2),
        read_error=None,
        videos=2,
        pictures=0,
        unknown_audio=0,
        index=index,
        codec="mpeg2video",
        width=160,
        height=120,
        mirrored=False,
        time_base=Fraction(1, 90_000),
        rates=(),
        stated_order=FieldOrder.UNKNOWN,
        ticks=(0,),
        packets_without_time=0,
        keyframe_gap_s=Fraction(0),
        jump_back_s=Fraction(0),
        jump_at_s=Fraction(0),
        audio=tuple(make.sound(index=number) for number in (1, 3, 5)),
        subtitles=(SubtitleTrack(index=4, codec="dvb_subtitle"),),
    )
    kept = of_one_programme(packets, programmes)
    return [one.index for one in kept.audio], [one.index for one in kept.subtitles], kept.other_programmes


def test_only_the_picture_s_programme_is_kept_with_what_belongs_to_none() -> None:
    assert left(0, ONE, SEVEN, Programme(9)) == ([1, 5], [], ("7",))
    assert left(2, ONE, SEVEN) == ([1, 3, 5], [4], ("1 (ONE)",))


def test_a_file_with_one_programme_or_none_is_kept_whole() -> None:
    assert left(0) == ([1, 3, 5], [4], ())
    assert left(0, ONE) == ([1, 3, 5], [4], ())
    assert left(0, SEVEN) == ([1, 3, 5], [4], ())
