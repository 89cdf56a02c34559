"""Which preset suits what was measured."""

import pytest

import make
from vhsbatch.analysis.autodetect import suitable_preset
from vhsbatch.analysis.picture import VideoMeasurement
from vhsbatch.config.preset_files import load_presets
from vhsbatch.model.media import FieldOrder

TFF, PROGRESSIVE = FieldOrder.TFF, FieldOrder.PROGRESSIVE


@pytest.mark.parametrize(
    ("order", "lines", "codec", "noise", "torn", "name"),
    [
        (TFF, 480, "mpeg2video", (3.4, 1.6), 6, "vhs"),
        (TFF, 480, "dvvideo", (3.4, 1.6), 0, "vhs"),
        (TFF, 576, "dvvideo", (4.2, 5.5), 6, "vhs"),
        (TFF, 576, "dvvideo", (2.0, 2.7), 8, "vhs_clean"),
        (TFF, 576, "dvvideo", (7.6, 0.9), 0, "vhs_heavy"),
        (TFF, 576, "dvvideo", (3.0, 11.0), 6, "vhs_heavy"),
        (TFF, 576, "h264", (None, None), 6, "vhs"),
        (TFF, 480, "mpeg2video", (0.9, 0.5), 0, "dvd_interlaced"),
        (TFF, 480, "dvvideo", (0.9, 0.5), 0, "auto"),
        (TFF, 1080, "h264", (1.0, 0.8), 0, "broadcast_1080i"),
        (PROGRESSIVE, 480, "mpeg2video", (0.9, 0.5), 0, "dvd_progressive"),
        (PROGRESSIVE, 240, "flv1", (0.4, 0.4), 0, "clean"),
        (PROGRESSIVE, 480, "mjpeg", (3.2, 2.0), 0, "vhs"),
        (PROGRESSIVE, 480, "h264", (1.4, 1.0), 0, "auto"),
        (PROGRESSIVE, 480, "h264", (7.5, 9.0), 0, "vhs_heavy"),
        (PROGRESSIVE, 480, "h264", (0.4, 0.2), 0, "clean"),
        (PROGRESSIVE, 480, "h264", (None, None), 0, "auto"),
        (PROGRESSIVE, 1080, "mpeg2video", (0.4, 0.2), 0, "clean"),
        (PROGRESSIVE, 720, "h264", (2.9, 0.8), 0, "auto"),
    ],
)
def test_what_was_measured_decides(
    order: FieldOrder,
    lines: int,
    codec: str,
    noise: tuple[float | None, float | None],
    torn: int,
    name: str,
) -> None:
    info = make.info(make.track(field_order=order, height=lines, codec=codec))
    picture = VideoMeasurement(luma_noise=noise[0], chroma_noise=noise[1], torn_lines=torn, places=5)
    chosen, reason = suitable_preset(info, picture)
    assert chosen == name
    assert chosen in load_presets([])
    assert "noise" in reason
