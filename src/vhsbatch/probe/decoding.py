"""What decoding all of a source shows: where its field order changes, and what of it is damaged.

It is done once for each source, before it is planned: a change of field order may last a few frames only, and
damage shows nowhere else.
"""

import json
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any

import anyio.to_thread

from vhsbatch.errors import InputError
from vhsbatch.ffmpeg.formats import input_options, input_url
from vhsbatch.model.media import Caption, Captions, Damage
from vhsbatch.model.source import Source
from vhsbatch.probe.order_runs import Orders, find_orders
from vhsbatch.process.spawn import describe_exit, run

# The slowest machine and the largest picture; a process that hangs is ended nevertheless.
_SLOWEST_S_PER_FRAME = 1.0
# Damaged frames that are no further apart are one place.
_ONE_PLACE_S = Fraction(1)
# A gap of more frames than this does not come from damage.
_LONGEST_GAP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What decoding all of a source shows.

    Attributes:
        ticks: when each frame is shown, in the order in which they came, in the stream's time base; None
            where that is not known.
        damaged: when those are shown that are not what was recorded.
        overwritten: when those of them are shown that hold hardly anything that was recorded.
        lost: when those would be shown of which nothing could be decoded.
        orders: what the fields say; None where they were not looked at.
        captions: where captions are, and what they say from which tick to which; None where there are none.
    """

    ticks: tuple[int | None, ...]
    damaged: tuple[int, ...]
    overwritten: frozenset[int] = frozenset()
    lost: tuple[int, ...] = ()
    orders: Orders | None = None
    captions: tuple[str, tuple[tuple[int, int | None, str], ...]] | None = None

    def captions_from(self, first_tick: int, time_base: Fraction, rate: Fraction | None) -> Captions | None:
        """The captions, counted from the first frame; None without any.

        Args:
            first_tick: when the first frame is shown that is restored.
            time_base: seconds per tick.
            rate: that of the grid on which all frames lie; None where they have times of their own.
        """
        if self.captions is None:
            return None

        def counted(tick: int) -> Fraction:
            time_s = max(tick - first_tick, 0) * time_base
            return time_s if rate is None else round(time_s * rate) / rate

        place, cues = self.captions
        kept = tuple(
            Caption(from_s=counted(first), to_s=None if stop is None else counted(stop), text=text)
            for first, stop, text in cues
            if stop is None or stop > first_tick
        )
        return Captions(place=place, cues=kept) if kept else None

    def damage(
        self, first_tick: int, time_base: Fraction, holes: Sequence[int] = (), lost_frames: int = 0
    ) -> Damage | None:
        """How much is damaged, and where, counted from the first frame; None where nothing is.

        Args:
            first_tick: when the first frame is shown that is restored.
            time_base: seconds per tick.
            holes: when frames are shown behind which others are not even in the file.
            lost_frames: how many those are.
        """
        # What is before the first frame that decodes is not part of the picture.
        known = {
            tick for tick in (*self.damaged, *self.lost) if tick >= first_tick or tick in self.overwritten
        }
        if not known and not holes:
            return None
        missing = _missing_beside(sorted(known), self._shown(first_tick), round(_ONE_PLACE_S / time_base))
        bad = sorted(known | missing)
        times_s = [(max(tick, first_tick) - first_tick) * time_base for tick in sorted({*bad, *holes})]
        places: list[tuple[Fraction, Fraction]] = []
        for time_s in times_s:
            if places and time_s - places[-1][1] <= _ONE_PLACE_S:
                places[-1] = (places[-1][0], time_s)
            else:
                places.append((time_s, time_s))
        frames = len(known | (missing - set(holes))) + lost_frames
        return Damage(frames=frames, of_frames=len(self._shown(first_tick)) + frames, places=tuple(places))

    def _shown(self, first_tick: int) -> list[int]:
        """When frames are shown that are as they were recorded, ascending."""
        damaged = set(self.damaged)
        return sorted(
            tick for tick in self.ticks if tick is not None and tick >= first_tick and tick not in damaged
        )


def _missing_beside(damaged: list[int], shown: list[int], near: int) -> set[int]:
    """When frames would be shown that are not there at all, beside damage: other gaps are pauses.

    Args:
        damaged: when damaged frames are shown, ascending.
        shown: when the others are, likewise.
        near: how far from damage a gap may be, in ticks.
    """
    ticks = sorted({*damaged, *shown})
    usual = median_low([later - earlier for earlier, later in pairwise(ticks)] or [1])
    missing: set[int] = set()
    for earlier, later in pairwise(ticks):
        if not 3 * usual < 2 * (later - earlier) <= 2 * _LONGEST_GAP * usual:
            continue
        place = bisect_left(damaged, earlier - near)
        if place < len(damaged) and damaged[place] <= later + near:
            missing.update(range(earlier + usual, later - usual // 2, usual))
    return missing


async def decode_all(source: Source, stream: int, frames: int, *, fields: bool, timeout_s: float) -> Decoded:
    """Decode the video of a source from its beginning to its end, in a child process.

    Args:
        source: the source.
        stream: index of the video stream.
        frames: about how many there are.
        fields: whether to look at their fields.
        timeout_s: seconds for reading it, to which those for decoding are added.

    Raises:
        InputError: the source makes the decoder crash.
        TimeoutError: it took too long.
    """
    worker = (sys.executable, "-P", "-m", "vhsbatch.probe.decode_worker", str(stream))
    opens = ("--", *input_options(source), "-i", input_url(source))
    finished = await run(
        (*worker, *(("fields",) if fields else ()), *opens),
        timeout_s=timeout_s + frames * _SLOWEST_S_PER_FRAME,
    )
    if finished.exit_code != 0:
        raise InputError(
            f"the program that decodes it {describe_exit(finished.exit_code)}: the file is damaged",
            fix="copy it again from the original",
        )
    return await anyio.to_thread.run_sync(_parse, finished.stdout, fields)


def _parse(answer: bytes, fields: bool) -> Decoded:
    found = json.loads(answer)
    return Decoded(
        ticks=tuple(found["ticks"]),
        damaged=_known(found["damaged"]),
        overwritten=frozenset(_known(found["overwritten"])),
        lost=_known(found["lost"]),
        orders=find_orders(found["steps"]) if fields else None,
        captions=_captions(found["captions"]),
    )


def _captions(found: Any) -> tuple[str, tuple[tuple[int, int | None, str], ...]] | None:
    return None if found is None else (found[0], tuple((first, stop, text) for first, stop, text in found[1]))


def _known(ticks: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(tick for tick in ticks if tick is not None)
