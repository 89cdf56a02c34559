"""Opening the report; the browser itself is not started."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.ui.tui.report import open_report


@pytest.mark.parametrize(("code", "opened"), [(0, True), (1, False)])
def test_the_page_is_given_as_an_address_and_nothing_reaches_the_terminal(
    code: int, opened: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    def run(command: tuple[str, ...], **options: Any) -> subprocess.CompletedProcess[bytes]:
        called.append((command, options))
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    assert open_report(tmp_path / "a b" / "report.html") is opened
    ((command, options),) = called
    assert command[-1] == (tmp_path / "a b" / "report.html").as_uri()
    assert {options[name] for name in ("stdin", "stdout", "stderr")} == {subprocess.DEVNULL}


def test_a_browser_that_does_not_start_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_arguments: Any, **_options: Any) -> None:
        raise subprocess.TimeoutExpired("browser", 30)

    monkeypatch.setattr(subprocess, "run", run)
    assert not open_report(Path("report.html"))
