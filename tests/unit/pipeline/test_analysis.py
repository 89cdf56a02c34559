"""What is said of a source."""

from fractions import Fraction

import make
from vhsbatch.media.picture import Picture
from vhsbatch.pipeline.analysis import Analysis, describe_analysis

PICTURE = Picture(luma_noise=3.42, chroma_noise=None, torn_lines=6, places=5)


def test_everything_that_was_found_is_said() -> None:
    track = make.track(start_s=Fraction(10), sar=None)
    sound = make.sound(start_s=Fraction(21, 2), end_s=Fraction(20))
    info = make.info(track, audio=(sound,), notes=("a gap was filled",))
    said = dict(describe_analysis(Analysis(info=info, picture=PICTURE, preset="vhs", reason="interlaced SD")))
    assert said == {
        "format": "dv, dvvideo, 720x480 yuv411p",
        "length": "0:10, 300 frames at 29.97 fps",
        "field order": "interlaced, bottom field first (DV)",
        "shape": "pixels 8:9, not stated",
        "colour": "smpte170m, tv (not stated)",
        "noise": "3.4 in luma, unknown in chroma, of 255",
        "torn lines": "6 at the bottom",
        "sound 1": "pcm_s16le, 48000 Hz, 2 channels, from 0.500 s to 10.000 s of the picture",
        "note": "a gap was filled",
        "preset": "vhs (interlaced SD)",
    }


def test_of_hd_no_torn_lines_are_said() -> None:
    info = make.info(make.track(height=1080, width=1920))
    said = dict(describe_analysis(Analysis(info=info, picture=PICTURE, preset="clean", reason="HD")))
    assert "torn lines" not in said
