"""The architecture page names files and packages that exist, and leaves no package out."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "vhsbatch"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"[a-z_]+/[a-z_]+\.py", PAGE))
    assert named
    assert [name for name in sorted(named) if not (SOURCE / name).is_file()] == []


def test_every_package_and_every_root_module_is_in_its_table() -> None:
    there = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    there |= {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")}
    table = PAGE.partition("## Packages")[2].partition("## Facts")[0]
    assert set(re.findall(r"`([a-z_]+)`", table.partition("|---|---|")[2])) == there
