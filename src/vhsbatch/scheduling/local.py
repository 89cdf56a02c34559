"""The executor that does everything on this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vhsbatch.errors import ChainError
from vhsbatch.model.events import JobPublished, SegmentFinished, Telemetry
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.pipeline.assemble import assemble
from vhsbatch.pipeline.segment import make_segment
from vhsbatch.pipeline.workplace import Workplace


class LocalExecutor:
    """Runs chains as child processes of this one."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace

    async def make_segment(
        self,
        plan: JobPlan,
        segment: Segment,
        *,
        lane: int,
        attempt: int,
        fallback: int,
        tell: Callable[[Telemetry], None],
    ) -> SegmentFinished:
        """See `Executor`."""
        with _file_errors_in_words():
            return await make_segment(
                plan, segment, self._workplace, lane=lane, attempt=attempt, fallback=fallback, tell=tell
            )

    async def assemble(
        self,
        plan: JobPlan,
        segments: tuple[SegmentFinished, ...],
        *,
        lane: int,
        tell: Callable[[Telemetry], None],
    ) -> JobPublished:
        """See `Executor`."""
        with _file_errors_in_words():
            return await assemble(plan, segments, self._workplace, lane=lane, tell=tell)


@contextmanager
def _file_errors_in_words() -> Iterator[None]:
    """What a file system refuses is a failure like that of a child process, and may pass like it."""
    try:
        yield
    except OSError as error:
        raise ChainError(f"{error.filename or 'a file'}: {error.strerror}") from error
