"""What is wrong with a value that a user wrote, in one line with the fix. Pure."""

import difflib
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from vhsbatch.formatting import shortened

_LONGEST_WORD = 100
# Where pydantic's own sentence speaks of Python.
_IN_WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "missing": "is missing",
    "model_type": "must be a table",
    "path_type": "must be a path",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}
# What people call a codec, and the encoder that makes it on any machine.
_ENCODER_OF = {
    **dict.fromkeys(("h264", "x264", "avc", "libh264"), "libx264"),
    **dict.fromkeys(("h265", "x265", "hevc", "libh265"), "libx265"),
    **dict.fromkeys(("av1", "svtav1", "libaom", "libaomav1"), "libsvtav1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong value.

    Attributes:
        key: the key with dots between tables, for example ``denoise.method``.
        value: what was given for it, None for a key that does not exist.
        cause: what is wrong with it.
        fix: what would be right, or None where the cause says it.
    """

    key: str
    value: object
    cause: str
    fix: str | None

    @property
    def line(self) -> str:
        """Key, value and cause, the way they stand in a TOML file."""
        shown = self.value is not None and not isinstance(self.value, dict)
        key = shortened(self.key)
        if shown:
            key = f"{key} = {_toml(self.value)}"
        return f"{key}: {self.cause}" if key else self.cause


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """The word that the user probably meant, None where nothing is near.

    >>> nearest("vhs_haevy", ["vhs", "vhs_heavy"]), nearest("VHS", ["vhs", "dvd"])
    ('vhs_heavy', 'vhs')
    >>> nearest("H265", ["libx264", "libx265"])
    'libx265'
    """
    # Nothing is near to a word that is longer than any name, and looking would take long.
    words = {name.lower(): name for name in allowed} if len(word) <= _LONGEST_WORD else {}
    small = word.lower()
    if (encoder := _ENCODER_OF.get(re.sub(r"[^a-z0-9]", "", small))) in words:
        return encoder
    near = difflib.get_close_matches(small, words, n=1)
    return words[near[0]] if near else None


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """A fix for `word`: the nearest allowed one, and all of them."""
    allowed = list(allowed)
    near = nearest(word, allowed)
    question = "" if near is None else f"did you mean '{near}'? "
    return f"{question}allowed: {', '.join(allowed)}"


def first_problem(error: ValidationError, model: type[BaseModel]) -> Problem:
    """The first problem of a failed validation of `model`, in the user's words."""
    errors: list[Any] = list(error.errors(include_url=False))
    # A misspelt key explains why one is missing.
    details = next((one for one in errors if one["type"] != "missing"), errors[0])
    # People count the items of a list from 1.
    path = [str(part + 1 if isinstance(part, int) else part) for part in details["loc"]]
    names = [part for part in details["loc"] if isinstance(part, str)]
    key, value = ".".join(path), details["input"]
    match details["type"]:
        case "extra_forbidden":
            return Problem(key=key, value=None, cause="unknown key", fix=_key_suggestion(names, model))
        case "literal_error" if words := re.findall(r"'([^']*)'", details["ctx"]["expected"]):
            return Problem(
                key=key, value=value, cause="not one of the choices", fix=suggestion(str(value), words)
            )
        case "value_error":
            return Problem(key=key, value=value, cause=str(details["ctx"]["error"]), fix=None)
        case kind:
            cause = _IN_WORDS.get(kind) or details["msg"].replace("Input should be", "must be")
            return Problem(key=key, value=value, cause=cause, fix=None)


def keys_of(model: type[BaseModel]) -> list[str]:
    """Every key of `model`, those of its tables with dots."""
    keys = []
    for field_name, field in model.model_fields.items():
        name, table = field.alias or field_name, field.annotation
        item = next(iter(typing.get_args(table)), None)
        if isinstance(table, type) and issubclass(table, BaseModel):
            keys += [f"{name}.{key}" for key in keys_of(table)]
        elif isinstance(item, type) and issubclass(item, BaseModel):
            keys += [f"{name}.{key}" for key in keys_of(item)]
        else:
            keys.append(name)
    return keys


def _key_suggestion(path: list[str], model: type[BaseModel]) -> str:
    """The nearest key of the same table, else the nearest of any: a key may stand in the wrong one."""
    *tables, word = path
    table = "".join(f"{name}." for name in tables)
    keys = [*(field.alias or name for name, field in model.model_fields.items()), *keys_of(model)]
    siblings = {key.removeprefix(table): key for key in keys if key.rpartition(".")[0] == table[:-1]}
    anywhere = {key.rpartition(".")[2]: key for key in keys}
    for candidates in (siblings, anywhere):
        if (near := nearest(word, candidates)) is not None:
            return f"did you mean '{candidates[near]}'?"
    return f"allowed: {', '.join(siblings.values())}"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return shortened(f"[{', '.join(_toml(item) for item in value)}]")
        case _:
            return f'"{shortened(str(value))}"'
