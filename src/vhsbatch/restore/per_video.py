"""Per-video settings: a file beside the video, and tables in the configuration.

``tape.avi.toml`` beside ``tape.avi`` holds it for that video, ``[files."GLOB"]`` in a configuration file
for all whose names match. The file beside the video wins, then the last table that matches.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vhsbatch.config.preset_files import find_preset, load_presets, read_toml, with_files_from
from vhsbatch.config.preset_schema import with_mode
from vhsbatch.config.presets import Preset, derive
from vhsbatch.config.validation import Problem, first_problem
from vhsbatch.engines.face_models import face_model
from vhsbatch.engines.models import expect_model
from vhsbatch.errors import InputError, UsageError
from vhsbatch.ffmpeg.lut import expect_lut
from vhsbatch.model.source_overrides import (
    NO_SOURCE_OVERRIDES,
    OrderWord,
    SourceOverrides,
    TelecineWord,
    source_overrides,
)
from vhsbatch.model.trim import trim_of

# Results are named, and encoders are tried out, once for all videos.
_OF_THE_RUN: Mapping[tuple[str, ...], str] = {
    ("target_height",): "use --resolution",
    ("container",): "choose a preset with it",
    ("video", "encoder"): "use --encoder",
}

Table = dict[str, Any]


class _Keys(BaseModel):
    """The keys that such a table may have; those of a preset's tables are checked with the preset."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    preset: str | None = None
    aspect: str | None = None
    field_order: OrderWord | None = None
    telecine: TelecineWord | None = None
    # Whatever TOML can hold is refused, if it is no time, in the same words as on a command line.
    from_: Any = Field(default=None, alias="from")
    to: Any = None
    vfr: str | None = None
    segment_s: int | None = None
    ai_segment_s: int | None = None
    deinterlace: Table = {}
    crop: Table = {}
    denoise: Table = {}
    sharpen: Table = {}
    colour: Table = {}
    upscale: Table = {}
    video: Table = {}
    audio: Table = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The settings of one video that differ from the batch's.

    Attributes:
        sources: the files and tables that say so.
        preset: the preset that was named for it, None for the run's.
        changes: keys of the preset, tables as mappings.
        source_overrides: what the user knows better than the video says.
    """

    sources: tuple[str, ...] = ()
    preset: Preset | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    source_overrides: SourceOverrides = NO_SOURCE_OVERRIDES

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about it."""
        return tuple(f"with what {source} says" for source in self.sources)

    def applied(self, preset: Preset) -> Preset:
        """`preset` with the changes.

        Raises:
            InputError: they do not fit it; names the file and the key.
        """
        if not self.changes:
            return preset
        try:
            return derive(preset, self.changes)
        except ValidationError as error:
            raise _refusal(" and ".join(self.sources), first_problem(error, Preset)) from None


NO_OVERRIDE = Override()


