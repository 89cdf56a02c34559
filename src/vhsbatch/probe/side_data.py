"""What a decoder says beside a frame."""

from typing import Any


def side_data(frame: Any, kind: str) -> Any:
    """The side data of a kind that PyAV knows by name; None where a frame has none of it.

    PyAV 18 lists none of a frame if it does not know the kind of one, such as the Exif data of a photograph.
    """
    try:
        return frame.side_data.get(kind)
    except ValueError:
        return None
