"""What a camera says in a file: when it recorded that, and whether as in a mirror. Read by `probe_worker`."""

import io
import re
import struct
from pathlib import Path
from typing import Any

import av

from vhsbatch.probe.side_data import side_data

# Enough for the headers and the first frames; reading the rest would gain nothing.
_DATED_BYTES = 2**20
# What a clock shows that nobody has set.
_NO_DATE = "1970-01-01 00:00:00"

# The container of telephones, which can say how they were held.
WITH_DISPLAY_MATRIX = "mov,mp4,m4a,3gp,3g2,mj2"
# A frame that takes gigabytes, as one of a hostile file may, is not decoded to see how it is to be shown.
_MOST_DECODED_PX = 8192 * 8192


def recorded(path: str) -> str | None:
    """When a camera recorded the file, in its own time: from DV or AVCHD frames, or from an AVI header.

    The format has no zone where the camera knew none: ``2024-07-08 19:55:58``, ``2019-04-24 22:24:00+02:00``.
    """
    from pymediainfo import MediaInfo

    try:
        with Path(path).open("rb") as file:
            beginning = io.BytesIO(file.read(_DATED_BYTES))
        (general, *_) = MediaInfo.parse(beginning, parse_speed=0).general_tracks
    except (OSError, RuntimeError, ValueError):  # its library is not there, or does not know the file
        return None
    stated = general.recorded_date or general.mastered_date
    date = "" if stated is None else re.sub(r"\.\d+", "", str(stated))
    return date if date and not date.startswith(_NO_DATE) else None


def is_mirrored(container: Any, video: Any) -> bool:
    """Whether the first frame asks to be seen in a mirror: FFmpeg prints by how far it is turned alone.

    Args:
        container: an open file, of which nothing has been read yet.
        video: its video stream.
    """
    codec = video.codec_context
    if codec.width * codec.height > _MOST_DECODED_PX:
        return False
    try:
        frame = next(container.decode(video), None)
    except av.FFmpegError:  # whether it can be used is found out by another look
        return False
    matrix = None if frame is None else side_data(frame, "DISPLAYMATRIX")
    if matrix is None:
        return False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    of_mirror: bool = a * d - b * c < 0
    return of_mirror
