"""The keys, each with what it does."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from vhsbatch.ui.tui.controls import CONTROLS, PALETTE


def help_text() -> Text:
    """Every key, one line each. Pure."""
    text = Text()
    text.append("Keys\n\n", style="bold")
    for control in (*CONTROLS, PALETTE):
        text.append(f"  {control.shown_as or control.key:<4}", style="bold")
        text.append(f"{control.text}\n")
    text.append("\nKeys that control the batch do nothing once it has ended.\n", style="dim")
    return text


class HelpScreen(ModalScreen[None]):
    """The keys, until one is pressed that closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,enter,escape", "app.pop_screen", "Close")
    ]

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(classes="panel"):
            with VerticalScroll():
                yield Static(help_text())
            yield Static(Text("Escape closes", style="dim"), classes="hint")
