"""Failures as facts. Pure apart from the clock."""

import time

from vhsbatch.engines.base import FACES, UPSCALE
from vhsbatch.errors import ChainError, VhsBatchError
from vhsbatch.events.events import SegmentFailed
from vhsbatch.scheduling.policy import MakeSegment


def segment_failed(
    work: MakeSegment, lane: int, error: VhsBatchError, *, final: bool, counts_as_attempt: bool
) -> SegmentFailed:
    """The fact that an attempt failed."""
    return SegmentFailed(
        at_s=time.time(),
        job_id=work.job_id,
        segment=work.segment.index,
        attempt=work.attempt,
        lane=lane,
        reason=str(error),
        final=final,
        by_model=is_by_model(error),
        counts_as_attempt=counts_as_attempt,
        detail=detail_of(error),
    )


def is_by_model(error: VhsBatchError) -> bool:
    """Whether the stage of a model is to blame."""
    return isinstance(error, ChainError) and error.culprit in (UPSCALE, FACES)


def detail_of(error: VhsBatchError) -> tuple[str, ...]:
    """What every stage of a failed chain said last."""
    if not isinstance(error, ChainError):
        return ()
    return tuple(
        line
        for stage in error.stages
        for line in (f"[{stage.stage}, exit code {stage.exit_code}]", *stage.stderr_tail)
    )
