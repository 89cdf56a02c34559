"""Widgets that are drawn line by line."""

from collections.abc import Iterable, Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


def refresh_changed(widget: Widget, before: Sequence[Strip], now: Sequence[Strip]) -> None:
    """Have the lines drawn that have changed; where their number has, the screen is laid out again."""
    if len(now) != len(before):
        widget.refresh(layout=True)
        return
    refresh_lines(widget, (y for y, (line, old) in enumerate(zip(now, before, strict=True)) if line != old))


def refresh_lines(widget: Widget, lines: Iterable[int]) -> None:
    """Have some lines drawn; those in a row at once, since each region costs more than a line."""
    regions: list[Region] = []
    for y in lines:
        if 0 <= y < widget.size.height:
            if regions and regions[-1].bottom == y:
                regions[-1] = regions[-1].grow((0, 0, 1, 0))
            else:
                regions.append(Region(0, y, widget.size.width, 1))
    if regions:
        widget.refresh(*regions)
