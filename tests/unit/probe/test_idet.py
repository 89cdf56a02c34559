"""What FFmpeg prints of each frame that went through `idet`."""

from fractions import Fraction

from vhsbatch.model.media import FieldOrder
from vhsbatch.probe.field_order import Sight
from vhsbatch.probe.idet import parse_sights

# FFmpeg 9.0.2 over a DV capture, from its second second on.
LINES = """\
frame:0    pts:0       pts_time:0
lavfi.idet.repeated.current_frame=neither
lavfi.idet.single.current_frame=bff
lavfi.idet.single.bff=1.00
lavfi.idet.multiple.current_frame=bff
lavfi.idet.multiple.bff=1.00
frame:1    pts:2002    pts_time:0.0333667
lavfi.idet.single.current_frame=undetermined
lavfi.idet.multiple.current_frame=progressive
frame:2    pts:4004    pts_time:0.0667333
lavfi.idet.single.current_frame=progressive
lavfi.idet.multiple.current_frame=undetermined
""".splitlines()


def test_each_frame_is_a_sight() -> None:
    assert list(parse_sights(LINES, Fraction(2))) == [
        Sight(at_s=Fraction(2), order=FieldOrder.BFF, alone=FieldOrder.BFF),
        Sight(at_s=Fraction("2.0333667"), order=FieldOrder.PROGRESSIVE),
        Sight(at_s=Fraction("2.0667333"), order=FieldOrder.UNKNOWN, alone=FieldOrder.PROGRESSIVE),
    ]


def test_nothing_printed_is_nothing_seen() -> None:
    assert list(parse_sights([])) == []
