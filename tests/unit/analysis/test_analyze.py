"""What is said of a source."""

from fractions import Fraction

import make
from vhsbatch.analysis.analyze import Analysis, describe_analysis
from vhsbatch.analysis.findings import SourceFinding
from vhsbatch.analysis.measure import Measured
from vhsbatch.analysis.picture import VideoMeasurement

PICTURE = VideoMeasurement(luma_noise=3.42, chroma_noise=None, torn_lines=6, places=5)


def test_everything_that_was_found_is_said() -> None:
    info = make.info(make.track(start_s=Fraction(10), sar=None), notes=("a gap was filled",))
    said = list(
        describe_analysis(
            Analysis(
                info=info,
                measured=Measured(picture=PICTURE),
                findings=(
                    SourceFinding(subject="torn lines", text="6 at the bottom", confidence=0.8),
                    SourceFinding(subject="levels", text="16 to 235 of 255"),
                ),
                preset="vhs",
                reason="interlaced SD",
                overrides=("crop.left = 8: black edges, 7 left",),
            )
        )
    )
    assert said == [
        ("format", "dv, dvvideo, 720x480 yuv411p"),
        ("length", "0:10, 300 frames"),
        ("shape", "pixels 8:9, not stated"),
        ("colour", "smpte170m, tv (not stated)"),
        ("torn lines", "6 at the bottom [80% sure]"),
        ("levels", "16 to 235 of 255"),
        ("note", "a gap was filled"),
        ("preset", "vhs (interlaced SD)"),
        ("override", "crop.left = 8: black edges, 7 left"),
    ]
