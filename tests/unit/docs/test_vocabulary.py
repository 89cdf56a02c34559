"""One word for one thing: class names are unique, and replaced words do not come back as identifiers."""

import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "vhsbatch"
FILES = {str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}

# What the glossary says instead.
REPLACED = {
    "blameless": "counts_as_attempt",
    "correction": "source override",
    "gate": "admission",
    "housekeeping": "cleanup",
    "liveness": "heartbeat",
    "loan": "block cache",
    "network": "model",
    "node": "worker plugin",
    "notice": "notification",
    "outbox": "telemetry buffer",
    "rival": "fair share",
    "room": "disk space",
    "toolbox": "environment",
    "wish": "command",
    "workforce": "backend",
    "workplace": "workspace",
}
# Computer networks, nodes of filter graphs and of devices, and a key of a preset.
OTHER_MEANINGS = {
    *("network", "NetworkOptions", "network_settings", "refuse_open_network", "_NO_NETWORK"),
    "NO_NETWORK_OPTIONS",
    *("node", "nodes", "Node", "render_node", "render_nodes"),
    "ColourCorrection",
}


def words(identifier: str) -> set[str]:
    """The words of a name, in the singular.

    >>> sorted(words("LostWishes") | words("_read_nodes"))
    ['lost', 'node', 'read', 'wish']
    """
    parts = (part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", identifier))
    return {
        part.removesuffix("es")
        if part.endswith("shes")
        else part.removesuffix("s")
        if len(part) > 3
        else part
        for part in parts
    }


def test_no_two_classes_share_a_name() -> None:
    files = defaultdict(list)
    for name, text in FILES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                files[node.name].append(name)
    assert {name: where for name, where in files.items() if len(where) > 1} == {}


def test_replaced_words_do_not_come_back() -> None:
    found = {
        (name, token.string): instead
        for name, text in FILES.items()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME and token.string not in OTHER_MEANINGS
        for instead in [REPLACED[word] for word in words(token.string) if word in REPLACED]
    }
    assert found == {}
