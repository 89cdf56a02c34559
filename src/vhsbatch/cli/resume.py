"""`--resume`: a batch continues with the options with which it was started."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vhsbatch.batch.request import BatchRequest
from vhsbatch.cli.options import (
    BatchOptions,
    FolderOptions,
    MachineOptions,
    Option,
    ResultOptions,
    TrimOptions,
    options_of,
)
from vhsbatch.config.presets import Preset, value_of
from vhsbatch.config.settings import Settings
from vhsbatch.errors import OutputFolderError, UsageError
from vhsbatch.events.events import BatchStarted
from vhsbatch.events.journal import STATE_FOLDER, read_journal

_PRESET_TABLE = "preset_table"
_SOURCE = "source"
_TITLE = "title"
# The groups that have options to remember, as fields of `BatchOptions`.
_GROUPS: dict[str, type] = {
    "which": FolderOptions,
    "result": ResultOptions,
    "trim": TrimOptions,
    "machine": MachineOptions,
}


def remembered(options: BatchOptions, source: Path, preset: Preset, settings: Settings) -> dict[str, str]:
    """What the journal keeps of the options of a run."""
    values = {
        # A setting counts wherever it came from.
        option.name: getattr(getattr(options, group), option.name)
        if option.effect.setting is None
        else getattr(settings, option.effect.setting)
        for group, kind in _GROUPS.items()
        for option in options_of(kind)
        if option.effect.remembered
    }
    kept = {**values, _PRESET_TABLE: preset.model_dump_json(), _SOURCE: source.resolve()}
    return {key: _text(value) for key, value in kept.items()}


def continued(options: BatchOptions, before: Mapping[str, str], *, replan: bool) -> BatchOptions:
    """What was typed now; what was not is as it was `before`.

    Raises:
        UsageError: an option that was typed differs, and `replan` does not allow that.
        OutputFolderError: another version of this program began the batch.
    """
    preset = None if replan else preset_before(before)
    groups: dict[str, Any] = {}
    for name, kind in _GROUPS.items():
        typed, changes = getattr(options, name), {}
        for option in options_of(kind):
            if not option.effect.remembered:
                continue
            value = getattr(typed, option.name)
            # An option that the version which began the batch did not know had its default.
            was = before.get(option.name, _text(option.default))
            if option.kind is bool:
                was = was.lower()  # as earlier versions wrote it, it began with a capital
            effective = _effective(option, was, preset)
            if value == option.default:
                changes[option.name] = _parsed(was, option)
            elif not replan and _text(value) not in (was, effective):
                raise _differs(option, value, effective)
        groups[name] = dataclasses.replace(typed, **changes)
    return dataclasses.replace(options, **groups)


def _effective(option: Option, was: str, preset: Preset | None) -> str:
    """What an option would say that says what the batch's preset says anyway."""
    if preset is None:
        return was
    key = option.effect.preset_key
    return was if key is None else _text(value_of(preset, key))


def preset_before(before: Mapping[str, str]) -> Preset:
    """The preset as it was when the batch was started.

    Raises:
        OutputFolderError: another version of this program wrote it.
    """
    try:
        return Preset.model_validate_json(before[_PRESET_TABLE])
    except (KeyError, ValidationError) as error:
        raise OutputFolderError(
            "another version of vhs-upscale started this batch, with presets that this version cannot read",
            fix="add --replan to plan the unfinished videos again",
        ) from error


def options_before(output: Path, source: Path) -> dict[str, str] | None:
    """The options of the last batch from `source` into `output`; None if there was none.

    Raises:
        OutputFolderError: there is no permission to read the journal.
    """
    started = [
        fact.options
        for fact in read_journal(output / STATE_FOLDER / "journal")
        if isinstance(fact, BatchStarted) and fact.options.get(_SOURCE) == str(source.resolve())
    ]
    return started[-1] if started else None


def with_title(request: BatchRequest, number: int) -> BatchRequest:
    """A request whose options say which title of a DVD it restores."""
    return dataclasses.replace(request, options={**request.options, _TITLE: str(number)})


def title_before(before: Mapping[str, str] | None) -> int | None:
    """The title of a DVD that an earlier run restored; None if there was none."""
    return None if before is None or _TITLE not in before else int(before[_TITLE])


def _text(value: object) -> str:
    """How a value is kept in the journal."""
    if isinstance(value, tuple):
        return shlex.join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _parsed(text: str, option: Option) -> object:
    """The value of an option that is kept as `text`."""
    if isinstance(option.default, tuple):
        return tuple(shlex.split(text))
    if option.kind is bool:
        return text == "true"
    if text == "":
        return None
    return option.kind(text) if option.kind in (int, Path) else text


def _differs(option: Option, value: object, before: str) -> UsageError:
    typed = option.flag if value is True else f"{option.flag} {_text(value)}"
    how = f"without {option.flag}" if before in ("", "false") else f"with {before}"
    return UsageError(
        f"{typed}: this batch was started {how}",
        fix="leave it out, or add --replan to use it for unfinished videos",
    )
