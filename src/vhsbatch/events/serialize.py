"""Facts and telemetry as JSON: the journal's lines and what `--json` prints.

Fractions are strings (``"30000/1001"``); bytes of a path that are not UTF-8 are escaped the way
Python's own file system functions do it, so that every file name survives.
"""

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, TypeAdapter

from vhsbatch.events.commands import Command
from vhsbatch.events.events import Event, Fact
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.model.media import MediaInfo

_BY_KIND = Discriminator("kind")
# What reads a kind of value is made when the first is read: most programs read few kinds.
_LATER = ConfigDict(defer_build=True)
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, _BY_KIND], config=_LATER)
_MEDIA_INFO = TypeAdapter(MediaInfo)
_FACT: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, _BY_KIND], config=_LATER)
_TELEMETRY: TypeAdapter[Telemetry] = TypeAdapter(Annotated[Telemetry, _BY_KIND], config=_LATER)
_COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, _BY_KIND], config=_LATER)


def to_text(value: object, **layout: Any) -> str:
    """Dataclasses, pydantic models, paths, fractions, nested, as JSON; `layout` as of `json.dumps`."""
    return json.dumps(value, default=_in_parts, **layout)


def _in_parts(value: object) -> Any:
    """What `json` does not know, in parts that it may know."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if is_dataclass(value):
        kind: Any = type(value)
        return {name: getattr(value, name) for name in _field_names(kind)}
    return str(value)  # paths, fractions


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def to_jsonable(value: object) -> Any:
    """`value` as it comes back out of JSON."""
    return json.loads(to_text(value))


def dump(event: Event) -> str:
    """An event as one line, ASCII only, without a line break."""
    return dump_line(event)


def dump_line(value: object) -> str:
    """`value` as one line of JSON, ASCII only, without a line break."""
    return to_text(value, separators=(",", ":"))


def dump_pretty(value: object) -> str:
    """`value` as JSON for people, with a line break at the end."""
    return to_text(value, indent=2, ensure_ascii=False) + "\n"


def event_schema() -> dict[str, Any]:
    """The JSON Schema of the lines that `--json` prints."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_EVENT.json_schema()}


def load_media_info(value: object) -> MediaInfo:
    """What `to_jsonable` made of a source's description.

    Raises:
        ValueError: another version wrote it.
    """
    return _MEDIA_INFO.validate_python(value, strict=False)


def load_fact(line: str | bytes) -> Fact:
    """The fact that `dump` wrote.

    Raises:
        ValueError: the line is torn, or no fact that this version knows.
    """
    return _FACT.validate_python(json.loads(line), strict=False)


def load_telemetry(line: str) -> Telemetry:
    """The telemetry that `dump` wrote.

    Raises:
        ValueError: it is none that this version knows.
    """
    return _TELEMETRY.validate_python(json.loads(line), strict=False)


def load_command(line: str | bytes) -> Command:
    """The command that `dump_line` wrote.

    Raises:
        ValueError: it is none.
    """
    return _COMMAND.validate_json(line)
