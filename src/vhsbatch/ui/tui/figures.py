"""Numbers and texts drawn in the cells of a terminal. Pure."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size


def bar(part: float, width: int) -> str:
    """A bar of `width` characters, in eighths of a character.

    >>> bar(0.5, 4), bar(0.3, 4)
    ('██  ', '█▎  ')
    """
    eighths = round(max(0.0, min(1.0, part)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as bars that are up to a line high; the highest is the measure.

    >>> sparkline([1, 2, 4, 8], 4), sparkline([], 3)
    ('▁▂▄█', '   ')
    """
    shown = list(values)[-width:]
    highest = max(shown, default=0.0)
    if highest <= 0:
        return " " * width
    levels = "▁▂▃▄▅▆▇█"
    line = "".join(levels[max(0, min(7, round(value / highest * 8) - 1))] for value in shown)
    return line.rjust(width)


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells; what does not fit is cut in the middle, where names differ least."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    head = width // 2
    tail = text
    while cell_len(tail) > width - head - 1:
        tail = tail[1:]
    return set_cell_size(set_cell_size(text, head) + "…" + tail, width)
