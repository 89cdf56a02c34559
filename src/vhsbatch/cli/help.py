"""What is said to someone who does not know the program yet: the first commands, and the common options."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import HelpPanel
    from rich.console import Console, ConsoleOptions

ALL_OPTIONS = "--help-all"

FIRST_STEPS = """\
vhs-upscale restores digitised VHS tapes. What to type first:

  vhs-upscale doctor                  check what works on this machine
  vhs-upscale analyze TAPE.avi        measure a capture and suggest a preset
  vhs-upscale batch IN OUT --dry-run  show what would be done, and its time
  vhs-upscale batch IN OUT            restore every capture in the folder IN
  vhs-upscale batch IN OUT --resume   continue after an interruption

Nothing in IN is changed; the results go to OUT, which is created.
vhs-upscale --help lists all commands; vhs-upscale COMMAND --help explains one."""

# What most people need. All others are in the manual page too.
COMMON_OPTIONS = frozenset(
    {
        *("--preset", "--auto-detect", "--resolution", "--crf", "--encoder", "--engine", "--parallel"),
        *("--resume", "--skip-existing", "--overwrite", "--recursive", "--dry-run", "--no-tui"),
        *("--output", "--settle", "--poll", "--config"),
    }
)

_EXAMPLES = {
    "batch": (
        "batch captures restored --dry-run",
        "batch captures restored --auto-detect --parallel 2",
        "batch captures restored --resume",
    ),
    "watch": (
        "watch captures restored --auto-detect --recursive",
        "watch /mnt/share restored --poll 30",
        "watch --config vhsbatch.toml",
    ),
    "upscale": (
        "upscale tape.avi -o restored",
        "upscale tape.avi -o film.mkv --auto-detect",
        "upscale tape.avi -o restored --resume",
    ),
}


class CommonOptions:
    """Shows the common options of a command; all of them if that was asked for."""

    def __init__(self) -> None:
        """Show the common ones."""
        self.everything = False

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Print a panel; nothing where none of its options is common."""
        from cyclopts.help import DefaultFormatter

        if not self.everything and panel.format == "parameter":
            panel = panel.copy(
                entries=[
                    entry
                    for entry in panel.entries
                    if entry.positional_label is not None or not COMMON_OPTIONS.isdisjoint(entry.names)
                ]
            )
        if panel.entries:
            DefaultFormatter()(console, options, panel)

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        """Print the first line, as it is elsewhere."""
        from cyclopts.help import DefaultFormatter

        DefaultFormatter().render_usage(console, options, usage)


# One program shows one help.
common_options = CommonOptions()


def epilogue(command: str) -> str | None:
    """Examples of a command with many options, and where the others are; None for other commands."""
    if command not in _EXAMPLES:
        return None
    examples = "\n".join(f"  vhs-upscale {example}" for example in _EXAMPLES[command])
    return f"Examples:\n{examples}\n\nvhs-upscale {command} {ALL_OPTIONS} shows all options."
