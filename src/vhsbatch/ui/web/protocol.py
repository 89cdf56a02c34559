"""What browser, server and attached session say to each other. Pure.

Textual's web driver (`textual.drivers.web_driver`) reads and writes packets: a letter, the length of what
follows as 4 bytes, most significant first, and that. ``D`` is what a terminal would be sent, or would
send; ``M`` is JSON about the view itself. Of what a browser says only keys, its size and its focus are
passed on, and from the attached session only the picture and its end: both could ask for more, such as
files to be downloaded and pages to be opened.
"""

import json
from dataclasses import dataclass

READY = b"__GANGLION__\n"
HEADER_BYTES = 5
# More than an attached session ever draws at once.
MOST_BYTES = 16 * 2**20

_COLUMNS = (20, 500)
_ROWS = (5, 200)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a browser's terminal in cells, within what an attached session can draw."""

    columns: int = 80
    rows: int = 24

    @classmethod
    def of(cls, columns: object, rows: object) -> "Size":
        """What a browser says its size is.

        Raises:
            ValueError: those are no numbers.
        """
        if not isinstance(columns, int | str) or not isinstance(rows, int | str):
            raise ValueError("a size is two numbers")  # noqa: TRY004
        return cls(_within(int(columns), _COLUMNS), _within(int(rows), _ROWS))


def packet(kind: bytes, content: bytes) -> bytes:
    """A packet for the attached session."""
    return kind + len(content).to_bytes(4, "big") + content


def parse_header(header: bytes) -> tuple[bytes, int]:
    """Letter and length of the packet that begins with these 5 bytes.

    Raises:
        ValueError: it would be too long to be one.
    """
    length = int.from_bytes(header[1:HEADER_BYTES], "big")
    if length > MOST_BYTES:
        raise ValueError(f"a packet of {length} bytes")
    return header[:1], length


def is_end(content: bytes) -> bool:
    """Whether the attached session says by this ``M`` packet that it ends."""
    try:
        told = json.loads(content)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("type") == "exit"


def from_browser(text: str) -> bytes:
    """The packet for what a browser says; empty where the attached session need not know.

    Raises:
        ValueError: it is not what the page says.
    """
    match json.loads(text):
        case ["stdin", str(keys)]:
            return packet(b"D", keys.encode(errors="replace"))
        case ["resize", {"width": columns, "height": rows}]:
            size = Size.of(columns, rows)
            return _about({"type": "resize", "width": size.columns, "height": size.rows})
        case ["focus" | "blur" as kind, *_]:
            return _about({"type": kind})
        case ["ping", *_]:
            return b""
        case _:
            raise ValueError("not a message of this page")


def _about(told: dict[str, object]) -> bytes:
    return packet(b"M", json.dumps(told).encode())


def _within(number: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(number, bounds[1]))
