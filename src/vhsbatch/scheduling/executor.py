"""What carries work out, as the scheduler sees it."""

from collections.abc import Callable
from typing import Protocol

from vhsbatch.events.events import JobPublished, SegmentFinished
from vhsbatch.events.telemetry import Telemetry
from vhsbatch.model.plan import JobPlan, Segment


class Executor(Protocol):
    """Makes segments and assembles outputs, here or elsewhere."""

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
        """Make and verify one segment.

        Args:
            plan: the video's plan.
            segment: which part of it.
            lane: the lane that is occupied.
            attempt: from 1.
            fallback: how often the model failed at it before.
            tell: takes telemetry.

        Raises:
            VhsBatchError: it could not be made; `transient` says whether to try again.
        """
        ...

    async def assemble(
        self,
        plan: JobPlan,
        segments: tuple[SegmentFinished, ...],
        *,
        lane: int,
        tell: Callable[[Telemetry], None],
    ) -> JobPublished:
        """Join `segments` with the audio, verify the result and publish it.

        Raises:
            VhsBatchError: it could not be published; nothing is under its final name.
        """
        ...
