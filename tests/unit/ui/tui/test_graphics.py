"""Which terminal shows pictures in which way."""

import pytest

from vhsbatch.ui.tui.graphics import _knows_placeholders


@pytest.mark.parametrize(
    ("name", "knows"),
    [
        ("kitty(0.26.5)", False),
        ("kitty(0.28.0)", True),
        ("kitty(0.41.1)", True),
        ("kitty(1.0.0)", True),
        ("ghostty 1.2.0", True),
        ("Konsole 23.08", False),
        ("", False),
    ],
)
def test_only_terminals_that_know_placeholders_get_kittys_pictures(name: str, knows: bool) -> None:
    assert _knows_placeholders(name) is knows
