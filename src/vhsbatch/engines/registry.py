"""Engines by name; other packages add theirs through the entry point group ``vhsbatch.engines``."""

from functools import cache
from importlib.metadata import entry_points

from vhsbatch.engines.base import Engine
from vhsbatch.errors import ToolError

GROUP = "vhsbatch.engines"


@cache
def engine_named(name: str) -> Engine:
    """The engine called `name`.

    Raises:
        ToolError: no installed package has it.
    """
    for entry in entry_points(group=GROUP, name=name):
        engine: Engine = entry.load()()
        return engine
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP)))
    raise ToolError(
        f"no engine is called {name}", fix=f"installed: {known or 'none; install vhsbatch again'}"
    )
