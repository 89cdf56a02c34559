"""The keys that can be pressed here, at the bottom: in as many lines as they need, and to be clicked."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from textual.content import Content
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from vhsbatch.ui.tui.controls import Control

_BETWEEN = "  "
_KEY = Style(bold=True)
# The part of the screen that keys take at most: a sixth.
_PART = 6


class Keys(Widget):
    """What can be done, in words and keys.

    What belongs together shares a word: ``u/d Move``.
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._controls: tuple[Control, ...] = ()

    def show(self, controls: Iterable[Control]) -> None:
        """Show these, if they are others than before."""
        now = tuple(controls)
        if now != self._controls:
            self._controls = now
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the keys need, where there are enough for all else."""
        return min(len(key_lines(self._controls, width)), max(1, viewport.height // _PART))

    def render(self) -> Content:
        """The keys."""
        return Content("\n").join(key_lines(self._controls, self.content_size.width))


def key_lines(controls: Sequence[Control], width: int) -> list[Content]:
    """The keys in lines of at most `width` columns, no word of which is torn from its keys. Pure."""
    lines: list[Content] = []
    for _, members in groupby(controls, lambda control: control.group or control.label):
        entry = _entry(tuple(members))
        if lines and lines[-1].cell_length + len(_BETWEEN) + entry.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], _BETWEEN, entry)
        else:
            lines.append(entry)
    return lines


def _entry(members: tuple[Control, ...]) -> Content:
    """``p Pause``, where all of it can be clicked, or ``u/d Move``, where each key can."""
    first, *others = members
    if not others:
        word = (f" {first.label}", _click(first))
        return Content.assemble((_key(first), _KEY + _click(first)), word)
    keys = Content("/").join([Content.assemble((_key(member), _KEY + _click(member))) for member in members])
    return Content.assemble(keys, f" {first.group}")


def _key(control: Control) -> str:
    return control.shown_as or control.key


def _click(control: Control) -> Style:
    return Style.from_meta({"@click": f"app.{control.action}"})
