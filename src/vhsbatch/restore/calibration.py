"""A short piece of a video, made as in a batch and thrown away, to see how long its kind takes."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import anyio

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.events import SegmentFinished
from vhsbatch.events.telemetry import Progress, Telemetry
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.restore.segment import make_segment
from vhsbatch.restore.workspace import Workspace

# Two lengths tell what a piece costs and what a frame costs.
_LENGTHS_S = (2, 6)
_LONGEST_S = 20.0


@dataclass(slots=True)
class Tried:
    """What was seen.

    Attributes:
        pieces: frames and seconds of each piece.
        sizes: frames and bytes of each piece that was finished.
    """

    pieces: list[tuple[int, float]] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)


async def calibrate(plan: JobPlan, workspace: Workspace, *, lanes: int) -> Tried:
    """Make short pieces of a video, as many at a time as there will be lanes.

    A piece that takes too long is stopped, and counts with the frames that it has by then.

    Args:
        plan: the video.
        workspace: where; nothing is left in it.
        lanes: how many pieces at a time.
    """
    tried = Tried()
    for length_s in _LENGTHS_S:
        frames = max(1, min(round(length_s * plan.rate), plan.frames))
        async with anyio.create_task_group() as group:
            for lane, segment in enumerate(_pieces(plan, frames, lanes), start=1):
                group.start_soon(_try, plan, segment, workspace, lane, tried)
    return tried


def _pieces(plan: JobPlan, frames: int, count: int) -> Sequence[Segment]:
    """Pieces from the middle of a video, which are alike in length."""
    disk_space = plan.frames - frames
    starts = [disk_space * (number + 1) // (count + 1) for number in range(count)]
    return [
        Segment(index=number * 10 + frames, start_frame=start, stop_frame=start + frames)
        for number, start in enumerate(starts)
    ]


async def _try(plan: JobPlan, segment: Segment, workspace: Workspace, lane: int, tried: Tried) -> None:
    seen_frames, seen_s, started_s = 0, 0.0, time.monotonic()

    def tell(event: Telemetry) -> None:
        nonlocal seen_frames, seen_s
        if isinstance(event, Progress) and event.done_frames > seen_frames:
            seen_frames, seen_s = event.done_frames, time.monotonic() - started_s

    finished: SegmentFinished | None = None
    # What cannot be made fails in the batch, and says why there.
    with suppress(VhsBatchError), anyio.move_on_after(_LONGEST_S):
        here = replace(workspace, temporary=workspace.temporary / f"{lane}")
        await anyio.Path(here.temporary).mkdir(exist_ok=True)
        finished = await make_segment(plan, segment, here, lane=lane, attempt=1, fallback=0, tell=tell)
    if finished is not None:
        tried.pieces.append((finished.frames, finished.wall_s))
        tried.sizes.append((finished.frames, finished.size_bytes))
    elif seen_frames:
        tried.pieces.append((seen_frames, seen_s))
