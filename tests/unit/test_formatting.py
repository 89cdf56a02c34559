"""Numbers and foreign text as people read them."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vhsbatch.formatting import duration, plain, size

DAY_S = 86400


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("two\r\nlines\t", "two\\r\\nlines\\t"),
        ("\0\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("caf\udce9", "caf\\udce9"),
        ("left\u202eright\u2066", "left\\u202eright\\u2066"),
        ("\ufeffa\u200bb\u00ad", "\\ufeffa\\u200bb\\xad"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_a_terminal_would_act_on_becomes_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Café 'x' \"y\" [b]",
        "日本旅行 1998 📼",
        "e\u0301",
        "\u00a0",
        "👨\u200d👩\u200d👧",
        "C:\\tapes\\n",
        "שלום",
    ],
)
def test_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(st.text(st.characters()))
@example("\u200d\u200c")
def test_nothing_is_left_that_moves_the_cursor_and_nothing_is_lost(text: str) -> None:
    shown = plain(text)
    kinds = {unicodedata.category(character) for character in shown.replace("\u200d", "")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert plain(shown) == shown
    shown.encode()
    pieces = [plain(character) for character in text]
    assert "".join(pieces) == shown
    assert all(pieces)


@given(st.text(st.characters(exclude_characters="\\")))
@example("\x00\u202e\U000e0041\udce9")
def test_what_became_visible_can_be_read_back(text: str) -> None:
    escape = re.compile(r"\\(?:x..|u.{4}|U.{8}|[nrt])")
    assert escape.sub(lambda match: match[0].encode().decode("unicode_escape"), plain(text)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (-5, "0:00"),
        (0.4, "0:00"),
        (9.6, "0:10"),
        (59.6, "1:00"),
        (600, "10:00"),
        (3599.4, "59:59"),
        (3599.6, "1:00:00"),
        (3600, "1:00:00"),
        (36061, "10:01:01"),
        (DAY_S - 1, "23:59:59"),
        (DAY_S, "1 d 0:00:00"),
        (12 * DAY_S + 61, "12 d 0:01:01"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.integers(0, 400 * DAY_S))
def test_a_length_of_time_can_be_read_back(seconds: int) -> None:
    days, _, clock = duration(seconds).rpartition(" d ")
    value = 0
    for part in clock.split(":"):
        value = value * 60 + int(part)
    assert int(days or 0) * DAY_S + value == seconds
    assert all(len(part) == 2 for part in clock.split(":")[1:])


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024 * 1.25, "1.2 KiB"),
        (10 * 2**20, "10.0 MiB"),
        (2**30 * 4.7, "4.7 GiB"),
        (2**40, "1.0 TiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@given(st.floats(0, 2**60))
def test_a_size_is_right_to_the_digit_that_is_shown(count: float) -> None:
    number, unit = size(count).split(" ")
    factor = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB").index(unit)
    assert abs(float(number) - count / factor) <= (0.5 if unit == "B" else 0.0501)
