"""Pictures in a terminal: in which way it shows them best."""

import io
import os
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment
from textual.geometry import Size
from textual.widget import Widget

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual_image.widget import HalfcellImage, SixelImage, TGPImage

if sys.platform == "win32":
    _TerminalError = OSError
else:
    import termios

    _TerminalError = termios.error

_ANSWER_WITHIN_S = 2.0
_WHO_ARE_YOU = "\x1b[>q"
_I_AM, _END = "\x1bP>|", "\x1b\\"
# kitty took pictures long before it knew placeholders, letters that stand for a part of a picture.
_KITTY = re.compile(r"kitty\((\d+)\.(\d+)")
_KITTY_WITH_PLACEHOLDERS = (0, 28)


def learn_what_the_terminal_shows() -> None:
    """Ask the terminal whether it shows pictures: to be called before Textual reads its answers.

    What shows none gets half blocks; one that does not answer is waited for two seconds.
    """
    try:
        _best_widget()
    except (ArithmeticError, OSError, ValueError, _TerminalError):
        # The terminal has no size, or answers nonsense: nothing more is asked of it.
        stdout, sys.__stdout__ = sys.__stdout__, io.StringIO()  # type: ignore[misc, assignment]
        try:
            _best_widget()
        finally:
            sys.__stdout__ = stdout  # type: ignore[misc]


class Cells:
    """A picture as the cells of a terminal: half blocks, or places of a picture that the terminal has.

    Attributes:
        rows: the cells of each line, from the top down.
    """

    def __init__(self, picture: "Image", size: Size, console: Console, *, coloured: bool = True) -> None:
        """Lay a picture out.

        Args:
            picture: the picture.
            size: the cells that it fills.
            console: renders it.
            coloured: whether colours are wanted. Without them there are half blocks, which become grey.
        """
        from textual_image import renderable, widget

        by_kitty = coloured and _best_widget() is widget.TGPImage
        kind = renderable.TGPImage if by_kitty else renderable.HalfcellImage
        self._renderable = kind(picture, size.width, size.height)
        options = console.options.update(width=size.width, height=size.height)
        self.rows: list[list[Segment]] = [[]]
        for segment in console.render(self._renderable, options):
            text = segment.text.rstrip("\n")
            # Of a picture that the terminal has, a cell is a letter with marks for its place.
            each = len(text) // size.width if len(text) > 1 else 1
            self.rows[-1] += [
                Segment(text[at : at + each], segment.style) for at in range(0, len(text), each)
            ]
            if segment.text.endswith("\n"):
                self.rows.append([])
        self.rows = [row for row in self.rows if row]

    def clean_up(self) -> None:
        """Have the terminal forget the picture."""
        self._renderable.cleanup()


def sixel_widget(picture: "Image") -> Widget | None:
    """A picture in sixels where that is how the terminal shows pictures: they lie over its cells."""
    from textual_image.widget import SixelImage

    return SixelImage(picture) if _best_widget() is SixelImage else None


def fitting(picture: "Image", area: Size) -> Size:
    """How many cells a picture fills of those that there are: as many as its shape allows."""
    from textual_image._geometry import ImageSize
    from textual_image._terminal import get_cell_size

    size = ImageSize(picture.width, picture.height, "auto", "auto")
    return Size(*size.get_cell_size(max(1, area.width), max(1, area.height), get_cell_size()))


@cache
def _best_widget() -> "type[HalfcellImage | SixelImage | TGPImage]":
    in_tmux = "TMUX" in os.environ
    if in_tmux:
        # The terminal outside tmux would answer after tmux itself, and its answer would be taken for keys.
        from textual_image import _terminal

        _terminal._tgp_support_query = str  # noqa: SLF001 - a question of no letters
    # It asks when it is imported.
    from textual_image import renderable, widget

    if renderable.Image is renderable.SixelImage and (not in_tmux or _tmux_shows_sixels()):
        return widget.SixelImage
    if renderable.Image is renderable.TGPImage and _knows_placeholders(_who_the_terminal_is()):
        return widget.TGPImage
    # Without a terminal, as in a browser, the library would take grey letters.
    return widget.HalfcellImage


def _tmux_shows_sixels() -> bool:
    """Whether the terminal outside tmux shows those that tmux takes."""
    asked = ("tmux", "display-message", "-p", "#{client_termfeatures}")
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=_ANSWER_WITHIN_S)
    except (OSError, subprocess.SubprocessError):
        return False
    return "sixel" in done.stdout.strip().split(",")


def _who_the_terminal_is() -> str:
    """What the terminal calls itself; nothing if it does not say."""
    from textual_image._terminal import TerminalError, capture_terminal_response

    stdout = sys.__stdout__
    if stdout is None:
        return ""
    try:
        with capture_terminal_response(_I_AM, _END, _ANSWER_WITHIN_S) as response:
            stdout.write(_WHO_ARE_YOU)
            stdout.flush()
    except (TerminalError, TimeoutError):
        return ""
    return str(response.sequence).removeprefix(_I_AM).removesuffix(_END)


def _knows_placeholders(name: str) -> bool:
    """Whether a terminal that takes kitty's pictures shows those that placeholders stand for. Pure."""
    if (kitty := _KITTY.match(name)) is not None:
        return (int(kitty[1]), int(kitty[2])) >= _KITTY_WITH_PLACEHOLDERS
    return name.startswith("ghostty")
