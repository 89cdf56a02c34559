"""Which videos a run may make, as the scheduler sees it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Free:
    """Nobody else has the video."""


@dataclass(frozen=True, slots=True)
class Held:
    """Another run, `by` whom, is making the video."""

    by: str


@dataclass(frozen=True, slots=True)
class Completed:
    """Another run has published the video since this one began."""

    by: str


Standing = Free | Held | Completed


class Claims(Protocol):
    """Sees to it that no video is made twice."""

    def look(self, job_id: str) -> Standing:
        """Who has a video."""
        ...

    def take(self, job_id: str) -> Standing:
        """Take a video; `Free` says that it is this run's now."""
        ...

    def owns(self, job_id: str) -> bool:
        """Whether a video that was taken is still this run's."""
        ...

    def release(self, job_id: str, *, made: bool) -> None:
        """Give a video back; `made` says that its result has been published."""
        ...
