"""Completions that only this program knows, such as names of presets. They import when they are asked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext


def preset_names(_context: "CompletionContext") -> Mapping[str, str]:
    """Every preset, the user's own too, with its description."""
    from vhsbatch.config.preset_files import load_presets
    from vhsbatch.config.sources import load_settings, preset_paths

    presets = load_presets(preset_paths(load_settings({})))
    return {preset.name: preset.description for preset in presets.values()}


def preset_lists(context: "CompletionContext") -> Mapping[str, str]:
    """Names separated by commas: what has been typed, with each preset that is not in it."""
    typed = context.incomplete.rpartition(",")[0]
    before = f"{typed}," if typed else ""
    return {
        f"{before}{name}": description
        for name, description in preset_names(context).items()
        if name not in typed.split(",")
    }


def encoder_names(_context: "CompletionContext") -> tuple[str, ...]:
    """Every encoder that an option can name."""
    from typing import get_args

    from vhsbatch.config.preset_schema import EncoderName

    return get_args(EncoderName)


def videos_to_steer(context: "CompletionContext") -> Mapping[str, str]:
    """The videos of the batch that runs into the typed folder, of which the typed wish can be had."""
    import os
    import shlex
    from pathlib import Path

    from vhsbatch.cli.steer import videos_in

    typed = context["output_folder"].raw or ""
    # os.path leaves the folder of an unknown user alone where pathlib would fail.
    folder = Path(os.path.expanduser(typed))  # noqa: PTH111
    if not folder.is_dir():
        # Some shells hand a word on as it was typed, with its quotes.
        folder = Path(os.path.expanduser("".join(shlex.split(typed)[:1])))  # noqa: PTH111
    return videos_in(folder, context["what"].raw or "")


def added_model_names(_context: "CompletionContext") -> tuple[str, ...]:
    """The models that the user has added."""
    from vhsbatch.engines.added_models import added_models

    return tuple(added_models())
