"""Sources of variable rate that stay so: which do, where they are cut, and how frames get their times back.

Such a source is made frame by frame, at a constant rate, so that all else is as with any other source; its
segments are cut by time, between two frames. When they are joined, each frame is given the time that it
has in the source.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from anyio import to_thread

from vhsbatch.errors import ChainError, InputError, VerificationError
from vhsbatch.model.media import VideoTrack
from vhsbatch.model.plan import JobPlan, Segment
from vhsbatch.model.timeline import TICKS_PER_S
from vhsbatch.process.spawn import run

# Matroska's clock ticks in milliseconds.
_TOLERANCE_S = Fraction(1, 1000)


def own_frames(track: VideoTrack) -> int:
    """How many frames a source has, apart from the grid on which they could be laid."""
    overwritten = sum(place.frames for place in track.overwritten)
    return track.frames - track.repeated_frames + overwritten + track.dropped_frames


def cut_by_time(segments: Sequence[Segment], times_s: Sequence[Fraction]) -> tuple[Segment, ...]:
    """`segments` with the times between which they are cut, half-way between two frames.

    Args:
        segments: they tile the frames.
        times_s: when each frame is shown, from the first one, in seconds.

    Raises:
        InputError: two frames are shown at once.
    """
    ticks = in_ticks(times_s)
    if any(a >= b for a, b in pairwise(ticks)):
        raise InputError("two of its frames have the same time", fix="leave --vfr keep out")

    def before(frame: int) -> Fraction:
        if frame == 0:
            return times_s[0] - 1
        return times_s[-1] + 1 if frame == len(times_s) else (times_s[frame - 1] + times_s[frame]) / 2

    return tuple(
        replace(segment, from_s=before(segment.start_frame), to_s=before(segment.stop_frame))
        for segment in segments
    )


def in_ticks(times_s: Sequence[Fraction]) -> list[int]:
    """Times in ticks of the clock of what is joined."""
    return [round(time_s * TICKS_PER_S) for time_s in times_s]


async def retime(
    plan: JobPlan, files: Sequence[Path], times_s: Sequence[Fraction], output: Path, *, niceness: int = 0
) -> None:
    """Join segments to `output`, each frame at its own time.

    Raises:
        ChainError: they could not be joined.
    """
    job = {
        "files": [
            (str(path), segment.start_frame - plan.first_frame)
            for path, segment in zip(files, plan.segments, strict=True)
        ],
        "rate": str(plan.rate),
        "ticks": in_ticks(times_s),
    }
    job_file = output.with_suffix(".json")
    text = json.dumps(job, ensure_ascii=False)
    await to_thread.run_sync(lambda: job_file.write_text(text, encoding="utf-8", errors="surrogateescape"))
    command = (
        *(sys.executable, "-P", "-m", "vhsbatch.ffmpeg.retime_worker"),
        *(str(job_file), str(output)),
    )
    finished = await run(command, niceness=niceness)
    if finished.exit_code != 0:
        raise ChainError(
            f"the segments could not be joined: {finished.last_words}",
            culprit="retime",
            stages=(finished.failure("retime", command),),
        )


def expect_times(made_s: Sequence[Fraction], times_s: Sequence[Fraction]) -> None:
    """Hold the times of an output's frames against those of its source.

    Raises:
        VerificationError: the first difference.
    """
    if len(made_s) != len(times_s):
        raise VerificationError(f"the output has {len(made_s)} frames instead of {len(times_s)}")
    for number, (made, wanted) in enumerate(zip(made_s, times_s, strict=True), start=1):
        if abs(made - wanted) > _TOLERANCE_S:
            raise VerificationError(
                f"the output shows frame {number} at {float(made):.4f} s instead of {float(wanted):.4f} s"
            )
