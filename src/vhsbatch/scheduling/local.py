"""The executor that does everything on this machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from vhsbatch.errors import ChainError, ShortageError
from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.events.state import BatchState
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.process.threads import in_thread
from vhsbatch.restore.assemble import assemble
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.workspace import Workspace
from vhsbatch.scheduling.gpus import Gpus
from vhsbatch.scheduling.shortages import shortage


class LocalExecutor:
    """Runs chains as child processes of this one."""

    def __init__(self, workspace: Workspace, *, state: BatchState, threads: int, gpus: Gpus) -> None:
        """Create an executor.

        Args:
            workspace: where and with what it works.
            state: the batch, whose lanes share the threads; only read.
            threads: CPU threads for all lanes together.
            gpus: what the model runs on.
        """
        self._workspace = workspace
        self._state = state
        self._threads = threads
        self._gpus = gpus

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
        await expect_there(self._workspace)
        workspace = self._shared_by(self._state.lanes)
        placed = self._gpus.placed(plan, segment, workspace, lane=lane, step=fallback)
        async with placed as (way, workspace):
            with file_errors_in_words():
                return await make_segment(
                    plan,
                    segment,
                    workspace,
                    lane=lane,
                    attempt=attempt,
                    fallback=fallback,
                    tell=tell,
                    way=way,
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
        await expect_there(self._workspace)
        with file_errors_in_words():
            # The last videos are joined when there is nothing else to do: by whatever lies idle.
            workspace = self._shared_by(min(self._state.lanes, self._state.busy_lanes))
            return await assemble(plan, segments, workspace, lane=lane, tell=tell)

    def _shared_by(self, lanes: int) -> Workspace:
        """The workplace, with the part of the threads that falls to one of `lanes`."""
        return replace(self._workspace, threads_per_lane=max(1, self._threads // max(1, lanes)))


async def expect_there(workspace: Workspace) -> None:
    """Check that the folders exist: what is made in place of one that is away is lost when it returns.

    Raises:
        ChainError: one is not.
    """
    for folder in (workspace.temporary, workspace.publishing.parent):
        # A share that is away answers in many ways.
        if not await in_thread(os.path.isdir, folder):
            raise ChainError(f"{folder} is away", fix="mount it, or bring it back")


@contextmanager
def file_errors_in_words() -> Iterator[None]:
    """What a file system refuses is a failure like that of a child process, and may pass like it."""
    try:
        yield
    except RuntimeError as error:
        if (why := shortage(error)) is None:
            raise
        raise ShortageError(why) from error
    except OSError as error:
        raise ChainError(f"{error.filename or 'a file'}: {error.strerror}") from error
