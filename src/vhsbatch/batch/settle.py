"""Which files of a watched folder may be taken: those that have stopped growing. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Size and time of modification: what tells one content of a file from another.
Identity = tuple[int, int]


@dataclass(slots=True)
class Arrivals:
    """The files that have been seen, and since when each has been as it is.

    Attributes:
        settle_s: how long a file must stay as it is before it counts as complete.
    """

    settle_s: float
    _seen: dict[Path, tuple[Identity, float]] = field(default_factory=dict)
    _taken: dict[Path, Identity] = field(default_factory=dict)

    def look(self, files: Mapping[Path, Identity], *, now_s: float, wall_s: float) -> list[Path]:
        """The files that are complete.

        A file that nobody has written to for long is complete at first sight.

        Args:
            files: what is there.
            now_s: the time on a clock that never jumps.
            wall_s: the time of day, seconds since the epoch.
        """
        for path, identity in files.items():
            before = self._seen.get(path)
            if before is None:
                old = wall_s - identity[1] / 1e9 >= self.settle_s
                self._seen[path] = (identity, now_s - self.settle_s if old else now_s)
            elif before[0] != identity:
                self._seen[path] = (identity, now_s)
        # A file that has gone and comes back is a new one.
        self._seen = {path: seen for path, seen in self._seen.items() if path in files}
        return [path for path in self._waiting() if now_s - self._seen[path][1] >= self.settle_s]

    def next_look_s(self, now_s: float) -> float | None:
        """In how many seconds a file may be complete; None while none is growing."""
        left_s = [self._seen[path][1] + self.settle_s - now_s for path in self._waiting()]
        return min((one_s for one_s in left_s if one_s > 0), default=None)

    def take(self, path: Path, identity: Identity) -> None:
        """Leave this content of a file alone from now on: it has been restored, or has failed."""
        self._taken[path] = identity

    def _waiting(self) -> Iterable[Path]:
        return [path for path, (identity, _) in self._seen.items() if self._taken.get(path) != identity]
