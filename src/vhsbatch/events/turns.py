"""In which order the videos of a batch are begun."""

from collections import deque
from collections.abc import Iterable, Iterator

from vhsbatch.events.events import JobFact, JobPlanned, JobPrioritised, JobRetried
from vhsbatch.events.job_state import JobState, Phase

_BY_LENGTH = {"shortest": 1, "longest": -1}


class Turns:
    """The open videos in their turns.

    What has been begun goes on first; then the higher priority; then the batch's order. Lengths are known
    of what is planned: videos that are not planned come later, and nothing waits for them.

    The work is given out by this, and sorting ten thousand videos takes milliseconds: what waits is sorted
    when its order may have changed, and not for every segment.
    """

    def __init__(self, videos: Iterable[JobState] = (), order: str = "name") -> None:
        """Create the turns of a batch.

        Args:
            videos: the open ones, in the order of the batch.
            order: as `--order` names it.
        """
        self._by_length = _BY_LENGTH.get(order)
        self._videos = list(videos)
        self._begun = {job.job.id: job for job in self._videos if job.started_s is not None}
        self._waiting: deque[JobState] | None = None

    def note(self, job: JobState, fact: JobFact) -> None:
        """Take in what became of a video by a fact about it."""
        if job.started_s is not None and not job.phase.ended:
            self._begun[job.job.id] = job
        else:
            self._begun.pop(job.job.id, None)
        match fact:
            case JobPrioritised() | JobRetried():
                self._waiting = None
            case JobPlanned() if self._by_length is not None:
                self._waiting = None
            case _:
                pass

    @property
    def under_way(self) -> Iterable[JobState]:
        """Videos that have been begun, also those that have been left to another run since."""
        return self._begun.values()

    def begun(self) -> list[JobState]:
        """Videos that have been begun, the ones to go on with first."""
        return sorted((job for job in self.under_way if _is_here(job)), key=self._key)

    def waiting(self) -> Iterator[JobState]:
        """Videos that have not been begun, the next one first."""
        if self._waiting is None:
            left = (job for job in self._videos if not _is_past(job))
            self._waiting = deque(sorted(left, key=self._key))
        while self._waiting and _is_past(self._waiting[0]):
            self._waiting.popleft()
        return (job for job in self._waiting if not _is_past(job) and _is_here(job))

    def _key(self, job: JobState) -> tuple[float, ...]:
        if self._by_length is None:
            return (-job.priority,)
        if job.plan is None:
            return -job.priority, 1, 0
        return -job.priority, 0, self._by_length * float(job.plan.duration_s)


def _is_past(job: JobState) -> bool:
    return job.started_s is not None or job.phase.ended


def _is_here(job: JobState) -> bool:
    return job.phase is not Phase.HELD
