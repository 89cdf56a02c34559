"""Several watched folders must not feed each other."""

from pathlib import Path

import pytest

from vhsbatch.cli.watch import refuse_loops
from vhsbatch.errors import UsageError

A, B, C, D = map(Path, ("/a", "/b", "/c", "/d"))


def test_folders_of_their_own_go_together() -> None:
    # Results may lie beside their captures, two folders may share an output, and one may have two results.
    refuse_loops([(A, A), (B, C), (B, D), (D.parent / "e", C)], "x.toml", from_results=False)


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        ([(A, B), (B, C)], "x.toml: watch.2.input: /b is the output of watch.1"),
        ([(B, C), (A, B)], "x.toml: watch.1.input: /b is the output of watch.2"),
        ([(A, B), (C, D), (A, B)], "x.toml: watch.3: the same folders as watch.1"),
    ],
)
def test_results_of_one_are_no_captures_of_another(pairs: list[tuple[Path, Path]], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_loops(pairs, "x.toml", from_results=False)
    assert str(caught.value).startswith(line)


def test_captures_among_results_may_be_asked_for() -> None:
    refuse_loops([(A, B), (B, C)], "x.toml", from_results=True)
