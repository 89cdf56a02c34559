"""`--resume`: the batch goes on with the options with which it was started."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from vhsbatch.cli.options import FolderOptions, MachineOptions, ResultOptions
from vhsbatch.config.presets import Preset
from vhsbatch.config.settings import Settings
from vhsbatch.errors import OutputFolderError, UsageError
from vhsbatch.events.events import BatchStarted
from vhsbatch.events.journal import STATE_FOLDER, read_journal

# What is remembered of each group of options. The others may differ from run to run: how many
# workers, what is shown, whether segments are kept.
_WHICH = ("pattern", "recursive", "suffix", "max_count", "order", "priority")
_RESULT = (
    "preset",
    "resolution",
    "crf",
    "encoder",
    "aspect",
    "field_order",
    "telecine",
    "deinterlace",
    "dropouts",
    "vfr",
    "fix_drift",
    "keep_sar",
    "pad",
    "allow_truncated",
    "max_damage",
    "auto_detect",
)
_MACHINE = ("engine", "device", "runtime", "model", "vapoursynth_python", "temp_dir")
_PRESET_TABLE = "preset_table"
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run that decide what comes out."""

    which: FolderOptions
    result: ResultOptions
    machine: MachineOptions

    def remembered(self, source: Path, preset: Preset, settings: Settings) -> dict[str, str]:
        """What the journal keeps of them."""
        values = {
            **{key: getattr(self.which, key) for key in _WHICH},
            **{key: getattr(self.result, key) for key in _RESULT},
            **{key: getattr(settings, key) for key in _MACHINE},
            _PRESET_TABLE: preset.model_dump_json(),
            _SOURCE: source.resolve(),
        }
        return {key: _text(value) for key, value in values.items()}

    def continued(self, before: Mapping[str, str], *, replan: bool) -> Self:
        """These options, with what was not typed as it was `before`.

        Raises:
            UsageError: one that was typed differs, and `replan` does not say that it may.
        """
        effective = before if replan else {**before, **_effective(preset_before(before))}
        groups: list[Any] = []
        for typed, keys in ((self.which, _WHICH), (self.result, _RESULT), (self.machine, _MACHINE)):
            untyped, changes = type(typed)(), {}
            for key in keys:
                value, default = getattr(typed, key), getattr(untyped, key)
                # An option that the version which began the batch did not know had no other value.
                was = before.get(key, _text(default))
                if value == default:
                    changes[key] = _parsed(was, key)
                elif _text(value) not in (was, effective.get(key, was)) and not replan:
                    raise _differs(key, value, effective.get(key, was))
            groups.append(dataclasses.replace(typed, **changes))  # type: ignore[arg-type]
        return type(self)(*groups)


def preset_before(before: Mapping[str, str]) -> Preset:
    """The preset as it was when the batch was started.

    Raises:
        OutputFolderError: another version of this program wrote it.
    """
    try:
        return Preset.model_validate_json(before[_PRESET_TABLE])
    except (KeyError, ValidationError) as error:
        raise OutputFolderError(
            "the batch was started by another version, which knew other presets",
            fix="add --replan to plan the unfinished videos anew",
        ) from error


def _effective(preset: Preset) -> dict[str, str]:
    """The options that say what `preset` says anyway."""
    quality = preset.video.quality
    return {
        "preset": preset.name,
        "resolution": str(preset.target_height),
        "crf": "" if quality is None else str(quality),
        "encoder": preset.video.encoder,
    }


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


_NUMBERS = ("resolution", "crf", "max_count", "max_damage")
_FLAGS = ("recursive", "dropouts", "fix_drift", "keep_sar", "allow_truncated", "auto_detect")
_PATHS = ("model", "temp_dir")
_LISTS = ("priority",)


def _text(value: object) -> str:
    """How a value is kept in the journal."""
    if isinstance(value, tuple):
        return shlex.join(value)
    return "" if value is None else str(value)


def _parsed(text: str, key: str) -> object:
    """The value of an option that is kept as `text`."""
    if key in _LISTS:
        return tuple(shlex.split(text))
    if key in _FLAGS:
        return text == "True"
    if text == "":
        return None
    if key in _NUMBERS:
        return int(text)
    return Path(text) if key in _PATHS else text


def _differs(key: str, value: object, before: str) -> UsageError:
    option = "--" + key.replace("_", "-")
    typed = option if value is True else f"{option} {_text(value)}"
    how = "without it" if before in ("", "False") else f"with {before}"
    return UsageError(
        f"{typed}: this batch was started {how}",
        fix="leave it out, or add --replan to plan the unfinished videos anew",
    )
