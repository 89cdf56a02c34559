"""Widgets that are drawn line by line."""

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class DrawnLines(Widget):
    """Lines that stay as they were in the last refresh, like all else on the screen.

    Attributes:
        strips: the lines.
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.strips: list[Strip] = []

    def draw(self, strips: Sequence[Strip]) -> None:
        """Have the lines drawn that have changed; where their number has, the screen is laid out again."""
        before, self.strips = self.strips, list(strips)
        if len(self.strips) != len(before):
            self.refresh(layout=True)
            return
        pairs = enumerate(zip(self.strips, before, strict=True))
        refresh_lines(self, (y for y, (line, old) in pairs if line != old))

    def strip_of(self, pieces: Sequence[tuple[str, str]]) -> Strip:
        """A line of pieces, each with the name of the component class that it looks like."""
        segments = [Segment(text, self.get_component_rich_style(name)) for text, name in pieces]
        return Strip(segments).adjust_cell_length(self.size.width, segments[0].style)

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        return self.strips[y] if y < len(self.strips) else Strip.blank(self.size.width, self.rich_style)


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
