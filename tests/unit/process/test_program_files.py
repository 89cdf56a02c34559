"""What is started by the name of a module or a file is there: neither type checks nor imports look at it."""

import importlib.util
import re
from pathlib import Path

import vhsbatch

SOURCES = sorted(Path(vhsbatch.__file__).parent.rglob("*.py"))
_MODULE = re.compile(r'"-m", "(vhsbatch[\w.]*)"')
_FILE = re.compile(r'with_name\("(\w+\.py)"\)')


def test_every_module_that_is_started_is_there() -> None:
    named = {name for path in SOURCES for name in _MODULE.findall(path.read_text())}
    assert "vhsbatch.integrations.notification_worker" in named
    assert [name for name in sorted(named) if importlib.util.find_spec(name) is None] == []


def test_every_file_that_is_started_is_there() -> None:
    named = {path.with_name(name) for path in SOURCES for name in _FILE.findall(path.read_text())}
    assert len(named) >= 3
    assert [path for path in sorted(named) if not path.is_file()] == []
