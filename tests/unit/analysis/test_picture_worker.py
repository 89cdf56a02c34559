"""What frames are read from."""

import io

from vhsbatch.analysis.picture_worker import read_frames


def test_a_frame_that_breaks_off_is_left_out() -> None:
    size = 16 * 8 + 2 * 8 * 8
    frames = list(read_frames(io.BytesIO(bytes(size * 2 + 5)), 16, 8, 8, 8))
    assert [plane.shape for plane in frames[0]] == [(8, 16), (8, 8), (8, 8)]
    assert len(frames) == 2
