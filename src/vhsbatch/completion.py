"""What a shell offers where only this program knows the choices; heavy imports are made when asked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext

Shell = Literal["bash", "zsh", "fish"]


def preset_names(_context: "CompletionContext") -> Mapping[str, str]:
    """Every preset, the user's own too, with its description."""
    from vhsbatch.config_layers import load_settings, preset_paths
    from vhsbatch.preset_files import load_presets

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

    from vhsbatch.preset_tables import EncoderName

    return get_args(EncoderName)
