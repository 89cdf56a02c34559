# ruff: noqa: E501, W291 - lines as FFmpeg printed them
"""Reading what FFmpeg's showinfo filter prints."""

from fractions import Fraction

from vhsbatch.model.media import Colour, FieldOrder
from vhsbatch.probe.showinfo import parse

# FFmpeg 9.0.2 over a DV capture, a broadcast, a phone's clip.
DV = """\
Stream mapping:
  Stream #0:0 -> #0:0 (dvvideo (native) -> wrapped_avframe (native))
[Parsed_showinfo_0 @ 0x7f48bc001b80] config in time_base: 1/60000, frame_rate: 30000/1001
[Parsed_showinfo_0 @ 0x7f48bc001b80] config out time_base: 0/0, frame_rate: 0/0
[Parsed_showinfo_0 @ 0x7f48bc001b80] n:   0 pts:      0 pts_time:0       duration:   2002 duration_time:0.0333667 fmt:yuv411p cl:topleft sar:8/9 s:720x480 i:B iskey:1 type:I 
[Parsed_showinfo_0 @ 0x7f48bc001b80] color_range:unknown color_space:unknown color_primaries:unknown color_trc:unknown
Output #0, null, to 'pipe:':
  Stream #0:0: Video: wrapped_avframe, yuv411p(bottom coded first (swapped)), 720x480 [SAR 8:9 DAR 4:3], q=2-31, 200 kb/s, 29.97 fps, 29.97 tbn
[Parsed_showinfo_0 @ 0x7f48bc001b80] n:   1 pts:   2002 pts_time:0.0333667 duration:   2002 duration_time:0.0333667 fmt:yuv411p cl:topleft sar:8/9 s:720x480 i:B iskey:1 type:I 
[Parsed_showinfo_0 @ 0x7f48bc001b80] color_range:unknown color_space:unknown color_primaries:unknown color_trc:unknown
[out#0/null @ 0x55668aab99c0] video:1KiB audio:0KiB subtitle:0KiB other streams:0KiB global headers:0KiB muxing overhead: unknown
"""
BROADCAST = """\
[h264 @ 0x563cb389d000] mmco: unref short failure
    Last message repeated 1 times
[Parsed_showinfo_0 @ 0x7fba94001b80] config in time_base: 1/90000, frame_rate: 25/1
[Parsed_showinfo_0 @ 0x7fba94001b80] n:   0 pts:3474493920 pts_time:38605.488 duration:   1800 duration_time:0.02    fmt:yuv420p cl:left sar:1/1 s:1920x1080 i:T iskey:0 type:B 
[Parsed_showinfo_0 @ 0x7fba94001b80] color_range:tv color_space:bt709 color_primaries:bt709 color_trc:bt709
"""
PHONE = """\
      Display Matrix: rotation of -180.00 degrees
[Parsed_showinfo_0 @ 0x7f18c0001d00] config in time_base: 1/90000, frame_rate: 750000/71393
[Parsed_showinfo_0 @ 0x7fcf90001d00] n:   0 pts:   9000 pts_time:0.1     duration:   9000 duration_time:0.1     fmt:yuv420p cl:unspecified sar:1/1 s:1280x720 i:P iskey:0 type:P 
[Parsed_showinfo_0 @ 0x7f18c0001d00]   side data - 3x3 displaymatrix: rotation of -180.00 degrees
"""


def test_a_dv_capture() -> None:
    seen = parse(DV.splitlines())
    assert seen.time_base == Fraction(1, 60000)
    assert seen.ticks == [0, 2002]
    first = seen.frames[0]
    assert (first.width, first.height, first.pixel_format) == (720, 480, "yuv411p")
    assert (first.sar, first.fields) == (Fraction(8, 9), FieldOrder.BFF)
    assert seen.colour == Colour()
    assert seen.rotation_degrees == 0
    assert seen.complaint is None


def test_a_broadcast() -> None:
    seen = parse(BROADCAST.splitlines())
    assert seen.ticks == [3474493920]
    assert seen.frames[0].fields is FieldOrder.TFF
    assert seen.colour == Colour(matrix="bt709", primaries="bt709", transfer="bt709", range="tv")
    assert seen.complaint == "mmco: unref short failure"


def test_a_turned_phone() -> None:
    seen = parse(PHONE.splitlines())
    assert seen.frames[0].fields is FieldOrder.PROGRESSIVE
    assert seen.rotation_degrees == 180


def test_rotation_is_clockwise() -> None:
    line = "[Parsed_showinfo_0 @ 0x1]   side data - 3x3 displaymatrix: rotation of {} degrees"
    assert parse([line.format("-90.00")]).rotation_degrees == 90
    assert parse([line.format("90.00")]).rotation_degrees == 270
    assert parse([line.format("-0.00")]).rotation_degrees == 0


def test_what_is_not_stated_is_none() -> None:
    frame = (
        "[Parsed_showinfo_0 @ 0x1] n:   0 pts:NOPTS pts_time:NOPTS duration:      1 duration_time:0.033333 "
        "fmt:yuvj422p cl:center sar:0/1 s:640x480 i:P iskey:1 type:I "
    )
    colour = "[Parsed_showinfo_0 @ 0x1] color_range:pc color_space:bt470bg color_primaries:unknown color_trc:bt470bg"
    seen = parse([frame, colour])
    assert seen.frames[0].sar is None
    assert seen.ticks == []
    assert seen.colour == Colour(matrix="bt470bg", transfer="gamma28", range="pc")


def test_frames_without_checksums_of_older_versions() -> None:
    line = (
        "[Parsed_showinfo_0 @ 0x55f] n:   3 pts:   3003 pts_time:0.1001  duration:   1001 duration_time:0.0333667 "
        "pos:   120000 fmt:yuv420p sar:10/11 s:720x480 i:T iskey:1 type:I "
    )
    (frame,) = parse([line]).frames
    assert (frame.tick, frame.sar, frame.fields) == (3003, Fraction(10, 11), FieldOrder.TFF)
