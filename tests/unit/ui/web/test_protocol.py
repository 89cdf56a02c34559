"""What browser, server and viewer say to each other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.drivers._byte_stream import ByteStream

from vhsbatch.ui.web.protocol import (
    HEADER_BYTES,
    MOST_BYTES,
    Size,
    from_browser,
    is_end,
    packet,
    parse_header,
)


def read_by_textual(sent: bytes) -> list[tuple[str, bytes]]:
    return list(ByteStream().feed(sent))


@given(st.text())
def test_keys_arrive_at_the_viewer_as_they_were_typed(keys: str) -> None:
    sent = from_browser(json.dumps(["stdin", keys]))
    assert read_by_textual(sent) == [("D", keys.encode(errors="replace"))]


def test_the_size_arrives_within_what_can_be_drawn() -> None:
    ((kind, content),) = read_by_textual(from_browser('["resize", {"width": 99999999, "height": -4}]'))
    assert (kind, json.loads(content)) == ("M", {"type": "resize", "width": 500, "height": 5})
    assert Size.of("120", "40") == Size(120, 40)


def test_focus_arrives_and_pings_do_not() -> None:
    assert read_by_textual(from_browser('["focus"]')) == [("M", b'{"type": "focus"}')]
    assert read_by_textual(from_browser('["blur"]')) == [("M", b'{"type": "blur"}')]
    assert from_browser('["ping", "17"]') == b""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stdin",
        "[]",
        "{}",
        "17",
        '["stdin"]',
        '["stdin", 17]',
        '["stdin", "a", "b"]',
        '["resize", {"width": 80}]',
        '["resize", {"width": "x", "height": 24}]',
        '["resize", {"width": null, "height": 24}]',
        '["resize", {"width": 1e999, "height": 24}]',
        # What the driver would obey, and no page has to say.
        '["quit"]',
        '["deliver_chunk_request", {"key": "k", "size": 1}]',
        '{"type": "quit"}',
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_browser(text)


@given(st.binary(max_size=300))
def test_a_packet_is_read_as_it_was_written(content: bytes) -> None:
    written = packet(b"D", content)
    assert parse_header(written[:HEADER_BYTES]) == (b"D", len(content))
    assert written[HEADER_BYTES:] == content


def test_a_packet_that_is_too_long_is_none() -> None:
    with pytest.raises(ValueError, match="bytes"):
        parse_header(b"D" + (MOST_BYTES + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("content", "ends"),
    [
        (b'{"type": "exit"}', True),
        (b'{"type": "open_url", "url": "https://evil.example", "new_tab": true}', False),
        (b'{"type": "deliver_file_start", "key": "k", "path": "/etc/passwd"}', False),
        (b'"exit"', False),
        (b"exit", False),
        (b"\xff", False),
    ],
)
def test_of_what_the_viewer_says_only_its_end_counts(content: bytes, *, ends: bool) -> None:
    assert is_end(content) is ends
