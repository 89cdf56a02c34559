"""Pictures in a terminal: in which way it shows them best."""

import io
import os
import re
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

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


def picture_widget(picture: "Image", *, coloured: bool = True) -> Widget:
    """A picture as the terminal shows it best: by kitty's protocol, in sixels, or in half blocks.

    Args:
        picture: the picture.
        coloured: whether colours are wanted. Without them there are half blocks, which become grey.
    """
    from textual_image.widget import HalfcellImage

    return (_best_widget() if coloured else HalfcellImage)(picture)


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
