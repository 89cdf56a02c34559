"""The manual page says what the program says."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "man" / "vhs-upscale.1"


def test_the_manual_page_is_in_step() -> None:
    pytest.importorskip("docutils")
    spec = importlib.util.spec_from_file_location("manual", ROOT / "scripts" / "manual.py")
    assert spec is not None
    assert spec.loader is not None
    manual = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(manual)
    assert PAGE.read_text(encoding="utf-8") == manual.page(), "run python scripts/manual.py"


def test_a_reader_of_manual_pages_has_nothing_to_complain_of() -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-Tutf8", PAGE], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
