"""Numbers and texts drawn in the cells of a terminal. Pure."""

from collections.abc import Sequence
from functools import lru_cache

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
    return graph(values, width, 1)[0]


def graph(values: Sequence[float], width: int, height: int, top: float | None = None) -> list[str]:
    """The last `width` values as bars up to `height` lines high, from the top line down.

    Args:
        values: what is drawn; nothing is below 0.
        width: columns, one for each value.
        height: lines.
        top: the value that fills all lines; None for the highest of those that are drawn.

    >>> graph([1, 2, 4, 8], 4, 2)
    ['   █', '▂▄██']
    """
    shown = list(values)[-width:]
    measure = max(shown, default=0.0) if top is None else top
    eighths = [_eighths(value / measure, height) if measure > 0 else 0 for value in shown]
    return [
        "".join(" ▁▂▃▄▅▆▇█"[max(0, min(8, each - 8 * line))] for each in eighths).rjust(width)
        for line in reversed(range(height))
    ]


def _eighths(part: float, height: int) -> int:
    """How high a bar is; one that is not nothing is seen."""
    return max(1 if part >= 0 else 0, min(8 * height, round(part * 8 * height)))


@lru_cache(4096)
def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells; what does not fit is cut in the middle, where names differ least."""
    if cell_len(text) <= width or width < 1:
        return set_cell_size(text, max(0, width))
    head = width // 2
    tail = text
    while cell_len(tail) > width - head - 1:
        tail = tail[1:]
    return set_cell_size(set_cell_size(text, head) + "…" + tail, width)
