"""What FFmpeg says about its progress (`-progress pipe:1`), parsed, and how fast that is."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeProgress:
    """One report.

    Attributes:
        frames: frames that left the encoder's filter graph so far.
        repeated_frames: frames that the output added on its own; anything but 0 is a defect here.
        dropped_frames: frames that the output dropped on its own; likewise.
        ended: whether this is the last report.
    """

    frames: int
    repeated_frames: int
    dropped_frames: int
    ended: bool


class ProgressParser:
    """Collects ``key=value`` lines; gives a report at the end of each block.

    FFmpeg prints a block every half second, which ends with ``progress=continue`` or ``progress=end``.
    """

    def __init__(self) -> None:
        self._block: dict[str, str] = {}

    def feed(self, line: str) -> EncodeProgress | None:
        """Take one line in; the report if the line ends a block."""
        key, separator, value = line.strip().partition("=")
        if not separator:
            return None
        self._block[key] = value.strip()
        if key != "progress":
            return None
        block, self._block = self._block, {}
        return EncodeProgress(
            frames=_count(block.get("frame")),
            repeated_frames=_count(block.get("dup_frames")),
            dropped_frames=_count(block.get("drop_frames")),
            ended=value.strip() == "end",
        )


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0


class Speed:
    """Frames per second over the last `window_s` seconds, smoothed so that a person can read it."""

    def __init__(self, now_s: float, *, window_s: float = 10.0) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int]] = deque([(now_s, 0)])

    def update(self, now_s: float, frames: int) -> float:
        """Take in that `frames` are done at `now_s`; frames per second."""
        self._seen.append((now_s, frames))
        while len(self._seen) > 2 and now_s - self._seen[1][0] >= self._window_s:
            self._seen.popleft()
        then_s, then_frames = self._seen[0]
        return (frames - then_frames) / (now_s - then_s) if now_s > then_s else 0.0