def shipped_preset(name: str) -> Preset:
    """The preset of that name as it is shipped.

    Raises:
        UsageError: there is none.
    """
    return find_preset(load_presets(), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Finds the settings of each video.

    Attributes:
        tables: those of the configuration, by the pattern of the names they are for.
        preset_named: gives the preset of a name, as the run would use it.
    """

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preset_named: Callable[[str], Preset] = shipped_preset

    def of(self, video: Path, later_parts: Sequence[Path] = ()) -> Override:
        """The settings of `video`; reads the file beside it.

        Args:
            video: the video; of a recording in several files, the first.
            later_parts: the others, which can have no settings of their own.

        Raises:
            InputError: the file or a table is wrong; names it and the key.
        """
        for part in later_parts:
            self._expect_none(part, video)
        named = [
            (_table(pattern), dict(table))
            for pattern, table in self.tables.items()
            if _matches(video, pattern)
        ]
        beside = video.with_name(f"{video.name}.toml")
        # Whatever has that name is read or refused: it must not be left out in silence. Where the video's
        # own name is as long as names can be, nothing can have it.
        if os.path.lexists(beside):
            named.append((beside.name, with_files_from(_read(beside), beside.parent)))
        return self._of_all(named) if named else NO_OVERRIDE

    def _expect_none(self, part: Path, video: Path) -> None:
        """Refuse what is said of a later part alone: it must not be left out in silence.

        Raises:
            InputError: something is.
        """
        beside = part.with_name(f"{part.name}.toml")
        said = [beside.name] if os.path.lexists(beside) else []
        said += [
            _table(pattern)
            for pattern in self.tables
            if _matches(part, pattern) and not _matches(video, pattern)
        ]
        if said:
            raise InputError(
                f"{said[0]}: {part.name} is a later part of the recording that begins with {video.name}",
                fix=f"put the settings into {video.name}.toml, or add --join none",
            )

    def check(self, preset: Preset) -> None:
        """Look at every table, before there is a video for it, at the LUTs and at the models.

        Args:
            preset: the run's.

        Raises:
            UsageError: one is wrong; names it and the key.
        """
        presets = [preset]
        for pattern, table in self.tables.items():
            try:
                override = self._of_all([(_table(pattern), dict(table))])
                presets.append(override.applied(override.preset or preset))
            except InputError as error:
                raise UsageError(error.cause, fix=error.fix) from None
        for one in presets:
            expect_model(one.upscale.model)
            if one.faces.model is not None:
                face_model(one.faces.model)
            try:
                if one.colour.lut is not None:
                    expect_lut(one.colour.lut)
            except InputError as error:
                raise UsageError(error.cause, fix=error.fix) from None

    def _of_all(self, named: Sequence[tuple[str, Table]]) -> Override:
        """What several tables want together; each has its name, and later ones win."""
        keys = [_checked(source, table) for source, table in named]
        words: dict[str, Any] = {}
        for one in keys:
            words |= {name: value for name, value in one.items() if not isinstance(value, dict)}
        changes: Table = {}
        for one in keys:
            for name, value in one.items():
                if isinstance(value, dict):
                    # The mode of a later table wins over the keys of an earlier one.
                    table = with_mode(value) if name == "audio" else value
                    changes[name] = {**changes.get(name, {}), **table}
        changes |= {name: words.pop(name) for name in ("segment_s", "ai_segment_s") if name in words}
        sources = tuple(source for source, _ in named)
        return _override(sources, words, changes, self.preset_named)


NO_OVERRIDES = Overrides()


def _table(pattern: str) -> str:
    return f'[files."{pattern}"]'


def _matches(video: Path, pattern: str) -> bool:
    """Whether the end of a video's path matches, in any case: ``*.avi`` or ``wedding/*.avi``."""
    return PurePosixPath(video.as_posix().casefold()).match(pattern.casefold())


def _read(file: Path) -> Table:
    try:
        return read_toml(file)
    except UsageError as error:
        raise InputError(error.cause, fix=error.fix) from None


def _checked(source: str, table: Table) -> Table:
    """The keys that `table` has.

    Raises:
        InputError: one of them does not exist, has the wrong type, or applies to whole runs only.
    """
    for path, fix in _OF_THE_RUN.items():
        inner: Any = table
        for name in path:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if inner is not None:
            raise InputError(f"{source}: {'.'.join(path)}: is the same for all videos", fix=fix)
    try:
        return _Keys.model_validate(table).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise _refusal(source, first_problem(error, _Keys)) from None


def _override(
    sources: tuple[str, ...], words: Table, changes: Table, preset_named: Callable[[str], Preset]
) -> Override:
    label = " and ".join(sources)
    order: OrderWord | None = words.get("field_order")
    telecine: TelecineWord | None = words.get("telecine")
    try:
        preset = None if words.get("preset") is None else preset_named(words["preset"])
        known = source_overrides(
            words.get("aspect"),
            order,
            telecine,
            trim=trim_of(words.get("from_"), words.get("to"), ("from =", "to =")),
            aspect_key="aspect =",
            trim_keys=(f"{label}: from =", f"{label}: to ="),
        )
    except UsageError as error:
        raise InputError(f"{label}: {error.cause}", fix=error.fix) from None
    return Override(sources=sources, preset=preset, changes=changes, source_overrides=known)


def _refusal(source: str, problem: Problem) -> InputError:
    return InputError(f"{source}: {problem.line}", fix=problem.fix)
