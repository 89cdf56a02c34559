"""The manual page says what the program says."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "man" / "vhs-upscale.1"


def test_the_manual_page_is_in_step() -> None:
    pytest.importorskip("docutils")
    # In a process of its own: usage lines name the program after the way in which it was started.
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "manual.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run python scripts/manual.py\n{done.stderr}"


def test_a_reader_of_manual_pages_has_nothing_to_complain_of() -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-Tutf8", PAGE], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
