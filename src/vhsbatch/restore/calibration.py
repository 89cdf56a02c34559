"""A few frames of a video, made as in a batch and thrown away, to see how long its kind takes."""

import time
from contextlib import suppress

import anyio
import anyio.to_thread

from vhsbatch.errors import VhsBatchError
from vhsbatch.events.telemetry import unheard
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.restore.segment import make_part
from vhsbatch.restore.workspace import Workspace, make_private

# About a second of a core with FFmpeg's filters and x264: six frames of 1440x1080.
_PIXELS = 10_000_000
_FEWEST, _MOST = 3, 24
# A frame of the model on the CPU takes seconds, and has no start-up to speak of beside them.
_FRAMES_OF_MODEL = 2
_LONGEST_S = 20.0


async def calibrate(plan: JobPlan, workspace: Workspace) -> tuple[list[tuple[int, float]], float | None]:
    """Make one frame and a few, from the middle of a video: two lengths tell the start-up from the frames.

    Args:
        plan: the video.
        workspace: where; nothing is left in it.

    Returns:
        Frames and seconds of each piece that was finished in time, and the bytes of a frame.
    """
    pieces: list[tuple[int, float]] = []
    bytes_per_frame = None
    await anyio.to_thread.run_sync(make_private, workspace.temporary)
    # What cannot be made fails in the batch, and says why there.
    with suppress(VhsBatchError), anyio.move_on_after(_LONGEST_S):
        for frames in sorted({1, min(plan.frames, _frames_to_try(plan))}):
            start = plan.first_frame + (plan.frames - frames) // 2
            segment = Segment(index=frames, start_frame=start, stop_frame=start + frames)
            part = workspace.temporary / f"{frames}.part"
            began_s = time.monotonic()
            made = await make_part(
                plan, segment, workspace, part, lane=1, attempt=1, fallback=0, tell=unheard
            )
            pieces.append((frames, time.monotonic() - began_s))
            bytes_per_frame = made.size_bytes / frames
    return pieces, bytes_per_frame


def _frames_to_try(plan: JobPlan) -> int:
    if plan.upscaling is not None and plan.upscaling.device == "cpu":
        return _FRAMES_OF_MODEL
    return max(_FEWEST, min(_MOST, _PIXELS // (plan.width * plan.height)))
