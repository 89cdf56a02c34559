"""The table of options: every option is in it, documented, remembered or not, and does something."""

import ast
import importlib
import importlib.util
import inspect
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vhsbatch.cli.app import _COMMANDS, app
from vhsbatch.cli.configure import preset_from, settings_from
from vhsbatch.cli.options import (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    IntegrationOptions,
    MachineOptions,
    NetworkOptions,
    Option,
    ResultOptions,
    TrimOptions,
    options_of,
)
from vhsbatch.config.presets import Preset, value_of
from vhsbatch.config.settings import Settings

GROUPS = (
    ClusterOptions,
    DisplayOptions,
    FolderOptions,
    IntegrationOptions,
    MachineOptions,
    NetworkOptions,
    ResultOptions,
    TrimOptions,
)
ROWS = [(group, option) for group in GROUPS for option in options_of(group)]
IDS = [f"{group.__name__}.{option.name}" for group, option in ROWS]
PAGE = Path(__file__).parents[3] / "docs" / "man" / "vhs-upscale.1"
COMMANDS = [path.rpartition(":")[2].replace("_", "-") for path, _ in _COMMANDS]
# Where one value says nothing of the others.
VALUES = {
    "aspect": "4:3",
    "device": "cpu",
    "encoder": "libx265",
    "gpus": "0,1",
    "parallel": "3",
    "resolution": 720,
    "slots_per_gpu": "2",
}


def another(option: Option) -> Any:
    """A value that an option does not have by default."""
    if option.name in VALUES:
        return VALUES[option.name]
    if option.kind is bool:
        return True
    if typing.get_origin(option.kind) is typing.Literal:
        return typing.get_args(option.kind)[-1]
    if typing.get_origin(option.kind) is tuple:
        return ("desktop",)
    return {int: 17, str: "other", Path: Path("/other")}[option.kind]


@pytest.mark.parametrize(("group", "option"), ROWS, ids=IDS)
def test_an_option_acts_on_exactly_one_thing_that_exists(group: type, option: Option) -> None:
    effect = option.effect
    assert [effect.preset_key, effect.setting, effect.module].count(None) == 2
    if effect.setting is not None:
        assert effect.setting in Settings.model_fields
    if effect.module is not None:
        # It reads the option.
        spec = importlib.util.find_spec(effect.module)
        assert spec is not None
        assert spec.origin is not None
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        assert option.name in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # What decides the frames of the result is remembered.
    assert effect.remembered or effect.preset_key is None


@pytest.mark.parametrize(
    "option",
    [option for option in options_of(ResultOptions) if option.effect.preset_key],
    ids=lambda it: it.name,
)
def test_an_option_changes_the_preset(option: Option) -> None:
    settings = settings_from(MachineOptions())
    value = another(option)
    result = ResultOptions(**{option.name: value})
    preset = preset_from(result, settings)
    assert option.effect.preset_key is not None
    assert value_of(preset, option.effect.preset_key) == value
    assert preset != preset_from(ResultOptions(), settings)


@pytest.mark.parametrize(
    ("group", "option"),
    [(group, option) for group, option in ROWS if option.effect.setting],
    ids=[name for name, (_, option) in zip(IDS, ROWS, strict=True) if option.effect.setting],
)
def test_an_option_changes_its_setting_alone(
    group: Any, option: Option, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vhsbatch.cli.configure.expect_model", lambda _path: None)
    typed = group(**{option.name: another(option)})
    groups = (typed,) if group is MachineOptions else (MachineOptions(), typed)
    before, after = settings_from(MachineOptions()), settings_from(*groups)
    changed = {name for name in Settings.model_fields if getattr(before, name) != getattr(after, name)}
    # A model chooses the engine, a folder of certificates the files in it.
    also = {"model": {"engine"}, "tls": {"tls_ca", "tls_cert", "tls_key"}}.get(option.name, set())
    assert {option.effect.setting} <= changed <= {option.effect.setting} | also


def test_a_preset_option_that_was_not_typed_changes_nothing() -> None:
    settings = settings_from(MachineOptions())
    assert isinstance(preset := preset_from(ResultOptions(), settings), Preset)
    assert preset == preset_from(replace(ResultOptions(), preset="vhs"), settings)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_declared_and_documented(command: str) -> None:
    function = app[command].default_command
    assert function is not None
    own = set(inspect.signature(function).parameters)
    shared = {option.name for _, option in ROWS}
    manual = PAGE.read_text(encoding="utf-8").replace("\\-", "-")
    shown = 0
    for argument in app[command].assemble_argument_collection(parse_docstring=True):
        if not argument.children and argument.parameter.parse is not False:
            shown += 1
            assert argument.field_info.name in own | shared
            assert argument.parameter.help
            assert argument.name in manual
    assert shown or not own


@pytest.mark.parametrize(("path", "summary"), _COMMANDS, ids=COMMANDS)
def test_the_list_of_commands_says_what_their_help_says(path: str, summary: str) -> None:
    module, _, function = path.partition(":")
    documented = inspect.getdoc(getattr(importlib.import_module(module), function)) or ""
    assert documented.splitlines()[0] == summary
