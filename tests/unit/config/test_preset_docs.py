"""The guide to presets says what the schema says."""

from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vhsbatch.config.preset_files import load_presets
from vhsbatch.config.preset_schema import QUALITY_RANGE, containers_for
from vhsbatch.config.presets import Preset

GUIDE = Path(__file__).parents[3] / "docs" / "presets.md"


def key_rows() -> list[str]:
    """One row for each key: key, default, what is allowed, meaning."""
    rows = []
    for name, field in Preset.model_fields.items():
        table = field.annotation
        if isinstance(table, type) and issubclass(table, BaseModel):
            rows += [_row(f"{name}.{key}", inner) for key, inner in table.model_fields.items()]
        elif name != "name":
            rows.append(_row(name, field))
    return rows


def preset_rows() -> list[str]:
    return [f"| `{preset.name}` | {preset.description} |" for preset in load_presets().values()]


def encoder_rows() -> list[str]:
    """One row for each encoder: its scale and its containers."""
    rows = []
    for encoder, scale in QUALITY_RANGE.items():
        shown = "none" if scale is None else f"{scale[0]} to {scale[1]}"
        rows.append(f"| `{encoder}` | {shown} | {', '.join(containers_for(encoder))} |")
    return rows


def _row(key: str, field: FieldInfo) -> str:
    default = "" if field.default is None or field.default == "" else f"`{_toml(field.default)}`"
    return f"| `{key}` | {default} | {_allowed(key, field)} | {field.description} |"


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allowed(key: str, field: FieldInfo) -> str:
    if key == "video.encoder":
        return "see below"
    if key == "video.quality":
        return "the encoder's scale"
    choices = [
        kind for kind in (field.annotation, *get_args(field.annotation)) if get_origin(kind) is Literal
    ]
    if choices:
        return ", ".join(f"`{choice}`" for choice in get_args(choices[0]))
    bounds = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le", "multiple_of")
        if hasattr(rule, name)
    }
    if "ge" in bounds:
        step = f", in steps of {bounds['multiple_of']}" if "multiple_of" in bounds else ""
        return f"{bounds['ge']} to {bounds['le']}{step}"
    return {bool: "`true`, `false`", str: "text"}.get(field.annotation, "a file")  # type: ignore[arg-type]


def test_every_key_every_preset_and_every_encoder_is_in_the_guide() -> None:
    lines = set(GUIDE.read_text(encoding="utf-8").splitlines())
    missing = [row for row in (*preset_rows(), *key_rows(), *encoder_rows()) if row not in lines]
    assert missing == []


def test_the_guide_has_no_key_that_does_not_exist() -> None:
    known = {*preset_rows(), *key_rows(), *encoder_rows()}
    written = {line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")}
    assert written - known == set()
