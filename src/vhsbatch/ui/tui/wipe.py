"""A picture before and after, one beside the other, with a boundary that can be moved."""

import io
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vhsbatch.ui.tui.graphics import Cells, fitting, sixel_widget

if TYPE_CHECKING:
    from PIL.Image import Image

_BOUNDARY = "│"
_MIDDLE = 0.5


class Wipe(Widget):
    """Left of the boundary the picture is as before, right of it as after.

    Both pictures are turned into cells once; a step of the boundary draws the columns that it crosses.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"wipe--boundary"}

    def __init__(self) -> None:
        super().__init__()
        self._pictures: tuple[Image | None, Image | None] = (None, None)
        self._cells: tuple[Cells | None, Cells | None] = (None, None)
        self._place = Region()
        self._column = 0
        self._sixels: Widget | None = None
        self.position = _MIDDLE

    @property
    def picture(self) -> "Image | None":
        """A picture that gives the shape of both."""
        return next((each for each in self._pictures if each is not None), None)

    @property
    def has_both(self) -> bool:
        """Whether there is something to compare."""
        return None not in self._pictures

    @property
    def can_glide(self) -> bool:
        """Whether steps of the boundary are small: sixels have to be sent as a whole each time."""
        return self.has_both and self._sixels is None

    def show(self, before: "Image | None", after: "Image | None") -> None:
        """Show these pictures; where one is missing, the other alone."""
        self._pictures = (before, after)
        self._lay_out()

    def move(self, position: float) -> None:
        """Put the boundary somewhere: 0 is the left edge, 1 the right one."""
        self.position = min(1.0, max(0.0, position))
        if self._sixels is not None:
            self._lay_out()
            return
        column = self._column_at_boundary()
        if column != self._column and self._place.width:
            left, right = sorted((column, self._column))
            self._column = column
            self.refresh(Region(self._place.x + left, self._place.y, right - left + 1, self._place.height))

    def on_resize(self) -> None:
        """Use the room that there is now."""
        self._lay_out()

    def on_unmount(self) -> None:
        """Leave no pictures in the terminal."""
        self._forget()

    def _lay_out(self) -> None:
        self._forget()
        shown = self.picture
        area = self.size
        if shown is None or not area.width or not area.height:
            self._place = Region()
            self.refresh()
            return
        size = fitting(shown, area)
        self._place = Region((area.width - size.width) // 2, 0, size.width, size.height)
        self._column = self._column_at_boundary()
        coloured = not self.app.no_color
        if coloured and self._show_sixels(shown.size):
            return
        before, after = (
            None
            if picture is None
            else Cells(picture.resize(shown.size), size, self.app.console, coloured=coloured)
            for picture in self._pictures
        )
        self._cells = (before, after)
        self.refresh()

    def _show_sixels(self, pixels: tuple[int, int]) -> bool:
        """Show one picture of both in sixels; False where the terminal shows others."""
        before, after = self._pictures
        picture = before or after
        if before is not None and after is not None:
            picture = before.resize(pixels)
            left = round(pixels[0] * self.position)
            picture.paste(after.resize(pixels).crop((left, 0, *pixels)), (left, 0))
        widget = None if picture is None else sixel_widget(picture)
        if widget is None:
            return False
        widget.styles.width, widget.styles.height = self._place.width, self._place.height
        widget.styles.offset = (self._place.x, 0)
        old, self._sixels = self._sixels, widget
        if old is not None:
            old.remove()
        self.mount(widget)
        return True

    def _forget(self) -> None:
        for cells in self._cells:
            if cells is not None:
                cells.clean_up()
        self._cells = (None, None)

    def _column_at_boundary(self) -> int:
        return round(self.position * max(0, self._place.width - 1))

    def render_line(self, y: int) -> Strip:
        """One line of both pictures."""
        before, after = self._cells
        row = y - self._place.y
        if (before is None and after is None) or not 0 <= row < self._place.height:
            return Strip.blank(self.size.width, self.rich_style)
        line: list[Segment] = [Segment(" " * self._place.x, self.rich_style)]
        if before is not None and after is not None:
            boundary = Segment(_BOUNDARY, self.get_component_rich_style("wipe--boundary"))
            at = self._column
            line += [*before.rows[row][:at], boundary, *after.rows[row][at + 1 :]]
        else:
            line += (before or after).rows[row]  # type: ignore[union-attr]
        return Strip(line).adjust_cell_length(self.size.width, self.rich_style)


def decoded(jpeg: bytes | None) -> "Image | None":
    """The picture in a file; None if there is none."""
    from PIL.Image import open as open_picture

    try:
        picture = None if jpeg is None else open_picture(io.BytesIO(jpeg))
        if picture is not None:
            picture.load()
    except OSError:
        return None
    return picture
