"""A configuration file that explains itself: every setting, commented out unless it is set."""

import json
import textwrap
from collections.abc import Mapping

from vhsbatch.config.settings import Settings

_COLUMNS = 100
_HEAD = """\
# Settings of vhs-upscale. A line that is commented out shows the default, or an example where there is none.
# Options and the environment overrule this file; vhs-upscale config show says what holds.
"""
_FILES = """\
# [files."tape_07*"]
# preset = "vhs_heavy"
"""
_WATCH = """\
# [[watch]]
# input = "/srv/family/in"
# output = "/srv/family/out"
# preset = "vhs"
"""
# Settings that are tables, which no environment variable can hold.
TABLES = {"watch": _WATCH, "files": _FILES}


def template(chosen: Mapping[str, object]) -> str:
    """The text of a configuration file.

    Args:
        chosen: the settings that hold, by key.
    """
    blocks = [_HEAD]
    for name, field in Settings.model_fields.items():
        if name in TABLES:
            continue
        about = textwrap.fill(
            f"{field.description}",
            _COLUMNS,
            initial_indent="# ",
            subsequent_indent="# ",
            break_on_hyphens=False,
        )
        if name in chosen:
            line = f"{name} = {toml(chosen[name])}"
        else:
            value = field.examples[0] if field.examples else field.default
            line = f"# {name} = {toml(value)}"
        blocks.append(f"{about}\n{line}\n")
    # A table takes all that comes after it.
    for name, text in TABLES.items():
        blocks.append(f"# {Settings.model_fields[name].description}\n{text}")
    return "\n".join(blocks)


def toml(value: object) -> str:
    """A value in the notation of TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A basic string of TOML takes JSON's escapes.
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case _:
            return str(value)
