"""Snapshots before and after of every result, made by FFmpeg and kept for the report."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import anyio
import anyio.to_thread

from vhsbatch.errors import ShortageError, ToolError
from vhsbatch.ffmpeg.snapshot_commands import after_command, before_command, snapshot_size, source_frame_s
from vhsbatch.model.plan import JobPlan
from vhsbatch.process.spawn import run
from vhsbatch.restore.workspace import make_private

# Where a tape may show something, as parts of its length; the first is taken that does.
_MOMENTS = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4))
# A smaller JPEG than this shows a black or blue screen.
_LEAST_BYTES_PER_PIXEL = 0.02
_TIMEOUT_S = 60.0
# A source in which no place can be found is decoded from its beginning, but not for long.
_DECODE_AT_MOST_S = Fraction(20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The snapshots of one result, which may not exist."""

    before: Path
    after: Path

    @property
    def exists(self) -> bool:
        """Whether both are there."""
        return self.before.is_file() and self.after.is_file()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Makes and finds snapshots.

    Attributes:
        folder: where they are kept.
        ffmpeg: the program.
        niceness: how much its priority is lowered.
    """

    folder: Path
    ffmpeg: str
    niceness: int

    def of(self, plan: JobPlan) -> Pair:
        """Where the snapshots of a result are; another plan for the same video has others."""
        name = hashlib.sha256(os.fsencode(plan.job.id)).hexdigest()[:12]
        stem = f"{name}-{plan.fingerprint[:12]}"
        return Pair(before=self.folder / f"{stem}-before.jpg", after=self.folder / f"{stem}-after.jpg")

    async def make(self, plan: JobPlan) -> None:
        """Make the snapshots of a published result; leave out those that fail."""
        pair, width_height = self.of(plan), snapshot_size(plan)
        enough_bytes = _LEAST_BYTES_PER_PIXEL * width_height[0] * width_height[1]
        with contextlib.suppress(OSError, ToolError, ShortageError, TimeoutError):
            await anyio.to_thread.run_sync(make_private, self.folder, self.folder.parent)
            for moment in _MOMENTS:
                at_s = _frame_time_s(plan, moment)
                after = after_command(self.ffmpeg, plan, max(Fraction(0), at_s - plan.from_s), pair.after)
                await run(after, timeout_s=_TIMEOUT_S, niceness=self.niceness)
                if (await anyio.Path(pair.after).stat()).st_size >= enough_bytes:
                    break
            before = before_command(self.ffmpeg, plan, at_s, pair.before)
            await run(before, timeout_s=_TIMEOUT_S, niceness=self.niceness)


def _frame_time_s(plan: JobPlan, moment: Fraction) -> Fraction:
    """When a frame of the source begins that is shown about `moment` of the way through."""
    length_s = plan.duration_s if plan.info.exact_seek else min(plan.duration_s, _DECODE_AT_MOST_S)
    return source_frame_s(plan, plan.from_s + length_s * moment)
