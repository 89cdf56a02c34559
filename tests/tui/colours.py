"""How well what is on the screen can be told from what it is on."""

from collections.abc import Iterator

from rich.color import Color, ColorSystem
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from vhsbatch.ui.tui.app import BatchApp


def contrasts(app: BatchApp, *, sixteen: bool = False) -> Iterator[tuple[float, str]]:
    """The contrast of each piece of text on the screen, from 1 to 21, as WCAG counts it.

    Args:
        app: the application.
        sixteen: take of each colour the nearest of sixteen, as a terminal that has no others.
    """
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None and any(map(str.isalnum, segment.text)):
                yield contrast(segment.style, sixteen=sixteen), segment.text.strip()


def contrast(style: Style, *, sixteen: bool) -> float:
    fore, back = style.color or Color.default(), style.bgcolor or Color.default()
    if sixteen:
        fore, back = fore.downgrade(ColorSystem.STANDARD), back.downgrade(ColorSystem.STANDARD)
    if style.reverse:
        fore, back = back, fore
    lighter, darker = sorted((_luminance(fore, True), _luminance(back, False)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color, foreground: bool) -> float:
    channels = [value / 255 for value in colour.get_truecolor(DEFAULT_TERMINAL_THEME, foreground)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
