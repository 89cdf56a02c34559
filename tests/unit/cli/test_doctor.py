"""What the doctor looks for."""

import re
from pathlib import Path

import vhsbatch
from vhsbatch.cli.doctor import FILTERS

# `node.filter("crop", …)`, `merge([one, other], "blend", …)`, `filter_multi_output("split")`
_NAMED = re.compile(r"(?:\.filter(?:_multi_output)?|\bmerge)\(\s*(?:[\w\[\], ]+,\s*)?\"([a-z0-9_]+)\"")


def test_every_filter_of_a_graph_is_looked_for() -> None:
    sources = Path(vhsbatch.__file__).parent.rglob("*.py")
    used = {name for source in sources for name in _NAMED.findall(source.read_text(encoding="utf-8"))}
    assert {"bwdif", "maskedmerge", "mergeplanes", "split"} <= used
    assert used <= FILTERS
