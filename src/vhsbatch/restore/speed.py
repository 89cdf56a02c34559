"""How fast something is going, smoothed so that a person can read it."""

from collections import deque


class Speed:
    """Frames per second over the last `window_s` seconds."""

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
