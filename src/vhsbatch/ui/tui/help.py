"""The keys, each with what it does."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from vhsbatch.ui.tui.controls import CONTROLS, PALETTE


def help_table() -> Table:
    """Every key, one row each. Pure."""
    table = Table.grid(padding=(0, 2))
    for control in (*CONTROLS, PALETTE):
        table.add_row(Text(control.shown_as or control.key, style="bold"), Text(control.text))
    return table


class HelpScreen(ModalScreen[None]):
    """The keys, until one is pressed that closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark,enter,escape", "app.pop_screen", "Close")
    ]

    def compose(self) -> ComposeResult:
        """The panel."""
        with Vertical(classes="panel"):
            with VerticalScroll():
                yield Static(help_table())
            yield Static(Text("Escape closes", style="dim"), classes="hint")
