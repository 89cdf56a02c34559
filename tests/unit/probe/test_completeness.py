"""Whether a file ends where its container says."""

from pathlib import Path

import pytest

from vhsbatch.probe.completeness import fills_container

EBML = b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67"


def riff(length: int, stated: int | None = None) -> bytes:
    return b"RIFF" + (length if stated is None else stated).to_bytes(4, "little") + bytes(length)


@pytest.mark.parametrize(
    ("container", "content", "whole"),
    [
        ("avi", riff(100), True),
        ("avi", riff(100) + riff(40), True),
        ("avi", riff(100) + b"JUNK", True),
        ("avi", riff(100, stated=101), False),
        ("avi", riff(100) + riff(40, stated=80), False),
        ("avi", riff(100, stated=0), True),
        ("matroska,webm", EBML + b"\x8aabcdefghij", True),
        ("matroska,webm", EBML + b"\x8babcdefghij", False),
        ("matroska,webm", EBML + b"\x01\xff\xff\xff\xff\xff\xff\xffabc", None),
        ("matroska,webm", b"", None),
        ("mpegts", bytes(188), None),
    ],
)
def test_the_end_of_a_file(container: str, content: bytes, whole: bool | None, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert fills_container(path, container) is whole
